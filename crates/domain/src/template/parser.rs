//! The text of a template, read once.

use super::{
    MAX_DEFAULT_CHARACTERS, MAX_TEMPLATE_CHARACTERS, MAX_VARIABLES, Part, Place, Slot, Template,
    TemplateFault, is_variable_name,
};
use crate::values::is_invisible;

/// What every variable's place begins with.
const VARIABLE: &str = "var.";

impl Template {
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
}

#[derive(Default)]
struct Parser {
    parts: Vec<Part>,
    literal: String,
    variables: Vec<String>,
    faults: Vec<TemplateFault>,
}

impl Parser {
    /// Reads what stands at `position` and returns where to go on.
    fn step(&mut self, characters: &[char], position: usize) -> usize {
        let character = characters[position];
        if !matches!(character, '{' | '}') {
            if is_stray(character) {
                self.faults
                    .push(TemplateFault::ControlCharacter { position });
            }
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
        match self.place(name, position) {
            Ok(place) => {
                self.flush();
                self.parts.push(Part::Place(place));
            }
            Err(fault) => self.faults.push(fault),
        }
        end + 1
    }

    /// What stands between two braces.
    fn place(&mut self, name: String, position: usize) -> Result<Place, TemplateFault> {
        if let Some(slot) = Slot::parse(&name) {
            return Ok(Place::Slot(slot));
        }
        let Some(variable) = name.strip_prefix(VARIABLE) else {
            return Err(TemplateFault::UnknownPlace { name, position });
        };
        let (variable, default) = match variable.split_once('|') {
            Some((variable, default)) => (variable, Some(default)),
            None => (variable, None),
        };
        if !is_variable_name(variable) {
            return Err(TemplateFault::UnknownPlace { name, position });
        }
        if default.is_some_and(|text| text.chars().count() > MAX_DEFAULT_CHARACTERS) {
            return Err(TemplateFault::DefaultTooLong { position });
        }
        if default.is_some_and(|text| text.chars().any(is_stray)) {
            return Err(TemplateFault::ControlCharacter { position });
        }
        let (variable, default) = (variable.to_owned(), default.map(str::to_owned));
        if !self.variables.contains(&variable) {
            if self.variables.len() == MAX_VARIABLES {
                return Err(TemplateFault::TooManyVariables { position });
            }
            self.variables.push(variable.clone());
        }
        Ok(Place::Variable {
            name: variable,
            default,
        })
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.parts
                .push(Part::Text(std::mem::take(&mut self.literal)));
        }
    }

    fn finish(mut self) -> Result<Template, Vec<TemplateFault>> {
        self.flush();
        let shows = |part: &Part| match part {
            Part::Text(literal) => !literal.chars().all(is_invisible),
            Part::Place(_) => true,
        };
        if self.faults.is_empty() && !self.parts.iter().any(shows) {
            self.faults.push(TemplateFault::Blank);
        }
        if self.faults.is_empty() {
            Ok(Template {
                parts: self.parts,
                variables: self.variables,
            })
        } else {
            Err(self.faults)
        }
    }
}

/// A control character that is neither an end of line nor a tab.
fn is_stray(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
}
