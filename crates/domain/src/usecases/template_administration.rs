use std::sync::Arc;

use chrono::NaiveDateTime;

use super::{Policies, Ports};
use crate::access::{AuditEntry, Author};
use crate::dealers::Dealer;
use crate::ports::{
    DealerDirectory, Precondition, RecentRequest, StoreError, TemplateBook, TemplateRecord,
    TemplateRemoved, TemplateSaved, TemplateVersion,
};
use crate::requests::RequestId;
use crate::template::{
    FONNTE_CHARACTERS, InForce, Template, TemplateFault, TemplateName, TemplateOrigin,
    TemplateValues, TemplateWarning, VALIDATION, VALIDATION_BODY, Variables,
};
use crate::values::{DealerId, Owner};

/// Shows, saves, removes and tries out templates.
pub struct TemplateAdministration {
    book: Arc<dyn TemplateBook>,
    dealers: Arc<dyn DealerDirectory>,
}

/// Why a template was not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// No dealer has that number, or it is not active.
    #[error("the dealer is not known or not active")]
    UnknownDealer,
    /// There is no template of that name, or none that could be removed.
    #[error("the template is not known")]
    UnknownTemplate,
    /// The text is no template: every fault, in the order of the text.
    #[error("the text is no template")]
    Invalid(Vec<TemplateFault>),
    /// Something else is in force than what its author saw.
    #[error("another version is in force")]
    Overtaken,
    /// The owner has as many templates as it can have.
    #[error("there are too many templates")]
    TooMany,
    /// The store could not answer, or nobody knows whether it wrote.
    #[error("the store could not answer")]
    Store(#[from] StoreError),
}

/// A template as it is in force for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateView {
    /// The name.
    pub name: String,
    /// Whose it is.
    pub origin: TemplateOrigin,
    /// The names of its variables.
    pub variables: Vec<String>,
    /// The newest version; the built-in template has none.
    pub newest: Option<TemplateVersion>,
}

impl TemplateView {
    fn built_in() -> Self {
        Self {
            name: VALIDATION.to_owned(),
            origin: TemplateOrigin::BuiltIn,
            variables: Vec::new(),
            newest: None,
        }
    }

    fn stored(record: TemplateRecord, origin: TemplateOrigin) -> Self {
        let template = Template::parse(&record.newest.body);
        Self {
            name: record.name,
            origin,
            variables: template.map_or_else(|_| Vec::new(), |it| it.variables().to_vec()),
            newest: Some(record.newest),
        }
    }

    /// The text in force.
    #[must_use]
    pub fn body(&self) -> &str {
        let newest = self.newest.as_ref();
        newest.map_or(VALIDATION_BODY, |newest| &newest.body)
    }
}

/// A template with all its versions, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateHistory {
    /// As it is in force.
    pub template: TemplateView,
    /// Every version of it.
    pub versions: Vec<TemplateVersion>,
}

/// The values of a message that is tried out.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `TemplateValues`")]
pub struct PreviewSample {
    pub customer_name: String,
    pub unit_type: String,
    pub license_plate: String,
    pub request_time: NaiveDateTime,
    pub variables: Variables,
}

/// How messages of a text would read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Of the sample; `None` where the text is no template.
    pub text: Option<String>,
    /// What is wrong with the text.
    pub faults: Vec<TemplateFault>,
    /// What its author should know.
    pub warnings: Vec<TemplateWarning>,
    /// The names of its variables.
    pub variables: Vec<String>,
    /// Of the newest requests, newest first.
    pub renderings: Vec<Rendering>,
}

/// How the message of a request would read. Prints without the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendering {
    /// The request.
    pub request: RequestId,
    /// The text.
    pub text: String,
    /// Whether that is another text than its newest message has; `None` where it has no message.
    pub differs: Option<bool>,
    /// That text, where it is another one.
    pub sent: Option<String>,
}

discreet!(Rendering, request, differs);

impl TemplateAdministration {
    pub(super) fn new(ports: &Ports, _: &Policies) -> Self {
        Self {
            book: ports.templates.clone(),
            dealers: ports.dealers.clone(),
        }
    }

    /// The templates that are in force for an owner, by name.
    ///
    /// # Errors
    /// [`TemplateError::UnknownDealer`] or [`TemplateError::Store`].
    pub async fn list(&self, owner: &Owner) -> Result<Vec<TemplateView>, TemplateError> {
        self.known(owner).await?;
        let mut all = vec![TemplateView::built_in()];
        let shared = self.book.list(&Owner::HeadOffice).await?;
        let own = match owner {
            Owner::HeadOffice => Vec::new(),
            Owner::Dealer(_) => self.book.list(owner).await?,
        };
        let layers = [
            (shared, TemplateOrigin::Shared),
            (own, TemplateOrigin::Dealer),
        ];
        for (layer, origin) in layers {
            all.retain(|view| layer.iter().all(|record| record.name != view.name));
            all.extend(layer.into_iter().map(|it| TemplateView::stored(it, origin)));
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// What a name means for an owner, with all versions.
    ///
    /// # Errors
    /// [`TemplateError::UnknownDealer`], [`TemplateError::UnknownTemplate`] or
    /// [`TemplateError::Store`].
    pub async fn find(
        &self,
        owner: &Owner,
        name: &TemplateName,
    ) -> Result<TemplateHistory, TemplateError> {
        self.known(owner).await?;
        let found = in_force(&*self.book, owner, name).await?;
        found.ok_or(TemplateError::UnknownTemplate)
    }

    /// Whether a text can be saved.
    ///
    /// # Errors
    /// [`TemplateError::Invalid`]
    pub fn check(&self, body: &str) -> Result<(), TemplateError> {
        read(body).map(drop).map_err(TemplateError::Invalid)
    }

    /// Makes a text the newest version of a template, over what its author saw. Returns that version with
    /// those before it, whatever others write at the same moment, and what its author should know.
    ///
    /// # Errors
    /// [`TemplateError`]; nothing is changed then, except that after [`TemplateError::Store`] nobody can
    /// know.
    pub async fn save(
        &self,
        owner: &Owner,
        name: &TemplateName,
        body: &str,
        over: &Precondition,
        by: &Author,
    ) -> Result<(TemplateHistory, Vec<TemplateWarning>), TemplateError> {
        let template = read(body).map_err(TemplateError::Invalid)?;
        self.known(owner).await?;
        let entry = AuditEntry::template_changed(by, owner.dealer(), name);
        let versions = match self.book.save(owner, name, body, over, &entry).await? {
            TemplateSaved::Saved(versions) | TemplateSaved::Unchanged(versions) => versions,
            TemplateSaved::Overtaken => return Err(TemplateError::Overtaken),
            TemplateSaved::TooMany => return Err(TemplateError::TooMany),
        };
        let history = history(owner, name, versions);
        let history =
            history.ok_or_else(|| StoreError::Corrupt("a template without text".into()))?;
        Ok((history, template.warnings()))
    }

    /// Removes a template of an owner. Returns what its name means without it, if anything.
    ///
    /// # Errors
    /// [`TemplateError`]; nothing is changed then, except that after [`TemplateError::Store`] nobody can
    /// know.
    pub async fn remove(
        &self,
        owner: &Owner,
        name: &TemplateName,
        over: &Precondition,
        by: &Author,
    ) -> Result<Option<TemplateHistory>, TemplateError> {
        self.known(owner).await?;
        let entry = AuditEntry::template_removed(by, owner.dealer(), name);
        match self.book.remove(owner, name, over, &entry).await? {
            TemplateRemoved::Removed => Ok(match owner {
                Owner::Dealer(_) => for_all(&*self.book, name).await?,
                Owner::HeadOffice => built_in(name),
            }),
            TemplateRemoved::Overtaken => Err(TemplateError::Overtaken),
            TemplateRemoved::Unknown => Err(TemplateError::UnknownTemplate),
        }
    }

    /// Tries a text out: on a sample, and on as many of the dealer's newest requests. A variable that has
    /// neither text nor default shows as its name in square brackets. Stores nothing.
    ///
    /// # Errors
    /// [`TemplateError::UnknownDealer`] or [`TemplateError::Store`].
    pub async fn preview(
        &self,
        owner: &Owner,
        body: &str,
        sample: &PreviewSample,
        recent: u32,
    ) -> Result<Preview, TemplateError> {
        let dealer = self.known(owner).await?;
        let template = match read(body) {
            Ok(template) => template,
            Err(faults) => {
                return Ok(Preview {
                    text: None,
                    faults,
                    warnings: Vec::new(),
                    variables: Vec::new(),
                    renderings: Vec::new(),
                });
            }
        };
        let dealer_name = dealer.as_ref().map_or(NO_DEALER, |dealer| &dealer.name);
        let text = template.render(&TemplateValues {
            customer_name: &sample.customer_name,
            unit_type: &sample.unit_type,
            license_plate: &sample.license_plate,
            dealer_name,
            request_time: sample.request_time,
            variables: &template.filled(&sample.variables),
        });
        let newest = match &dealer {
            Some(dealer) if recent > 0 => self.book.recent(&dealer.id, recent).await?,
            _ => Vec::new(),
        };
        let newest = newest.iter();
        let renderings = newest.filter_map(|one| rendering(&template, one, dealer_name));
        Ok(Preview {
            text: Some(text),
            faults: Vec::new(),
            warnings: template.warnings(),
            variables: template.variables().to_vec(),
            renderings: renderings.collect(),
        })
    }

    /// The dealer, where the owner is one.
    async fn known(&self, owner: &Owner) -> Result<Option<Dealer>, TemplateError> {
        let Owner::Dealer(id) = owner else {
            return Ok(None);
        };
        let found = self.dealers.find(id).await?;
        let active = found.filter(|dealer| dealer.active);
        active.map(Some).ok_or(TemplateError::UnknownDealer)
    }
}

/// The dealer's name in what head office tries out.
const NO_DEALER: &str = "Nama Dealer";

/// Reads a text that is to be a template.
fn read(body: &str) -> Result<Template, Vec<TemplateFault>> {
    let template = Template::parse(body)?;
    if template.longest() > FONNTE_CHARACTERS {
        return Err(vec![TemplateFault::MessageTooLong]);
    }
    Ok(template)
}

/// What a name means for an owner.
async fn in_force(
    book: &dyn TemplateBook,
    owner: &Owner,
    name: &TemplateName,
) -> Result<Option<TemplateHistory>, StoreError> {
    if owner.dealer().is_some() {
        let versions = book.versions(owner, name).await?;
        if let Some(own) = history(owner, name, versions) {
            return Ok(Some(own));
        }
    }
    for_all(book, name).await
}

/// What a name means for whoever has no template of their own.
async fn for_all(
    book: &dyn TemplateBook,
    name: &TemplateName,
) -> Result<Option<TemplateHistory>, StoreError> {
    let office = Owner::HeadOffice;
    let versions = book.versions(&office, name).await?;
    Ok(history(&office, name, versions).or_else(|| built_in(name)))
}

fn built_in(name: &TemplateName) -> Option<TemplateHistory> {
    let built_in = name.as_str() == InForce::built_in().name;
    built_in.then(|| TemplateHistory {
        template: TemplateView::built_in(),
        versions: Vec::new(),
    })
}

/// A template of these versions, newest first; none where there is no version.
fn history(
    owner: &Owner,
    name: &TemplateName,
    versions: Vec<TemplateVersion>,
) -> Option<TemplateHistory> {
    let newest = versions.first()?.clone();
    let origin = match owner {
        Owner::Dealer(_) => TemplateOrigin::Dealer,
        Owner::HeadOffice => TemplateOrigin::Shared,
    };
    let name = name.as_str().to_owned();
    let template = TemplateView::stored(TemplateRecord { name, newest }, origin);
    Some(TemplateHistory { template, versions })
}

/// Whether a dealer's messages can be made from a template of that name, asked anew.
pub(super) async fn is_in_force(
    book: &dyn TemplateBook,
    dealer: Option<&DealerId>,
    name: &TemplateName,
) -> Result<bool, StoreError> {
    let owner = dealer.map_or(Owner::HeadOffice, |id| Owner::Dealer(id.clone()));
    Ok(in_force(book, &owner, name).await?.is_some())
}

/// How the message of a request would read; none of a row of another writer that lacks a value.
fn rendering(template: &Template, recent: &RecentRequest, dealer_name: &str) -> Option<Rendering> {
    let text = super::message_actions::rendered(
        template,
        &recent.request,
        dealer_name,
        &template.filled(&recent.variables),
    )?;
    Some(Rendering {
        request: recent.request.id,
        differs: recent.body.as_ref().map(|body| *body != text),
        sent: recent.body.clone().filter(|body| *body != text),
        text,
    })
}
