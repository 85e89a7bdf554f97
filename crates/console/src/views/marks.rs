//! Marks beside words: a state is never told by a colour alone.

use domain::requests::WhatsappStatus;
use maud::{Markup, html};

use crate::text::Text;

/// A state as a mark and a word. One that a newer release knows is shown as it is stored.
pub(crate) fn status(stored: &str, text: Text) -> Markup {
    let Some(status) = WhatsappStatus::parse(stored) else {
        return html! { span class="state" { (stored) } };
    };
    html! {
        span class={ "state " (tone(status)) } {
            (mark(status)) (text.whatsapp_status(status))
        }
    }
}

const fn tone(status: WhatsappStatus) -> &'static str {
    match status {
        WhatsappStatus::NotSent => "waiting",
        WhatsappStatus::Sent => "sent",
        WhatsappStatus::Delivered => "good",
        WhatsappStatus::Read => "read",
        WhatsappStatus::Failed => "bad",
        WhatsappStatus::Error => "warning",
    }
}

pub(crate) fn mark(status: WhatsappStatus) -> Markup {
    match status {
        WhatsappStatus::NotSent => {
            drawn("M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11M8 5v3.2l2.2 1.6")
        }
        WhatsappStatus::Sent => drawn("M3 8.5l3.2 3.2L13 4.8"),
        WhatsappStatus::Delivered | WhatsappStatus::Read => {
            drawn("M1.5 8.5l3 3L10.8 5M6.5 10.5l1 1L14.5 5")
        }
        WhatsappStatus::Failed => drawn("M4 4l8 8M12 4l-8 8"),
        WhatsappStatus::Error => {
            drawn("M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.8-1.1 1.6M8 12.2v.6")
        }
    }
}

fn drawn(path: &str) -> Markup {
    html! {
        svg class="mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false" {
            path d=(path) fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round"
                stroke-linejoin="round" {}
        }
    }
}
