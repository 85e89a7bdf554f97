use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use fonnte_simulator::IncomingMessage;

use crate::{Client, Service, Story, key_of};

/// The pause before an answer that failed is given again.
const PAUSE: Duration = Duration::from_millis(10);

/// How much later than its opt-out's answer a call that was under way may reach the provider: the time limit of a
/// call, and as much again for a busy machine.
const UNDER_WAY: Duration = Duration::from_secs(2);

/// Part of the confirmation of an opt-out, and of no other message.
const CONFIRMATION: &str = "Balas MULAI";

/// Who is opted out, as the provider has the phones.
const OPTED_OUT: &str =
    "SELECT '62' || substr(phone, 2) FROM customer.opt_out WHERE opted_out AND phone IS NOT NULL";

/// How often which answer is stored.
const REPLIES: &str =
    "SELECT '62' || substr(phone, 2), text, count(*) FROM customer.reply GROUP BY 1, 2";

/// When which message began to be sent, in seconds since 1970.
const BEGUN: &str = "
SELECT '62' || substr(m.target, 2), extract(epoch FROM s.at)::float8
FROM public.step s JOIN customer.message m ON m.id = s.message_id
WHERE s.became = 'SENDING'";

/// What a person answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// No message any more.
    Stop,
    /// Nothing that changes anything.
    Thanks,
}

impl Word {
    fn text(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Thanks => "Terima kasih",
        }
    }
}

/// The persons who answer, through the provider.
pub(super) struct People {
    story: Arc<Story>,
    /// Where the provider reports what comes in, by the dealer.
    paths: HashMap<String, String>,
    answers: Mutex<HashMap<String, Answer>>,
}

/// An answer of a phone: each gives one.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    word: Word,
    /// When the service said that it is stored.
    stored_at: Option<DateTime<Utc>>,
}

/// What became of the answers.
#[derive(Debug, Default)]
pub(super) struct Heeded {
    /// Phones whose opt-out is stored.
    pub(super) opted_out: usize,
    /// Messages after an opt-out was answered.
    pub(super) after: usize,
    /// Messages whose call was under way when an opt-out was answered.
    pub(super) under_way: usize,
    /// Every broken promise, in words.
    pub(super) broken: Vec<String>,
}

impl People {
    /// Asks the service where the provider reports to.
    pub(super) async fn of(story: &Arc<Story>, dealers: &[String], service: &Service) -> Self {
        let mut paths = HashMap::new();
        for dealer in dealers {
            let shown = service
                .get(&format!("/api/v1/admin/dealers/{dealer}"))
                .await;
            let shown = shown.expect("the service answers").json();
            let url = shown["data"]["webhooks"]["message"].as_str();
            let url = url.expect("where messages are reported to");
            let path = &url[url.find("/api/").expect("a path")..];
            paths.insert(dealer.clone(), path.to_owned());
        }
        Self {
            story: story.clone(),
            paths,
            answers: Mutex::default(),
        }
    }

    /// Where the provider reports from now on.
    pub(super) fn turn_to(&self, client: &Client) {
        for (dealer, path) in &self.paths {
            let turned = |switches: &mut fonnte_simulator::Switches| {
                switches.webhooks.incoming_url = Some(client.url(path));
                // What fails is reported again from here.
                switches.webhooks.attempts = 1;
            };
            let device = key_of(dealer);
            self.story
                .simulator
                .update(&device, turned)
                .expect("a known device");
        }
    }

    /// A phone answers its dealer. It is reported until the service says that it is stored, or all is over.
    pub(super) async fn say(&self, dealer: &str, n: u32, word: Word, is_over: impl Fn() -> bool) {
        let phone = format!("62812{n:08}");
        let answer = Answer {
            word,
            stored_at: None,
        };
        self.answers().insert(phone.clone(), answer);
        let message = IncomingMessage {
            sender: phone.clone(),
            message: Some(word.text().to_owned()),
            timestamp: Some(Utc::now().timestamp()),
            inboxid: Some(i64::from(n)),
            ..IncomingMessage::default()
        };
        let device = key_of(dealer);
        let mut again = tokio::time::interval(PAUSE);
        while !is_over() {
            again.tick().await;
            let reported = self.story.simulator.receive(&device, message.clone());
            if reported.await.ok() == Some(200) {
                let now = Some(Utc::now());
                self.answers()
                    .entry(phone)
                    .and_modify(|it| it.stored_at = now);
                return;
            }
        }
    }

    /// Whether this phone said stop, stored or not.
    pub(super) fn said_stop(&self, phone: &str) -> bool {
        let answers = self.answers();
        answers.get(phone).is_some_and(|it| it.word == Word::Stop)
    }

    /// The messages that phones got: how many each, and how many confirmations.
    pub(super) fn received(&self) -> (HashMap<String, usize>, HashMap<String, usize>) {
        let (mut messages, mut confirmations) = (HashMap::new(), HashMap::new());
        for message in self.story.simulator.messages() {
            let got = match message.message.contains(CONFIRMATION) {
                true => &mut confirmations,
                false => &mut messages,
            };
            *got.entry(message.target).or_default() += 1;
        }
        (messages, confirmations)
    }

    /// Compares what was answered with what is stored and what the phones got.
    pub(super) async fn compare(&self) -> Heeded {
        let client = self.story.database.connect().await;
        let query = async |text| client.query(text, &[]).await.expect("the database answers");
        let mut begun: HashMap<String, Vec<f64>> = HashMap::new();
        for row in query(BEGUN).await {
            begun.entry(row.get(0)).or_default().push(row.get(1));
        }
        let stored = query(REPLIES).await;
        let stored = stored
            .iter()
            .map(|row| ((row.get(0), row.get(1)), row.get(2)));
        let stored: HashMap<(String, String), i64> = stored.collect();
        let opted_out = query(OPTED_OUT).await;
        let opted_out: Vec<String> = opted_out.iter().map(|row| row.get(0)).collect();
        let mut heeded = Heeded {
            opted_out: opted_out.len(),
            ..Heeded::default()
        };
        let answers = self.answers();
        for (phone, answer) in answers.iter() {
            let text = answer.word.text();
            let times = stored.get(&(phone.clone(), text.to_owned()));
            let times = times.copied().unwrap_or(0);
            if times > 1 || times == 0 && answer.stored_at.is_some() {
                heeded.broken.push(format!(
                    "the answer {text} of {phone} is stored {times} times"
                ));
            }
            let stopped = answer.word == Word::Stop && answer.stored_at.is_some();
            if stopped && !opted_out.contains(phone) {
                heeded.broken.push(format!("{phone} is not opted out"));
            }
        }
        for phone in &opted_out {
            if answers.get(phone).is_none_or(|it| it.word != Word::Stop) {
                heeded.broken.push(format!("{phone} did not opt out"));
            }
        }
        heeded.look_for_later_messages(&self.story, &answers, &begun);
        for (phone, times) in self.received().1 {
            if times > 1 || !opted_out.contains(&phone) {
                let broken = format!("{phone} got {times} confirmations of an opt-out");
                heeded.broken.push(broken);
            }
        }
        heeded
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<String, Answer>> {
        self.answers.lock().expect("no holder panics")
    }
}

impl Heeded {
    /// Looks for messages that reached a phone after its opt-out was answered.
    fn look_for_later_messages(
        &mut self,
        story: &Story,
        answers: &HashMap<String, Answer>,
        begun: &HashMap<String, Vec<f64>>,
    ) {
        for message in story.simulator.messages() {
            let answer = answers.get(&message.target);
            let stopped = answer.filter(|it| it.word == Word::Stop);
            let Some(since) = stopped.and_then(|it| it.stored_at) else {
                continue;
            };
            let later = (message.at - since).to_std().unwrap_or_default();
            if later.is_zero() || message.message.contains(CONFIRMATION) {
                continue;
            }
            let began_before = begun.get(&message.target).is_some_and(|begun| {
                let sending = |at: DateTime<Utc>| {
                    let until = at.timestamp_micros() as f64 / 1e6;
                    begun.iter().filter(|&&at| at < until).count()
                };
                sending(since) > 0 && sending(since) == sending(message.at)
            });
            if began_before && later < UNDER_WAY {
                self.under_way += 1;
            } else {
                self.after += 1;
                let broken = format!(
                    "{} got a message {later:?} after its opt-out",
                    message.target
                );
                self.broken.push(broken);
            }
        }
    }
}
