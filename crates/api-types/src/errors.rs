//! What is said when something is not answered with what it asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Text, discreet};

/// The body of every error but 422.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ErrorReply {
    /// What went wrong.
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// The HTTP status.
    #[schemars(range(min = 400, max = 599), example = 404)]
    pub code: u16,
    /// A sentence for a person.
    #[schemars(example = &"Not Found")]
    pub message: Text,
    /// A name that programs can rely on.
    #[serde(rename = "type")]
    #[schemars(example = &"NotFound")]
    pub kind: Text,
}

impl ErrorReply {
    /// An error with this status, this name and this sentence.
    #[must_use]
    pub fn new(code: u16, kind: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self {
            error: ErrorBody {
                code,
                message: message.into(),
                kind: kind.into(),
            },
        }
    }
}

/// The body of a 422.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ValidationReply {
    /// For every faulty field its first broken rule, in field order.
    #[schemars(length(min = 1))]
    pub detail: Vec<FaultBody>,
}

/// One broken rule.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaultBody {
    /// The kind of fault, a name that programs can rely on.
    #[serde(rename = "type")]
    #[schemars(example = &"string_too_short")]
    pub kind: Text,
    /// Where it is: `body`, `query` or `header`, then the field; of a body that is not JSON, the
    /// character, counted from 0; of a whole body, `body` alone.
    #[schemars(length(min = 1, max = 3), extend("example" = ["body", "noTelp"]))]
    pub loc: Vec<Place>,
    /// A sentence for a person.
    #[schemars(example = &"String should have at least 8 characters")]
    pub msg: String,
    /// The offending value, whatever it is; null where there is none, an empty object where the
    /// body is not JSON.
    #[schemars(extend("nullable" = true), example = &"123")]
    pub input: Value,
    /// The limit that was broken, or why the body is not JSON; absent where there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "serde_json::Map<String, Value>", extend("example" = { "min_length": 8 }))]
    pub ctx: Option<Value>,
}

discreet!(FaultBody, kind, loc, msg);

/// A place in a body, query, path or header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Place {
    /// A field, by name.
    Name(Text),
    /// A character or a row, counted from 0.
    At(usize),
}
