use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike as _, NaiveDate, NaiveTime, TimeDelta, Timelike as _};
use domain::analytics::{Bucket, Measure, Period, unit_key, whole_seconds};
use domain::ports::{DealerTally, Facts, SecondsFact, Tally};
use domain::requests::{MessageState, Request, WhatsappStatus};
use domain::values::DealerId;

use super::state::{Message, State};

/// Counts the requests of a period and their messages.
pub(super) fn facts(state: &State, dealer: Option<&DealerId>, period: &Period) -> Facts {
    let mut tallies = BTreeMap::<(NaiveDate, u32, &str), u64>::new();
    let mut dealers = BTreeMap::<(&str, &str), u64>::new();
    let mut units = HashMap::<String, BTreeMap<&str, u64>>::new();
    let mut failures = BTreeMap::<Option<String>, u64>::new();
    let mut facts = Facts::default();
    for request in state.requests.values() {
        let Some((day, hour)) = moment(request, period) else {
            continue;
        };
        if dealer.is_some_and(|dealer| request.dealer_id != dealer.as_str()) {
            continue;
        }
        let status = request.whatsapp_status.as_str();
        let told_hour = if period.bucket() == Bucket::Hour {
            hour
        } else {
            0
        };
        *tallies.entry((day, told_hour, status)).or_default() += 1;
        *dealers.entry((&request.dealer_id, status)).or_default() += 1;
        facts.hours[day.weekday().num_days_from_monday() as usize][hour as usize] += 1;
        if let Some(unit) = &request.unit_type {
            *units
                .entry(unit_key(unit))
                .or_default()
                .entry(unit)
                .or_default() += 1;
        }
        if let Some(reason) = failure(state, request) {
            *failures.entry(reason).or_default() += 1;
        }
        let messages = state.messages.values();
        for message in messages.filter(|message| message.request_id == request.id) {
            facts.seconds.extend(seconds(message));
        }
    }
    facts.tallies = tallies
        .into_iter()
        .map(|((day, hour, status), requests)| Tally {
            day,
            hour,
            whatsapp_status: status.to_owned(),
            requests,
        })
        .collect();
    if dealer.is_none() {
        let tally = |((dealer_id, status), requests): ((&str, &str), u64)| DealerTally {
            dealer_id: dealer_id.to_owned(),
            dealer_name: name(state, dealer_id),
            whatsapp_status: status.to_owned(),
            requests,
        };
        facts.dealers = dealers.into_iter().map(tally).collect();
    }
    facts.units = units.into_values().filter_map(written_most).collect();
    facts.failures = failures.into_iter().collect();
    facts
}

/// The day of a request in the period, and its hour.
fn moment(request: &Request, period: &Period) -> Option<(NaiveDate, u32)> {
    let day = request
        .request_date
        .filter(|day| period.range().contains(*day))?;
    // The last moment of a day stands for 24:00.
    let last = NaiveTime::MIN - TimeDelta::seconds(1);
    Some((day, request.request_time.unwrap_or(last).hour()))
}

fn name(state: &State, dealer_id: &str) -> Option<String> {
    let id = DealerId::parse(dealer_id).ok()?;
    state.dealers.get(&id).map(|dealer| dealer.name.clone())
}

/// Of several ways to write a type the most frequent one, or the first of these.
fn written_most(ways: BTreeMap<&str, u64>) -> Option<(String, u64)> {
    let all = ways.values().sum();
    let most = ways.iter().rev().max_by_key(|(_, count)| **count)?;
    Some(((*most.0).to_owned(), all))
}

/// Why the newest message of a request that shows it FAILED did so.
fn failure(state: &State, request: &Request) -> Option<Option<String>> {
    if request.whatsapp_status != WhatsappStatus::Failed.as_str() {
        return None;
    }
    let (_, newest) = state.message_of(request.id)?;
    (newest.state == MessageState::Failed).then(|| newest.reason.clone())
}

fn seconds(message: &Message) -> impl Iterator<Item = SecondsFact> {
    let moments = [
        Some(message.due),
        message.sent_at,
        message.delivered_at,
        message.read_at,
    ];
    let pairs = moments.into_iter().zip(moments.into_iter().skip(1));
    let times = Measure::ALL.into_iter().zip(pairs);
    times.filter_map(|(measure, (from, to))| {
        Some(SecondsFact {
            measure,
            seconds: whole_seconds(to? - from?),
            messages: 1,
        })
    })
}
