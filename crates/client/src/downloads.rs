//! Files that are read by parts.

use std::fmt;
use std::time::Duration;

use reqwest::Response;
use reqwest::header::CONTENT_DISPOSITION;

use crate::error::Error;

/// A file of any size; no more than a part of it is ever in memory.
pub struct Download {
    response: Response,
    limit: Duration,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("file_name", &self.file_name())
            .finish_non_exhaustive()
    }
}

impl Download {
    pub(crate) fn new(response: Response, limit: Duration) -> Self {
        Self { response, limit }
    }

    /// The name that the service gives to the file, with the dealer and the dates.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        let header = self.response.headers().get(CONTENT_DISPOSITION)?;
        let (_, name) = header.to_str().ok()?.split_once("filename=")?;
        let name = name.trim_start_matches('"');
        name.split(['"', ';']).next()
    }

    /// The next part; none at the end.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the file breaks off: ask for it again.
    pub async fn part(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let broken = |source| Error::Unavailable {
            retry_after: None,
            source,
        };
        let part = tokio::time::timeout(self.limit, self.response.chunk()).await;
        let part = part.map_err(|late| broken(late.into()))?;
        let part = part.map_err(|error| broken(error.without_url().into()))?;
        Ok(part.map(|bytes| bytes.to_vec()))
    }

    /// All of it. For files that are known to be small.
    ///
    /// # Errors
    /// As [`Download::part`].
    pub async fn whole(mut self) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::new();
        while let Some(part) = self.part().await? {
            whole.extend(part);
        }
        Ok(whole)
    }
}
