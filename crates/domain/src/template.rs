//! Message templates: parsed once, so that rendering cannot fail.

use chrono::NaiveDateTime;

/// The greatest length of a template, in Unicode characters.
pub const MAX_TEMPLATE_CHARACTERS: usize = 4_000;

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

/// A message text with placeholders.
///
/// Placeholders are `{customer_name}`, `{unit_type}`, `{license_plate}`, `{dealer_name}`, `{request_date}`
/// and `{request_time}`; `{{` and `}}` are literal braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Place),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    CustomerName,
    UnitType,
    LicensePlate,
    DealerName,
    RequestDate,
    RequestTime,
}

/// A fault of a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// The text is empty.
    #[error("the template is empty")]
    Empty,
    /// The text is longer than [`MAX_TEMPLATE_CHARACTERS`].
    #[error("the template has more than {MAX_TEMPLATE_CHARACTERS} characters")]
    TooLong,
    /// Braces around something that is not a placeholder.
    #[error("unknown place {{{name}}} at character {position}")]
    UnknownPlace {
        /// The text between the braces.
        name: String,
        /// Where the brace is, in Unicode characters from 0.
        position: usize,
    },
    /// A brace that is neither doubled nor paired.
    #[error("single brace at character {position}; a literal brace is written twice")]
    SingleBrace {
        /// Where the brace is, in Unicode characters from 0.
        position: usize,
    },
}

/// The values of one message. `Debug` hides them.
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
}

impl std::fmt::Debug for TemplateValues<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TemplateValues").finish_non_exhaustive()
    }
}

impl Template {
    /// The built-in template [`VALIDATION`].
    #[must_use]
    pub fn validation() -> Self {
        Self::parse(VALIDATION_BODY).expect("the built-in template is valid")
    }

    /// Parses a template.
    ///
    /// # Errors
    /// Every fault, in the order of the text.
    pub fn parse(body: &str) -> Result<Self, Vec<TemplateFault>> {
        if body.is_empty() {
            return Err(vec![TemplateFault::Empty]);
        }
        if body.chars().count() > MAX_TEMPLATE_CHARACTERS {
            return Err(vec![TemplateFault::TooLong]);
        }
        let mut parser = Parser::default();
        let characters: Vec<char> = body.chars().collect();
        let mut position = 0;
        while position < characters.len() {
            position = parser.step(&characters, position);
        }
        parser.finish()
    }

    /// Fills the values in.
    ///
    /// Fonnte replaces `{name}` and `{var1}` in a message by its own variables. A word joiner (U+2060,
    /// invisible) behind each opening brace of a value prevents that.
    #[must_use]
    pub fn render(&self, values: &TemplateValues<'_>) -> String {
        let mut text = String::with_capacity(512);
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Place(place) => push_value(&mut text, *place, values),
            }
        }
        text
    }
}

fn push_value(text: &mut String, place: Place, values: &TemplateValues<'_>) {
    let value = match place {
        Place::CustomerName => values.customer_name,
        Place::UnitType => values.unit_type,
        Place::LicensePlate => values.license_plate,
        Place::DealerName => values.dealer_name,
        Place::RequestDate => {
            return text.push_str(&values.request_time.format("%d/%m/%Y").to_string());
        }
        Place::RequestTime => {
            return text.push_str(&values.request_time.format("%H:%M:%S").to_string());
        }
    };
    for character in value.chars() {
        text.push(character);
        if character == '{' {
            text.push('\u{2060}');
        }
    }
}

impl Place {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "customer_name" => Self::CustomerName,
            "unit_type" => Self::UnitType,
            "license_plate" => Self::LicensePlate,
            "dealer_name" => Self::DealerName,
            "request_date" => Self::RequestDate,
            "request_time" => Self::RequestTime,
            _ => return None,
        })
    }
}

#[derive(Default)]
struct Parser {
    parts: Vec<Part>,
    literal: String,
    faults: Vec<TemplateFault>,
}

impl Parser {
    /// Reads the piece at `position` and returns the position after it.
    fn step(&mut self, characters: &[char], position: usize) -> usize {
        let character = characters[position];
        if !matches!(character, '{' | '}') {
            self.literal.push(character);
            return position + 1;
        }
        if characters.get(position + 1) == Some(&character) {
            self.literal.push(character);
            return position + 2;
        }
        let name: String = characters[position + 1..]
            .iter()
            .take_while(|c| !matches!(c, '{' | '}'))
            .collect();
        let end = position + 1 + name.chars().count();
        if character == '}' || characters.get(end) != Some(&'}') {
            self.faults.push(TemplateFault::SingleBrace { position });
            return position + 1;
        }
        match Place::named(&name) {
            Some(place) => {
                self.flush();
                self.parts.push(Part::Place(place));
            }
            None => self
                .faults
                .push(TemplateFault::UnknownPlace { name, position }),
        }
        end + 1
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.parts
                .push(Part::Text(std::mem::take(&mut self.literal)));
        }
    }

    fn finish(mut self) -> Result<Template, Vec<TemplateFault>> {
        self.flush();
        if self.faults.is_empty() {
            Ok(Template { parts: self.parts })
        } else {
            Err(self.faults)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    fn values() -> TemplateValues<'static> {
        TemplateValues {
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
        let text = Template::validation().render(&values());
        assert_eq!(
            text,
            "Halo Adit,\n\nTerima kasih telah melakukan validasi customer untuk unit BeAT Street dengan nomor polisi D 123 AD.\n\nData Anda telah kami terima dan sedang dalam proses verifikasi oleh tim Dealer Demo.\n\nKami akan menghubungi Anda kembali untuk proses selanjutnya.\n\nTerima kasih atas kepercayaan Anda.\n\nBest regards,\nDealer Demo"
        );
    }

    #[test]
    fn braces_in_values_cannot_become_variables_of_the_provider() {
        let mut values = values();
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

    proptest! {
        #[test]
        fn what_parses_renders_and_literal_text_survives(body in "\\PC{0,60}|([a-z{}]|\\{unit_type\\}){0,20}") {
            if let Ok(template) = Template::parse(&body) {
                prop_assert!(!template.render(&values()).is_empty());
            }
            let escaped = body.replace('{', "{{").replace('}', "}}");
            if !body.is_empty() {
                prop_assert_eq!(Template::parse(&escaped).unwrap().render(&values()), body);
            }
        }
    }
}
