use maud::{Markup, html};

use super::layout;
use crate::next::Next;
use crate::visit::Visit;

/// Why nobody was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogInFault {
    Missing,
    Refused,
}

/// The form in which a key is pasted.
pub(crate) fn page(visit: &Visit, next: &Next, fault: Option<LogInFault>) -> Markup {
    let text = visit.text();
    let words = fault.map(|fault| match fault {
        LogInFault::Missing => text.key_missing(),
        LogInFault::Refused => text.key_refused(),
    });
    let described = words.map_or("key-help", |_| "key-fault key-help");
    let content = html! {
        div class="card narrow" {
            h1 { (text.log_in()) }
            p { (text.log_in_lead()) }
            form method="post" action="/console/login" {
                input type="hidden" name="next" value=(next.as_str());
                div class="field" {
                    label for="key" { (text.api_key()) }
                    @if let Some(words) = words {
                        p class="fault" id="key-fault" role="alert" { (words) }
                    }
                    input id="key" name="key" type="password" autocomplete="off" autocapitalize="none"
                        spellcheck="false" required autofocus aria-describedby=(described)
                        aria-invalid=[words.map(|_| "true")];
                    p class="help" id="key-help" { (text.api_key_help()) }
                }
                button class="primary" { (text.log_in()) }
            }
            p class="help" { (text.session_lasts()) }
        }
    };
    layout::plain(
        visit,
        text.log_in(),
        &content,
        Some(("login", next.as_str())),
    )
}
