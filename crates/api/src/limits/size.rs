use actix_web::dev::ServiceRequest;

use crate::problem::Problem;

/// The most bytes of a path, and of a query: RFC 9110, section 4.1, recommends 8,000, far more than ours
/// need.
pub(crate) const MAX_PATH_BYTES: usize = 8_192;
const MAX_QUERY_BYTES: usize = 8_192;

/// The most bytes of all headers' names and values (chosen). actix itself refuses beyond 96 headers or some
/// 128 KiB.
pub(crate) const MAX_HEADER_BYTES: usize = 32_768;

/// Whether address and headers are within these limits.
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
