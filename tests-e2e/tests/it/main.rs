//! Stories of the whole service.

mod commands;
mod crashes;
mod first_message;
mod fonnte_failures;
mod installations;
mod refusals;
mod under_stress;
