//! Databases that are not as the service needs them: what is found at the start, and what a submission
//! meets.

use domain::ports::{RequestStore as _, StoreError};
use store_postgres::testing::TestDatabase;
use store_postgres::{DatabaseUrl, MigrateError, PgStore, SchemaName, migrate};
use testkit::sample;

use crate::backstage::{store, store_at};

const REQUESTS: &str = "customer.customer_validation_request";

/// A table that is known by its column's width, one of another team's rules, or a lost right.
struct Trouble {
    change: &'static str,
    back: &'static str,
    /// What is found of it without a submission.
    found: &'static [&'static str],
}

const TROUBLES: [Trouble; 9] = [
    Trouble {
        change: "ALTER TABLE customer.customer_validation_request
            ALTER nama_pembawa TYPE varchar(3), ALTER no_pol TYPE char(2)",
        back: "ALTER TABLE customer.customer_validation_request
            ALTER nama_pembawa TYPE varchar(255), ALTER no_pol TYPE varchar(20)",
        found: &[
            "ALTER COLUMN nama_pembawa TYPE varchar(255)",
            "ALTER COLUMN no_pol TYPE varchar(20)",
        ],
    },
    Trouble {
        change: "ALTER TABLE customer.customer_validation_request ADD CONSTRAINT c CHECK (false)",
        back: "ALTER TABLE customer.customer_validation_request DROP CONSTRAINT c",
        found: &[],
    },
    Trouble {
        change: "ALTER TABLE customer.customer_validation_request ADD branch text NOT NULL",
        back: "ALTER TABLE customer.customer_validation_request DROP branch",
        found: &["ALTER COLUMN branch SET DEFAULT"],
    },
    Trouble {
        change: "ALTER TABLE customer.customer_validation_request
            ADD CONSTRAINT c EXCLUDE (tipe_unit WITH =);
            INSERT INTO customer.customer_validation_request
                SELECT gen_random_uuid(), '0009999', '2025-01-02', '03:04', 'A', '0812', 'BeAT Street', 'D 1 A'",
        back: "DELETE FROM customer.customer_validation_request;
            ALTER TABLE customer.customer_validation_request DROP CONSTRAINT c",
        found: &[],
    },
    Trouble {
        change: "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE 'not here'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON customer.message
                FOR EACH ROW EXECUTE FUNCTION refuse()",
        back: "DROP FUNCTION refuse CASCADE",
        found: &[],
    },
    Trouble {
        change: "CREATE SCHEMA other; CREATE TABLE other.log (at timestamptz);
            CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql SET search_path = other, pg_temp
            AS $$ BEGIN INSERT INTO log VALUES (now()); RETURN NEW; END $$;
            CREATE TRIGGER log BEFORE INSERT ON customer.message
                FOR EACH ROW EXECUTE FUNCTION log();
            ALTER SCHEMA other RENAME TO elsewhere",
        back: "DROP FUNCTION log() CASCADE; DROP SCHEMA elsewhere CASCADE",
        found: &["ALTER FUNCTION public.log() SET search_path"],
    },
    Trouble {
        change: "ALTER TABLE customer.message RENAME body TO body_elsewhere",
        back: "ALTER TABLE customer.message RENAME body_elsewhere TO body",
        found: &[],
    },
    Trouble {
        change: "ALTER TABLE customer.message RENAME TO message_elsewhere",
        back: "ALTER TABLE customer.message_elsewhere RENAME TO message",
        found: &[],
    },
    Trouble {
        change: "REVOKE INSERT, UPDATE ON customer.message FROM serving_in_tests",
        back: "GRANT INSERT, UPDATE ON customer.message TO serving_in_tests",
        found: &["GRANT INSERT ON customer.message", "GRANT UPDATE ON customer.message"],
    },
];

async fn found(store: &PgStore) -> Vec<String> {
    let found = store.shortcomings().await.unwrap();
    found.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_stay_are_no_outage() {
    let database = TestDatabase::migrated().await;
    let store = store_at(&database.url_serving().await);
    let client = database.connect().await;
    let none: [String; 0] = [];
    let mut n = 0;
    let mut accept = async || {
        n += 1;
        store
            .accept(&sample::request_for(&sample::dealer_id(), n))
            .await
    };
    for Trouble {
        change,
        back,
        found: words,
    } in TROUBLES
    {
        assert_eq!(found(&store).await, none, "{change}");
        client.batch_execute(change).await.unwrap();
        let refused = accept().await;
        assert!(
            matches!(refused, Err(StoreError::Rejected(_))),
            "{change}: {refused:?}"
        );
        let told = found(&store).await;
        assert_eq!(told.len(), words.len(), "{told:?}");
        for (told, words) in told.iter().zip(words) {
            assert!(told.contains(words), "{told}");
        }
        client.batch_execute(back).await.unwrap();
        accept().await.unwrap();
        client
            .batch_execute("TRUNCATE customer.customer_validation_request, customer.message")
            .await
            .unwrap();
    }
}

/// The tables from which the README lets the serving role delete.
fn tables_to_empty() -> Vec<&'static str> {
    let readme = include_str!("../../README.md");
    let (_, list) = readme.split_once("GRANT DELETE ON ").unwrap();
    let (list, _) = list.split_once(" TO ").unwrap();
    list.split(',').map(str::trim).collect()
}

/// Calls of the provider about replies, and every call to it, would fail.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_replies_and_opt_outs_need_is_found() {
    let database = TestDatabase::migrated().await;
    let store = store_at(&database.url_serving().await);
    let client = database.connect().await;
    let written = ["reply", "opt_out", "opt_out_confirmation"];
    let rights = ["SELECT", "INSERT", "UPDATE"];
    let rights = written
        .iter()
        .flat_map(|table| rights.map(|right| (right, *table)));
    let read = ["opt_out_key", "opt_out_former_key"].map(|table| ("SELECT", table));
    for (right, table) in rights.chain(read) {
        let of_role = format!("{right} ON customer.{table}");
        let revoke = format!("REVOKE {of_role} FROM serving_in_tests");
        client.batch_execute(&revoke).await.unwrap();
        let told = found(&store).await.join("\n");
        assert!(told.contains(&format!("GRANT {of_role}")), "{told}");
        let grant = format!("GRANT {of_role} TO serving_in_tests");
        client.batch_execute(&grant).await.unwrap();
    }
    assert!(store.shortcomings().await.unwrap().is_empty());
}

/// Rows that have served their purpose would stay for ever, and nothing else would say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_must_not_be_emptied_is_found() {
    let database = TestDatabase::migrated().await;
    let store = store_at(&database.url_serving().await);
    let client = database.connect().await;
    let tables = tables_to_empty();
    assert!(tables.len() > 7, "{tables:?}");
    for table in tables {
        let of_role = format!("DELETE ON {table}");
        let revoke = format!("REVOKE {of_role} FROM serving_in_tests");
        client.batch_execute(&revoke).await.unwrap();
        let told = found(&store).await.join("\n");
        assert!(told.contains(&format!("GRANT {of_role}")), "{told}");
        let grant = format!("GRANT {of_role} TO serving_in_tests");
        client.batch_execute(&grant).await.unwrap();
        assert!(store.shortcomings().await.unwrap().is_empty(), "{table}");
    }
}

/// A deadlock, a time limit or a lock is over at some time.
#[tokio::test(flavor = "multi_thread")]
async fn faults_that_pass_are_outages() {
    let database = TestDatabase::migrated().await;
    let store = store(&database);
    let mut client = database.connect().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE customer.message")
        .await
        .unwrap();
    let refused = store
        .accept(&sample::request_for(&sample::dealer_id(), 1))
        .await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_are_narrower_than_ours_are_found() {
    let database = TestDatabase::migrated().await;
    let (store, client) = (store(&database), database.connect().await);
    let widths = client
        .query(
            "SELECT format('%I.%I', n.nspname, c.relname), a.attname::text, a.atttypmod - 4
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE a.attnum > 0 AND a.atttypid = 'varchar'::regtype AND a.atttypmod > 4
                AND c.relname IN ('customer_validation_request', 'dealers')
                -- A key of another service's rows.
                AND (c.relname, a.attname) <> ('dealers', 'dealer_id')",
            &[],
        )
        .await
        .unwrap();
    assert!(widths.len() > 10);
    for row in widths {
        let (table, column, width): (String, String, i32) = (row.get(0), row.get(1), row.get(2));
        let alter = |kind: &str| format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind}");
        for harmless in [format!("varchar({})", width + 1), "text".to_owned()] {
            client.batch_execute(&alter(&harmless)).await.unwrap();
            assert!(
                store.shortcomings().await.unwrap().is_empty(),
                "{table} {column}"
            );
        }
        for narrow in [
            format!("char({})", width - 1),
            format!("varchar({})", width - 1),
        ] {
            client.batch_execute(&alter(&narrow)).await.unwrap();
            let told = found(&store).await.join("\n");
            let remedy = alter(&format!("varchar({width})"));
            assert!(
                told.contains(&remedy) && told.contains(&format!("holds {} characters", width - 1)),
                "{told}"
            );
            // What it says helps.
            client.batch_execute(&remedy).await.unwrap();
        }
    }
    assert!(store.shortcomings().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_something_fills_in_is_no_trouble() {
    let database = TestDatabase::migrated().await;
    let (store, client) = (store(&database), database.connect().await);
    client
        .batch_execute(&format!(
            "ALTER TABLE {REQUESTS} ADD a text NOT NULL DEFAULT 'x', ADD b int GENERATED ALWAYS AS IDENTITY,
                ADD c bool NOT NULL GENERATED ALWAYS AS (true) STORED, ADD d text NOT NULL;
            CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN NEW.d = 'x'; RETURN NEW; END $$;
            CREATE TRIGGER fill BEFORE INSERT ON {REQUESTS} FOR EACH ROW EXECUTE FUNCTION fill()"
        ))
        .await
        .unwrap();
    assert!(store.shortcomings().await.unwrap().is_empty());
    store
        .accept(&sample::request_for(&sample::dealer_id(), 1))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_encoding_is_refused() {
    for encoding in ["LATIN1", "SQL_ASCII", "WIN1252", "EUC_JP"] {
        let database = TestDatabase::encoded(encoding).await;
        let url = DatabaseUrl::parse(database.url()).unwrap();
        let schema = SchemaName::parse("customer").unwrap();
        let refused = migrate(&url, &schema).await.unwrap_err();
        assert!(matches!(refused, MigrateError::Encoding(_)), "{refused:?}");
        for words in [encoding, "CREATE DATABASE", "UTF8"] {
            assert!(refused.to_string().contains(words), "{refused}");
        }
        // Nothing was begun.
        let client = database.connect().await;
        let row = client
            .query_one("SELECT to_regnamespace('customer') IS NULL", &[])
            .await;
        assert!(row.unwrap().get::<_, bool>(0), "{encoding}");
        assert_eq!(found(&store(&database)).await, [refused.to_string()]);
    }
}
