//! Static files. Their names hold their hash, so that browsers keep them for ever and a new release has
//! others.

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY,
};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use crate::mistake::Mistake;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file in the program.
pub(crate) struct File {
    name: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

pub(crate) async fn file(
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Mistake> {
    let file = FILES.iter().find(|file| file.name == name.as_str());
    let file = file.ok_or(Mistake::NotFound)?;
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, file.kind));
    response.insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    response.insert_header((VARY, "Accept-Encoding"));
    Ok(if takes_gzip(&request) {
        response.insert_header((CONTENT_ENCODING, "gzip"));
        response.body(file.gzip)
    } else {
        response.body(file.plain)
    })
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT_ENCODING);
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let is_gzip = parts
                .next()
                .is_some_and(|it| it.eq_ignore_ascii_case("gzip"));
            is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_first_visit_is_small() {
        let packed = |kind: &str| -> usize {
            let files = FILES.iter().filter(|file| file.kind.starts_with(kind));
            files.map(|file| file.gzip.len()).sum()
        };
        let plain = |kind: &str| -> usize {
            let files = FILES.iter().filter(|file| file.kind.starts_with(kind));
            files.map(|file| file.plain.len()).sum()
        };
        assert!(plain("text/javascript") < 15_000);
        assert!(plain("text/css") < 20_000);
        assert!(packed("") < 80_000);
    }

    #[test]
    fn gzip_is_sent_to_whoever_takes_it() {
        let takes = |value: &str| {
            let request = TestRequest::default().append_header(("Accept-Encoding", value));
            takes_gzip(&request.to_http_request())
        };
        assert!(takes("gzip, deflate, br, zstd"));
        assert!(takes("br;q=1.0, GZIP;q=0.5"));
        assert!(!takes("gzip;q=0, br"));
        assert!(!takes("identity"));
        assert!(!takes_gzip(&TestRequest::default().to_http_request()));
    }
}
