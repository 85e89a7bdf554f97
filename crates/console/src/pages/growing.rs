//! A page that grows while rows are stored, so that it needs no script and no other copy has to know of it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use callers::Place;
use domain::usecases::Intake;
use futures_util::stream::{self, Stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::given::Given;
use crate::importing::{FaultyRow, Importing};
use crate::session::{self, Session};
use crate::text::Text;
use crate::views::import::{self, MOST_SHOWN, Outcome};

/// The least time between two steps that are shown.
const STEP: Duration = Duration::from_millis(250);

/// How long the end of a page that grew waits for whoever does not read.
const ENDING: Duration = Duration::from_secs(60);

/// The pieces of a page that grows. Where its end does not come, the connection ends with an error: a page that is cut
/// off must not look whole.
pub(super) fn pieces(
    receiver: mpsc::Receiver<Piece>,
) -> impl Stream<Item = Result<Bytes, io::Error>> {
    stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Piece::Part(html)) => Some((Ok(html), Some(receiver))),
            Some(Piece::End(html)) => Some((Ok(html), None)),
            None => Some((Err(io::ErrorKind::UnexpectedEof.into()), None)),
        }
    })
}

/// A piece of a page that grows.
pub(super) enum Piece {
    Part(Bytes),
    End(Bytes),
}

/// A page that grows while rows are stored.
pub(super) struct Growing {
    pub(super) sender: mpsc::Sender<Piece>,
    pub(super) text: Text,
    pub(super) intake: Arc<Intake>,
    pub(super) session: Session,
    /// The import ends with the service.
    pub(super) stop: CancellationToken,
    /// Is kept until the end.
    pub(super) place: Place,
}

impl Growing {
    /// Begins. It goes on to its end when its visitor leaves, on a thread of its own.
    pub(super) fn begin(self, before: String, importing: Importing, given: Given, behind: String) {
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || {
            runtime.block_on(self.grow(before, importing, given, behind));
        });
    }

    async fn grow(
        self,
        before: String,
        mut importing: Importing,
        mut given: Given,
        behind: String,
    ) {
        self.say(before);
        let (began, mut told, mut asked) = (Instant::now(), Instant::now(), Instant::now());
        let (mut faulty, mut broke_off) = (Vec::new(), false);
        loop {
            match importing.block(&self.intake).await {
                Ok(Some(more)) => keep(&mut faulty, more, MOST_SHOWN),
                Ok(None) => break,
                Err(error) => {
                    tracing::error!("a table could not be read to its end: {error}");
                    broke_off = true;
                    break;
                }
            }
            if told.elapsed() >= STEP {
                told = Instant::now();
                let seconds = began.elapsed().as_secs_f64();
                let (done, all) = (importing.done(), importing.tally.rows);
                let step = import::step(self.text, done, all, seconds);
                self.say(step.into_string());
            }
            let is_over = asked.elapsed() >= session::LOOK && {
                asked = Instant::now();
                self.session.is_over().await
            };
            if is_over || self.stop.is_cancelled() {
                tracing::warn!("an import ends with its session, or with the service");
                broke_off = true;
                break;
            }
        }
        let tally = importing.tally;
        tracing::info!(
            rows.accepted = tally.stored,
            rows.rejected = tally.faulty,
            rows.replayed = tally.replayed,
            rows.unstored = tally.unstored,
            "table imported"
        );
        if tally.faulty > 0 {
            given.pack();
        }
        let outcome = Outcome {
            tally,
            faulty,
            broke_off,
        };
        let end = import::stored(self.text, &given, &outcome).into_string();
        let end = Piece::End((end + &behind).into());
        // One that waits for its visitor is not in anybody's way.
        drop(self.place);
        let _ = timeout(ENDING, self.sender.send(end)).await;
    }

    /// Whoever left hears nothing more, and whoever does not read misses steps.
    fn say(&self, html: String) {
        let _ = self.sender.try_send(Piece::Part(html.into()));
    }
}

/// Keeps so many at most.
pub(super) fn keep(all: &mut Vec<FaultyRow>, more: Vec<FaultyRow>, most: usize) {
    let room = most - all.len();
    all.extend(more.into_iter().take(room));
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    async fn read(said: Vec<Piece>) -> Vec<Option<Bytes>> {
        let (sender, receiver) = mpsc::channel(16);
        for piece in said {
            sender.try_send(piece).ok();
        }
        drop(sender);
        pieces(receiver).map(Result::ok).collect().await
    }

    #[tokio::test]
    async fn a_page_that_is_cut_off_does_not_look_whole() {
        let part = || Piece::Part(Bytes::from_static(b"<p>"));
        let end = Piece::End(Bytes::from_static(b"</p>"));
        let whole = read(vec![part(), end]).await;
        assert!(whole.len() == 2 && whole.iter().all(Option::is_some));
        assert_eq!(read(vec![part()]).await.last(), Some(&None));
        assert_eq!(read(Vec::new()).await, [None]);
    }
}
