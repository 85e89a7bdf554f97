//! Parses a request's body in any of its three forms.

use futures_util::stream;
use hyper::body::Bytes;
use serde_json::Value;

use crate::message::BodyForm;

/// The parsed body.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) form: BodyForm,
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) file: Option<Upload>,
}

/// An uploaded file; its content is not kept.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) size: usize,
}

/// The body could not be decoded, or a JSON field has the wrong type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Undecodable;

const TEXTS: [&str; 12] = [
    "target",
    "message",
    "url",
    "filename",
    "delay",
    "countryCode",
    "location",
    "choices",
    "select",
    "pollname",
    "data",
    "id",
];
const NUMBERS: [&str; 4] = ["schedule", "followup", "duration", "inboxid"];
const TRUTHS: [&str; 4] = ["typing", "connectOnly", "sequence", "preview"];

impl Fields {
    /// A field that is present and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

pub(crate) async fn parse(content_type: Option<&str>, body: Bytes) -> Result<Fields, Undecodable> {
    let content_type = content_type.unwrap_or_default();
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => {
            let pairs = serde_urlencoded::from_bytes(&body).map_err(|_| Undecodable)?;
            Ok(Fields {
                form: BodyForm::Form,
                pairs,
                file: None,
            })
        }
        "multipart/form-data" => parse_multipart(content_type, body).await,
        "application/json" => parse_json(&body),
        // A call without parameters may lack a body.
        "" if body.is_empty() => Ok(Fields {
            form: BodyForm::Form,
            pairs: Vec::new(),
            file: None,
        }),
        _ => Err(Undecodable),
    }
}

async fn parse_multipart(content_type: &str, body: Bytes) -> Result<Fields, Undecodable> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| Undecodable)?;
    let whole = stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut fields = Fields {
        form: BodyForm::Multipart,
        pairs: Vec::new(),
        file: None,
    };
    while let Some(part) = parts.next_field().await.map_err(|_| Undecodable)? {
        let name = part.name().ok_or(Undecodable)?.to_owned();
        let file_name = part.file_name().map(str::to_owned);
        let content = part.bytes().await.map_err(|_| Undecodable)?;
        match file_name {
            Some(file_name) if name == "file" => {
                fields.file = Some(Upload {
                    name: file_name,
                    size: content.len(),
                });
            }
            _ => {
                let text = std::str::from_utf8(&content).map_err(|_| Undecodable)?;
                fields.pairs.push((name, text.to_owned()));
            }
        }
    }
    Ok(fields)
}

/// Every known field must have its own type; one wrong type fails the whole body.
fn parse_json(body: &[u8]) -> Result<Fields, Undecodable> {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
        return Err(Undecodable);
    };
    let mut pairs = Vec::with_capacity(members.len());
    for (name, value) in members {
        let known = name.as_str();
        let text = match value {
            Value::Null => continue,
            Value::String(text) if !NUMBERS.contains(&known) && !TRUTHS.contains(&known) => text,
            Value::Bool(truth) if !NUMBERS.contains(&known) && !TEXTS.contains(&known) => {
                truth.to_string()
            }
            Value::Number(number)
                if !TEXTS.contains(&known)
                    && !TRUTHS.contains(&known)
                    && (number.is_i64() || !NUMBERS.contains(&known)) =>
            {
                number.to_string()
            }
            other if is_known(known) => {
                drop(other);
                return Err(Undecodable);
            }
            other => other.to_string(),
        };
        pairs.push((name, text));
    }
    Ok(Fields {
        form: BodyForm::Json,
        pairs,
        file: None,
    })
}

fn is_known(name: &str) -> bool {
    TEXTS.contains(&name) || NUMBERS.contains(&name) || TRUTHS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(body: &str) -> Result<Fields, Undecodable> {
        parse_json(body.as_bytes())
    }

    #[test]
    fn json_is_taken_only_with_the_exact_types() {
        for good in [
            r#"{"target":"628000000042","message":"Hi"}"#,
            r#"{"inboxid":12345}"#,
            r#"{"typing":false}"#,
            r#"{"target":null}"#,
            r#"{"unknown":{"a":[1]},"other":1.5}"#,
        ] {
            assert!(json(good).is_ok(), "{good}");
        }
        for bad in [
            r#"{"inboxid":"12345"}"#,
            r#"{"inboxid":""}"#,
            r#"{"typing":"false"}"#,
            r#"{"delay":5}"#,
            r#"{"schedule":1.5}"#,
            r#"{"target":628000000042}"#,
            r#"{"message":["Hi"]}"#,
            r#"{"connectOnly":1}"#,
            "[]",
            "{",
            "",
        ] {
            assert_eq!(json(bad).err(), Some(Undecodable), "{bad}");
        }
    }
}
