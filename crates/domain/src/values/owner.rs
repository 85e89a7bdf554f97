use super::DealerId;

/// Whose something is: templates, endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A dealer's own.
    Dealer(DealerId),
    /// Head office's, for all dealers.
    HeadOffice,
}

impl Owner {
    /// The dealer, where it is one.
    #[must_use]
    pub const fn dealer(&self) -> Option<&DealerId> {
        match self {
            Self::Dealer(id) => Some(id),
            Self::HeadOffice => None,
        }
    }
}
