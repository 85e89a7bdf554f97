use std::sync::Arc;

use super::message_actions::views;
use super::{Policies, Ports};
use crate::access::{Action, AuditEntry, Author};
use crate::delivery::DeliveryPolicy;
use crate::persons::{Erased, Sweep};
use crate::ports::{AuditLog, DealerDirectory, PersonalData, StoreError};
use crate::requests::{MessageView, Request, RequestId};
use crate::values::Phone;

/// How many rows one step looks at, so that none holds many locks for long.
const AT_ONCE: usize = 500;

/// Erases persons and shows them what is stored about them.
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

    /// Erases a person. Once more erases what has come since, or nothing. The audit has a line
    /// before anything is erased, and one with the counts after all is.
    ///
    /// # Errors
    /// [`StoreError`]; some of it may be erased then. Repeat it.
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
            "done: phone {}, {} requests, {} messages of which {} were cancelled, {} events",
            phone.masked(),
            all.requests,
            all.messages,
            all.cancelled,
            all.events
        );
        self.note(by, Action::Erase, detail).await?;
        Ok(all)
    }

    /// What is stored about a person: requests in the order of their ids after the one given, at
    /// most `limit`, each with its messages, oldest first. It is noted in the audit before it is shown.
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

    /// One step of a pass that erases what is older than so many days, and where to go on.
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
