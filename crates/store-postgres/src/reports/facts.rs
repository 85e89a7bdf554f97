//! What is counted about the requests of a period, all of one moment.

use std::time::Duration;

use chrono::NaiveDate;
use diesel::pg::data_types::PgDate;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use domain::analytics::{Bucket, MOST_LISTED, Measure, Period};
use domain::ports::{DealerTally, Facts, SecondsFact, StoreError, Tally};
use domain::values::DealerId;

use crate::connection::{StoreResult, failed};
use crate::requests::odd::{AnyDate, pg_date};
use crate::sql::{self, File, Statement, sql_row};

/// How long a database that answers takes to say so at most. What is counted may take longer.
const ALIVE: Duration = Duration::from_secs(2);

/// How many reasons of failures are read: masked, some of them are the same.
const REASONS: i64 = 1_000;

/// What is asked about.
struct Question<'a> {
    dealer: Option<&'a str>,
    first: PgDate,
    last: PgDate,
}

/// Counts. Whoever is not answered in time gets no answer; its session is not used again.
pub(crate) async fn facts(
    connection: &mut AsyncPgConnection,
    dealer: Option<&DealerId>,
    period: &Period,
) -> StoreResult<Facts> {
    let beginning = connection.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    tokio::time::timeout(ALIVE, beginning)
        .await
        .map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?
        .map_err(failed)?;
    let question = Question {
        dealer: dealer.map(DealerId::as_str),
        first: pg_date(period.from()),
        last: pg_date(period.to()),
    };
    let facts = count(connection, &question, period.bucket() == Bucket::Hour).await;
    let facts = facts.map_err(failed)?;
    connection.batch_execute("COMMIT").await.map_err(failed)?;
    Ok(facts)
}

async fn count(
    connection: &mut AsyncPgConnection,
    question: &Question<'_>,
    by_hour: bool,
) -> QueryResult<Facts> {
    let mut facts = Facts::default();
    let tallies: Vec<TallyRow> = question.of(sql::Tallies).load(connection).await?;
    for row in tallies {
        match (row.request_date.and_then(AnyDate::shown), row.dealer_id) {
            (Some(day), _) if !by_hour => facts.tallies.push(Tally {
                day,
                hour: 0,
                whatsapp_status: row.whatsapp_status,
                requests: counted(row.rows),
            }),
            (None, Some(dealer_id)) if question.dealer.is_none() => {
                facts.dealers.push(DealerTally {
                    dealer_id,
                    dealer_name: row.dealer_name,
                    whatsapp_status: row.whatsapp_status,
                    requests: counted(row.rows),
                });
            }
            _ => {}
        }
    }
    let told = question
        .of(sql::Told)
        .bind("by_hour", by_hour)
        .bind("most_units", i64::try_from(MOST_LISTED).unwrap_or(i64::MAX))
        .bind("most_reasons", REASONS);
    for row in told.load::<ToldRow>(connection).await? {
        row.add_to(&mut facts);
    }
    let seconds: Vec<SecondsRow> = question.of(sql::Seconds).load(connection).await?;
    facts.seconds = seconds.into_iter().filter_map(SecondsRow::fact).collect();
    Ok(facts)
}

impl<'a> Question<'a> {
    fn of<F: File>(&self, file: F) -> Statement<'a, F> {
        Statement::new(file)
            .bind("dealer_id", self.dealer)
            .bind("first_day", self.first)
            .bind("last_day", self.last)
    }
}

/// PostgreSQL counts in signed numbers that are never negative.
fn counted(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}

sql_row! {
    /// Requests of a day or of a dealer.
    struct TallyRow {
        request_date: Option<AnyDate>,
        dealer_id: Option<String>,
        dealer_name: Option<String>,
        whatsapp_status: String,
        rows: i64,
    }
}

sql_row! {
    /// Requests of an hour, a type of unit or a reason.
    struct ToldRow {
        kind: String,
        day: Option<i32>,
        hour: Option<i32>,
        /// The status, the type or the reason.
        words: Option<String>,
        rows: i64,
    }
}

impl ToldRow {
    fn add_to(self, facts: &mut Facts) {
        let requests = counted(self.rows);
        match (self.kind.as_str(), self.words) {
            ("unit", Some(unit_type)) => facts.units.push((unit_type, requests)),
            ("failure", reason) => facts.failures.push((reason, requests)),
            ("hour", status) => {
                let (day, hour) = (self.day.unwrap_or(0), self.hour.unwrap_or(0));
                add_hour(facts, (day, hour), status, requests);
            }
            _ => {}
        }
    }
}

/// Adds the requests of an hour: with a status it is one of a day, without it one of a weekday.
fn add_hour(facts: &mut Facts, (day, hour): (i32, i32), status: Option<String>, requests: u64) {
    // 24:00 belongs to the last hour.
    let hour = u32::try_from(hour).unwrap_or(0).min(23);
    // 1 January 2000 was a Saturday.
    let weekday = if status.is_some() {
        (day + 5).rem_euclid(7)
    } else {
        day
    };
    let hours = facts.hours.get_mut(usize::try_from(weekday).unwrap_or(0));
    if let Some(place) = hours.and_then(|hours| hours.get_mut(hour as usize)) {
        *place += requests;
    }
    let day: Option<NaiveDate> = AnyDate { days: day }.shown();
    let tally = day.zip(status).map(|(day, whatsapp_status)| Tally {
        day,
        hour,
        whatsapp_status,
        requests,
    });
    facts.tallies.extend(tally);
}

sql_row! {
    struct SecondsRow {
        measure: String,
        seconds: i32,
        messages: i64,
    }
}

impl SecondsRow {
    fn fact(self) -> Option<SecondsFact> {
        Some(SecondsFact {
            measure: Measure::parse(&self.measure)?,
            seconds: u32::try_from(self.seconds).ok()?,
            messages: counted(self.messages),
        })
    }
}
