//! How messages of a text would read, as on a phone.

use domain::usecases::{Preview, Rendering};
use domain::values::mask_phones;
use maud::{Markup, html};

use super::differences::marked;
use crate::text::Text;

/// The most faults of a text that are told at once.
pub(crate) const MOST_FAULTS: usize = 20;

/// A text that was tried out.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) body: String,
    pub(crate) preview: Preview,
    /// Whether it was tried out on a dealer's requests.
    pub(crate) is_of_dealer: bool,
}

/// What stands beside the draft; a script asks for it alone.
pub(crate) fn fragment(shown: &Shown, text: Text) -> Markup {
    let preview = &shown.preview;
    let Some(sample) = &preview.text else {
        return html! {
            div class="empty" {
                p { (text.template_no_preview()) }
                ul class="faults" {
                    @for fault in preview.faults.iter().take(MOST_FAULTS) {
                        li class="fault" { bdi { (text.template_fault(fault, &shown.body)) } }
                    }
                }
            }
        };
    };
    let characters = text.template_characters(sample.chars().count());
    html! {
        (bubble(&html! { (text.template_sample()) " · " (characters) }, &html! { (sample) }))
        @for warning in &preview.warnings { p class="warn" { (text.template_warning(*warning)) } }
        section aria-labelledby="newest" {
            h2 id="newest" { (text.template_newest()) }
            @if !shown.is_of_dealer {
                p class="help" { (text.template_newest_office()) }
            } @else if preview.renderings.is_empty() {
                p class="help" { (text.template_newest_none()) }
            } @else {
                @if preview.renderings.iter().any(|one| one.sent.is_some()) {
                    p class="help" { (text.template_marks()) }
                }
                @for one in &preview.renderings { (rendering(one, text)) }
            }
        }
    }
}

fn rendering(one: &Rendering, text: Text) -> Markup {
    let (verdict, tone) = match one.differs {
        Some(false) => (text.template_alike(), "good"),
        Some(true) => (text.template_differs(), "warning"),
        None => (text.template_never_sent(), ""),
    };
    let caption = html! {
        a href={ "/console/messages/" (one.request) } { (text.template_to_request()) } " · "
        strong class=(tone) { (verdict) }
    };
    // The texts are of real requests, and a template may name the phone.
    let words = mask_phones(&one.text);
    bubble(
        &caption,
        &match &one.sent {
            Some(sent) => marked(&mask_phones(sent), &words),
            None => html! { (words) },
        },
    )
}

fn bubble(caption: &Markup, body: &Markup) -> Markup {
    html! {
        figure class="phone" {
            figcaption { (caption) }
            div class="bubble" { p dir="auto" { (body) } }
        }
    }
}
