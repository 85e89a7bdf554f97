//! Export and erasure of what is kept about a person.

pub(crate) mod elsewhere;
pub(crate) mod personal_data;
pub(crate) mod rows;
