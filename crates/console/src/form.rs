use std::rc::Rc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use callers::Slot;
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;

use crate::mistake::Mistake;

/// The most bytes of a form; 25 chosen rows take 4 kB.
const LIMIT: usize = 64 * 1024;

/// How long a form may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Names and values as a page of ours posts them, or as they stand in an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// These.
    pub(crate) fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// Reads `a=b&c=d`. What is no UTF-8 becomes U+FFFD.
    pub(crate) fn read(text: &str) -> Self {
        Self(serde_urlencoded::from_str(text).unwrap_or_default())
    }

    /// The first value of that name that is not blank, without the blanks around it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name)
            .map(str::trim)
            .find(|value| !value.is_empty())
    }

    /// All values of that name.
    pub(crate) fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let named = move |(key, value): &'a (String, String)| (key == name).then_some(value);
        self.0.iter().filter_map(named).map(String::as_str)
    }
}

/// A form that was posted.
pub(crate) struct Form(pub(crate) Fields);

impl FromRequest for Form {
    type Error = Mistake;
    type Future = LocalBoxFuture<'static, Result<Self, Mistake>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_form = kind
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim() == "application/x-www-form-urlencoded");
        let payload = payload.take();
        let slot = request.extensions().get::<Rc<Slot>>().cloned();
        Box::pin(async move {
            if !is_form {
                return Err(Mistake::Unreadable);
            }
            // Whoever sends slowly takes no place from those that do not.
            let pause = slot.as_ref().map(Slot::pause);
            let read = tokio::time::timeout(TIMEOUT, read(payload)).await;
            let bytes = read.unwrap_or(Err(Mistake::TooSlow))?;
            if pause.is_some_and(|pause| !pause.end()) {
                return Err(Mistake::Busy);
            }
            let text = String::from_utf8(bytes).map_err(|_| Mistake::Unreadable)?;
            Ok(Self(Fields::read(&text)))
        })
    }
}

async fn read(mut payload: Payload) -> Result<Vec<u8>, Mistake> {
    let mut bytes = Vec::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| Mistake::Unreadable)?;
        if bytes.len() + piece.len() > LIMIT {
            return Err(Mistake::TooLarge(StatusCode::PAYLOAD_TOO_LARGE));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_form_that_does_not_end_is_too_slow() {
        let kind = (CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = TestRequest::post().insert_header(kind).to_http_request();
        let never = futures_util::stream::pending();
        let mut payload: Payload = Payload::Stream {
            payload: Box::pin(never),
        };
        let read = Form::from_request(&request, &mut payload).await;
        assert!(matches!(read, Err(Mistake::TooSlow)));
    }

    #[test]
    fn values_are_read_by_their_names() {
        let fields = Fields::read("q=+D+123%20AD+&id=1&id=2&empty=&empty=x&%71=no");
        assert_eq!(fields.get("q"), Some("D 123 AD"));
        assert_eq!(fields.all("id").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(fields.get("empty"), Some("x"));
        assert_eq!(fields.get("none"), None);
    }

    #[test]
    fn hostile_fields_are_only_text() {
        assert_eq!(Fields::read("q=%ff%00<").get("q"), Some("\u{fffd}\0<"));
        assert_eq!(Fields::read("&&=&=x").get(""), Some("x"));
    }
}
