//! The promises of the store ports, kept although database and role default to the worst.

use store_postgres::testing::TestDatabase;
use testkit::contract::Stage;
use tokio_postgres::Client;

use crate::backstage::PgBackstage;
use crate::contract::stage_over;

/// Every setting of the planner to another value than PostgreSQL's own, and each other setting that a
/// statement may rely on.
const FOR_ANYBODY: &str = "
    SELECT name, CASE vartype
        WHEN 'bool' THEN CASE boot_val WHEN 'on' THEN 'off' ELSE 'on' END
        WHEN 'enum' THEN (SELECT value FROM unnest(enumvals) value WHERE value <> boot_val LIMIT 1)
        ELSE CASE boot_val WHEN min_val THEN max_val ELSE min_val END END AS value
    FROM pg_settings WHERE category LIKE 'Query Tuning %'
    UNION ALL VALUES ('search_path', 'nowhere'),
        ('default_transaction_isolation', 'serializable'),
        ('default_transaction_read_only', 'on'), ('default_transaction_deferrable', 'on'),
        ('statement_timeout', '200ms'), ('lock_timeout', '1ms'),
        ('idle_in_transaction_session_timeout', '200ms'), ('idle_session_timeout', '200ms'),
        ('transaction_timeout', '200ms'),
        ('DateStyle', 'SQL, DMY'), ('IntervalStyle', 'sql_standard'),
        ('TimeZone', 'Pacific/Kiritimati'), ('bytea_output', 'escape'),
        ('extra_float_digits', '-15'), ('client_encoding', 'LATIN1'),
        ('standard_conforming_strings', 'off'), ('transform_null_equals', 'on'),
        ('array_nulls', 'off'), ('row_security', 'off'), ('client_min_messages', 'debug2'),
        ('restrict_nonsystem_relation_kind', 'view'), ('exit_on_error', 'on'),
        ('check_function_bodies', 'off'), ('synchronous_commit', 'off'), ('work_mem', '64kB')";

/// The same and what only superusers may set, so that only they can set it back.
pub(crate) const FOR_SUPERUSERS: &str = "UNION ALL VALUES ('session_replication_role', 'replica')";

/// Sets defaults; `whose` is `DATABASE` or `ROLE … IN DATABASE`. The names of the settings.
pub(crate) async fn set_defaults(client: &Client, whose: &str, more: &str) -> Vec<String> {
    let statement = format!(
        "SELECT name, format(
            CASE name WHEN 'search_path' THEN 'ALTER %s %I SET %s TO %s' WHEN 'DateStyle'
                THEN 'ALTER %s %I SET %s TO %s' ELSE 'ALTER %s %I SET %s TO %L' END,
            '{whose}', current_database(), name, value)
        FROM ({FOR_ANYBODY} {more}) hostile
        WHERE name IN (SELECT name FROM pg_settings)"
    );
    let rows = client.query(&statement, &[]).await.unwrap();
    for row in &rows {
        let statement: &str = row.get(1);
        client
            .batch_execute(statement)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
    rows.iter().map(|row| row.get(0)).collect()
}

async fn make_stage() -> (Stage, TestDatabase) {
    let database = TestDatabase::migrated().await;
    // Connected before, with what the server defaults to; the store connects when it is first asked.
    let backstage = PgBackstage::connect(&database).await;
    let stage = stage_over(&database, backstage).await;
    set_defaults(&database.connect().await, "DATABASE", "").await;
    (stage, database)
}

testkit::contract_tests!(make_stage);
