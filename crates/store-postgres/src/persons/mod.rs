//! Export and erasure of personal data.

pub(crate) mod elsewhere;
pub(crate) mod personal_data;
pub(crate) mod rows;
