use async_trait::async_trait;

use super::StoreError;
use crate::persons::{Erased, PersonalRecord, Sweep};
use crate::replies::{OptOut, Reply};
use crate::requests::RequestId;
use crate::values::Phone;

/// Stored personal data, over all dealers. A person is identified by a phone in any notation of older rows,
/// see [`Phone::is_written_as`].
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait PersonalData: Send + Sync {
    /// Erases at most `limit` messages, and as many requests and events, of a person; repeat until nothing is
    /// erased.
    ///
    /// Name, phone, plate, texts and recipients of messages, details of attempts and texts of events become
    /// [`ERASED`](crate::persons::ERASED). Stored answers of the provider and idempotency keys are deleted.
    /// The [`Person`](crate::persons::Person) is removed from texts by other authors: reasons, also of lanes,
    /// unit types, names of API keys and the audit. Ids of HTTP requests stay only where they are
    /// [impersonal](crate::requests::impersonal_call). QUEUED messages are cancelled; a SENDING one is
    /// settled, but not retried. Statuses, times, dealers and our ids stay, except that a request shows the
    /// cancellation of its newest message. Replies are removed, and so are notes of opt-outs, of whose phones a
    /// keyed hash is kept: they hold on.
    async fn erase(&self, phone: &Phone, limit: usize) -> Result<Erased, StoreError>;

    /// The requests of a person with their messages, by id, after the given id.
    async fn export(
        &self,
        phone: &Phone,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<PersonalRecord>, StoreError>;

    /// The newest replies of a person, at most so many, and its opt-outs; newest first, of all dealers.
    async fn export_replies(
        &self,
        phone: &Phone,
        limit: usize,
    ) -> Result<(Vec<Reply>, Vec<OptOut>), StoreError>;

    /// One step of a pass that erases data older than this many days: reads at most `limit` rows and returns
    /// the next cursor; `None` at the end.
    ///
    /// A message is old when it is neither QUEUED nor SENDING and all its events are old. A request is old
    /// when its last change is, and it has no younger or waiting message. Old replies are removed. Locked rows are left for the next
    /// pass.
    async fn erase_older_than(
        &self,
        days: u32,
        from: Sweep,
        limit: usize,
    ) -> Result<(Erased, Option<Sweep>), StoreError>;
}
