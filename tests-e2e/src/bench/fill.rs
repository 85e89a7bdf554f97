//! Rows by the million.

use super::stage::Stage;

/// The dealer that has a quarter of all rows.
pub(super) const LARGE_DEALER: &str = "1000001";

/// How many other dealers share the rest.
pub(super) const OTHER_DEALERS: u32 = 49;

/// How many rows are written in one statement.
const AT_ONCE: u32 = 200_000;

/// The columns of the item, as the service reads them.
pub(super) const ITEM: &str = "id, dealer_id, request_date, request_time, nama_pembawa, no_telp, \
    tipe_unit, no_pol, request_status, whatsapp_status, fonnte_response, created_by, created_date, \
    last_modified_by, last_modified_date";

/// What is written.
pub(super) struct Rows {
    /// How many requests.
    pub count: u32,
    /// How many other dealers share what the large one has not.
    pub others: u32,
    /// When the last one came in, in SQL; they are spread evenly over the year before.
    pub until: &'static str,
}

/// The id of row `n`, as the service writes it.
#[must_use]
pub(super) fn id_of_text(n: u32) -> String {
    format!("00000000-0000-0000-0000-{n:012x}")
}

/// The id of row `n`, in SQL.
#[must_use]
pub(super) fn id_of(n: &str) -> String {
    format!("lpad(to_hex({n}), 32, '0')::uuid")
}

/// Writes this many requests whose messages were sent, evenly over the year before the
/// 22nd of November 2026, through whatever triggers there are.
///
/// # Errors
/// When the database refuses.
pub(super) async fn fill(stage: &Stage, database: &str, rows: u32) -> anyhow::Result<()> {
    let rows = Rows {
        count: rows,
        others: OTHER_DEALERS,
        until: "timestamp '2026-11-22 00:00:00'",
    };
    fill_until(stage, database, &rows).await
}

/// Writes requests whose messages were sent, through whatever triggers there are.
///
/// # Errors
/// When the database refuses.
pub(super) async fn fill_until(stage: &Stage, database: &str, all: &Rows) -> anyhow::Result<()> {
    let rows = all.count;
    let client = stage.connect(database).await?;
    let mut first = 1;
    while first <= rows {
        let last = rows.min(first + AT_ONCE - 1);
        client.batch_execute(&insert(first, last, all)).await?;
        if rows > AT_ONCE {
            stage
                .progress
                .say(format!("{database}: {last} of {rows} rows"));
        }
        first = last + 1;
    }
    client.batch_execute("VACUUM (ANALYZE)").await?;
    Ok(())
}

fn insert(first: u32, last: u32, all: &Rows) -> String {
    let id = id_of("n");
    let Rows {
        count,
        others,
        until,
    } = all;
    format!(
        r#"INSERT INTO customer.customer_validation_request ({ITEM})
        SELECT {id},
            CASE WHEN n % 4 = 0 THEN '{LARGE_DEALER}'
                ELSE (1000002 + (n / 4 + n) % {others})::text END,
            at::date, at::time, 'Adit', '0812' || lpad(n::text, 8, '0'), 'BeAT Street',
            'D ' || 1000 + n % 9000 || ' AD', 'PROCESSED',
            (ARRAY['SENT', 'DELIVERED', 'READ'])[1 + n % 3],
            '{{"detail":"success! message in queue","process":"pending","status":true}}',
            'api', at, 'system', at
        FROM generate_series({first}, {last}) n,
            LATERAL (SELECT date_trunc('second', {until}
                - ({count} - n) * (interval '365 days' / {count})) AS at) moment"#
    )
}
