use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use domain::values::{DealerId, Phone};

use crate::connection::together::Work;
use crate::connection::{Database, StoreResult, failed};
use crate::sql::{self, Statement, sql_row};

/// The question whether a phone is opted out. It is asked before every call, so those of calls that begin
/// together share a statement.
pub(crate) struct OptOutCheck {
    pub(crate) dealer: DealerId,
    pub(crate) phone: Phone,
    /// Erased persons are known by prints under these keys.
    pub(crate) print_keys: Vec<Vec<u8>>,
}

sql_row! {
    struct OptedOutRow {
        place: i64,
    }
}

impl Work for OptOutCheck {
    type Answer = bool;
    /// No key: one statement may ask about a phone several times.
    type Key = std::convert::Infallible;
    const SECOND_TRY: bool = true;
    const ALONE: usize = 1;

    fn key(&self) -> Option<Self::Key> {
        None
    }

    async fn write(
        connection: &mut AsyncPgConnection,
        asked: &[&Self],
    ) -> QueryResult<Vec<Option<bool>>> {
        let rows: Vec<OptedOutRow> = statement(asked).load(connection).await?;
        let mut answers = vec![Some(false); asked.len()];
        for row in rows {
            let place = usize::try_from(row.place - 1).ok();
            if let Some(answer) = place.and_then(|place| answers.get_mut(place)) {
                *answer = Some(true);
            }
        }
        Ok(answers)
    }

    async fn write_alone(&self, database: &Database) -> StoreResult<bool> {
        database
            .ask_again(|mut connection| async move {
                let answers = Self::write(&mut connection, &[self]).await;
                Ok(answers.map_err(failed)?.pop().flatten() == Some(true))
            })
            .await
    }
}

fn statement<'a>(asked: &[&'a OptOutCheck]) -> Statement<'a, sql::IsOptedOut> {
    // The same for all of them.
    let keys: &[Vec<u8>] = asked.first().map_or(&[], |it| &it.print_keys);
    Statement::new(sql::IsOptedOut)
        .bind_each("dealer_ids", asked, |it| it.dealer.as_str())
        .bind_each("phones", asked, |it| it.phone.national())
        .bind("print_keys", keys)
}
