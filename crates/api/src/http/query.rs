use std::convert::Infallible;
use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use api_types::{DEFAULT_PAGE_SIZE, FaultBody, MAX_PAGE_SIZE, parameters_of};
use chrono::NaiveDate;
use domain::ports::DateRange;
use domain::requests::Fault;
use domain::values::{SEARCH_CHARACTERS, Search, SearchError, parse_day};
use paperclip::actix::OperationModifier;
use paperclip::v2::models::{DataType, DefaultOperationRaw, Either, Parameter, ParameterIn};
use paperclip::v2::schema::Apiv2Schema;
use schemars::JsonSchema;

use crate::problem::Problem;
use crate::validation::{Rule, of_query};

/// A raw query string, documented as `T`. It is parsed here and not by actix, so that every faulty parameter
/// is listed in the form that existing clients know.
pub(crate) struct QueryParameters<T> {
    pairs: Vec<(String, String)>,
    faults: Vec<FaultBody>,
    documented_as: PhantomData<fn() -> T>,
}

impl<T> QueryParameters<T> {
    /// A whole number within limits.
    pub(crate) fn number(
        &mut self,
        name: &'static str,
        default: u64,
        least: u64,
        most: u64,
    ) -> u64 {
        let Some(raw) = self.find(name) else {
            return default;
        };
        match parse_number(&raw, least, most) {
            Ok(number) => number,
            Err(rule) => {
                self.refuse(name, rule, &raw);
                default
            }
        }
    }

    /// A page number from 1. A page beyond the last one is empty, not a fault; a number that the answer could
    /// not tell is one.
    pub(crate) fn page(&mut self) -> u64 {
        const LARGEST: u64 = i64::MAX as u64;
        self.number("page", 1, 1, LARGEST)
    }

    /// The most entries of a page.
    pub(crate) fn page_size(&mut self) -> u64 {
        self.number("page_size", DEFAULT_PAGE_SIZE, 1, MAX_PAGE_SIZE)
    }

    /// The days from `date_from` to `date_to`, both inclusive; an empty value counts as absent.
    pub(crate) fn date_range(&mut self) -> DateRange {
        DateRange {
            from: self.date("date_from"),
            to: self.date("date_to"),
        }
    }

    /// The cursor of a list; an empty value counts as absent.
    pub(crate) fn cursor<C>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<C>,
    ) -> Option<C> {
        let raw = self.find(name).filter(|raw| !raw.is_empty())?;
        let cursor = read(&raw);
        if cursor.is_none() {
            self.refuse(name, Rule::NOT_A_CURSOR, &raw);
        }
        cursor
    }

    /// A comma-separated list of names; an empty value counts as absent. `expected` is for the error text.
    pub(crate) fn names<N>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<N>,
    ) -> Vec<N> {
        let Some(raw) = self.text(name) else {
            return Vec::new();
        };
        let names: Option<Vec<N>> = raw.split(',').map(|one| parse(one.trim())).collect();
        names.unwrap_or_else(|| {
            self.refuse(name, Rule::NoneOf(expected), &raw);
            Vec::new()
        })
    }

    /// Yes or no; an empty value is as if absent, which is no.
    pub(crate) fn flag(&mut self, name: &'static str) -> bool {
        let Some(raw) = self.text(name) else {
            return false;
        };
        match raw.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => {
                self.refuse(name, Rule::NotAFlag, &raw);
                false
            }
        }
    }

    /// A text; an empty one counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.find(name).filter(|raw| !raw.is_empty())
    }

    /// Adds a fault of a parameter.
    pub(crate) fn refuse(&mut self, name: &'static str, rule: impl Into<Rule>, raw: &str) {
        self.faults.push(of_query(name, rule, raw));
    }

    /// The search for a part of a name, plate or phone.
    pub(crate) fn search(&mut self, name: &'static str) -> Option<Search> {
        let raw = self.text(name)?;
        let (least, most) = SEARCH_CHARACTERS;
        Search::parse(&raw)
            .map_err(|error| {
                let fault = match error {
                    SearchError::TooShort => Fault::TooShort { min: least },
                    SearchError::TooLong => Fault::TooLong { max: most },
                    SearchError::ControlCharacter => Fault::ControlCharacter,
                };
                self.refuse(name, fault, &raw);
            })
            .ok()
    }

    fn date(&mut self, name: &'static str) -> Option<NaiveDate> {
        let raw = self.find(name).filter(|raw| !raw.is_empty())?;
        let date = parse_day(&raw);
        if date.is_none() {
            self.refuse(name, Rule::NotADate, &raw);
        }
        date
    }

    /// All faults, in the order in which parameters were read.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::Invalid(self.faults))
        }
    }

    /// The same as a list.
    pub(crate) fn into_faults(self) -> Vec<FaultBody> {
        self.faults
    }

    /// The last value of this name, like the earlier service.
    fn find(&self, name: &str) -> Option<String> {
        self.pairs
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    }
}

fn parse_number(raw: &str, least: u64, most: u64) -> Result<u64, Rule> {
    let raw = raw.trim();
    let (negative, digits) = match raw.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, raw.strip_prefix('+').unwrap_or(raw)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Rule::NotANumber);
    }
    // A number beyond the type is certainly too large.
    let number = digits.parse().unwrap_or(u64::MAX);
    if (negative && number > 0) || number < least {
        Err(too_small(least))
    } else if number > most {
        Err(too_large(most))
    } else {
        Ok(number)
    }
}

fn too_small(least: u64) -> Rule {
    let min = i64::try_from(least).unwrap_or(i64::MAX);
    Fault::TooSmall { min }.into()
}

fn too_large(most: u64) -> Rule {
    let max = i64::try_from(most).unwrap_or(i64::MAX);
    Fault::TooLarge { max }.into()
}

impl<T> FromRequest for QueryParameters<T> {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self {
            pairs: url::form_urlencoded::parse(request.query_string().as_bytes())
                .into_owned()
                .collect(),
            faults: Vec::new(),
            documented_as: PhantomData,
        }))
    }
}

impl<T> Apiv2Schema for QueryParameters<T> {}

impl<T: JsonSchema> OperationModifier for QueryParameters<T> {
    // The description identifies a parameter when the rest is added to it.
    fn update_parameter(operation: &mut DefaultOperationRaw) {
        for (name, schema) in parameters_of::<T>() {
            operation.parameters.push(Either::Right(Parameter {
                in_: ParameterIn::Query,
                name,
                description: schema["description"].as_str().map(str::to_owned),
                data_type: Some(DataType::String),
                ..Default::default()
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_digits_within_limits() {
        assert_eq!(parse_number("7", 1, 100), Ok(7));
        assert_eq!(parse_number(" +7 ", 1, 100), Ok(7));
        for raw in ["", "x", "1.5", "1e3", "0x1", "-", "٣"] {
            assert_eq!(parse_number(raw, 1, 100), Err(Rule::NotANumber), "{raw}");
        }
        for raw in ["0", "-1", "-99999999999999999999"] {
            assert_eq!(parse_number(raw, 1, 100), Err(too_small(1)), "{raw}");
        }
        for raw in ["101", "99999999999999999999"] {
            assert_eq!(parse_number(raw, 1, 100), Err(too_large(100)), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_read_back_or_said_to_be_too_large_or_small(number in any::<i128>(), least in 0..50_u64, most in 50..100_u64) {
            for number in [number, number % 100] {
                let expected = match u64::try_from(number) {
                    Ok(fitting) if fitting > most => Err(too_large(most)),
                    Ok(fitting) if fitting >= least => Ok(fitting),
                    Err(_) if number > 0 => Err(too_large(most)),
                    _ => Err(too_small(least)),
                };
                prop_assert_eq!(parse_number(&number.to_string(), least, most), expected);
            }
        }

        #[test]
        fn a_number_within_limits_is_one(raw in "(?s:.){0,8}|[ +-]?[0-9]{0,22}") {
            match parse_number(&raw, 1, 100) {
                Ok(number) => prop_assert!((1..=100).contains(&number)),
                Err(Rule::NotANumber) => prop_assert!(raw.trim().parse::<u64>().is_err()),
                Err(_) => {}
            }
        }
    }
}
