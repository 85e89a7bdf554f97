use maud::{Markup, html};

use crate::text::Text;

/// How many requests came in since the page was made; empty until some do. The list changes only on request.
pub(crate) fn line(address: &str, text: Text) -> Markup {
    html! {
        p class="live" role="status" data-live="/console/live" data-words=(text.live_words()) {
            a class="button" href=(address) hidden {}
        }
    }
}
