//! How the rows of bulk calls are stored: a block in one statement, on one of the connections that callers do
//! not wait for. What became of keys that were used before is asked by another statement.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use diesel_async::AsyncPgConnection;
use domain::ports::{Accepted, KeyUse, StoreError};
use domain::requests::NewRequest;
use domain::usecases::BLOCK;
use domain::values::{DealerId, Once};

use super::intake::{FIRST_LOOK, KEY_WAIT, LONGEST_LOOK, accept_alone, insert, with_jitter};
use super::key_uses::key_uses;
use crate::connection::together::{Together, Work};
use crate::connection::{Database, StoreResult, failed};

/// A row of a bulk call.
pub(crate) struct BulkRequest(NewRequest);

impl Work for BulkRequest {
    /// In progress, where the key was used before, too: that is asked in a question of its own, so that rows that
    /// are stored are answered whatever becomes of it.
    type Answer = Accepted;
    /// Two of one key are told apart here.
    type Key = Infallible;
    const SECOND_TRY: bool = false;
    const ALONE: usize = 1;
    const AT_ONCE: usize = BLOCK;
    /// Time for some hundred statements, which find the rows that are refused.
    const DIVIDING: Duration = Duration::from_secs(2);

    fn key(&self) -> Option<Infallible> {
        None
    }

    async fn write(
        connection: &mut AsyncPgConnection,
        rows: &[&Self],
    ) -> QueryResult<Vec<Option<Accepted>>> {
        let rows: Vec<&NewRequest> = rows.iter().map(|row| &row.0).collect();
        let first = first_of_keys(&rows);
        let fresh: Vec<&NewRequest> = first.iter().map(|n| rows[*n]).collect();
        let inserted = insert(connection, &fresh).await?;
        let mut answers = vec![Some(Accepted::KeyInProgress); rows.len()];
        for (n, stored) in first.into_iter().zip(inserted) {
            answers[n] = Some(stored.unwrap_or(Accepted::KeyInProgress));
        }
        Ok(answers)
    }

    /// Not reached: a block answers all of its rows, and none has a key.
    async fn write_alone(&self, database: &Database) -> StoreResult<Accepted> {
        accept_alone(database, &self.0).await
    }
}

/// The places of those that have no key, or are the first of theirs.
fn first_of_keys(rows: &[&NewRequest]) -> Vec<usize> {
    let mut keys = HashSet::new();
    let mut is_first = |n: &usize| {
        let once = rows[*n].once.as_ref();
        once.is_none_or(|once| keys.insert((&rows[*n].submission.dealer_id, &once.key)))
    };
    (0..rows.len()).filter(|n| is_first(n)).collect()
}

/// Stores the rows of a call. Those whose keys are being stored by somebody else are waited for together,
/// without a connection.
pub(crate) async fn accept_all(
    database: &Database,
    together: &Together<BulkRequest>,
    requests: &[NewRequest],
) -> Vec<Result<Accepted, StoreError>> {
    let (began, mut look) = (Instant::now(), FIRST_LOOK);
    let rows: Vec<&NewRequest> = requests.iter().collect();
    let mut answers = write(database, together, &rows).await;
    loop {
        let is_waiting = |n: &usize| matches!(answers[*n], Ok(Accepted::KeyInProgress));
        let waiting: Vec<usize> = (0..answers.len()).filter(is_waiting).collect();
        let Some(first) = waiting.first() else {
            return answers;
        };
        if began.elapsed() + look > KEY_WAIT {
            return answers;
        }
        tokio::time::sleep(with_jitter(look, &requests[*first])).await;
        look = (look * 2).min(LONGEST_LOOK);
        let rows: Vec<&NewRequest> = waiting.iter().map(|n| &requests[*n]).collect();
        let again = write(database, together, &rows).await;
        for (n, answer) in waiting.into_iter().zip(again) {
            answers[n] = answer;
        }
    }
}

/// Stores rows once, and asks what became of those whose keys are known.
async fn write(
    database: &Database,
    together: &Together<BulkRequest>,
    rows: &[&NewRequest],
) -> Vec<Result<Accepted, StoreError>> {
    let works = rows.iter().map(|row| BulkRequest((*row).clone())).collect();
    let mut answers = together.write_all(works).await;
    let (places, uses): (Vec<usize>, Vec<(&DealerId, &Once)>) = (0..rows.len())
        .filter(|n| matches!(answers[*n], Ok(Accepted::KeyInProgress)))
        .filter_map(|n| Some((n, (&rows[n].submission.dealer_id, rows[n].once.as_ref()?))))
        .unzip();
    if uses.is_empty() {
        return answers;
    }
    let asked = &uses;
    // In a statement of its own: it sees what the first ones have committed.
    let found = database
        .ask_again(|mut connection| async move {
            key_uses(&mut connection, asked).await.map_err(failed)
        })
        .await;
    for (n, place) in places.into_iter().enumerate() {
        answers[place] = match &found {
            Ok(found) => Ok(match found[n] {
                Some(KeyUse::SameBody(id)) => Accepted::Replayed(id),
                Some(KeyUse::AnotherBody) => Accepted::KeyReused,
                None => Accepted::KeyInProgress,
            }),
            Err(error) => Err(error.again()),
        };
    }
    answers
}
