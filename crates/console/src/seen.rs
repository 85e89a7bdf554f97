//! What the author of a draft saw of its template, so that nobody's version is overtaken unseen.

use domain::ports::{Precondition, SeenTemplate};
use domain::template::TemplateOrigin;
use domain::usecases::TemplateView;
use domain::values::Owner;

/// Nothing was there.
const NOTHING: &str = "none";

/// What the author of a draft saw, as its form carries it.
pub(crate) fn seen(owner: &Owner, view: Option<&TemplateView>) -> String {
    match view.map(|view| (&view.newest, view.origin)) {
        None => NOTHING.to_owned(),
        Some((None, _)) => "built-in".to_owned(),
        Some((Some(newest), TemplateOrigin::Shared)) if owner.dealer().is_some() => {
            format!("shared-{}", newest.version)
        }
        Some((Some(newest), _)) => format!("own-{}", newest.version),
    }
}

/// What must be in force for the draft to be saved. What no form of ours says overtakes nobody.
pub(crate) fn over(seen: &str) -> Precondition {
    let version = |text: &str| text.parse().ok();
    let one = match seen.split_once('-') {
        None if seen == NOTHING => return Precondition::Absent,
        Some(("built", "in")) => Some(SeenTemplate::BuiltIn),
        Some(("shared", number)) => version(number).map(SeenTemplate::Shared),
        Some(("own", number)) => version(number).map(SeenTemplate::Own),
        _ => None,
    };
    Precondition::OneOf(one.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_comes_back_with_the_form() {
        for (seen, expected) in [
            ("none", Precondition::Absent),
            ("built-in", Precondition::OneOf(vec![SeenTemplate::BuiltIn])),
            ("own-3", Precondition::OneOf(vec![SeenTemplate::Own(3)])),
            (
                "shared-12",
                Precondition::OneOf(vec![SeenTemplate::Shared(12)]),
            ),
            ("", Precondition::OneOf(Vec::new())),
            ("own-x", Precondition::OneOf(Vec::new())),
        ] {
            assert_eq!(over(seen), expected, "{seen}");
        }
    }
}
