use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;

use crate::cookies;

/// The languages of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// The language of those who use it, and the default.
    #[default]
    Indonesian,
    /// For head office and developers.
    English,
}

domain::named! {
    /// Light or dark.
    #[derive(Default)]
    pub enum Theme {
        /// As the system has it.
        #[default]
        System = "system",
        /// Dark text on light.
        Light = "light",
        /// Light text on dark.
        Dark = "dark",
    }
}

/// How a page looks and speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// The language.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Indonesian, Self::English];

    /// The tag (BCP 47), which is also remembered.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Indonesian => "id",
            Self::English => "en",
        }
    }

    /// The language of that tag.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.tag() == tag)
    }

    /// The one that a browser wants most, of those that there are.
    fn wanted(accept: &str) -> Self {
        let ranges = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next()?.to_ascii_lowercase();
            let language = match name.split('-').next()? {
                // Until 1989 the tag was `in`; old phones still say so.
                "id" | "in" => Self::Indonesian,
                "en" => Self::English,
                _ => return None,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight: f32 = weight.map_or(1.0, |it| it.parse().unwrap_or_default());
            (weight > 0.0).then_some((language, weight))
        });
        let best = ranges.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(language, _)| language).unwrap_or_default()
    }
}

impl Look {
    /// As it was chosen before, else as the browser asks.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let chosen = cookies::read(request, cookies::LANGUAGE);
        let language = chosen.and_then(Language::parse).unwrap_or_else(|| {
            let accept = request.headers().get(ACCEPT_LANGUAGE);
            let accept = accept.and_then(|value| value.to_str().ok());
            Language::wanted(accept.unwrap_or_default())
        });
        let theme = cookies::read(request, cookies::THEME).and_then(Theme::parse);
        Self {
            language,
            theme: theme.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indonesian_is_spoken_unless_english_is_wanted_more() {
        use Language::{English, Indonesian};
        for (accept, language) in [
            ("", Indonesian),
            ("*", Indonesian),
            ("de-DE, fr;q=0.9", Indonesian),
            ("id-ID,id;q=0.9,en;q=0.8", Indonesian),
            ("en-US,en;q=0.9", English),
            ("EN", English),
            ("de, en;q=0.2", English),
            ("en;q=0.5, id;q=0.6", Indonesian),
            ("in-ID, en;q=0.9", Indonesian),
            ("en;q=0", Indonesian),
            ("en;q=x", Indonesian),
        ] {
            assert_eq!(Language::wanted(accept), language, "{accept}");
        }
    }
}
