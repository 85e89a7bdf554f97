use std::sync::Arc;

use super::message_actions::views;
use super::{Policies, Ports};
use crate::access::{Action, AuditEntry, Author};
use crate::delivery::DeliveryPolicy;
use crate::persons::{Erased, Sweep};
use crate::ports::{AuditLog, DealerDirectory, PersonalData, StoreError};
use crate::replies::{OptOut, Reply};
use crate::requests::{MessageView, Request, RequestId};
use crate::values::Phone;

/// The most rows of one step, so that none holds many locks for long (chosen).
const AT_ONCE: usize = 500;

/// Erases and exports the data of persons.
pub struct DataSubjectRequests {
    data: Arc<dyn PersonalData>,
    audit: Arc<dyn AuditLog>,
    dealers: Arc<dyn DealerDirectory>,
    policy: DeliveryPolicy,
}

impl DataSubjectRequests {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            data: ports.persons.clone(),
            audit: ports.audit.clone(),
            dealers: ports.dealers.clone(),
            policy: policies.delivery.clone(),
        }
    }

    /// Erases a person; repeating it erases newer data, if any. The audit has a line before the erasure, and
    /// one with the counts after it.
    ///
    /// # Errors
    /// [`StoreError`]; a part may be erased. Repeat it.
    pub async fn erase(&self, phone: &Phone, by: &Author) -> Result<Erased, StoreError> {
        self.note(
            by,
            Action::Erase,
            format!("begins: phone {}", phone.masked()),
        )
        .await?;
        let mut all = Erased::default();
        loop {
            let step = self.data.erase(phone, AT_ONCE).await?;
            if step.is_nothing() {
                break;
            }
            all.add(step);
        }
        let detail = format!(
            "done: phone {}, {} requests, {} messages of which {} were cancelled, {} events, {} replies",
            phone.masked(),
            all.requests,
            all.messages,
            all.cancelled,
            all.events,
            all.replies
        );
        self.note(by, Action::Erase, detail).await?;
        Ok(all)
    }

    /// Exports a person: at most `limit` requests by id after the given id, each with its messages, oldest
    /// first. The audit line comes first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn export(
        &self,
        phone: &Phone,
        after: Option<RequestId>,
        limit: usize,
        by: &Author,
    ) -> Result<Vec<(Request, Vec<MessageView>)>, StoreError> {
        let records = self.data.export(phone, after, limit).await?;
        let detail = format!("phone {}, {} requests", phone.masked(), records.len());
        self.note(by, Action::Export, detail).await?;
        let mut shown = Vec::with_capacity(records.len());
        for record in records {
            let messages = views(&*self.dealers, &self.policy, record.messages).await?;
            shown.push((record.request, messages));
        }
        Ok(shown)
    }

    /// A person's newest replies and its opt-outs, newest first. The line in the audit is that of
    /// [`export`](Self::export), which is to be called before.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn export_replies(
        &self,
        phone: &Phone,
        limit: usize,
    ) -> Result<(Vec<Reply>, Vec<OptOut>), StoreError> {
        self.data.export_replies(phone, limit).await
    }

    /// One step of a pass that erases data older than this many days; returns the next cursor.
    ///
    /// # Errors
    /// [`StoreError`]; the step can be repeated.
    pub async fn sweep(
        &self,
        days: u32,
        from: Sweep,
    ) -> Result<(Erased, Option<Sweep>), StoreError> {
        self.data.erase_older_than(days, from, AT_ONCE).await
    }

    async fn note(&self, by: &Author, action: Action, detail: String) -> Result<(), StoreError> {
        let entry = AuditEntry {
            author: by.clone(),
            action,
            dealer: None,
            detail,
        };
        self.audit.record(&entry).await
    }
}
