use std::fmt;

use super::Visibility;
use crate::values::DealerId;

named! {
    /// A right of a key, the least powerful first.
    #[derive(PartialOrd, Ord)]
    pub enum Scope {
        /// Read requests, messages and counts.
        Read = "read",
        /// Submit, send, cancel and test messages.
        Write = "write",
        /// Everything, also the settings and keys of all dealers; for head office only.
        Admin = "admin",
    }
}

/// A set of scopes, as granted.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether this scope was granted; `admin` includes the others, see [`Access::allows`].
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & bit(scope) != 0
    }

    /// Whether no scope was granted.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes, the least powerful first.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.contains(*scope))
    }
}

const fn bit(scope: Scope) -> u8 {
    match scope {
        Scope::Read => 1,
        Scope::Write => 2,
        Scope::Admin => 4,
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | bit(scope)))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Scope::as_str).collect();
        f.write_str(&names.join(","))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The rights of a key: its tenant (one dealer, or head office) and its scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    visibility: Visibility,
    scopes: Scopes,
}

/// Why such rights cannot be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Without a scope the key would be useless.
    #[error("at least one scope is needed")]
    NoScope,
    /// A key of one dealer cannot administer all dealers.
    #[error("the scope admin is for head office only")]
    AdminOfOneDealer,
}

impl Access {
    /// Access to one dealer, or for head office to all.
    ///
    /// # Errors
    /// [`AccessError`]
    pub fn new(dealer: Option<DealerId>, scopes: Scopes) -> Result<Self, AccessError> {
        if scopes.is_empty() {
            return Err(AccessError::NoScope);
        }
        if dealer.is_some() && scopes.contains(Scope::Admin) {
            return Err(AccessError::AdminOfOneDealer);
        }
        Ok(Self {
            visibility: dealer.map_or(Visibility::All, Visibility::Only),
            scopes,
        })
    }

    /// All rights.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            visibility: Visibility::All,
            scopes: Scope::ALL.into_iter().collect(),
        }
    }

    /// Whether this scope is granted; `admin` includes the others.
    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.contains(scope) || self.scopes.contains(Scope::Admin)
    }

    /// The tenant.
    #[must_use]
    pub fn visibility(&self) -> &Visibility {
        &self.visibility
    }

    /// The scopes as granted.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        self.scopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(dealer: Option<&str>, scopes: &[Scope]) -> Result<Access, AccessError> {
        let dealer = dealer.map(|id| DealerId::parse(id).unwrap());
        Access::new(dealer, scopes.iter().copied().collect())
    }

    #[test]
    fn admin_includes_everything_and_is_for_head_office() {
        let head_office = access(None, &[Scope::Admin]).unwrap();
        assert!(
            Scope::ALL
                .into_iter()
                .all(|scope| head_office.allows(scope))
        );
        assert_eq!(head_office.scopes().to_string(), "admin");
        for scopes in [&[Scope::Admin][..], &[Scope::Read, Scope::Admin]] {
            let refused = access(Some("0009999"), scopes);
            assert_eq!(refused, Err(AccessError::AdminOfOneDealer));
        }
    }

    #[test]
    fn read_and_write_do_not_include_each_other() {
        let reader = access(Some("0009999"), &[Scope::Read]).unwrap();
        assert!(reader.allows(Scope::Read) && !reader.allows(Scope::Write));
        let writer = access(None, &[Scope::Write]).unwrap();
        assert!(writer.allows(Scope::Write) && !writer.allows(Scope::Read));
        assert!(!writer.allows(Scope::Admin));
    }

    #[test]
    fn access_without_a_scope_is_none() {
        assert_eq!(access(None, &[]), Err(AccessError::NoScope));
    }

    #[test]
    fn names_of_scopes_are_read_as_they_are_written() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
        for name in ["", "Read", "read ", "root", "*"] {
            assert_eq!(Scope::parse(name), None, "{name}");
        }
    }
}
