use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeDelta};

use super::{Bucket, Measure, Percentiles, Period};
use crate::ports::{DealerTally, Facts};
use crate::values::mask_phones;

/// How many reasons and types of units are told.
pub const MOST_LISTED: usize = 20;

/// How many requests are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub requests: u64,
    /// `whatsapp_status` SENT, DELIVERED or READ.
    pub sent: u64,
    /// `whatsapp_status` DELIVERED or READ.
    pub delivered: u64,
    /// `whatsapp_status` READ.
    pub read: u64,
    /// `whatsapp_status` FAILED.
    pub failed: u64,
    /// `whatsapp_status` ERROR.
    pub unknown: u64,
    /// `whatsapp_status` NOT_SENT.
    pub not_sent: u64,
}

impl Counts {
    /// So many more with this status.
    pub fn add(&mut self, whatsapp_status: &str, requests: u64) {
        self.requests += requests;
        let reached: &mut [&mut u64] = match whatsapp_status {
            "SENT" => &mut [&mut self.sent],
            "DELIVERED" => &mut [&mut self.sent, &mut self.delivered],
            "READ" => &mut [&mut self.sent, &mut self.delivered, &mut self.read],
            "FAILED" => &mut [&mut self.failed],
            "ERROR" => &mut [&mut self.unknown],
            "NOT_SENT" => &mut [&mut self.not_sent],
            _ => &mut [],
        };
        for count in reached {
            **count += requests;
        }
    }
}

/// The counts of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesEntry {
    /// When the bucket begins, be that before the period.
    pub start: NaiveDateTime,
    /// Of its part of the period.
    pub counts: Counts,
}

/// How often messages failed for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCount {
    /// The provider's words, phones masked; none where it had none.
    pub reason: Option<String>,
    /// How many requests.
    pub count: u64,
}

/// How many requests were about a type of unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitCount {
    /// The type as it is written most often; none for all that are not listed.
    pub unit_type: Option<String>,
    /// How many requests.
    pub requests: u64,
}

/// The counts of a dealer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealerCounts {
    /// The dealer's number.
    pub dealer_id: String,
    /// The dealer's name; none where nobody knows the dealer any more.
    pub dealer_name: Option<String>,
    /// Of the period.
    pub counts: Counts,
}

/// What is told about a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyticsReport {
    /// What is counted together.
    pub bucket: Bucket,
    /// Every bucket of the period.
    pub series: Vec<SeriesEntry>,
    /// The whole period.
    pub totals: Counts,
    /// The most frequent first.
    pub failures: Vec<FailureCount>,
    /// How long it took from due to accepted.
    pub send_seconds: Percentiles,
    /// From accepted to delivered.
    pub delivery_seconds: Percentiles,
    /// From delivered to read.
    pub read_seconds: Percentiles,
    /// The most frequent first, the rest last.
    pub units: Vec<UnitCount>,
    /// Requests by weekday, from Monday, and hour.
    pub hours: [[u64; 24]; 7],
    /// Those that have requests, the one with the most first.
    pub dealers: Vec<DealerCounts>,
}

/// What types of units are the same: case and blanks do not matter.
#[must_use]
pub fn unit_key(unit_type: &str) -> String {
    let letters = unit_type.chars().filter(|c| !c.is_whitespace());
    letters.collect::<String>().to_lowercase()
}

impl AnalyticsReport {
    /// Puts together what the store has counted.
    #[must_use]
    pub fn new(period: &Period, facts: Facts) -> Self {
        let mut buckets: BTreeMap<NaiveDateTime, Counts> = period
            .starts()
            .map(|start| (start, Counts::default()))
            .collect();
        let mut totals = Counts::default();
        for tally in &facts.tallies {
            let hour = TimeDelta::hours(tally.hour.into());
            let start = period
                .bucket()
                .start(tally.day.and_time(chrono::NaiveTime::MIN) + hour);
            let bucket = buckets.entry(start).or_default();
            bucket.add(&tally.whatsapp_status, tally.requests);
            totals.add(&tally.whatsapp_status, tally.requests);
        }
        let seconds = |measure| {
            let of_it = facts
                .seconds
                .iter()
                .filter(move |fact| fact.measure == measure);
            Percentiles::of(of_it.map(|fact| (fact.seconds, fact.messages)))
        };
        Self {
            bucket: period.bucket(),
            series: buckets
                .into_iter()
                .map(|(start, counts)| SeriesEntry { start, counts })
                .collect(),
            send_seconds: seconds(Measure::Send),
            delivery_seconds: seconds(Measure::Delivery),
            read_seconds: seconds(Measure::Read),
            units: units(facts.units, totals.requests),
            totals,
            failures: failures(facts.failures),
            hours: facts.hours,
            dealers: dealers(facts.dealers),
        }
    }
}

/// Reasons that differ only in what is masked are one.
fn failures(counted: Vec<(Option<String>, u64)>) -> Vec<FailureCount> {
    let mut reasons = BTreeMap::<Option<String>, u64>::new();
    for (reason, count) in counted {
        let reason = reason.map(|reason| mask_phones(&reason));
        *reasons.entry(reason).or_default() += count;
    }
    let mut failures: Vec<_> = reasons
        .into_iter()
        .map(|(reason, count)| FailureCount { reason, count })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    failures.truncate(MOST_LISTED);
    failures
}

fn units(mut counted: Vec<(String, u64)>, all: u64) -> Vec<UnitCount> {
    counted.sort_by(|(one, more), (other, less)| less.cmp(more).then_with(|| one.cmp(other)));
    counted.truncate(MOST_LISTED);
    let listed: u64 = counted.iter().map(|(_, requests)| requests).sum();
    let rest = all.saturating_sub(listed);
    let listed = counted.into_iter().map(|(unit_type, requests)| UnitCount {
        unit_type: Some(unit_type),
        requests,
    });
    let rest = (rest > 0).then_some(UnitCount {
        unit_type: None,
        requests: rest,
    });
    listed.chain(rest).collect()
}

fn dealers(tallies: Vec<DealerTally>) -> Vec<DealerCounts> {
    let mut dealers = BTreeMap::<String, DealerCounts>::new();
    for tally in tallies {
        let dealer = dealers
            .entry(tally.dealer_id.clone())
            .or_insert_with(|| DealerCounts {
                dealer_id: tally.dealer_id,
                dealer_name: tally.dealer_name,
                counts: Counts::default(),
            });
        dealer.counts.add(&tally.whatsapp_status, tally.requests);
    }
    let mut dealers: Vec<_> = dealers.into_values().collect();
    dealers.sort_by_key(|dealer| std::cmp::Reverse(dealer.counts.requests));
    dealers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_a_phone_are_one_and_the_phone_is_masked() {
        let reason = |phone: &str| Some(format!("target {phone} invalid"));
        let found = failures(vec![
            (None, 1),
            (reason("6282148523421"), 2),
            (reason("6282999993421"), 3),
        ]);
        let [most, least] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(most.reason.as_deref(), Some("target 6282******421 invalid"));
        assert_eq!((most.count, least.count), (5, 1));
        assert_eq!(least.reason, None);
    }

    #[test]
    fn twenty_units_are_listed_and_the_rest_is_one() {
        let all: Vec<_> = (1..=25_u64).map(|n| (format!("unit {n}"), n)).collect();
        let found = units(all, 330);
        assert_eq!(found.len(), 21);
        assert_eq!(found[0].unit_type.as_deref(), Some("unit 25"));
        let rest = &found[20];
        assert_eq!((rest.unit_type.as_deref(), rest.requests), (None, 20));
        assert!(units(Vec::new(), 0).is_empty());
    }

    #[test]
    fn case_and_blanks_of_a_unit_do_not_matter() {
        for same in [
            "BeAT Street",
            "beat street",
            " BEATSTREET\u{a0}",
            "beat\tstreet",
        ] {
            assert_eq!(unit_key(same), "beatstreet");
        }
    }
}
