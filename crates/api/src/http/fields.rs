use api_types::{FaultBody, Place};
use domain::requests::{Fault, Input};
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::validation::{Rule, fault};

/// The placeholder for a refused secret.
pub(crate) const HIDDEN: &str = "**********";

/// The fields of a JSON object or of a row of a table, and their faults. Every body is read through it, field
/// by field, so that every faulty field is listed with the first rule it breaks.
#[derive(Clone)]
pub(crate) struct Fields {
    place: Vec<Place>,
    values: Map<String, Value>,
    faults: Vec<FaultBody>,
}

impl Fields {
    /// The fields of the object at this place, such as `body`.
    pub(crate) fn new(place: Vec<Place>, values: Map<String, Value>) -> Self {
        Self {
            place,
            values,
            faults: Vec::new(),
        }
    }

    /// A raw field.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A field for the domain.
    pub(crate) fn input(&self, name: &str) -> Input {
        input(self.value(name))
    }

    /// Reads a required field; `None` where it is faulty.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value) -> Result<T, Rule>,
    ) -> Option<T> {
        let value = self.value(name).ok_or(Rule::Value(Fault::Missing));
        let outcome = value.and_then(read);
        outcome.map_err(|rule| self.refuse(&[name], rule)).ok()
    }

    /// Reads an optional field; `None` where it is absent, null or faulty.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value) -> Result<T, Rule>,
    ) -> Option<Option<T>> {
        match self.value(name) {
            None | Some(Value::Null) => Some(None),
            Some(_) => self.required(name, read).map(Some),
        }
    }

    /// Notes a rule that the field at this path breaks, with what was sent.
    pub(crate) fn refuse(&mut self, path: &[&str], rule: impl Into<Rule>) {
        let (first, rest) = path.split_first().unwrap_or((&"", &[]));
        let value = rest
            .iter()
            .fold(self.value(first), |value, name| value?.get(name));
        let rule = rule.into();
        // What counts as not given was not sent.
        let sent = value.filter(|_| rule != Rule::Value(Fault::Missing));
        let sent = sent.cloned().unwrap_or(Value::Null);
        self.note(path, rule, sent);
    }

    /// The same for an entry of the list in a field, counted from 0.
    pub(crate) fn refuse_entry(&mut self, name: &str, entry: usize, rule: impl Into<Rule>) {
        let sent = self.value(name).and_then(|list| list.get(entry)).cloned();
        let places = [Place::Name(name.to_owned().into()), Place::At(entry)];
        let place = self.place.iter().cloned().chain(places).collect();
        self.faults
            .push(fault(place, rule, sent.unwrap_or(Value::Null)));
    }

    /// The same for a secret, which is not repeated.
    pub(crate) fn refuse_secret(&mut self, path: &[&str], rule: impl Into<Rule>) {
        self.note(path, rule, HIDDEN.into());
    }

    fn note(&mut self, path: &[&str], rule: impl Into<Rule>, sent: Value) {
        let names = path
            .iter()
            .map(|name| Place::Name((*name).to_owned().into()));
        let place = self.place.iter().cloned().chain(names).collect();
        self.faults.push(fault(place, rule, sent));
    }

    /// The fields as they came in.
    pub(crate) fn into_values(self) -> Map<String, Value> {
        self.values
    }

    /// All faults, in the order in which they were added.
    pub(crate) fn into_faults(self) -> Vec<FaultBody> {
        self.faults
    }

    /// All faults as a problem.
    pub(crate) fn invalid(self) -> Problem {
        Problem::Invalid(self.faults)
    }
}

/// Reads a text.
pub(crate) fn text<T, R: Into<Rule>>(
    parse: impl FnOnce(&str) -> Result<T, R>,
) -> impl FnOnce(&Value) -> Result<T, Rule> {
    move |value| match value {
        Value::String(text) => parse(text).map_err(Into::into),
        _ => Err(Fault::NotText.into()),
    }
}

/// A value for the domain.
pub(crate) fn input(value: Option<&Value>) -> Input {
    match value {
        None => Input::Absent,
        Some(Value::Null) => Input::Null,
        Some(Value::String(text)) => Input::Text(text.clone()),
        Some(Value::Bool(flag)) => Input::Flag(*flag),
        Some(Value::Number(number)) => match (number.as_i64(), number.is_u64()) {
            (Some(number), _) => Input::Whole(number),
            (None, true) => Input::Whole(i64::MAX),
            (None, false) => Input::Other,
        },
        Some(Value::Array(_) | Value::Object(_)) => Input::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validation::place;
    use serde_json::json;

    fn fields(place: Vec<Place>) -> Fields {
        let values = json!({"a": "x", "b": {"c": 1}, "n": null, "big": u64::MAX, "half": 0.5});
        let Value::Object(values) = values else {
            unreachable!("it is an object")
        };
        Fields::new(place, values)
    }

    #[test]
    fn a_field_is_read_or_its_fault_noted() {
        let mut fields = fields(vec![place("body")]);
        let upper = || text(|raw| Ok::<_, Rule>(raw.to_uppercase()));
        assert_eq!(fields.required("a", upper()).as_deref(), Some("X"));
        assert_eq!(fields.optional("n", upper()), Some(None));
        assert_eq!(fields.optional("z", upper()), Some(None));
        assert_eq!(fields.required("z", upper()), None);
        assert_eq!(fields.required("n", upper()), None);
        let faults = serde_json::to_value(fields.into_faults()).unwrap();
        assert_eq!(faults[0]["type"], "missing");
        assert_eq!(faults[1]["type"], "string_type");
    }

    #[test]
    fn a_fault_tells_where_it_is_and_what_was_sent() {
        let row = vec![place("body"), Place::At(3)];
        let mut fields = fields(row);
        fields.refuse(&["b", "c"], Fault::NotText);
        fields.refuse_secret(&["a"], Fault::NotAKey);
        let faults = serde_json::to_value(fields.into_faults()).unwrap();
        assert_eq!(faults[0]["loc"], json!(["body", 3, "b", "c"]));
        assert_eq!(faults[0]["input"], 1);
        assert_eq!(faults[1]["input"], HIDDEN);
    }

    #[test]
    fn values_become_inputs() {
        let fields = fields(Vec::new());
        assert_eq!(fields.input("a"), Input::from("x"));
        assert_eq!(fields.input("b"), Input::Other);
        assert_eq!(fields.input("n"), Input::Null);
        assert_eq!(fields.input("z"), Input::Absent);
        assert_eq!(fields.input("big"), Input::Whole(i64::MAX));
        assert_eq!(fields.input("half"), Input::Other);
    }
}
