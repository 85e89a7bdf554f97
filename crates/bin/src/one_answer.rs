use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;

/// A cached question with single flight: one at a time, and again only when the answer is too old.
///
/// The question goes on when its first caller has left, so that callers who come and go do not add load.
pub(crate) struct OneAnswer<T> {
    /// The greatest age of an answer, counted from its question.
    fresh: Duration,
    runtime: Handle,
    latest: Mutex<Option<(Instant, watch::Receiver<Option<T>>)>>,
}

impl<T: Clone + Send + Sync + 'static> OneAnswer<T> {
    /// Answers are at most this old. The question must take less time than that.
    pub(crate) fn fresh_for(fresh: Duration) -> Self {
        Self {
            fresh,
            runtime: Handle::current(),
            latest: Mutex::default(),
        }
    }

    /// The answer; `None` when the question ended without one.
    pub(crate) async fn get<Q>(&self, question: impl FnOnce() -> Q) -> Option<T>
    where
        Q: Future<Output = T> + Send + 'static,
    {
        let mut answer = self.latest_or(question);
        let answer = answer.wait_for(Option::is_some).await;
        answer.ok().and_then(|answer| answer.clone())
    }

    fn latest_or<Q>(&self, question: impl FnOnce() -> Q) -> watch::Receiver<Option<T>>
    where
        Q: Future<Output = T> + Send + 'static,
    {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, answer)) = &*latest
            && asked.elapsed() < self.fresh
        {
            return answer.clone();
        }
        let (tell, answer) = watch::channel(None);
        let question = question();
        self.runtime.spawn(async move {
            let _ = tell.send(Some(question.await));
        });
        *latest = Some((Instant::now(), answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    use super::*;

    /// A question that counts its runs, and is answered when the door opens.
    #[derive(Clone, Default)]
    struct Question {
        asked: Arc<AtomicU32>,
        door: Arc<Notify>,
    }

    impl Question {
        fn ask(&self) -> impl Future<Output = u32> + Send + 'static {
            let number = self.asked.fetch_add(1, Ordering::Relaxed);
            let door = self.door.clone();
            async move {
                door.notified().await;
                number
            }
        }

        fn count(&self) -> u32 {
            self.asked.load(Ordering::Relaxed)
        }
    }

    const LONG: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn however_many_ask_it_is_asked_once() {
        let question = Question::default();
        let answers = Arc::new(OneAnswer::fresh_for(LONG));
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let (answers, question) = (answers.clone(), question.clone());
            callers.spawn(async move { answers.get(|| question.ask()).await });
        }
        question.door.notify_one();
        let told = callers.join_all().await;
        assert_eq!(told, [Some(0); 200]);
        assert_eq!(question.count(), 1);
    }

    #[tokio::test]
    async fn callers_who_come_and_go_ask_no_more() {
        let question = Question::default();
        let answers = OneAnswer::fresh_for(LONG);
        for _ in 0..200 {
            tokio::select! {
                biased;
                answer = answers.get(|| question.ask()) => panic!("{answer:?}"),
                () = std::future::ready(()) => {}
            }
        }
        question.door.notify_one();
        assert_eq!(answers.get(|| question.ask()).await, Some(0));
        assert_eq!(question.count(), 1);
    }

    #[tokio::test]
    async fn an_old_answer_is_not_given_again() {
        let question = Question::default();
        let answers = OneAnswer::fresh_for(Duration::ZERO);
        for number in 0..3 {
            question.door.notify_one();
            assert_eq!(answers.get(|| question.ask()).await, Some(number));
        }
    }

    #[tokio::test]
    async fn a_question_that_panics_has_no_answer() {
        let answers = OneAnswer::<u32>::fresh_for(LONG);
        let broken = || async { panic!("an invented panic") };
        assert_eq!(answers.get(broken).await, None);
    }
}
