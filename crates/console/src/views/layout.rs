//! What stands around every page.

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
    /// Those that there are, in the order of the navigation.
    const ALL: [Self; 11] = [
        Self::Today,
        Self::Messages,
        Self::Replies,
        Self::Dealers,
        Self::Templates,
        Self::Import,
        Self::Analytics,
        Self::Endpoints,
        Self::Keys,
        Self::Audit,
        Self::System,
    ];

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
                        nav aria-label=(text.navigation()) {
                            ul {
                                @for one in Section::ALL.into_iter().filter(|one| one.is_for(visit)) {
                                    li {
                                        a href=(one.path()) aria-current=[(section == Some(one)).then_some("page")] {
                                            (one.name(text))
                                        }
                                    }
                                }
                            }
                        }
                    }
                    (corner(visit, at))
                }
                main id="main" tabindex="-1" { (content) }
                footer { p { (text.times_are_local()) } }
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
                span class="who" {
                    @match principal.key() {
                        Some(_) => (principal.name()),
                        None => (text.without_keys()),
                    }
                    @if principal.key().is_some() {
                        " · "
                        @match principal.visibility().dealer() {
                            Some(dealer) => (dealer.as_str()),
                            None => (text.head_office()),
                        }
                    }
                }
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

fn preferences(visit: &Visit, at: Option<(&str, &str)>) -> Markup {
    let text = visit.text();
    let next = at.map_or(visit.address.as_str(), |(_, next)| next);
    html! {
        details class="menu" {
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
