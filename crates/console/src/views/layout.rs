//! What stands around every page.

use domain::access::Principal;
use domain::values::DealerId;
use maud::{DOCTYPE, Markup, html};

use crate::PATH;
use crate::assets::{ICON, SCRIPT, STYLE};
use crate::look::{Language, Theme};
use crate::text::Text;
use crate::visit::Visit;

/// The parts of the console, as the navigation names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Today,
    Messages,
    Replies,
    Dealers,
    Templates,
    Import,
    Analytics,
    Endpoints,
    Keys,
    Audit,
    System,
}

impl Section {
    /// What is opened every day, in the order of the navigation.
    const DAILY: [Self; 7] = [
        Self::Today,
        Self::Messages,
        Self::Replies,
        Self::Dealers,
        Self::Templates,
        Self::Import,
        Self::Analytics,
    ];

    /// What is opened now and then: in a menu, so that the header is one line.
    const ADMINISTRATION: [Self; 4] = [Self::Endpoints, Self::Keys, Self::Audit, Self::System];

    /// Whether a visitor may have its page.
    fn is_for(self, visit: &Visit) -> bool {
        let scope = (visit.right_to)(self.path()).scope(visit.principal.as_ref());
        scope.is_none_or(|scope| visit.may(scope))
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Today => PATH,
            Self::Messages => "/console/messages",
            Self::Replies => "/console/replies",
            Self::Dealers => "/console/dealers",
            Self::Templates => "/console/templates",
            Self::Import => "/console/import",
            Self::Analytics => "/console/analytics",
            Self::Endpoints => "/console/endpoints",
            Self::Keys => "/console/keys",
            Self::Audit => "/console/audit",
            Self::System => "/console/system",
        }
    }

    fn name(self, text: Text) -> &'static str {
        match self {
            Self::Today => text.today(),
            Self::Messages => text.messages(),
            Self::Replies => text.replies(),
            Self::Dealers => text.dealers(),
            Self::Templates => text.templates(),
            Self::Import => text.import(),
            Self::Analytics => text.analytics(),
            Self::Endpoints => text.endpoints(),
            Self::Keys => text.keys(),
            Self::Audit => text.audit(),
            Self::System => text.system(),
        }
    }
}

/// A page of a section, with a heading of its own in `content`.
pub(crate) fn page(visit: &Visit, section: Section, title: &str, content: &Markup) -> Markup {
    around(visit, Some(section), title, content, None)
}

/// A page of no section; `at` names one that is come back to by another way than its address.
pub(crate) fn plain(
    visit: &Visit,
    title: &str,
    content: &Markup,
    at: Option<(&str, &str)>,
) -> Markup {
    around(visit, None, title, content, at)
}

fn around(
    visit: &Visit,
    section: Option<Section>,
    title: &str,
    content: &Markup,
    at: Option<(&str, &str)>,
) -> Markup {
    let text = visit.text();
    let theme = visit.look.theme;
    html! {
        (DOCTYPE)
        html lang=(visit.look.language.tag()) data-theme=[(theme != Theme::System).then(|| theme.as_str())] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (text.product()) }
                link rel="icon" href=(ICON) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE);
                script defer src=(SCRIPT) {}
            }
            body {
                a class="skip" href="#main" { (text.skip()) }
                header class="top" {
                    a class="brand" href=(PATH) { (text.product()) }
                    @if visit.principal.is_some() {
                        (navigation(visit, section))
                    }
                    (corner(visit, at))
                }
                main id="main" tabindex="-1" { (content) }
                footer { p { (text.times_are_local()) } }
            }
        }
    }
}

/// The sections that the visitor may have. A menu of one entry would only hide it: it stands in the line.
fn navigation(visit: &Visit, section: Option<Section>) -> Markup {
    let text = visit.text();
    let of_visitor = |all: &[Section]| -> Vec<Section> {
        let all = all.iter().copied();
        all.filter(|one| one.is_for(visit)).collect()
    };
    let mut line = of_visitor(&Section::DAILY);
    let mut menu = of_visitor(&Section::ADMINISTRATION);
    if menu.len() == 1 {
        line.append(&mut menu);
    }
    html! {
        nav aria-label=(text.navigation()) {
            (links(&line, section, text))
            @if !menu.is_empty() {
                details class="menu" name="menu" {
                    summary { (text.administration()) }
                    (links(&menu, section, text))
                }
            }
        }
    }
}

fn links(sections: &[Section], current: Option<Section>, text: Text) -> Markup {
    html! {
        ul {
            @for one in sections {
                li {
                    a href=(one.path()) aria-current=[(current == Some(*one)).then_some("page")] {
                        (one.name(text))
                    }
                }
            }
        }
    }
}

/// Who is here, how the pages look, and the way out.
fn corner(visit: &Visit, at: Option<(&str, &str)>) -> Markup {
    let text = visit.text();
    html! {
        div class="corner" {
            @if let Some(principal) = &visit.principal {
                @let who = who(principal, text);
                // A long name is cut rather than broken.
                span class="who" title=(who) { (who) }
            }
            (preferences(visit, at))
            @if visit.principal.as_ref().is_some_and(|it| it.key().is_some()) {
                form method="post" action="/console/logout" {
                    button class="quiet" { (text.log_out()) }
                }
            }
        }
    }
}

/// The name of the key, and whose it is.
fn who(principal: &Principal, text: Text) -> String {
    if principal.key().is_none() {
        return text.without_keys().to_owned();
    }
    let of = principal.visibility().dealer();
    let of = of.map_or(text.head_office(), DealerId::as_str);
    format!("{} · {of}", principal.name())
}

fn preferences(visit: &Visit, at: Option<(&str, &str)>) -> Markup {
    let text = visit.text();
    let next = at.map_or(visit.address.as_str(), |(_, next)| next);
    html! {
        details class="menu" name="menu" {
            summary { (visit.look.language.tag().to_uppercase()) " · " (text.theme()) }
            form method="post" action="/console/preferences" {
                input type="hidden" name="next" value=(next);
                @if let Some((at, _)) = at {
                    input type="hidden" name="at" value=(at);
                }
                p id="choose-language" { (text.language()) }
                div role="group" aria-labelledby="choose-language" {
                    @for language in Language::ALL {
                        button name="language" value=(language.tag()) lang=(language.tag())
                            aria-pressed=(pressed(language == visit.look.language)) {
                            (own_name(language))
                        }
                    }
                }
                p id="choose-theme" { (text.theme()) }
                div role="group" aria-labelledby="choose-theme" {
                    @for theme in Theme::ALL {
                        button name="theme" value=(theme.as_str())
                            aria-pressed=(pressed(theme == visit.look.theme)) {
                            (theme_name(theme, text))
                        }
                    }
                }
            }
        }
    }
}

const fn pressed(is: bool) -> &'static str {
    if is { "true" } else { "false" }
}

/// Each language is named in itself, for those who read no other.
const fn own_name(language: Language) -> &'static str {
    match language {
        Language::Indonesian => "Indonesia",
        Language::English => "English",
    }
}

fn theme_name(theme: Theme, text: Text) -> &'static str {
    match theme {
        Theme::System => text.theme_system(),
        Theme::Light => text.theme_light(),
        Theme::Dark => text.theme_dark(),
    }
}
