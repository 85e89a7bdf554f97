use domain::access::{Principal, Scope};

/// Who may have a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// A static file: anybody, and not counted.
    Static,
    /// Anybody.
    Open,
    /// Whoever logged in with a key of this scope.
    Scope(Scope),
    /// A dealer with this scope; of head office only whoever may `admin`: accounts are shown.
    Account(Scope),
}

impl Right {
    /// The scope that a visitor needs; `None` where nobody needs any.
    pub(crate) fn scope(self, visitor: Option<&Principal>) -> Option<Scope> {
        let is_dealer = |it: &Principal| it.visibility().dealer().is_some();
        match self {
            Self::Static | Self::Open => None,
            Self::Scope(scope) => Some(scope),
            Self::Account(scope) if visitor.is_some_and(is_dealer) => Some(scope),
            Self::Account(_) => Some(Scope::Admin),
        }
    }
}
