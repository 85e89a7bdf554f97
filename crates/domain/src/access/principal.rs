use std::borrow::Cow;

use super::{Access, ApiKeyId, Author, KeyName, Scope};
use crate::values::DealerId;

/// Whose data a caller can see and write. Everything else is to them as if it did not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    /// All dealers': head office.
    All,
    /// One dealer's.
    Only(DealerId),
}

impl Visibility {
    /// Whether a dealer is within.
    #[must_use]
    pub fn includes(&self, dealer: &DealerId) -> bool {
        self.sees(dealer.as_str())
    }

    /// The same for a number as it is stored.
    #[must_use]
    pub fn sees(&self, dealer: &str) -> bool {
        self.dealer().is_none_or(|only| only.as_str() == dealer)
    }

    /// The one dealer, where there is but one.
    #[must_use]
    pub fn dealer(&self) -> Option<&DealerId> {
        match self {
            Self::All => None,
            Self::Only(dealer) => Some(dealer),
        }
    }
}

/// Who calls, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    key: Option<ApiKeyId>,
    name: Cow<'static, str>,
    access: Access,
}

impl Principal {
    /// The holder of a key. Logs and audit name the key, and with it nobody's phone.
    #[must_use]
    pub fn holder(id: ApiKeyId, name: &KeyName, access: Access) -> Self {
        Self {
            key: Some(id),
            name: name.masked().into(),
            access,
        }
    }

    /// Whoever calls while no keys are asked for.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::without_key("anonymous")
    }

    /// Whoever runs the program's commands: they have the database's password.
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

    /// The key, where there is one.
    #[must_use]
    pub fn key(&self) -> Option<ApiKeyId> {
        self.key
    }

    /// The name of the key, phones in it masked, or what stands for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this may be done.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.access.allows(scope)
    }

    /// Whose data can be seen and written.
    #[must_use]
    pub fn visibility(&self) -> &Visibility {
        self.access.visibility()
    }

    /// For the audit: who does something, in the call of that id.
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
