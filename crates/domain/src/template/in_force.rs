//! Which template a name means for a dealer: its own, else head office's, else the built-in one.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::{Template, VALIDATION};

named! {
    /// Whose template it is, in the order in which a name is looked up.
    #[derive(PartialOrd, Ord)]
    pub enum TemplateOrigin {
        /// The dealer's own.
        Dealer = "dealer",
        /// Head office's, for all dealers.
        Shared = "shared",
        /// This program's.
        BuiltIn = "built_in",
    }
}

/// A template under its name, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The name.
    pub name: String,
    /// Whose it is.
    pub origin: TemplateOrigin,
    /// The version, from 1; the built-in one has none.
    pub version: Option<u32>,
    /// What it says.
    pub template: Template,
}

/// The templates of one owner, by name. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct TemplateSet(Arc<BTreeMap<String, InForce>>);

impl FromIterator<InForce> for TemplateSet {
    fn from_iter<I: IntoIterator<Item = InForce>>(templates: I) -> Self {
        let named = templates.into_iter().map(|one| (one.name.clone(), one));
        Self(Arc::new(named.collect()))
    }
}

/// The templates that a dealer's messages can be made from. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    /// The dealer's own.
    pub own: TemplateSet,
    /// Head office's.
    pub shared: TemplateSet,
}

static BUILT_IN: LazyLock<InForce> = LazyLock::new(|| InForce {
    name: VALIDATION.to_owned(),
    origin: TemplateOrigin::BuiltIn,
    version: None,
    template: Template::validation(),
});

impl InForce {
    /// The built-in template.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }
}

impl Templates {
    /// What a name means.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&InForce> {
        let own = self.own.0.get(name).or_else(|| self.shared.0.get(name));
        own.or_else(|| (name == VALIDATION).then(InForce::built_in))
    }

    /// The template of messages for which none is named: the dealer's default, where there is one of
    /// that name, else `validation`.
    #[must_use]
    pub fn by_default(&self, default: Option<&str>) -> &InForce {
        let named = default.and_then(|name| self.named(name));
        named
            .or_else(|| self.named(VALIDATION))
            .unwrap_or_else(|| InForce::built_in())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(origin: TemplateOrigin, names: &[&str]) -> TemplateSet {
        let one = |name: &&str| InForce {
            name: (*name).to_owned(),
            origin,
            version: Some(1),
            template: Template::validation(),
        };
        names.iter().map(one).collect()
    }

    #[test]
    fn a_name_is_looked_up_at_the_dealer_then_at_head_office_then_here() {
        use TemplateOrigin::{BuiltIn, Dealer, Shared};
        let templates = Templates {
            own: set(Dealer, &["promo"]),
            shared: set(Shared, &["promo", "servis"]),
        };
        let origin = |name: &str| templates.named(name).map(|found| found.origin);
        assert_eq!(origin("promo"), Some(Dealer));
        assert_eq!(origin("servis"), Some(Shared));
        assert_eq!(origin(VALIDATION), Some(BuiltIn));
        assert_eq!(origin("Promo"), None);
        let default = |name| templates.by_default(name).name.as_str();
        assert_eq!(default(Some("servis")), "servis");
        assert_eq!(default(Some("gone")), VALIDATION);
        assert_eq!(default(None), VALIDATION);
        let override_it = Templates {
            shared: set(Shared, &[VALIDATION]),
            ..Templates::default()
        };
        assert_eq!(override_it.by_default(None).origin, Shared);
    }
}
