//! The past of the demo's dealers: the same on every machine, but for the day it ends on.

use std::time::Instant;

use anyhow::{bail, ensure};
use api_types::SubmissionBody;
use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};
use serde_json::json;
use tokio::task::JoinSet;

use super::fate::Fate;
use super::setup::{answer, switch};
use super::{START_LIMIT, say};
use crate::Client;

/// Asia/Jakarta.
pub(super) const WIB: TimeDelta = TimeDelta::hours(7);

/// How many days, whole weeks, yesterday the last.
const DAYS: u64 = 21;

/// How many wait where nothing can be sent.
const WAITING: u32 = 3;

/// A dealer of the demo, its account, and how busy it is.
pub(super) struct DemoDealer {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// The token of the device, and its number.
    pub(super) token: &'static str,
    pub(super) number: &'static str,
    /// The area of its customers' plates.
    area: &'static str,
    /// All its visits; on a Saturday half as many as on another day, none on a Sunday.
    visits: u32,
    /// What becomes of how many of twenty messages.
    fates: [(Fate, u32); 5],
    /// Whether its device has lost its connection to WhatsApp.
    pub(super) is_blocked: bool,
}

pub(super) const DEALERS: [DemoDealer; 3] = [
    DemoDealer {
        id: "0009999",
        name: "Dealer Demo",
        token: "demo-token",
        number: "628000000001",
        area: "D",
        visits: 200,
        fates: [
            (Fate::Read, 13),
            (Fate::Delivered, 4),
            (Fate::Failed, 1),
            (Fate::Sent, 2),
            (Fate::Unknown, 0),
        ],
        is_blocked: false,
    },
    DemoDealer {
        id: "0009998",
        name: "Sinar Motor",
        token: "demo-token-2",
        number: "628000000002",
        area: "B",
        visits: 110,
        fates: [
            (Fate::Read, 9),
            (Fate::Delivered, 6),
            (Fate::Failed, 3),
            (Fate::Sent, 1),
            (Fate::Unknown, 1),
        ],
        is_blocked: false,
    },
    DemoDealer {
        id: "0009997",
        name: "Jaya Motor",
        token: "demo-token-3",
        number: "628000000003",
        area: "F",
        visits: 70,
        fates: [
            (Fate::Read, 16),
            (Fate::Delivered, 3),
            (Fate::Failed, 0),
            (Fate::Sent, 1),
            (Fate::Unknown, 0),
        ],
        is_blocked: true,
    },
];

/// One customer at a dealer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Visit {
    fate: Fate,
    at: NaiveDateTime,
    name: String,
    phone: String,
    unit: &'static str,
    plate: String,
}

const FIRST_NAMES: [&str; 12] = [
    "Adit", "Sri", "Budi", "Dewi", "Agus", "Rina", "Joko", "Wati", "Hendra", "Putri", "Rizky",
    "Ayu",
];

const LAST_NAMES: [&str; 9] = [
    "Pratama",
    "Wahyuni",
    "Santoso",
    "Lestari",
    "Saputra",
    "Handayani",
    "Nugroho",
    "Kurniawan",
    "Siregar",
];

const UNITS: [&str; 8] = [
    "BeAT Street",
    "Vario 160",
    "Scoopy",
    "PCX 160",
    "Genio",
    "Revo X",
    "Supra X 125",
    "CB150R",
];

impl DemoDealer {
    /// All visits until the day before this one, in the order in which they are told.
    fn past(&self, today: NaiveDate) -> Vec<Visit> {
        let days = (1..=DAYS).map(|back| today - Days::new(back));
        // A day stands here as often as it is busier than others.
        let days: Vec<NaiveDate> = days
            .flat_map(|day| match day.weekday() {
                Weekday::Sun => vec![],
                Weekday::Sat => vec![day],
                _ => vec![day; 2],
            })
            .collect();
        let mut visits: Vec<Visit> = (0..self.visits).map(|n| self.visit(n, &days)).collect();
        // The simulator is told once what becomes of messages, not for each.
        visits.sort_by_key(|visit| (visit.fate, visit.at));
        visits
    }

    fn visit(&self, n: u32, days: &[NaiveDate]) -> Visit {
        let seed = self.id.parse::<u32>().unwrap_or_default() + 1_000 * n;
        let draw = |what: u32, of: u32| scattered(seed + what) % of;
        let pick = |what: u32, from: &[&'static str]| {
            from[draw(what, u32::try_from(from.len()).unwrap_or(1)) as usize]
        };
        let letter = |what: u32| char::from_digit(10 + draw(what, 26), 36).unwrap_or('a');
        // From eight to five.
        let second = 8 * 3_600 + draw(1, 9 * 3_600);
        let time = NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap_or_default();
        Visit {
            fate: self.fate(n),
            at: days[draw(2, u32::try_from(days.len()).unwrap_or(1)) as usize].and_time(time),
            name: format!("{} {}", pick(3, &FIRST_NAMES), pick(4, &LAST_NAMES)),
            // Some come again.
            phone: format!("08120000{:04}", draw(5, 2_000)),
            unit: pick(6, &UNITS),
            plate: format!(
                "{} {} {}{}",
                self.area,
                1_000 + draw(7, 9_000),
                letter(8).to_ascii_uppercase(),
                letter(9).to_ascii_uppercase()
            ),
        }
    }

    /// Of every twenty messages in a row, as many as are said.
    fn fate(&self, n: u32) -> Fate {
        // 7 and 20 have no divisor in common: every place comes once.
        let mut place = n * 7 % 20;
        for (fate, share) in self.fates {
            if place < share {
                return fate;
            }
            place -= share;
        }
        Fate::Read
    }
}

/// Spreads numbers that follow each other, always in the same way.
fn scattered(n: u32) -> u32 {
    let mixed = u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as u32
}

/// Whether a dealer has fewer requests than its past has visits: this is the first run, or the first
/// was interrupted. Their number does not depend on the day.
pub(super) async fn is_missing(service: &Client) -> anyhow::Result<bool> {
    for dealer in &DEALERS {
        if count(service, dealer, "").await? < dealer.visits as usize {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes the past, all dealers at once: submissions with the times of then, which the simulator
/// takes as far as they are to go. Goes on where an earlier run was interrupted.
pub(super) async fn fill(
    service: &Client,
    simulator: &Client,
    today: NaiveDate,
) -> anyhow::Result<()> {
    let mut dealers = JoinSet::new();
    for dealer in &DEALERS {
        dealers.spawn(fill_one(dealer, service.clone(), simulator.clone(), today));
    }
    while let Some(filled) = dealers.join_next().await {
        filled??;
    }
    let clear = simulator.post("/_simulator/clear", &json!({})).await?;
    answer(&clear).map(drop)
}

async fn fill_one(
    dealer: &DemoDealer,
    service: Client,
    simulator: Client,
    today: NaiveDate,
) -> anyhow::Result<()> {
    let stored = count(&service, dealer, "").await?;
    let past = dealer.past(today);
    let missing = past.get(stored..).unwrap_or_default();
    for visits in missing.chunk_by(|one, other| one.fate == other.fate) {
        let fate = visits[0].fate;
        let status = format!("&whatsapp_status={}", fate.status());
        let before = count(&service, dealer, &status).await?;
        live(&simulator, dealer, fate.stage(), 10).await?;
        let breaks = json!([{"kind": "drop", "queued": false}]);
        let faults = if fate == Fate::Unknown {
            breaks
        } else {
            json!([])
        };
        switch(&simulator, dealer.number, &json!({"faults": faults})).await?;
        for visit in visits {
            submit(&service, dealer, visit).await?;
        }
        let wanted = before + visits.len();
        if !reached(&service, dealer, &status, wanted).await? {
            say(&format!(
                "The past of dealer {} is not complete: not all of its messages are {}.",
                dealer.id,
                fate.status()
            ));
        }
    }
    switch(&simulator, dealer.number, &json!({"faults": []})).await?;
    live(&simulator, dealer, Fate::Read.stage(), 1_000).await
}

/// Takes the devices off that have lost their connection, at every start: the simulator forgets.
pub(super) async fn disconnect(simulator: &Client) -> anyhow::Result<()> {
    for dealer in DEALERS.iter().filter(|dealer| dealer.is_blocked) {
        switch(simulator, dealer.number, &json!({"offline": true})).await?;
    }
    Ok(())
}

/// Lets some wait at a device that has lost its connection, until that is known.
pub(super) async fn wait_in_line(service: &Client, now: NaiveDateTime) -> anyhow::Result<()> {
    for dealer in DEALERS.iter().filter(|dealer| dealer.is_blocked) {
        for n in 0..WAITING {
            let mut visit = dealer.visit(dealer.visits + n, &[now.date()]);
            visit.at = now - TimeDelta::minutes(i64::from(WAITING - n) * 7);
            submit(service, dealer, &visit).await?;
        }
        let began = Instant::now();
        let mut again = tokio::time::interval(std::time::Duration::from_millis(50));
        let path = format!("/api/v1/customer/dealer/{}/queue", dealer.id);
        while began.elapsed() < START_LIMIT {
            again.tick().await;
            let queue = answer(&service.get(&path).await?)?;
            if queue["data"]["paused"]["for"] == "account" {
                break;
            }
        }
    }
    Ok(())
}

/// Lets a device's messages go on to a stage by themselves, a step in so many milliseconds.
async fn live(
    simulator: &Client,
    dealer: &DemoDealer,
    until: &str,
    step_ms: u64,
) -> anyhow::Result<()> {
    let life = json!({"life_cycle": {
        "until": until,
        "processing_ms": step_ms,
        "sent_ms": step_ms,
        "delivered_ms": step_ms,
        "read_ms": step_ms,
    }});
    switch(simulator, dealer.number, &life).await
}

async fn submit(service: &Client, dealer: &DemoDealer, visit: &Visit) -> anyhow::Result<()> {
    let at = visit.at.format("%d/%m/%Y %H:%M:%S").to_string();
    let body = json!(SubmissionBody {
        nama_pembawa: visit.name.to_string(),
        no_telp: visit.phone.to_string(),
        tipe_unit: visit.unit.to_string(),
        no_pol: visit.plate.to_string(),
        created_time: at.clone(),
        modified_time: at,
        dealer_id: dealer.id.to_string(),
        ..SubmissionBody::example()
    });
    let reply = service
        .post("/api/v1/customer/validate-customer", &body)
        .await?;
    ensure!(
        answer(&reply)?["status"] == 1,
        "a submission of dealer {} is not stored: {}",
        dealer.id,
        reply.text
    );
    Ok(())
}

/// Whether so many requests come to be in a state in time.
async fn reached(
    service: &Client,
    dealer: &DemoDealer,
    status: &str,
    wanted: usize,
) -> anyhow::Result<bool> {
    let began = Instant::now();
    let mut again = tokio::time::interval(std::time::Duration::from_millis(50));
    while began.elapsed() < START_LIMIT {
        again.tick().await;
        if count(service, dealer, status).await? >= wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many requests a dealer has.
async fn count(service: &Client, dealer: &DemoDealer, filter: &str) -> anyhow::Result<usize> {
    let id = dealer.id;
    let path = format!("/api/v1/customer/dealer/{id}/requests?page_size=1{filter}");
    let reply = service.get(&path).await?;
    let Some(total) = answer(&reply)?["data"]["total"].as_u64() else {
        bail!("the list of dealer {id} has no total");
    };
    Ok(usize::try_from(total)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 30).unwrap()
    }

    #[test]
    fn the_past_is_three_weeks_of_plausible_visits() {
        for dealer in &DEALERS {
            let past = dealer.past(today());
            assert_eq!(past.len(), dealer.visits as usize);
            let days: BTreeSet<NaiveDate> = past.iter().map(|visit| visit.at.date()).collect();
            assert!((15..=18).contains(&days.len()), "no Sunday: {days:?}");
            assert!(days.iter().all(|day| *day < today()));
            for visit in &past {
                let time = visit.at.format("%H:%M").to_string();
                assert!(("08:00".."17:00").contains(&time.as_str()), "{visit:?}");
                assert!(visit.phone.starts_with("08120000") && visit.phone.len() == 12);
            }
            let phones: BTreeSet<&str> = past.iter().map(|visit| visit.phone.as_str()).collect();
            assert!(phones.len() * 3 > past.len() * 2, "most come once");
        }
    }

    #[test]
    fn the_past_is_always_the_same_and_as_long_on_every_day() {
        for dealer in &DEALERS {
            assert_eq!(dealer.past(today()), dealer.past(today()));
            for after in 0..14 {
                let day = today() + Days::new(after);
                assert_eq!(dealer.past(day).len(), dealer.visits as usize);
                assert!(dealer.past(day).iter().all(|visit| visit.at.date() < day));
            }
        }
    }

    #[test]
    fn twenty_messages_in_a_row_have_the_fates_that_are_said() {
        for dealer in &DEALERS {
            let said: u32 = dealer.fates.iter().map(|(_, share)| share).sum();
            assert_eq!(said, 20);
            for (fate, share) in dealer.fates {
                let found = (0..20).filter(|n| dealer.fate(*n) == fate).count();
                assert_eq!(found, share as usize, "{fate:?}");
            }
        }
    }

    #[test]
    fn messages_with_one_fate_follow_each_other() {
        for dealer in &DEALERS {
            let past = dealer.past(today());
            let groups = past.chunk_by(|one, other| one.fate == other.fate).count();
            let fates: BTreeSet<Fate> = past.iter().map(|visit| visit.fate).collect();
            assert_eq!(groups, fates.len());
        }
    }
}
