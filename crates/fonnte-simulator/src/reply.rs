//! HTTP answers, complete and broken.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

/// The members of an answer, in alphabetical order like Fonnte's.
pub(crate) type Members = BTreeMap<&'static str, Value>;

/// An answer before it is written.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    body: Bytes,
    content_type: Option<&'static str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    pub(crate) fn json(members: &Members) -> Self {
        Self::bytes(StatusCode::OK, "application/json", to_bytes(members))
    }

    pub(crate) fn value(status: StatusCode, value: &Value) -> Self {
        Self::bytes(status, "application/json", to_bytes(value))
    }

    pub(crate) fn text(status: StatusCode, text: &'static str) -> Self {
        Self::bytes(
            status,
            "text/plain; charset=utf-8",
            Bytes::from_static(text.as_bytes()),
        )
    }

    pub(crate) fn html(status: StatusCode, page: impl Into<Bytes>) -> Self {
        Self::bytes(status, "text/html; charset=utf-8", page.into())
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            body: Bytes::new(),
            content_type: None,
            headers: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with another HTTP status.
    pub(crate) fn under(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The complete answer.
    pub(crate) fn whole(self) -> Response<AnswerBody> {
        let body = AnswerBody::Whole(Some(self.body.clone()));
        self.respond(body)
    }

    /// The head announces the whole body; half of it is sent, then the connection breaks.
    pub(crate) fn broken(self) -> Response<AnswerBody> {
        let length = HeaderValue::from(self.body.len());
        let half = self.body.slice(..self.body.len() / 2);
        self.with(header::CONTENT_LENGTH, length)
            .respond(AnswerBody::Half(half))
    }

    /// A complete answer with half of the body.
    pub(crate) fn cut(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }

    fn bytes(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        Self {
            status,
            body,
            content_type: Some(content_type),
            headers: Vec::new(),
        }
    }

    fn respond(self, body: AnswerBody) -> Response<AnswerBody> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        headers.extend(self.headers);
        response
    }
}

fn to_bytes(value: &impl serde::Serialize) -> Bytes {
    // Maps with text keys and plain values always serialise.
    Bytes::from(serde_json::to_vec(value).unwrap_or_default())
}

/// Closes the connection instead of answering.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on purpose")]
pub(crate) struct Dropped;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    Whole(Option<Bytes>),
    /// A part to be sent, after which the connection breaks.
    Half(Bytes),
    /// The part is being sent.
    Flushing,
    Broken,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        let this = self.get_mut();
        match this {
            Self::Whole(body) => {
                let body = body.take().filter(|body| !body.is_empty());
                Poll::Ready(body.map(|body| Ok(Frame::data(body))))
            }
            Self::Half(part) => {
                let part = std::mem::take(part);
                *this = Self::Flushing;
                Poll::Ready(Some(Ok(Frame::data(part))))
            }
            Self::Flushing => {
                // The server flushes while the body is pending; breaking now would lose the head.
                *this = Self::Broken;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Broken => Poll::Ready(Some(Err(Dropped))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(body) if body.as_ref().is_none_or(Bytes::is_empty))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            _ => SizeHint::default(),
        }
    }
}
