//! Audit, migrations and inspection, for operators.

pub(crate) mod audit;
pub(crate) mod inspect;
pub(crate) mod migrate;
pub(crate) mod shortcomings;
pub(crate) mod trial;
