//! What operators need: audit, migrations, and a look at the database.

pub(crate) mod audit;
pub(crate) mod inspect;
pub(crate) mod migrate;
pub(crate) mod shortcomings;
pub(crate) mod trial;
