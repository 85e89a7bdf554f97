use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use callers::{Place, Slot};
use domain::access::Principal;
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream;
use multer::{Constraints, Multipart};

use crate::form::Fields;
use crate::mistake::Mistake;
use crate::state::Console;
use crate::visit::Visit;

/// The most bytes of a form with a file: a table of 8 MiB that comes back as base64.
const LIMIT: usize = 12 * 1024 * 1024;

/// How long one may take to arrive. Chosen: 8 MiB over a slow phone.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The name of the field with a file.
const FILE: &str = "file";

/// A form with a file that was posted. Its place was taken before it was received, and is kept until all work on it is
/// done.
pub(crate) struct Upload {
    pub(crate) place: Place,
    pub(crate) fields: Fields,
    pub(crate) file: Option<UploadedFile>,
}

/// A file as a browser sends it.
pub(crate) struct UploadedFile {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

impl FromRequest for Upload {
    type Error = Mistake;
    type Future = LocalBoxFuture<'static, Result<Self, Mistake>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind);
        let payload = payload.take();
        let slot = request.extensions().get::<Rc<Slot>>().cloned();
        let place = place(request);
        Box::pin(async move {
            let place = place?;
            let boundary = boundary.map_err(|_| Mistake::Unreadable)?;
            // Whoever sends slowly takes no slot from those that do not.
            let pause = slot.as_ref().map(Slot::pause);
            let read = tokio::time::timeout(TIMEOUT, received(payload)).await;
            let bytes = read.unwrap_or(Err(Mistake::TooSlow))?;
            if pause.is_some_and(|pause| !pause.end()) {
                return Err(Mistake::Busy);
            }
            let (fields, file) = read_parts(bytes, boundary).await?;
            Ok(Self {
                place,
                fields,
                file,
            })
        })
    }
}

/// A place for one more table, of which a visitor has its share.
fn place(request: &HttpRequest) -> Result<Place, Mistake> {
    let console = request.app_data::<Data<Console>>();
    let console = console.ok_or(Mistake::Unforeseen)?;
    let extensions = request.extensions();
    let visit = extensions.get::<Visit>().ok_or(Mistake::Unforeseen)?;
    let key = visit.principal.as_ref().and_then(Principal::key);
    let caller = console.parts.limits.subject(request, key);
    console.imports.take(caller).ok_or(Mistake::Busy)
}

async fn received(mut payload: Payload) -> Result<Bytes, Mistake> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| Mistake::Unreadable)?;
        if bytes.len() + piece.len() > LIMIT {
            return Err(Mistake::TooLarge(StatusCode::PAYLOAD_TOO_LARGE));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}

type Parts = (Fields, Option<UploadedFile>);

async fn read_parts(bytes: Bytes, boundary: String) -> Result<Parts, Mistake> {
    let whole = stream::iter([Ok::<_, Infallible>(bytes)]);
    let mut parts = Multipart::with_constraints(whole, boundary, Constraints::new());
    let (mut fields, mut file) = (Vec::new(), None);
    let unreadable = |_: multer::Error| Mistake::Unreadable;
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(unreadable)?;
        match file_name {
            // A browser sends an empty file where none was chosen.
            Some(name_of_file) if name == FILE => {
                let is_chosen = !name_of_file.is_empty() || !bytes.is_empty();
                file = is_chosen.then_some(UploadedFile {
                    name: name_of_file,
                    bytes,
                });
            }
            _ => {
                let text = String::from_utf8(bytes.to_vec()).map_err(|_| Mistake::Unreadable)?;
                fields.push((name, text));
            }
        }
    }
    Ok((Fields::of(fields), file))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(body: &str) -> Result<Parts, Mistake> {
        read_parts(Bytes::from(body.to_owned()), "x".to_owned()).await
    }

    #[tokio::test]
    async fn fields_and_a_file_are_read() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"dealer_id\"\r\n\r\n0009999\r\n\
            --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\
            Content-Type: text/csv\r\n\r\na;b\r\n--\r\n1;2\r\n\r\n--x--\r\n";
        let (fields, file) = read(body).await.ok().unwrap();
        assert_eq!(fields.get("dealer_id"), Some("0009999"));
        let file = file.unwrap();
        assert_eq!(
            (file.name.as_str(), &file.bytes[..]),
            ("a.csv", &b"a;b\r\n--\r\n1;2\r\n"[..])
        );
    }

    #[tokio::test]
    async fn no_file_is_none_and_what_is_cut_off_is_refused() {
        let none = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--x--\r\n";
        assert!(read(none).await.ok().unwrap().1.is_none());
        let cut = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc";
        for body in [cut, "", "x"] {
            assert!(
                matches!(read(body).await, Err(Mistake::Unreadable)),
                "{body}"
            );
        }
    }
}
