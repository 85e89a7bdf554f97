use domain::ports::StoreError;
use maud::{Markup, html};

use super::layout;
use crate::PATH;
use crate::mistake::Mistake;
use crate::text::Text;
use crate::visit::Visit;

/// What happened, what was not changed, and what to do.
pub(crate) fn page(mistake: &Mistake, visit: &Visit) -> Markup {
    let text = visit.text();
    let (title, why) = words(mistake, text);
    let content = html! {
        div class="card narrow" {
            h1 { (title) }
            @if !why.is_empty() { p { (why) } }
            p class="actions" {
                @match mistake {
                    Mistake::Limited { .. } | Mistake::TooSlow | Mistake::Busy | Mistake::Store(_) => {
                        a class="button primary" href=(visit.address) { (text.try_again()) }
                    }
                    _ => a class="button primary" href=(PATH) { (text.to_first_page()) },
                }
            }
            @if let (Mistake::Unforeseen | Mistake::Store(_), Some(call)) = (mistake, &visit.call) {
                p class="help" { (text.request_id()) ": " code { (call) } }
            }
        }
    };
    layout::plain(visit, title, &content, None)
}

fn words(mistake: &Mistake, text: Text) -> (&'static str, String) {
    let (title, why) = match mistake {
        Mistake::NotFound => (text.not_found(), text.not_found_why()),
        Mistake::Inactive => (text.dealer_inactive(), text.dealer_inactive_why()),
        Mistake::NotAllowed(scope) => (text.not_allowed(), text.scope_missing(*scope)),
        Mistake::ForeignPage => (text.foreign_page(), text.foreign_page_why()),
        Mistake::ForeignHost => (text.foreign_host(), text.foreign_host_why()),
        Mistake::MethodNotAllowed(_) => (text.wrong_method(), ""),
        Mistake::Unreadable => (text.unreadable(), text.unreadable_why()),
        Mistake::Conflict => (text.conflict(), text.conflict_why()),
        Mistake::TooManyRows => (text.too_many_rows(), text.too_many_rows_why()),
        Mistake::TooLarge(_) => (text.too_large(), text.too_large_why()),
        Mistake::TooSlow => (text.too_slow(), text.too_slow_why()),
        Mistake::Limited { seconds } => return (text.limited(), text.limited_why(*seconds)),
        Mistake::Busy | Mistake::Store(StoreError::Unavailable(_)) => {
            (text.unavailable(), text.unavailable_why())
        }
        Mistake::Store(_) | Mistake::Unforeseen => (text.unforeseen(), text.unforeseen_why()),
    };
    (title, why.to_owned())
}
