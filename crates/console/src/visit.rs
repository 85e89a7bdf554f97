use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use domain::access::{Author, Principal, Scope, Visibility};
use domain::values::DealerId;

use crate::look::Look;
use crate::mistake::Mistake;
use crate::text::Text;

/// A page that is asked for, by whom, and how it is to look. Only the door lets one in.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// How the page looks and speaks.
    pub(crate) look: Look,
    /// Who asks; nobody in particular on pages that are open to everybody.
    pub(crate) principal: Option<Principal>,
    /// The id of the call.
    pub(crate) call: Option<String>,
    /// The path and query that were asked for; after a form those of the page that it is of, so that it can be
    /// come back to.
    pub(crate) address: String,
    /// Whether the browser came over https.
    pub(crate) https: bool,
}

impl Visit {
    pub(crate) fn text(&self) -> Text {
        Text(self.look.language)
    }

    /// Whose data is shown. Nobody's where nobody is known: the door has seen to that.
    pub(crate) fn seen(&self) -> Result<&Visibility, Mistake> {
        let principal = self.principal.as_ref();
        let principal = principal.ok_or(Mistake::NotAllowed(Scope::Read))?;
        Ok(principal.visibility())
    }

    /// The one dealer whose data is shown, where there is but one.
    pub(crate) fn dealer(&self) -> Result<Option<&DealerId>, Mistake> {
        Ok(self.seen()?.dealer())
    }

    /// The one dealer that a page is about, where one was asked for or the visitor is one; `None` is all. To a
    /// dealer's key another dealer looks like none.
    pub(crate) fn dealer_asked<'a>(
        &'a self,
        asked: Option<&'a DealerId>,
    ) -> Result<Option<&'a DealerId>, Mistake> {
        let own = self.dealer()?;
        match (own, asked) {
            (Some(own), Some(asked)) if own != asked => Err(Mistake::NotFound),
            _ => Ok(own.or(asked)),
        }
    }

    /// Whether a button that needs this is shown.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        let principal = self.principal.as_ref();
        principal.is_some_and(|principal| principal.may(scope))
    }

    /// For the audit.
    pub(crate) fn author(&self) -> Result<Author, Mistake> {
        let principal = self.principal.as_ref();
        let principal = principal.ok_or(Mistake::NotAllowed(Scope::Read))?;
        Ok(principal.author(self.call.as_deref()))
    }
}

impl FromRequest for Visit {
    type Error = Mistake;
    type Future = Ready<Result<Self, Mistake>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let visit = request.extensions().get::<Self>().cloned();
        ready(visit.ok_or(Mistake::Unforeseen))
    }
}
