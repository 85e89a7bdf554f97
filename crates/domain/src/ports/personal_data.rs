use async_trait::async_trait;

use super::StoreError;
use crate::persons::{Erased, PersonalRecord, Sweep};
use crate::requests::RequestId;
use crate::values::Phone;

/// What is stored about persons, whatever the dealer. A person is whoever has a phone, however rows
/// of an older service spell it, see [`Phone::is_written_as`].
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait PersonalData: Send + Sync {
    /// Erases at most `limit` messages, and as many requests and reports, of a person; nothing is
    /// left when nothing is erased any more.
    ///
    /// Name, phone and plate, the text and the recipient of messages, details of attempts and
    /// reports' texts become [`ERASED`](crate::persons::ERASED), stored answers of the provider and keys of
    /// callers go. Of what others wrote the [`Person`](crate::persons::Person) is taken out: of reasons, also of
    /// lanes, of unit types, of names of API keys and of the audit. Calls keep an id that is
    /// [impersonal](crate::requests::impersonal_call). What is QUEUED is cancelled. What is SENDING may be on its
    /// way: its outcome is recorded, but it is not sent again. Statuses, times, dealers and ids of ours
    /// stay, except that a request shows the cancellation of its newest message.
    async fn erase(&self, phone: &Phone, limit: usize) -> Result<Erased, StoreError>;

    /// The requests of a person with their messages, in the order of their ids, after the one given.
    async fn export(
        &self,
        phone: &Phone,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<Vec<PersonalRecord>, StoreError>;

    /// One step of a pass that erases what is older than so many days: looks at most at `limit`
    /// rows and says where to go on; `None` when the pass is over.
    ///
    /// A message is old when it is neither QUEUED nor SENDING and everything that happened to it is;
    /// a request when its last change is, and no message of it is younger or waits. What somebody
    /// else works on is left for the next pass.
    async fn erase_older_than(
        &self,
        days: u32,
        from: Sweep,
        limit: usize,
    ) -> Result<(Erased, Option<Sweep>), StoreError>;
}
