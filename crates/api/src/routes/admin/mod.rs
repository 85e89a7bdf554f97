//! Head office's routes, one file per topic. Everything here wants the scope `admin`.

pub(super) mod api_keys;
pub(super) mod audit;
