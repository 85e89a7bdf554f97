//! What makes a fully migrated database unfit for the service: old tables, and changes by other teams.

use std::fmt;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::StoreError;

use crate::connection::{SchemaName, failed};
use crate::requests::row::SUBMITTED;
use crate::sql::{self, Statement, sql_row};
use crate::store::PgStore;

/// The encoding that holds every text of a caller.
const ENCODING: &str = "UTF8";

/// Schema, table, column, and the characters that it must hold.
type Width = (&'static str, &'static str, &'static str, usize);

/// Columns of tables that may be older than the service, with the characters that each must hold, beside
/// those of [`SUBMITTED`]. An empty schema is ours.
const WIDTHS: [Width; 7] = [
    ("", REQUESTS, "request_status", 20),
    ("", REQUESTS, "whatsapp_status", 20),
    ("", REQUESTS, "created_by", 100),
    ("", REQUESTS, "last_modified_by", 100),
    (DEALERS, "dealers", "dealer_name", 255),
    (DEALERS, "dealers", "fonnte_api_key", 255),
    (DEALERS, "dealers", "fonnte_api_url", 255),
];

const REQUESTS: &str = "customer_validation_request";
const DEALERS: &str = "dealer_integration";

/// The columns of a request that every submission sets, beside those of [`SUBMITTED`].
const FILLED_IN: [&str; 6] = [
    "id",
    "request_status",
    "whatsapp_status",
    "created_by",
    "last_modified_by",
    "newest_message_id",
];

/// The tables that a submission, its message, what is told of it, replies and opt-outs write to.
const WRITTEN: [&str; 12] = [
    REQUESTS,
    "endpoint",
    "event",
    "event_delivery",
    "idempotency_key",
    "lane",
    "message",
    "message_seconds_change",
    "opt_out",
    "opt_out_confirmation",
    "reply",
    "request_count_change",
];
const RIGHTS: [&str; 3] = ["SELECT", "INSERT", "UPDATE"];

/// The tables that are read before a call.
const READ: [&str; 2] = ["opt_out_former_key", "opt_out_key"];

/// The tables whose rows the service removes when they have served their purpose.
const EMPTIED: [&str; 11] = [
    "console_session",
    "endpoint",
    "event",
    "event_delivery",
    "idempotency_key",
    "message_seconds_change",
    "opt_out",
    "opt_out_confirmation",
    "reply",
    "request_count_change",
    "webhook_event",
];

/// A reason why a database is unfit. Its text says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shortcoming {
    /// The database's encoding, which does not hold every text.
    Encoding(String),
    /// A column that is too narrow.
    Narrow {
        /// The table, with its schema, as SQL has it.
        table: String,
        /// The column.
        column: String,
        /// How many characters it holds.
        width: i32,
        /// How many characters are needed.
        needed: i32,
    },
    /// A column that must be set and that the service does not know.
    Required {
        /// The table, with its schema, as SQL has it.
        table: String,
        /// The column.
        column: String,
    },
    /// A right that the service's role lacks.
    Right {
        /// The table, with its schema, as SQL has it.
        table: String,
        /// `SELECT`, `INSERT` or `UPDATE`.
        right: String,
    },
    /// A function of a trigger on our tables that refers to a schema that does not exist, as after a
    /// renaming.
    LostFunction {
        /// The function, with its schema, as SQL has it.
        function: String,
        /// The missing schema.
        schema: String,
    },
}

impl fmt::Display for Shortcoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(found) => write!(
                f,
                "the encoding of the database is {found}, which cannot hold every name; create one \
                 with CREATE DATABASE … TEMPLATE template0 ENCODING '{ENCODING}' and move the tables \
                 there with pg_dump and pg_restore"
            ),
            Self::Narrow {
                table,
                column,
                width,
                needed,
            } => write!(
                f,
                "{column} of {table} holds {width} characters, and what is longer is refused; \
                 ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({needed})"
            ),
            Self::Required { table, column } => write!(
                f,
                "{column} of {table} must not be empty, has no default and is not the service's: \
                 every submission is refused; ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT …, \
                 or DROP NOT NULL"
            ),
            Self::Right { table, right } => write!(
                f,
                "the role has no right to {right} on {table}; GRANT {right} ON {table} TO the role"
            ),
            Self::LostFunction { function, schema } => write!(
                f,
                "the function {function} of a trigger looks for tables in the schema {schema}, which \
                 does not exist: what it belongs to is refused; ALTER FUNCTION {function} SET \
                 search_path = the schema that has them now"
            ),
        }
    }
}

impl PgStore {
    /// Why the database is unfit for the service; mostly empty. Reads catalogs only, in milliseconds.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn shortcomings(&self) -> Result<Vec<Shortcoming>, StoreError> {
        let schema = self.database.schema().clone();
        self.database
            .ask(|mut connection| async move {
                find(&mut connection, &schema).await.map_err(failed)
            })
            .await
    }
}

/// The encoding of the database, where it is a wrong one.
pub(crate) async fn wrong_encoding(
    connection: &mut AsyncPgConnection,
    schema: &SchemaName,
) -> QueryResult<Option<Shortcoming>> {
    let found = find(connection, schema).await?;
    let mut found = found.into_iter();
    Ok(found.find(|found| matches!(found, Shortcoming::Encoding(_))))
}

async fn find(
    connection: &mut AsyncPgConnection,
    schema: &SchemaName,
) -> QueryResult<Vec<Shortcoming>> {
    let submitted = SUBMITTED.iter().filter_map(|(column, _, field)| {
        let (_, longest) = (*field)?.length()?;
        Some(("", REQUESTS, *column, longest))
    });
    let widths: Vec<Width> = WIDTHS.into_iter().chain(submitted).collect();
    let texts = |part: fn(&Width) -> &'static str| widths.iter().map(part).collect::<Vec<_>>();
    let needed = widths
        .iter()
        .map(|(.., needed)| i32::try_from(*needed).unwrap_or(i32::MAX));
    let needed: Vec<i32> = needed.collect();
    let filled_in = SUBMITTED.iter().map(|(column, ..)| *column);
    let rows: Vec<Row> = Statement::new(sql::Shortcomings)
        .bind("schemas", texts(|(schema, ..)| schema))
        .bind("tables", texts(|(_, table, ..)| table))
        .bind("columns", texts(|(_, _, column, _)| column))
        .bind("widths", needed)
        .bind("schema", schema.as_str())
        .bind("requests", REQUESTS)
        .bind(
            "filled_in",
            FILLED_IN.into_iter().chain(filled_in).collect::<Vec<_>>(),
        )
        .bind("written", WRITTEN.to_vec())
        .bind("rights", RIGHTS.to_vec())
        .bind("read", READ.to_vec())
        .bind("emptied", EMPTIED.to_vec())
        .load(connection)
        .await?;
    Ok(rows.into_iter().filter_map(Row::read).collect())
}

sql_row! {
    struct Row {
        kind: String,
        place: String,
        name: String,
        width: i32,
        needed: i32,
    }
}

impl Row {
    fn read(self) -> Option<Shortcoming> {
        Some(match &*self.kind {
            "encoding" if self.name == ENCODING => return None,
            "encoding" => Shortcoming::Encoding(self.name),
            "narrow" => Shortcoming::Narrow {
                table: self.place,
                column: self.name,
                width: self.width,
                needed: self.needed,
            },
            "required" => Shortcoming::Required {
                table: self.place,
                column: self.name,
            },
            "right" => Shortcoming::Right {
                table: self.place,
                right: self.name,
            },
            _ => Shortcoming::LostFunction {
                function: self.place,
                schema: self.name,
            },
        })
    }
}
