use actix_web::dev::ServiceRequest;

use crate::problem::Problem;

/// The most bytes a path may have, and a query: what RFC 9110 wants to be possible (section 4.1) and
/// far more than any of ours needs.
pub(crate) const MAX_PATH_BYTES: usize = 8_192;
const MAX_QUERY_BYTES: usize = 8_192;

/// The most bytes that names and values of all headers may have. actix itself reads up to 96 headers
/// and some 128 KiB before it says no.
pub(crate) const MAX_HEADER_BYTES: usize = 32_768;

/// Whether address and headers of a call are as long as those of a sane one.
pub(crate) fn of_sane_size(request: &ServiceRequest) -> Result<(), Problem> {
    let uri = request.uri();
    if uri.path().len() > MAX_PATH_BYTES {
        return Err(Problem::UriTooLong {
            part: "path",
            limit: MAX_PATH_BYTES,
        });
    }
    if uri
        .query()
        .is_some_and(|query| query.len() > MAX_QUERY_BYTES)
    {
        return Err(Problem::UriTooLong {
            part: "query",
            limit: MAX_QUERY_BYTES,
        });
    }
    let headers = request.headers().iter();
    let bytes: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes > MAX_HEADER_BYTES {
        return Err(Problem::HeadersTooLarge {
            limit: MAX_HEADER_BYTES,
        });
    }
    Ok(())
}
