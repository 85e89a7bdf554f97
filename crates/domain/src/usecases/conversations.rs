use std::sync::Arc;

use super::{LookupError, Ports};
use crate::access::{AuditEntry, Author, Visibility};
use crate::ports::{
    DealerDirectory, OptOuts, OptedOut, Replies, RepliesOf, RequestStore, StoreError,
};
use crate::replies::{ListCursor, OptOut, Reply};
use crate::requests::RequestId;
use crate::values::{DealerId, Phone};

/// Shows what customers write back, and who wants no messages any more; and changes that by hand.
pub struct Conversations {
    dealers: Arc<dyn DealerDirectory>,
    requests: Arc<dyn RequestStore>,
    replies: Arc<dyn Replies>,
    opt_outs: Arc<dyn OptOuts>,
}

impl Conversations {
    pub(super) fn new(ports: &Ports) -> Self {
        Self {
            dealers: ports.dealers.clone(),
            requests: ports.requests.clone(),
            replies: ports.replies.clone(),
            opt_outs: ports.opt_outs.clone(),
        }
    }

    /// A dealer's newest replies, newest first; with a cursor those that are older than it.
    ///
    /// # Errors
    /// [`LookupError`]
    pub async fn replies(
        &self,
        dealer: &DealerId,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Vec<Reply>, LookupError> {
        self.known(dealer).await?;
        let of = RepliesOf::Dealer(dealer.clone());
        Ok(self.replies.replies(&of, after, limit).await?)
    }

    /// The same of a request; `None` for one that does not exist within the tenant.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn replies_of(
        &self,
        request: RequestId,
        seen: &Visibility,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Option<Vec<Reply>>, StoreError> {
        if self.requests.find(request, seen).await?.is_none() {
            return Ok(None);
        }
        let of = RepliesOf::Request(request);
        self.replies.replies(&of, after, limit).await.map(Some)
    }

    /// A dealer's opt-outs, newest first; with a cursor those that are older than it.
    ///
    /// # Errors
    /// [`LookupError`]
    pub async fn opt_outs(
        &self,
        dealer: &DealerId,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Vec<OptOut>, LookupError> {
        self.known(dealer).await?;
        Ok(self.opt_outs.opt_outs(dealer, after, limit).await?)
    }

    /// Opts a phone out of a dealer's messages.
    ///
    /// # Errors
    /// [`LookupError`]; nothing is changed then, but after [`LookupError::Store`] the outcome is unknown.
    pub async fn opt_out(
        &self,
        dealer: &DealerId,
        phone: &Phone,
        note: Option<String>,
        by: &Author,
    ) -> Result<OptedOut, LookupError> {
        self.known(dealer).await?;
        let entry = AuditEntry::opted_out(by, dealer, phone);
        Ok(self.opt_outs.opt_out(dealer, phone, note, &entry).await?)
    }

    /// Opts a phone in again; returns whether it was opted out.
    ///
    /// # Errors
    /// As for [`opt_out`](Self::opt_out).
    pub async fn opt_in(
        &self,
        dealer: &DealerId,
        phone: &Phone,
        by: &Author,
    ) -> Result<bool, LookupError> {
        self.known(dealer).await?;
        let entry = AuditEntry::opted_in(by, dealer, phone);
        Ok(self.opt_outs.opt_in(dealer, phone, &entry).await?)
    }

    async fn known(&self, dealer: &DealerId) -> Result<(), LookupError> {
        let found = self.dealers.find(dealer).await?;
        match found.filter(|dealer| dealer.active) {
            Some(_) => Ok(()),
            None => Err(LookupError::UnknownDealer),
        }
    }
}
