use actix_web::HttpRequest;

/// The most bytes of a path, and of a query: RFC 9110, section 4.1, recommends 8,000, far more than ours
/// need.
pub const MAX_PATH_BYTES: usize = 8_192;
const MAX_QUERY_BYTES: usize = 8_192;

/// The most bytes of all headers' names and values (chosen). actix itself refuses beyond 96 headers or some
/// 128 KiB.
pub const MAX_HEADER_BYTES: usize = 32_768;

/// A part of a request that is above its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oversized {
    /// A part of the address.
    Uri {
        /// `path` or `query`.
        part: &'static str,
        /// Its limit in bytes.
        limit: usize,
    },
    /// The headers.
    Headers {
        /// Their limit in bytes.
        limit: usize,
    },
}

/// Whether address and headers are within these limits.
///
/// # Errors
/// [`Oversized`]
pub fn of_sane_size(request: &HttpRequest) -> Result<(), Oversized> {
    let uri = request.uri();
    if uri.path().len() > MAX_PATH_BYTES {
        return Err(Oversized::Uri {
            part: "path",
            limit: MAX_PATH_BYTES,
        });
    }
    if uri
        .query()
        .is_some_and(|query| query.len() > MAX_QUERY_BYTES)
    {
        return Err(Oversized::Uri {
            part: "query",
            limit: MAX_QUERY_BYTES,
        });
    }
    let headers = request.headers().iter();
    let bytes: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes > MAX_HEADER_BYTES {
        return Err(Oversized::Headers {
            limit: MAX_HEADER_BYTES,
        });
    }
    Ok(())
}
