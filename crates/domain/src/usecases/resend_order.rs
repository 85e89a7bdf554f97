use crate::dealers::Dealer;
use crate::requests::{Fault, Faults, Field, Input, Message};
use crate::template::{InForce, RawVariables, Variables};

/// What is to be different about a message that is sent once more, as it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResendOrder {
    /// The name of its template; [`Absent`](Input::Absent) and [`Null`](Input::Null) leave it.
    pub template: Input,
    /// All of its variables; [`Absent`](RawVariables::Absent) leaves them.
    pub variables: RawVariables,
}

/// A [`ResendOrder`] that keeps the rules, as far as they do not concern the template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reordered {
    template: Option<String>,
    variables: Option<Variables>,
}

impl ResendOrder {
    /// Checks it.
    ///
    /// # Errors
    /// For every faulty field, and every faulty variable, its first broken rule.
    pub fn check(self) -> Result<Reordered, Faults> {
        let mut faults = Vec::new();
        let template = match self.template {
            Input::Absent | Input::Null => None,
            Input::Text(name) => Some(name),
            _ => {
                faults.push((Field::Template.into(), Fault::NotText));
                None
            }
        };
        let given = self.variables != RawVariables::Absent;
        let variables = Variables::check(self.variables).unwrap_or_else(|broken| {
            faults.extend(broken);
            Variables::default()
        });
        if faults.is_empty() {
            Ok(Reordered {
                template,
                variables: given.then_some(variables),
            })
        } else {
            Err(faults)
        }
    }
}

impl Reordered {
    /// The template of the next message, and its variables. What the newest message has and the template does
    /// not is left out.
    pub(super) fn chosen(
        self,
        dealer: &Dealer,
        newest: Option<Message>,
    ) -> Result<(&InForce, Variables), Faults> {
        let (named, kept) = match newest {
            Some(newest) => (Some(newest.template), newest.variables),
            None => (None, Variables::default()),
        };
        let template = match self.template.or(named) {
            Some(name) => {
                let unknown = || vec![(Field::Template.into(), Fault::UnknownTemplate)];
                dealer.templates.named(&name).ok_or_else(unknown)?
            }
            None => {
                let default = dealer.settings.default_template.as_deref();
                dealer.templates.by_default(default)
            }
        };
        let variables = self.variables.unwrap_or_else(|| {
            let mut kept = kept;
            kept.retain(|name| template.template.has(name));
            kept
        });
        match template.template.check(&variables) {
            faults if faults.is_empty() => Ok((template, variables)),
            faults => Err(faults),
        }
    }
}
