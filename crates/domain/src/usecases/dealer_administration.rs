use std::sync::Arc;

use super::template_administration::is_in_force;
use super::{Policies, Ports};
use crate::access::{AuditEntry, Author};
use crate::ports::{
    Bell, DealerAdmin, DealerPage, DealerRecord, Outbox, SettingsChanged, StoreError, TemplateBook,
};
use crate::requests::Input;
use crate::settings::{SettingFaults, SettingsChange, SettingsPatch};
use crate::template::TemplateName;
use crate::values::{AccountPolicy, DealerId};

/// Shows dealers to operators and changes their settings.
pub struct DealerAdministration {
    dealers: Arc<dyn DealerAdmin>,
    outbox: Arc<dyn Outbox>,
    bell: Arc<dyn Bell>,
    templates: Arc<dyn TemplateBook>,
    accounts: AccountPolicy,
}

/// Why a dealer was not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum DealerAdministrationError {
    /// No dealer has that number.
    #[error("the dealer is not known")]
    UnknownDealer,
    /// Settings break rules: for every faulty field its first broken rule, in field order.
    #[error("the settings break rules")]
    Invalid(SettingFaults),
    /// The store could not answer; the outcome of a write is unknown.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

impl DealerAdministration {
    pub(super) fn new(ports: &Ports, policies: &Policies) -> Self {
        Self {
            dealers: ports.dealer_admin.clone(),
            outbox: ports.outbox.clone(),
            bell: ports.lane_bell.clone(),
            templates: ports.templates.clone(),
            accounts: policies.accounts.clone(),
        }
    }

    /// One page of dealers.
    ///
    /// # Errors
    /// [`StoreError`] when the store could not answer.
    pub async fn page(&self, page: u64, page_size: u32) -> Result<DealerPage, StoreError> {
        self.dealers.page(page, page_size).await
    }

    /// One dealer.
    ///
    /// # Errors
    /// [`DealerAdministrationError::UnknownDealer`] or [`DealerAdministrationError::Store`].
    pub async fn dealer(&self, id: &DealerId) -> Result<DealerRecord, DealerAdministrationError> {
        let found = self.dealers.record(id).await?;
        found.ok_or(DealerAdministrationError::UnknownDealer)
    }

    /// Checks a patch for a dealer against the rules, as far as they do not concern its other settings.
    ///
    /// # Errors
    /// [`DealerAdministrationError::Invalid`] or [`DealerAdministrationError::Store`].
    pub async fn check(
        &self,
        id: Option<&DealerId>,
        patch: &SettingsPatch,
    ) -> Result<SettingsChange, DealerAdministrationError> {
        let is_template = match &patch.default_template {
            Input::Text(name) => match TemplateName::parse(name) {
                Ok(name) => is_in_force(&*self.templates, id, &name).await?,
                Err(_) => false,
            },
            _ => false,
        };
        patch
            .validate(&self.accounts, self.dealers.keeps_secrets(), is_template)
            .map_err(DealerAdministrationError::Invalid)
    }

    /// Changes a dealer's settings. A rest under the old settings ends, and begins again where the new ones
    /// ask for it. The dispatcher notices a changed key or address. Repeating it is harmless.
    ///
    /// # Errors
    /// [`DealerAdministrationError`]; nothing is changed then, but after [`DealerAdministrationError::Store`]
    /// the outcome is unknown.
    pub async fn change(
        &self,
        id: &DealerId,
        change: &SettingsChange,
        by: &Author,
    ) -> Result<DealerRecord, DealerAdministrationError> {
        let entry = AuditEntry::settings_changed(by, id, change);
        match self.dealers.change(id, change, &entry).await? {
            SettingsChanged::Made => {}
            SettingsChanged::UnknownDealer => return Err(DealerAdministrationError::UnknownDealer),
            SettingsChanged::Invalid(faults) => {
                return Err(DealerAdministrationError::Invalid(faults));
            }
        }
        if change.affects_rests() {
            self.outbox.end_rest(id).await?;
            self.bell.ring();
        }
        self.dealer(id).await
    }
}
