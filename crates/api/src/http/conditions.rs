//! Headers about versions of what is changed (RFC 9110, section 13).

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::ports::{Precondition, SeenTemplate};
use paperclip::actix::OperationModifier;
use paperclip::v2::models::{DataType, DefaultOperationRaw, Either, Parameter, ParameterIn};
use paperclip::v2::schema::Apiv2Schema;

/// The `ETag` of a template as it is in force: the version, and whose it is where that is not the owner's.
pub(crate) fn etag(seen: SeenTemplate) -> String {
    match seen {
        SeenTemplate::Own(version) => format!("\"{version}\""),
        SeenTemplate::Shared(version) => format!("\"shared-{version}\""),
        SeenTemplate::BuiltIn => "\"built_in\"".to_owned(),
    }
}

/// The header `If-Match`. A tag that is none of ours, or a weak one, matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IfMatch(pub(crate) Precondition);

impl FromRequest for IfMatch {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let values: Vec<_> = request.headers().get_all("if-match").collect();
        if values.is_empty() {
            return ready(Ok(Self(Precondition::Unconditional)));
        }
        let texts = values.iter().filter_map(|value| value.to_str().ok());
        let tags: Vec<&str> = texts
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        ready(Ok(Self(match tags[..] {
            ["*"] => Precondition::Exists,
            _ => Precondition::OneOf(tags.into_iter().filter_map(seen).collect()),
        })))
    }
}

fn seen(tag: &str) -> Option<SeenTemplate> {
    let tag = tag.strip_prefix('"')?.strip_suffix('"')?;
    let number = |digits: &str| digits.parse().ok().filter(|_| !digits.starts_with('+'));
    match tag.strip_prefix("shared-") {
        Some(version) => number(version).map(SeenTemplate::Shared),
        None if tag == "built_in" => Some(SeenTemplate::BuiltIn),
        None => number(tag).map(SeenTemplate::Own),
    }
}

impl Apiv2Schema for IfMatch {}

impl OperationModifier for IfMatch {
    fn update_parameter(operation: &mut DefaultOperationRaw) {
        operation.parameters.push(Either::Right(Parameter {
            in_: ParameterIn::Header,
            name: "If-Match".to_owned(),
            data_type: Some(DataType::String),
            ..Default::default()
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn condition(values: &[&str]) -> Precondition {
        let mut request = TestRequest::default();
        for value in values {
            request = request.append_header(("If-Match", *value));
        }
        let request = request.to_http_request();
        let IfMatch(condition) = IfMatch::from_request(&request, &mut Payload::None)
            .into_inner()
            .unwrap();
        condition
    }

    #[test]
    fn a_tag_of_an_answer_is_read_back() {
        use SeenTemplate::{BuiltIn, Own, Shared};
        for seen in [Own(7), Shared(3), BuiltIn] {
            assert_eq!(condition(&[&etag(seen)]), Precondition::OneOf(vec![seen]));
        }
        assert_eq!(
            condition(&["\"1\", \"shared-2\"", "\"3\""]),
            Precondition::OneOf(vec![Own(1), Shared(2), Own(3)])
        );
        assert_eq!(condition(&[]), Precondition::Unconditional);
        assert_eq!(condition(&["*"]), Precondition::Exists);
        for none in ["W/\"1\"", "1", "\"x\"", "", "\"+1\"", "\"-1\""] {
            assert_eq!(
                condition(&[none]),
                Precondition::OneOf(Vec::new()),
                "{none}"
            );
        }
    }
}
