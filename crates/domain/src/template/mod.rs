//! Message templates: parsed once, so that rendering cannot fail.

mod fault;
mod in_force;
mod name;
mod parser;
#[cfg(test)]
mod tests;
mod variables;

use std::fmt;

use chrono::NaiveDateTime;

use crate::requests::{Fault, Field, FieldPath};

pub use fault::{TemplateFault, TemplateWarning};
pub use in_force::{InForce, TemplateOrigin, TemplateSet, Templates};
pub use name::{
    MAX_NAME_CHARACTERS, MAX_VARIABLE_NAME_CHARACTERS, NoTemplateName, TemplateName,
    is_variable_name,
};
pub use variables::{MAX_VARIABLE_CHARACTERS, MAX_VARIABLES, RawVariables, Variables};

/// The greatest length of a template, in Unicode characters.
pub const MAX_TEMPLATE_CHARACTERS: usize = 4_000;

/// The greatest length of a variable's default, in Unicode characters.
pub const MAX_DEFAULT_CHARACTERS: usize = 100;

/// The most characters of a message that WhatsApp shows.
pub const WHATSAPP_CHARACTERS: usize = 4_096;

/// The most characters of a message that Fonnte takes, as it documents.
pub const FONNTE_CHARACTERS: usize = 60_000;

/// A word joiner, which is not shown.
const JOINER: char = '\u{2060}';

/// The name of the built-in template.
pub const VALIDATION: &str = "validation";

/// The text of the built-in template, sent byte for byte with the values filled in.
pub const VALIDATION_BODY: &str = "Halo {customer_name},

Terima kasih telah melakukan validasi customer untuk unit {unit_type} dengan nomor polisi {license_plate}.

Data Anda telah kami terima dan sedang dalam proses verifikasi oleh tim {dealer_name}.

Kami akan menghubungi Anda kembali untuk proses selanjutnya.

Terima kasih atas kepercayaan Anda.

Best regards,
{dealer_name}";

/// A message text with places for values.
///
/// Places are `{customer_name}`, `{unit_type}`, `{license_plate}`, `{dealer_name}`,
/// `{request_date}`, `{request_time}`, and `{var.km}` or `{var.km|default}` for variables of the
/// template's own; `{{` and `}}` are literal braces. Prints as it is written: what is printed and parsed
/// again is the same template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    /// In the order in which they first occur.
    variables: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Place),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Slot(Slot),
    Variable {
        name: String,
        default: Option<String>,
    },
}

named! {
    /// A place that every request has a value for.
    enum Slot {
        CustomerName = "customer_name",
        UnitType = "unit_type",
        LicensePlate = "license_plate",
        DealerName = "dealer_name",
        RequestDate = "request_date",
        RequestTime = "request_time",
    }
}

/// The values of one message. Prints without them.
#[derive(Clone, Copy)]
pub struct TemplateValues<'a> {
    /// The person who brought the unit in.
    pub customer_name: &'a str,
    /// The type of the motorcycle.
    pub unit_type: &'a str,
    /// The plate as it was sent.
    pub license_plate: &'a str,
    /// The dealer's name.
    pub dealer_name: &'a str,
    /// Local time of the request, shown as `DD/MM/YYYY` and `HH:mm:ss`.
    pub request_time: NaiveDateTime,
    /// What was given for the template's own variables.
    pub variables: &'a Variables,
}

impl fmt::Debug for TemplateValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateValues").finish_non_exhaustive()
    }
}

impl Template {
    /// The built-in template [`VALIDATION`].
    #[must_use]
    pub fn validation() -> Self {
        Self::parse(VALIDATION_BODY).expect("the built-in template is valid")
    }

    /// The names of its variables, in the order in which they first occur.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// The variables that must be given: some place of theirs has no default.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(String::as_str).filter(|wanted| {
            self.places().any(
                |place| matches!(place, Place::Variable { name, default: None } if name == wanted),
            )
        })
    }

    /// What is wrong with the variables of a submission: those that are missing, in the template's
    /// order, then those that the template does not have.
    #[must_use]
    pub fn check(&self, given: &Variables) -> Vec<(FieldPath, Fault)> {
        if self.variables.is_empty() && given.is_empty() {
            return Vec::new();
        }
        let at = |name: &str| FieldPath::Variable(name.to_owned());
        let missing = self.required().filter(|name| given.get(name).is_none());
        let unknown = given.iter().filter(|(name, _)| !self.has(name));
        missing
            .map(|name| (at(name), Fault::Missing))
            .chain(unknown.map(|(name, _)| (at(name), Fault::UnknownVariable)))
            .collect()
    }

    /// The variables with its own name in square brackets for each that is missing.
    #[must_use]
    pub fn filled(&self, given: &Variables) -> Variables {
        let text = |name: &str| match given.get(name) {
            Some(text) => text.to_owned(),
            None => format!("[{name}]"),
        };
        let given = given
            .iter()
            .map(|(name, text)| (name.to_owned(), text.to_owned()));
        let required = self.required().map(|name| (name.to_owned(), text(name)));
        given.chain(required).collect()
    }

    /// Whether it has a variable of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.variables.iter().any(|known| known == name)
    }

    /// Fills the values in. A variable that is neither given nor has a default is left out.
    ///
    /// Fonnte replaces `{name}` and `{var1}` in a message by variables of its own. A word joiner
    /// (U+2060), which is not shown, behind each opening brace of a value prevents that, and one before a
    /// value that stands behind a literal opening brace.
    #[must_use]
    pub fn render(&self, values: &TemplateValues<'_>) -> String {
        let mut text = String::with_capacity(512);
        // Whether a literal brace is open, which a value could complete to a name.
        let mut open = false;
        for part in &self.parts {
            match part {
                Part::Text(literal) => {
                    text.push_str(literal);
                    if let Some(last) = literal.rfind(['{', '}']) {
                        open = literal[last..].starts_with('{');
                    }
                }
                Part::Place(Place::Slot(slot)) => slot.push(&mut text, open, values),
                Part::Place(Place::Variable { name, default }) => {
                    let value = values.variables.get(name).or(default.as_deref());
                    push_value(&mut text, open, value.unwrap_or_default());
                }
            }
        }
        text
    }

    /// The characters of the longest message that can come of it, word joiners not counted.
    #[must_use]
    pub fn longest(&self) -> usize {
        let length = |part: &Part| match part {
            Part::Text(literal) => literal.chars().count(),
            Part::Place(Place::Slot(slot)) => slot.longest(),
            Part::Place(Place::Variable { .. }) => MAX_VARIABLE_CHARACTERS,
        };
        self.parts.iter().map(length).sum()
    }

    /// What its author should know.
    #[must_use]
    pub fn warnings(&self) -> Vec<TemplateWarning> {
        let characters = self.longest();
        let is_place = |part: Option<&Part>| matches!(part, Some(Part::Place(_)));
        let long = TemplateWarning::LongMessage { characters };
        [
            (characters > WHATSAPP_CHARACTERS).then_some(long),
            is_place(self.parts.first()).then_some(TemplateWarning::BeginsWithPlace),
            is_place(self.parts.last()).then_some(TemplateWarning::EndsWithPlace),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place(place) => Some(place),
            Part::Text(_) => None,
        })
    }
}

/// As it is written.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(literal) => {
                    f.write_str(&literal.replace('{', "{{").replace('}', "}}"))?;
                }
                Part::Place(Place::Slot(slot)) => write!(f, "{{{}}}", slot.as_str())?,
                Part::Place(Place::Variable { name, default }) => match default {
                    Some(default) => write!(f, "{{var.{name}|{default}}}")?,
                    None => write!(f, "{{var.{name}}}")?,
                },
            }
        }
        Ok(())
    }
}

impl Slot {
    /// The most characters of its value.
    fn longest(self) -> usize {
        let most = |field: Field| field.length().map_or(0, |(_, most)| most);
        match self {
            Self::CustomerName => most(Field::CustomerName),
            Self::UnitType => most(Field::UnitType),
            Self::LicensePlate => most(Field::LicensePlate),
            // As wide as the column of `dealer_integration.dealers`.
            Self::DealerName => 255,
            Self::RequestDate => 10,
            Self::RequestTime => 8,
        }
    }

    fn push(self, text: &mut String, open: bool, values: &TemplateValues<'_>) {
        let time = values.request_time;
        match self {
            Self::CustomerName => push_value(text, open, values.customer_name),
            Self::UnitType => push_value(text, open, values.unit_type),
            Self::LicensePlate => push_value(text, open, values.license_plate),
            Self::DealerName => push_value(text, open, values.dealer_name),
            Self::RequestDate => push_value(text, open, &time.format("%d/%m/%Y").to_string()),
            Self::RequestTime => push_value(text, open, &time.format("%H:%M:%S").to_string()),
        }
    }
}

fn push_value(text: &mut String, open: bool, value: &str) {
    if open && !value.is_empty() {
        text.push(JOINER);
    }
    for character in value.chars() {
        text.push(character);
        if character == '{' {
            text.push(JOINER);
        }
    }
}
