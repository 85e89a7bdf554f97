//! Message templates: parsed once, so that rendering cannot fail.

mod in_force;
mod name;
mod parser;
mod variables;

use std::fmt;

use chrono::NaiveDateTime;

use crate::requests::{Fault, Field, FieldPath};

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

/// A place that every request has a value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    CustomerName,
    UnitType,
    LicensePlate,
    DealerName,
    RequestDate,
    RequestTime,
}

/// What is wrong with a template. Positions are Unicode characters from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// There is no text.
    #[error("the template is empty")]
    Empty,
    /// There is more text than [`MAX_TEMPLATE_CHARACTERS`].
    #[error("the template has more than {MAX_TEMPLATE_CHARACTERS} characters")]
    TooLong,
    /// Nobody would see anything of the message.
    #[error("the template is blank")]
    Blank,
    /// A control character that is neither an end of line nor a tab.
    #[error("control character at character {position}")]
    ControlCharacter {
        /// Where it is, or where the place begins whose default has it.
        position: usize,
    },
    /// Something in braces that is not the name of a place.
    #[error("unknown place {{{name}}} at character {position}")]
    UnknownPlace {
        /// What stands between the braces.
        name: String,
        /// Where the brace is.
        position: usize,
    },
    /// A default has more characters than [`MAX_DEFAULT_CHARACTERS`].
    #[error("default of more than {MAX_DEFAULT_CHARACTERS} characters at character {position}")]
    DefaultTooLong {
        /// Where the brace is.
        position: usize,
    },
    /// One more variable than [`MAX_VARIABLES`].
    #[error("more than {MAX_VARIABLES} variables at character {position}")]
    TooManyVariables {
        /// Where the brace is.
        position: usize,
    },
    /// A brace that is neither doubled nor has its partner.
    #[error("single brace at character {position}; a literal brace is written twice")]
    SingleBrace {
        /// Where the brace is.
        position: usize,
    },
    /// With the longest values the message would have more characters than [`FONNTE_CHARACTERS`].
    #[error("the longest possible message has more than {FONNTE_CHARACTERS} characters")]
    MessageTooLong,
}

impl TemplateFault {
    /// Where it is; 0 where it is about the whole text.
    #[must_use]
    pub const fn position(&self) -> usize {
        match self {
            Self::Empty | Self::Blank | Self::MessageTooLong => 0,
            Self::TooLong => MAX_TEMPLATE_CHARACTERS,
            Self::ControlCharacter { position }
            | Self::UnknownPlace { position, .. }
            | Self::DefaultTooLong { position }
            | Self::TooManyVariables { position }
            | Self::SingleBrace { position } => *position,
        }
    }
}

/// What a template's author should know; it can be saved all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateWarning {
    /// WhatsApp may cut a message with the longest values.
    #[error(
        "The longest possible message has {characters} characters; WhatsApp shows {WHATSAPP_CHARACTERS}"
    )]
    LongMessage {
        /// Of the longest message.
        characters: usize,
    },
    /// The message begins with a value.
    #[error("A variable stands at the very beginning")]
    BeginsWithPlace,
    /// The message ends with a value.
    #[error("A variable stands at the very end")]
    EndsWithPlace,
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
                Part::Place(Place::Slot(slot)) => write!(f, "{{{}}}", slot.name())?,
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
    const ALL: [Self; 6] = [
        Self::CustomerName,
        Self::UnitType,
        Self::LicensePlate,
        Self::DealerName,
        Self::RequestDate,
        Self::RequestTime,
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::CustomerName => "customer_name",
            Self::UnitType => "unit_type",
            Self::LicensePlate => "license_plate",
            Self::DealerName => "dealer_name",
            Self::RequestDate => "request_date",
            Self::RequestTime => "request_time",
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    fn values(variables: &Variables) -> TemplateValues<'_> {
        TemplateValues {
            variables,
            customer_name: "Adit",
            unit_type: "BeAT Street",
            license_plate: "D 123 AD",
            dealer_name: "Dealer Demo",
            request_time: NaiveDate::from_ymd_opt(2019, 12, 31)
                .unwrap()
                .and_hms_opt(15, 40, 50)
                .unwrap(),
        }
    }

    #[test]
    fn the_built_in_template_is_sent_byte_for_byte() {
        let text = Template::validation().render(&values(&Variables::default()));
        assert_eq!(
            text,
            "Halo Adit,\n\nTerima kasih telah melakukan validasi customer untuk unit BeAT Street dengan nomor polisi D 123 AD.\n\nData Anda telah kami terima dan sedang dalam proses verifikasi oleh tim Dealer Demo.\n\nKami akan menghubungi Anda kembali untuk proses selanjutnya.\n\nTerima kasih atas kepercayaan Anda.\n\nBest regards,\nDealer Demo"
        );
    }

    #[test]
    fn braces_in_values_cannot_become_variables_of_the_provider() {
        let none = Variables::default();
        let mut values = values(&none);
        values.customer_name = "{name} {{var1}}";
        let text = Template::parse("{customer_name} {{x}} {request_date} {request_time}")
            .unwrap()
            .render(&values);
        assert_eq!(
            text,
            "{\u{2060}name} {\u{2060}{\u{2060}var1}} {x} 31/12/2019 15:40:50"
        );
    }

    #[test]
    fn every_fault_is_listed_with_its_position() {
        assert_eq!(
            Template::parse("é{nama} {customer_name} } {"),
            Err(vec![
                TemplateFault::UnknownPlace {
                    name: "nama".into(),
                    position: 1
                },
                TemplateFault::SingleBrace { position: 24 },
                TemplateFault::SingleBrace { position: 26 },
            ])
        );
        assert_eq!(Template::parse(""), Err(vec![TemplateFault::Empty]));
        assert_eq!(
            Template::parse(&"a".repeat(4_001)),
            Err(vec![TemplateFault::TooLong])
        );
        assert!(Template::parse(&"é".repeat(4_000)).is_ok());
    }

    fn given(all: &[(&str, &str)]) -> Variables {
        all.iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn a_variable_is_what_was_given_else_its_default() {
        let template =
            Template::parse("{var.km} {var.km|x} {var.oil|belum|dicatat} {var.a|}.").unwrap();
        assert_eq!(template.variables(), ["km", "oil", "a"]);
        assert_eq!(template.required().collect::<Vec<_>>(), ["km"]);
        let text = template.render(&values(&given(&[("km", "12 {name}")])));
        assert_eq!(text, "12 {\u{2060}name} 12 {\u{2060}name} belum|dicatat .");
    }

    #[test]
    fn what_is_missing_and_what_is_unknown_is_told_by_name() {
        let template = Template::parse("{var.b} {var.a} {var.c|x}").unwrap();
        let path = |name: &str| FieldPath::Variable(name.to_owned());
        assert_eq!(
            template.check(&given(&[("a", "1"), ("B", "2")])),
            [
                (path("b"), Fault::Missing),
                (path("B"), Fault::UnknownVariable)
            ]
        );
        assert_eq!(template.check(&given(&[("a", "1"), ("b", "2")])), []);
    }

    #[test]
    fn a_variable_has_a_name_a_short_default_and_at_most_19_others() {
        let unknown = |name: &str| TemplateFault::UnknownPlace {
            name: name.to_owned(),
            position: 1,
        };
        for name in [
            "var.",
            "var.KM",
            "var.k m",
            "var",
            "VAR.km",
            "var.|x",
            "var.abcdefghijklmnopq",
        ] {
            assert_eq!(
                Template::parse(&format!("a{{{name}}}")),
                Err(vec![unknown(name)])
            );
        }
        let default = |length: usize| Template::parse(&format!("{{var.a|{}}}", "é".repeat(length)));
        assert!(default(100).is_ok());
        assert_eq!(
            default(101),
            Err(vec![TemplateFault::DefaultTooLong { position: 0 }])
        );
        let all: String = (0..20).map(|n| format!("{{var.v{n}}}")).collect();
        assert!(Template::parse(&format!("{all}{{var.v0}}")).is_ok());
        assert_eq!(
            Template::parse(&format!("{all}{{var.v20}}")),
            Err(vec![TemplateFault::TooManyVariables {
                position: all.len()
            }])
        );
    }

    #[test]
    fn a_value_cannot_complete_a_literal_brace() {
        let none = Variables::default();
        let mut values = TemplateValues {
            customer_name: "name",
            unit_type: "1}",
            ..values(&none)
        };
        values.license_plate = "{";
        let text = Template::parse("{{{customer_name}}} {{var{unit_type} {license_plate}name}}")
            .unwrap()
            .render(&values);
        assert_eq!(text, "{\u{2060}name} {var\u{2060}1} \u{2060}{\u{2060}name}");
    }

    #[test]
    fn nothing_that_is_invisible_is_a_template() {
        assert_eq!(
            Template::parse(" \n\u{200b}"),
            Err(vec![TemplateFault::Blank])
        );
        assert_eq!(
            Template::parse("a\0"),
            Err(vec![TemplateFault::ControlCharacter { position: 1 }])
        );
        assert!(Template::parse("a\r\n\tb").is_ok());
    }

    #[test]
    fn an_author_is_warned_of_long_messages_and_places_at_the_ends() {
        let warnings = |body: &str| Template::parse(body).unwrap().warnings();
        assert_eq!(warnings(VALIDATION_BODY), [TemplateWarning::EndsWithPlace]);
        assert_eq!(
            warnings("{customer_name}!"),
            [TemplateWarning::BeginsWithPlace]
        );
        let long = |letters: usize| warnings(&format!("a{{customer_name}}{}", "b".repeat(letters)));
        assert_eq!(long(4_096 - 256), []);
        assert_eq!(
            long(4_097 - 256),
            [TemplateWarning::LongMessage { characters: 4_097 }]
        );
    }

    /// Texts with many braces, places and joiners.
    fn bodies() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "\\PC{0,8}",
            "[a-z{}\u{2060}]{0,4}",
            Just("{{".to_owned()),
            Just("}}".to_owned()),
            Just("{unit_type}".to_owned()),
            Just("{customer_name}".to_owned()),
            "\\{var\\.[a-c](\\|[a-z|]{0,5})?\\}",
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn what_parses_is_printed_as_it_was_and_renders(body in bodies(), name in "[a-z0-9{}]{0,6}", value in "[a-z0-9{}]{1,6}") {
            if let Ok(template) = Template::parse(&body) {
                prop_assert_eq!(template.to_string(), body.clone());
                prop_assert_eq!(Template::parse(&template.to_string()), Ok(template.clone()));
                let variables = given(&[("a", &value), ("b", &name)]);
                let values = TemplateValues { customer_name: &name, unit_type: &value, ..values(&variables) };
                let text = template.render(&values);
                let plain = |text: &str| text.replace(JOINER, "").chars().count();
                prop_assert!(plain(&text) <= template.longest());
                // No pair of braces that Fonnte might read has a character of a value in it.
                for (at, _) in text.match_indices('{') {
                    let inner = &text[at + 1..];
                    let Some(end) = inner.find(['{', '}']).filter(|end| inner[*end..].starts_with('}')) else { continue };
                    let pair = &text[at..=at + 1 + end];
                    let literal = |part: &Part| matches!(part, Part::Text(text) if text.contains(pair));
                    let by_author = template.parts.iter().any(literal) || is_defaulted(&template, pair);
                    prop_assert!(pair.contains(JOINER) || by_author, "{pair:?} in {text:?}");
                }
            }
        }

        #[test]
        fn literal_text_survives(body in "\\PC{1,60}|[a-z{}]{1,20}") {
            let escaped = body.replace('{', "{{").replace('}', "}}");
            if let Ok(template) = Template::parse(&escaped) {
                prop_assert_eq!(template.render(&values(&Variables::default())), body);
            } else {
                prop_assert!(crate::values::is_blank(&body));
            }
        }
    }

    /// Whether only an empty value stands within the pair.
    fn is_defaulted(template: &Template, pair: &str) -> bool {
        let literals: String = template
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Place(_) => "",
            })
            .collect();
        literals.contains(pair)
    }
}
