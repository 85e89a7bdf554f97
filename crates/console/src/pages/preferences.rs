//! Language and appearance, remembered in the browser.

use super::login::{address_with, with_cookie};
use super::{Answer, go_to};
use crate::cookies;
use crate::form::Form;
use crate::look::{Language, Theme};
use crate::next::Next;
use crate::visit::Visit;

/// Remembers what was chosen, and goes back.
pub(crate) async fn choose(visit: Visit, Form(fields): Form) -> Answer {
    let next = Next::or_first(fields.get("next"));
    let mut response = match fields.get("at") {
        Some("login") => go_to(&address_with(&next)),
        _ => go_to(next.as_str()),
    };
    if let Some(language) = fields.get("language").and_then(Language::parse) {
        let cookie = cookies::remember(cookies::LANGUAGE, language.tag(), visit.https);
        response = with_cookie(response, &cookie)?;
    }
    if let Some(theme) = fields.get("theme").and_then(Theme::parse) {
        let cookie = cookies::remember(cookies::THEME, theme.as_str(), visit.https);
        response = with_cookie(response, &cookie)?;
    }
    Ok(response)
}
