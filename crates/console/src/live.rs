//! What came in since a page was made: one query for all who look, and only while somebody does.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web::Bytes;
use callers::{Place, Places, Subject};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Visibility;
use domain::ports::{ArrivalCount, ArrivalWindow, Clock};
use domain::usecases::Lookups;
use futures_util::stream::{self, Stream};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::session::{self, Session};

/// The most streams of a copy, and of a key or, without keys, of a client (chosen): each has a connection, of which a
/// copy has 2,048. One more asks every 15 seconds.
const MOST_STREAMS: usize = 512;
const STREAMS_OF_A_CALLER: usize = 32;

/// How often all who look are told (chosen).
const PAUSE: Duration = Duration::from_secs(2);

/// How long it goes on when nobody looks any more: those that cannot have a stream ask every 15 seconds.
const LINGER: u32 = 30;

/// How long a question may take; the next one makes up for it.
const PATIENCE: Duration = Duration::from_secs(4);

/// How late a request may be seen after its id was made, and how wrong the clock of a copy may be.
const SETTLING: TimeDelta = TimeDelta::seconds(60);

/// How often a stream says that it is there: proxies close what is silent, often after 30 seconds.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What has come in since the counting began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Totals {
    /// When it began, in milliseconds: totals of two beginnings cannot be compared.
    epoch: i64,
    all: u64,
    by_dealer: HashMap<String, u64>,
}

/// What is counted for good, and from when on it is counted again.
struct Counting {
    from: DateTime<Utc>,
    settled: Totals,
}

/// The live line of a copy.
pub(crate) struct Live {
    totals: watch::Sender<Arc<Totals>>,
    runs: AtomicBool,
    streams: Places,
    lookups: Arc<Lookups>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

/// What somebody who looks is told.
pub(crate) struct Looking {
    totals: watch::Receiver<Arc<Totals>>,
    seen: Visibility,
}

impl Totals {
    /// The beginning and the total that a visitor is told.
    fn said(&self, seen: &Visibility) -> Option<String> {
        let total = match seen.dealer() {
            None => self.all,
            Some(dealer) => *self.by_dealer.get(dealer.as_str()).unwrap_or(&0),
        };
        (self.epoch > 0).then(|| format!("{} {total}", self.epoch))
    }

    fn add(&mut self, dealer: &str, count: u64) {
        self.all += count;
        *self.by_dealer.entry(dealer.to_owned()).or_default() += count;
    }
}

impl Counting {
    fn begin(now: DateTime<Utc>) -> Self {
        Self {
            from: now,
            settled: Totals {
                epoch: now.timestamp_millis(),
                ..Totals::default()
            },
        }
    }

    /// The window to be asked about. Requests appear some time after their ids were made.
    fn window(&self, now: DateTime<Utc>) -> ArrivalWindow {
        ArrivalWindow {
            from: self.from,
            settled: self.from.max(now - SETTLING),
            to: now + SETTLING,
        }
    }

    /// Takes the answer in: what is settled is not asked about again.
    fn take(&mut self, window: &ArrivalWindow, counts: &[ArrivalCount]) -> Totals {
        let mut totals = self.settled.clone();
        for count in counts {
            totals.add(&count.dealer_id, count.all);
            self.settled.add(&count.dealer_id, count.settled);
        }
        self.from = window.settled;
        totals
    }
}

impl Live {
    pub(crate) fn new(
        lookups: Arc<Lookups>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            totals: watch::Sender::default(),
            runs: AtomicBool::new(false),
            streams: Places::new(MOST_STREAMS, STREAMS_OF_A_CALLER),
            lookups,
            clock,
            stop,
        }
    }

    /// Begins to look.
    pub(crate) fn look(self: &Arc<Self>, seen: &Visibility) -> Looking {
        let totals = self.totals.subscribe();
        if !self.runs.swap(true, Ordering::AcqRel) {
            actix_web::rt::spawn(self.clone().count());
        }
        Looking {
            totals,
            seen: seen.clone(),
        }
    }

    /// Room for one more stream.
    pub(crate) fn room(&self, caller: Subject) -> Option<Place> {
        self.streams.take(caller)
    }

    /// Asks again and again while somebody looks.
    async fn count(self: Arc<Self>) {
        let mut counting = Counting::begin(self.clock.now());
        self.totals.send_replace(Arc::new(counting.settled.clone()));
        let mut pause = ticking(PAUSE);
        let mut idle = 0;
        while idle < LINGER {
            tokio::select! {
                _ = pause.tick() => {}
                () = self.stop.cancelled() => return,
            }
            idle = if self.totals.receiver_count() == 0 {
                idle + 1
            } else {
                0
            };
            let window = counting.window(self.clock.now());
            let asking = self.lookups.arrivals(&window);
            match timeout(PATIENCE, asking).await {
                Ok(Ok(counts)) => {
                    let totals = counting.take(&window, &counts);
                    self.totals.send_if_modified(|told| {
                        let is_new = **told != totals;
                        if is_new {
                            *told = Arc::new(totals);
                        }
                        is_new
                    });
                }
                Ok(Err(error)) => tracing::debug!("the live line was not told: {error}"),
                Err(_) => tracing::debug!("the live line was not told in time"),
            }
        }
        self.runs.store(false, Ordering::Release);
        // Whoever came in between has started nothing.
        if self.totals.receiver_count() > 0 && !self.runs.swap(true, Ordering::AcqRel) {
            actix_web::rt::spawn(self.clone().count());
        }
    }

    /// What somebody is told, as server-sent events, until the session ends, or the service.
    pub(crate) fn stream(
        self: &Arc<Self>,
        looking: Looking,
        session: Session,
        room: Place,
    ) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
        let beginning = Telling {
            looking,
            session,
            said: None,
            heartbeat: ticking(HEARTBEAT),
            check: ticking(session::LOOK),
            stop: self.stop.clone(),
            _room: room,
        };
        stream::unfold(beginning, |mut telling| async move {
            let piece = telling.next().await?;
            Some((Ok(piece), telling))
        })
    }
}

impl Looking {
    /// What is known now, or as soon as anything is.
    pub(crate) async fn first(mut self) -> Option<String> {
        let known = self.totals.wait_for(|totals| totals.epoch > 0);
        let known = timeout(PATIENCE, known).await.ok()?.ok()?;
        known.said(&self.seen)
    }
}

/// A stream.
struct Telling {
    looking: Looking,
    session: Session,
    said: Option<String>,
    heartbeat: Interval,
    check: Interval,
    stop: CancellationToken,
    _room: Place,
}

impl Telling {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let known = self
                .looking
                .totals
                .borrow_and_update()
                .said(&self.looking.seen);
            if known.is_some() && known != self.said {
                let piece = format!("data: {}\n\n", known.as_deref().unwrap_or_default());
                self.said = known;
                return Some(piece.into());
            }
            tokio::select! {
                changed = self.looking.totals.changed() => changed.ok()?,
                () = self.stop.cancelled() => return None,
                _ = self.heartbeat.tick() => return Some(Bytes::from_static(b":\n\n")),
                _ = self.check.tick() => if self.session.is_over().await { return None },
            }
        }
    }
}

fn ticking(period: Duration) -> Interval {
    let mut ticking = interval(period);
    ticking.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticking
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(dealer: &str, settled: u64, all: u64) -> ArrivalCount {
        ArrivalCount {
            dealer_id: dealer.to_owned(),
            settled,
            all,
        }
    }

    #[test]
    fn what_is_late_is_counted_once() {
        let now: DateTime<Utc> = "2026-11-30T10:00:00Z".parse().unwrap();
        let mut counting = Counting::begin(now);
        let after = |seconds| now + TimeDelta::seconds(seconds);
        let first = counting.window(after(2));
        assert_eq!((first.from, first.settled, first.to), (now, now, after(62)));
        assert_eq!(counting.take(&first, &[count("a", 0, 2)]).all, 2);
        // Of the same two one is settled, and one more came.
        let second = counting.window(after(61));
        assert_eq!((second.from, second.settled), (now, after(1)));
        let totals = counting.take(&second, &[count("a", 1, 3), count("b", 0, 1)]);
        assert_eq!(
            (totals.all, totals.by_dealer["a"], totals.by_dealer["b"]),
            (4, 3, 1)
        );
        let third = counting.window(after(63));
        assert_eq!(third.from, after(1));
        let totals = counting.take(&third, &[count("a", 0, 2), count("b", 0, 1)]);
        assert_eq!((totals.all, totals.by_dealer["a"]), (4, 3));
    }
}
