use actix_web::HttpRequest;

/// The most bytes a path may have, and a query: what RFC 9110 wants to be possible (section 4.1) and
/// far more than any of ours needs.
pub const MAX_PATH_BYTES: usize = 8_192;
const MAX_QUERY_BYTES: usize = 8_192;

/// The most bytes that names and values of all headers may have. actix itself reads up to 96 headers
/// and some 128 KiB before it says no.
pub const MAX_HEADER_BYTES: usize = 32_768;

/// What is too long about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oversized {
    /// A part of its address.
    Uri {
        /// `path` or `query`.
        part: &'static str,
        /// The most bytes it may have.
        limit: usize,
    },
    /// Its headers.
    Headers {
        /// The most bytes they may have.
        limit: usize,
    },
}

/// Whether address and headers of a call are as long as those of a sane one.
///
/// # Errors
/// What is too long.
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
