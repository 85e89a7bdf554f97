use std::borrow::Cow;

use super::{Access, ApiKeyId, Author, KeyName, Scope};
use crate::values::DealerId;

/// The tenant of a caller: the dealers whose data it may read and write. Other data does not exist for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    /// All dealers: head office.
    All,
    /// One dealer.
    Only(DealerId),
}

impl Visibility {
    /// Whether a dealer's data is visible.
    #[must_use]
    pub fn includes(&self, dealer: &DealerId) -> bool {
        self.sees(dealer.as_str())
    }

    /// The same for a dealer's number as stored.
    #[must_use]
    pub fn sees(&self, dealer: &str) -> bool {
        self.dealer().is_none_or(|only| only.as_str() == dealer)
    }

    /// The one dealer; `None` for head office.
    #[must_use]
    pub fn dealer(&self) -> Option<&DealerId> {
        match self {
            Self::All => None,
            Self::Only(dealer) => Some(dealer),
        }
    }
}

/// An authenticated caller and its rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    key: Option<ApiKeyId>,
    name: Cow<'static, str>,
    access: Access,
}

impl Principal {
    /// The holder of a key. Logs and audit show the key's name with phones masked.
    #[must_use]
    pub fn holder(id: ApiKeyId, name: &KeyName, access: Access) -> Self {
        Self {
            key: Some(id),
            name: name.masked().into(),
            access,
        }
    }

    /// Any caller, while authentication is off.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::without_key("anonymous")
    }

    /// The operator who runs the program's commands, and thus has the database's password.
    #[must_use]
    pub fn operator() -> Self {
        Self::without_key("command line")
    }

    fn without_key(name: &'static str) -> Self {
        Self {
            key: None,
            name: name.into(),
            access: Access::unlimited(),
        }
    }

    /// The key, if any.
    #[must_use]
    pub fn key(&self) -> Option<ApiKeyId> {
        self.key
    }

    /// The key's name with phones masked, or a fixed name without a key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the caller has this scope.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.access.allows(scope)
    }

    /// The tenant of the caller.
    #[must_use]
    pub fn visibility(&self) -> &Visibility {
        self.access.visibility()
    }

    /// The author for the audit, with the id of the HTTP request.
    #[must_use]
    pub fn author(&self, call: Option<&str>) -> Author {
        Author {
            actor: self.name.clone().into_owned(),
            key: self.key,
            call: call.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dealer_sees_itself_alone() {
        let dealer = |id| DealerId::parse(id).unwrap();
        let one = Visibility::Only(dealer("0009999"));
        assert!(one.includes(&dealer("0009999")));
        for other in ["0009998", "00099990", "000999", " 0009999"] {
            assert!(!one.sees(other), "{other}");
            assert!(Visibility::All.sees(other));
        }
    }
}
