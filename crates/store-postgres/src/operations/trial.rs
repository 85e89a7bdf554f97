//! A test submission, stored, settled and rolled back: whether the database takes the service's writes, with
//! its present rights, columns and triggers.

use std::time::Duration;

use chrono::DateTime;
use diesel::prelude::*;
use diesel::result::Error;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use domain::delivery::{LaneChange, MessageChange, Receipt};
use domain::ports::{Lease, Settlement, StoreError};
use domain::requests::{MessageId, MessageKind, NewMessage, NewRequest, RequestId, Submission};
use domain::template::Variables;
use domain::values::{BodyFingerprint, IdempotencyKey, Once, mask_phones};
use uuid::Uuid;

use crate::connection::read_to_end::ReadToEnd as _;
use crate::connection::together::Work as _;
use crate::lanes::rows::EpochRow;
use crate::lanes::settling::Settling;
use crate::schema::{customer_validation_request, message};
use crate::sql::{self, Statement};
use crate::store::PgStore;

/// Which write the database refuses, and why. Shows no phone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {why}")]
pub struct Refusal {
    step: &'static str,
    why: String,
}

impl PgStore {
    /// Stores a submission of a dealer that does not exist, settles its message and rolls both back: no other
    /// session sees them. A failure is tried once more, in case of a stale session.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer; a refusal is an answer.
    pub async fn try_out(&self) -> Result<Result<(), Refusal>, StoreError> {
        match self.try_out_once().await? {
            Ok(()) => Ok(Ok(())),
            Err(_) => self.try_out_once().await,
        }
    }

    async fn try_out_once(&self) -> Result<Result<(), Refusal>, StoreError> {
        self.database
            .ask(|mut connection| async move {
                let mut step = "a submission cannot be stored";
                let outcome = connection
                    .transaction(async |connection| {
                        let found = store_and_settle(connection, &mut step).await?;
                        // Deferred triggers run, too.
                        connection
                            .batch_execute("SET CONSTRAINTS ALL IMMEDIATE")
                            .await?;
                        Err::<(), _>(if found {
                            Error::RollbackTransaction
                        } else {
                            Error::NotFound
                        })
                    })
                    .await;
                let why = match outcome {
                    Ok(()) | Err(Error::RollbackTransaction) => return Ok(Ok(())),
                    Err(Error::NotFound) => {
                        "what is written is not there afterwards; is there a trigger or a rule that \
                         swallows it?"
                            .to_owned()
                    }
                    Err(error) => match connection.sqlstate() {
                        Some(state) => format!(
                            "{} (SQLSTATE {}, {})",
                            mask_phones(&error.to_string()),
                            state.code(),
                            class(state.code())
                        ),
                        None => mask_phones(&error.to_string()),
                    },
                };
                Ok(Err(Refusal { step, why }))
            })
            .await
    }
}

/// Whether all rows are there at the end; `step` is the present step.
async fn store_and_settle(
    connection: &mut AsyncPgConnection,
    step: &mut &'static str,
) -> QueryResult<bool> {
    let request = submission();
    NewRequest::write(connection, &[&request]).await?;
    *step = "a message cannot be settled";
    let dealer_id = request.submission.dealer_id;
    let lease: Option<EpochRow> = Statement::new(sql::BeginTrial)
        .bind("dealer_id", dealer_id.as_str())
        .bind("message_id", request.message.id.0)
        .optional_row(connection)
        .await?;
    let Some(EpochRow { epoch }) = lease else {
        return Ok(false);
    };
    let settling = Settling {
        lease: Lease { dealer_id, epoch },
        settlement: Settlement {
            message: Some((request.message.id, MessageChange::Sent(Receipt::default()))),
            lane: LaneChange::Ready {
                pause: Duration::ZERO,
            },
            attempt: None,
            called: true,
            call: None,
            account_fingerprint: None,
        },
        next: None,
    };
    Settling::write(connection, &[&settling]).await?;
    // A trigger or a rule may drop a row silently.
    let found = customer_validation_request::table
        .inner_join(message::table.on(message::request_id.eq(customer_validation_request::id)))
        .filter(customer_validation_request::id.eq(request.id.0))
        .filter(customer_validation_request::whatsapp_status.eq("SENT"))
        .filter(message::sent_at.is_not_null())
        .select(message::id);
    let found: Option<Uuid> = found.optional_row(connection).await?;
    Ok(found.is_some())
}

/// Each trial has a dealer of its own, so that trials of several copies do not wait for each other.
fn submission() -> NewRequest {
    let unique = Uuid::new_v4();
    let name = unique.simple().to_string();
    let submission = Submission {
        customer_name: "Percobaan".into(),
        phone: "081200000000".into(),
        unit_type: "Percobaan".into(),
        license_plate: "B 1 X".into(),
        created_time: "31/12/2019 15:40:50".into(),
        modified_time: "31/12/2019 15:40:50".into(),
        dealer_id: format!("~{}", &name[..9]).as_str().into(),
        ..Submission::default()
    };
    let key = IdempotencyKey::parse(&name).ok();
    NewRequest {
        id: RequestId(unique),
        submission: submission
            .validate(DateTime::UNIX_EPOCH)
            .expect("it keeps the rules"),
        message: NewMessage {
            id: MessageId(unique),
            kind: MessageKind::Live,
            template: "percobaan".to_owned(),
            template_version: None,
            variables: Variables::default(),
            body: "Percobaan".to_owned(),
            not_before: None,
            origin: None,
        },
        once: key.map(|key| Once {
            key,
            body: BodyFingerprint::of(""),
            alike: None,
        }),
    }
}

/// The meaning of an SQLSTATE's class, after appendix A of PostgreSQL's manual.
fn class(code: &str) -> &'static str {
    match code.get(..2).unwrap_or_default() {
        "22" => "a value does not fit its column",
        "23" | "44" => "a rule of the table forbids it",
        "25" => "no writes are taken, or not now",
        "3F" | "42" => "a table, column, function or right is missing",
        "53" => "the server has run out of disk, memory or connections",
        "54" => "a limit of the server",
        "55" => "something is locked or not ready",
        "57" => "a person or a time limit ended it",
        "P0" => "a trigger or function of this database raised it",
        "58" | "F0" | "XX" => "the server itself is at fault; look into its log",
        _ => "see appendix A of PostgreSQL's manual",
    }
}
