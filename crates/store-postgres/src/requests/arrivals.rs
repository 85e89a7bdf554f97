//! What came in lately, for the live line of the console.

use async_trait::async_trait;
use domain::ports::{ArrivalCount, ArrivalWindow, Arrivals, StoreError};

use crate::sql::{self, Statement, sql_row};
use crate::store::PgStore;

sql_row! {
    /// The requests of a dealer.
    struct ArrivalRow {
        dealer_id: String,
        settled: i64,
        rows: i64,
    }
}

#[async_trait]
impl Arrivals for PgStore {
    async fn arrivals(&self, window: &ArrivalWindow) -> Result<Vec<ArrivalCount>, StoreError> {
        let [first, settled, last] = window.ids();
        let statement = Statement::new(sql::Arrived)
            .bind("first", first)
            .bind("settled", settled)
            .bind("last", last);
        let rows: Vec<ArrivalRow> = self.database.all(statement).await?;
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Ok(rows
            .into_iter()
            .map(|row| ArrivalCount {
                dealer_id: row.dealer_id,
                settled: count(row.settled),
                all: count(row.rows),
            })
            .collect())
    }
}
