//! The same for programs without async: every call waits for its answer, on a runtime of the client's own.
//!
//! ```no_run
//! use customer_service_client::{blocking::Client, types::SubmissionBody};
//!
//! # fn main() -> anyhow::Result<()> {
//! let client = Client::new("https://customer.example", "csk_…")?;
//! let stored = client.validate_customer(&SubmissionBody::example())?;
//! for message in client.list_request_messages(&stored.request_id)? {
//!     println!("{}", message.state);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Not for use within async code: it would hold up the thread, and the runtime panics there.

use std::fmt;
use std::sync::Arc;

use api_types::{
    AuditItem, DealerItem, ExportData, ExportQuery, Item, OptOutItem, ReplyItem, RowBody,
    SubmissionBody,
};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _};
use tokio::runtime::{Builder, Runtime};

use crate::client::{ClientBuilder, SetupError};
use crate::error::Error;
use crate::{Bulk, BulkOptions, IdempotencyKey, Stored, SubmitOptions, Table};

/// A caller of the service that waits. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct Client {
    client: crate::Client,
    runtime: Arc<Runtime>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.client.fmt(f)
    }
}

impl ClientBuilder {
    /// The client that waits.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn build_blocking(self) -> Result<Client, SetupError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| SetupError::Http(error.into()))?;
        Ok(Client {
            client: self.build()?,
            runtime: Arc::new(runtime),
        })
    }
}

impl Client {
    /// A client of the service at this address, with this key; [`crate::Client::builder`] has more choices.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(base: &str, api_key: &str) -> Result<Self, SetupError> {
        crate::Client::builder(base)
            .api_key(api_key)
            .build_blocking()
    }

    pub(crate) fn client(&self) -> &crate::Client {
        &self.client
    }

    pub(crate) fn wait<F: Future>(&self, doing: F) -> F::Output {
        self.runtime.block_on(doing)
    }

    fn iterated<T>(
        &self,
        stream: impl Stream<Item = Result<T, Error>> + Send + 'static,
    ) -> Items<T> {
        Items {
            stream: stream.boxed(),
            runtime: self.runtime.clone(),
        }
    }

    /// See [`crate::Client::validate_customer`].
    ///
    /// # Errors
    /// [`Error`].
    pub fn validate_customer(&self, body: &SubmissionBody) -> Result<Stored, Error> {
        self.wait(self.client.validate_customer(body))
    }

    /// See [`crate::Client::validate_customer_with`].
    ///
    /// # Errors
    /// [`Error`].
    pub fn validate_customer_with(
        &self,
        body: &SubmissionBody,
        options: &SubmitOptions,
    ) -> Result<Stored, Error> {
        self.wait(self.client.validate_customer_with(body, options))
    }

    /// See [`crate::Client::validate_customers`].
    ///
    /// # Errors
    /// [`Error`].
    pub fn validate_customers(&self, table: &Table, options: &BulkOptions) -> Result<Bulk, Error> {
        self.wait(self.client.validate_customers(table, options))
    }

    /// See [`crate::Client::submit_all`]; with the key that the rows are stored under.
    pub fn submit_all<R>(
        &self,
        rows: R,
        options: &BulkOptions,
    ) -> (IdempotencyKey, Items<api_types::BulkItem>)
    where
        R: IntoIterator<Item = RowBody>,
        R::IntoIter: Send + 'static,
    {
        let rows = self.client.submit_all(stream::iter(rows), options);
        (rows.idempotency_key().clone(), self.iterated(rows))
    }

    /// See [`crate::Client::dealer_requests`].
    pub fn dealer_requests(&self, dealer_id: &str, filter: &ExportQuery) -> Items<Item> {
        self.iterated(self.client.dealer_requests(dealer_id, filter))
    }

    /// See [`crate::Client::dealer_replies`].
    pub fn dealer_replies(&self, dealer_id: &str) -> Items<ReplyItem> {
        self.iterated(self.client.dealer_replies(dealer_id))
    }

    /// See [`crate::Client::request_replies`].
    pub fn request_replies(&self, request_id: &str) -> Items<ReplyItem> {
        self.iterated(self.client.request_replies(request_id))
    }

    /// See [`crate::Client::dealer_opt_outs`].
    pub fn dealer_opt_outs(&self, dealer_id: &str) -> Items<OptOutItem> {
        self.iterated(self.client.dealer_opt_outs(dealer_id))
    }

    /// See [`crate::Client::dealers`].
    pub fn dealers(&self) -> Items<DealerItem> {
        self.iterated(self.client.dealers())
    }

    /// See [`crate::Client::audit`].
    pub fn audit(&self) -> Items<AuditItem> {
        self.iterated(self.client.audit())
    }

    /// See [`crate::Client::person`].
    pub fn person(&self, phone: &str) -> Items<ExportData> {
        self.iterated(self.client.person(phone))
    }

    /// The next part of a file; none at the end.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the file breaks off.
    pub fn part(&self, file: &mut crate::Download) -> Result<Option<Vec<u8>>, Error> {
        self.wait(file.part())
    }
}

/// Entries of a list, in its order. Ends after the first error.
pub struct Items<T> {
    stream: BoxStream<'static, Result<T, Error>>,
    runtime: Arc<Runtime>,
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}

impl<T> Iterator for Items<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.runtime.block_on(self.stream.next())
    }
}
