//! One call, with all its tries.

use std::time::{Duration, SystemTime};

use domain::values::IdempotencyKey;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, IF_MATCH, RETRY_AFTER};
use reqwest::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use crate::client::{Client, Limits};
use crate::downloads::Download;
use crate::error::{Error, Source, Told};
use crate::judge::{Answer, Later, Verdict, judge, tells_of_earlier_tries};
use crate::retry::{self, Repeat};

/// The most bytes of an answer that is kept whole: a bulk call's, with all that was sent and its faults.
const MOST: usize = 64 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A call that is to be made.
pub(crate) struct Call {
    request: Request,
    pub(crate) repeat: Repeat,
    pub(crate) limits: Limits,
    /// A status beside success whose answer is one.
    also: Option<StatusCode>,
    key: Option<IdempotencyKey>,
}

/// What has a tag: it changes only while that is still in force, where the change names it.
#[derive(Debug, Clone)]
pub struct Tagged<T> {
    /// What the service answered.
    pub data: T,
    /// Its `ETag`, for `if_match`.
    pub etag: Option<String>,
}

/// The data of an answer of the usual form.
#[derive(serde::Deserialize)]
struct Envelope<T> {
    data: T,
}

impl Client {
    /// A call of a path, whose places in braces are filled in their order.
    pub(crate) fn call(
        &self,
        method: Method,
        path: &str,
        places: &[&str],
        repeat: Repeat,
    ) -> Result<Call, Error> {
        let mut request = Request::new(method, self.url(path, places)?);
        // One for all tries: by it they are found in the service's log.
        let id = Uuid::now_v7().to_string();
        let id = HeaderValue::try_from(id).map_err(unsendable)?;
        request.headers_mut().insert(REQUEST_ID, id);
        Ok(Call {
            request,
            repeat,
            limits: self.inner.calls,
            also: None,
            key: None,
        })
    }

    fn url(&self, path: &str, places: &[&str]) -> Result<Url, Error> {
        // None of them names anything, and as parts of a path they would mean another one.
        if places.iter().any(|place| matches!(*place, "" | "." | "..")) {
            let told = Told::new(404, "", "nothing can have this name", "");
            return Err(Error::NotFound(told));
        }
        let mut url = self.inner.base.clone();
        let mut places = places.iter();
        let segments = path.split('/').skip(1).map(|segment| {
            let is_place = segment.starts_with('{');
            let place = if is_place { places.next() } else { None };
            place.copied().unwrap_or(segment)
        });
        let segments: Vec<&str> = segments.filter(|segment| !segment.is_empty()).collect();
        if let Ok(mut all) = url.path_segments_mut() {
            all.pop_if_empty().extend(segments);
        }
        Ok(url)
    }

    /// Makes the call until there is an answer, an error for good, or no time left.
    pub(crate) async fn answer(&self, call: &Call) -> Result<Answer, Error> {
        let (answer, _) = self.made(call, false).await?;
        Ok(answer)
    }

    /// The same for an answer that is read by parts: only that of an error is read whole.
    pub(crate) async fn response(&self, call: &Call) -> Result<Response, Error> {
        let (_, rest) = self.made(call, true).await?;
        rest.ok_or_else(|| unsendable("there is no answer"))
    }

    async fn made(&self, call: &Call, by_parts: bool) -> Result<(Answer, Option<Response>), Error> {
        let began = Instant::now();
        let mut doubtful = false;
        let mut n = 0;
        loop {
            let left = call.limits.deadline.saturating_sub(began.elapsed());
            let limit = call.limits.attempt.min(left);
            let (verdict, rest) = self.attempt(call, limit, by_parts).await;
            let later = match verdict {
                Verdict::Answer(answer) => return Ok((answer, rest)),
                Verdict::Final(error) if doubtful && !tells_of_earlier_tries(&error) => {
                    return Err(call.unknown(error));
                }
                Verdict::Final(error) => return Err(error),
                Verdict::Later(later) => later,
            };
            doubtful |= later.doubtful && call.repeat != Repeat::Read;
            let wait = retry::wait(n, later.asked);
            let may_not = later.doubtful && call.repeat == Repeat::Once;
            if may_not || began.elapsed() + wait >= call.limits.deadline {
                return Err(later.into_error(doubtful, call.key.clone()));
            }
            tokio::time::sleep(wait).await;
            n += 1;
        }
    }

    /// One try, in this time.
    async fn attempt(
        &self,
        call: &Call,
        limit: Duration,
        by_parts: bool,
    ) -> (Verdict, Option<Response>) {
        let Some(request) = call.request.try_clone() else {
            return (Verdict::Final(unsendable("the body is gone")), None);
        };
        let exchange = async {
            let response = self.inner.http.execute(request).await;
            let mut response = response.map_err(|error| {
                let reached = !error.is_connect();
                Later::without_answer(error.without_url().into(), reached)
            })?;
            let (status, headers) = (response.status(), response.headers().clone());
            let keep = by_parts && status.is_success();
            let body = if keep {
                Vec::new()
            } else {
                whole(&mut response).await?
            };
            let answer = Answer {
                status,
                headers,
                body,
            };
            Ok((answer, keep.then_some(response)))
        };
        match tokio::time::timeout(limit, exchange).await {
            Ok(Ok((answer, rest))) => (call.judged(answer), rest),
            Ok(Err(later)) => (Verdict::Later(later), None),
            Err(late) => (
                Verdict::Later(Later::without_answer(late.into(), true)),
                None,
            ),
        }
    }

    /// The data of an answer of the usual form.
    pub(crate) async fn data<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let answer = self.answer(&call).await?;
        let envelope: Envelope<T> = call.read(&answer)?;
        Ok(envelope.data)
    }

    /// The same with its tag.
    pub(crate) async fn tagged<T: DeserializeOwned>(&self, call: Call) -> Result<Tagged<T>, Error> {
        let answer = self.answer(&call).await?;
        let envelope: Envelope<T> = call.read(&answer)?;
        Ok(Tagged {
            data: envelope.data,
            etag: answer.header("etag").map(ToOwned::to_owned),
        })
    }

    /// An answer that is the data itself.
    pub(crate) async fn plain<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let answer = self.answer(&call).await?;
        call.read(&answer)
    }

    /// The health, which is an answer also where it is bad.
    pub(crate) async fn health<T: DeserializeOwned>(&self, mut call: Call) -> Result<T, Error> {
        call.also = Some(StatusCode::SERVICE_UNAVAILABLE);
        self.plain(call).await
    }

    /// An answer without a body.
    pub(crate) async fn nothing(&self, call: Call) -> Result<(), Error> {
        self.answer(&call).await.map(|_| ())
    }

    /// A file, by parts.
    pub(crate) async fn download(&self, mut call: Call) -> Result<Download, Error> {
        call.limits = self.inner.bulk;
        let response = self.response(&call).await?;
        Ok(Download::new(response, call.limits.attempt))
    }

    /// An answer for people.
    pub(crate) async fn text(&self, call: Call) -> Result<String, Error> {
        let answer = self.answer(&call).await?;
        String::from_utf8(answer.body).map_err(|error| call.unreadable(error.into()))
    }
}

impl Call {
    /// With what a query says.
    pub(crate) fn query<T: Serialize>(mut self, query: &T) -> Result<Self, Error> {
        let text = serde_urlencoded::to_string(query).map_err(unsendable)?;
        let text = Some(text).filter(|text| !text.is_empty());
        self.request.url_mut().set_query(text.as_deref());
        Ok(self)
    }

    /// With a JSON body.
    pub(crate) fn json<T: Serialize>(self, body: &T) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body).map_err(unsendable)?;
        Ok(self.body("application/json", bytes))
    }

    /// With a body of this type.
    pub(crate) fn body(mut self, kind: &'static str, bytes: Vec<u8>) -> Self {
        *self.request.body_mut() = Some(bytes.into());
        self.header(CONTENT_TYPE, HeaderValue::from_static(kind))
    }

    /// Only while this tag is in force. A try whose answer is lost changes the tag: then it cannot be repeated.
    pub(crate) fn if_match(mut self, tag: Option<&str>) -> Result<Self, Error> {
        let Some(tag) = tag else {
            return Ok(self);
        };
        self.repeat = Repeat::Once;
        let tag = HeaderValue::from_str(tag).map_err(unsendable)?;
        Ok(self.header(IF_MATCH, tag))
    }

    /// As a submission under this key, which makes it safe to repeat.
    pub(crate) fn once(mut self, key: &IdempotencyKey) -> Result<Self, Error> {
        let value = HeaderValue::from_str(key.as_str()).map_err(unsendable)?;
        self.key = Some(key.clone());
        Ok(self.header(IDEMPOTENCY_KEY, value))
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.request.headers_mut().insert(name, value);
        self
    }

    fn judged(&self, answer: Answer) -> Verdict {
        if self.also == Some(answer.status) {
            return Verdict::Answer(answer);
        }
        let asked = answer.header(RETRY_AFTER.as_str());
        let asked = asked.and_then(|asked| retry::asked(asked, now()));
        judge(answer, asked)
    }

    /// Reads an answer as JSON.
    pub(crate) fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Error> {
        serde_json::from_slice(&answer.body).map_err(|error| {
            // What serde says about it may hold a value of it.
            let (line, column) = (error.line(), error.column());
            let said =
                format!("the answer is not that of the service (line {line}, column {column})");
            self.unreadable(said.into())
        })
    }

    /// The error of an answer that is not the service's.
    pub(crate) fn unreadable(&self, source: Source) -> Error {
        match self.repeat {
            Repeat::Read => Error::Unavailable {
                retry_after: None,
                source,
            },
            Repeat::Safe | Repeat::Once => self.unknown(source),
        }
    }

    fn unknown(&self, source: impl Into<Source>) -> Error {
        Error::Unknown {
            idempotency_key: self.key.clone(),
            source: source.into(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "dates in Retry-After are of the real clock"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// All of an answer.
async fn whole(response: &mut Response) -> Result<Vec<u8>, Later> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(part)) if body.len() + part.len() <= MOST => body.extend_from_slice(&part),
            Ok(Some(_)) => {
                return Err(Later::without_answer("the answer is too long".into(), true));
            }
            Ok(None) => return Ok(body),
            Err(error) => return Err(Later::without_answer(error.without_url().into(), true)),
        }
    }
}

/// The error of what cannot be written as a call.
pub(crate) fn unsendable(why: impl ToString) -> Error {
    Error::Refused(Told::new(0, "NotSendable", &why.to_string(), ""))
}
