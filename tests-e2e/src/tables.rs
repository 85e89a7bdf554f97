//! Bulk calls of stories.

use std::fmt::Write as _;
use std::time::Duration;

use api_types::BulkReply;

use crate::{DEALER, Service};

const BULK: &str = "/api/v1/customer/validate-customers";
/// The header of a table of ours, as people write it.
pub const HEADER: &str = "Nama Pembawa;No Telp;Tipe Unit;No Pol;Dealer ID";

/// Rows of a dealer that exists, each with a phone of its own.
#[must_use]
pub fn table(rows: u32) -> String {
    let mut text = format!("{HEADER}\r\n");
    for n in 0..rows {
        let _ = write!(text, "Adit {n};0812{n:08};BeAT;D {n} AD;{DEALER}\r\n");
    }
    text
}

/// Posts a table under this key.
///
/// # Errors
/// When there is no answer.
///
/// # Panics
/// When the answer is another one than 200.
pub async fn post_table(service: &Service, text: String, key: &str) -> reqwest::Result<BulkReply> {
    let answer = reqwest::Client::new()
        .post(format!("http://127.0.0.1:{}{BULK}", service.port()))
        .header("Content-Type", "text/csv")
        .header("Idempotency-Key", key)
        .timeout(Duration::from_secs(60))
        .body(text)
        .send()
        .await?;
    assert_eq!(answer.status(), 200);
    let text = answer.text().await?;
    Ok(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}
