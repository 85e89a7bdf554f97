//! Templates of messages.

use domain::template::{FONNTE_CHARACTERS, MAX_TEMPLATE_CHARACTERS, TemplateOrigin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::patterns::{TEMPLATE_NAME, TEMPLATE_TEXT};
use crate::{SubmissionSample, Text, discreet, reply};

/// The most requests that a preview reads.
pub const MAX_RECENT: u32 = 50;

reply! {
    /// The templates that are in force.
    TemplatesReply(Vec<TemplateItem>, "The templates, by name."), example = &"Found 1 template"
}

reply! {
    /// A template with its versions.
    TemplateReply(TemplateData, "The template."), extend("enum" = ["Template found"])
}

reply! {
    /// A template that was saved.
    SavedTemplateReply(SavedTemplateData, "The template as it is in force now."), extend("enum" = ["Template saved"])
}

reply! {
    /// A template that was removed.
    RemovedTemplateReply(Option<TemplateData>, "What its name means now: the shared or the built-in template; null: nothing."), extend("enum" = ["Template removed"])
}

reply! {
    /// How messages of a text would read; or what is wrong with it, and where.
    PreviewReply(PreviewData, "The preview."), extend("enum" = ["Template rendered"])
}

/// A template as it is in force.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TemplateItem {
    /// The name.
    #[schemars(regex(pattern = TEMPLATE_NAME), example = &"servis")]
    pub name: String,
    /// `dealer`: the dealer's own. `shared`: head office's, for all dealers. `built_in`: this program's.
    #[schemars(extend("enum" = TemplateOrigin::ALL.map(TemplateOrigin::as_str)), example = &"dealer")]
    pub origin: Text,
    /// The newest version; null for the built-in one.
    #[schemars(range(min = 1), example = 3)]
    pub version: Option<u32>,
    /// The name of the key of whoever wrote it; null for the built-in one.
    #[schemars(example = &"Kantor pusat")]
    pub author: Option<String>,
    /// When it was written, RFC 3339 in UTC; null for the built-in one.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub created_at: Option<String>,
    /// The names of its variables.
    #[schemars(extend("example" = ["km"]))]
    pub variables: Vec<String>,
}

/// A template with its text and its versions.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TemplateData {
    /// The template.
    #[serde(flatten)]
    pub template: TemplateItem,
    /// The newest text.
    #[schemars(example = &"Halo {customer_name}, unit {unit_type} dicatat pada {var.km|belum dicatat} km.")]
    pub body: String,
    /// Its versions, newest first, at most 1,000; none of the built-in one. A number is never used again.
    pub versions: Vec<TemplateVersionItem>,
}

/// A version of a template, which is never changed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TemplateVersionItem {
    /// The number, from 1.
    #[schemars(range(min = 1), example = 3)]
    pub version: u32,
    /// The text.
    #[schemars(example = &"Halo {customer_name}, unit {unit_type} dicatat pada {var.km|belum dicatat} km.")]
    pub body: String,
    /// The name of the key of whoever wrote it.
    #[schemars(example = &"Kantor pusat")]
    pub author: String,
    /// When it was written, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub created_at: String,
}

/// A template that was saved, and what its author should know.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SavedTemplateData {
    /// The template.
    #[serde(flatten)]
    pub template: TemplateData,
    /// Sentences: that the longest possible message is longer than WhatsApp shows (values counted at their
    /// greatest lengths), or that a variable stands at the very beginning or end.
    #[schemars(extend("example" = []))]
    pub warnings: Vec<String>,
}

/// The text of a template.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TemplateBody {
    /// `{customer_name}`, `{unit_type}`, `{license_plate}`, `{dealer_name}`, `{request_date}`,
    /// `{request_time}` and, for variables, `{var.km}` or `{var.km|default}` are replaced by values; `{{` and
    /// `}}` are literal braces, anything else in braces is refused. At most 20 variables, whose names are a
    /// letter of `a` to `z` and up to 15 more of these, digits and `_`; a default has at most 100 characters.
    #[schemars(length(min = 1, max = MAX_TEMPLATE_CHARACTERS), regex(pattern = TEMPLATE_TEXT), example = &"Halo {customer_name}, unit {unit_type} dicatat pada {var.km|belum dicatat} km.")]
    pub body: String,
}

/// A text to be tried out.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct PreviewBody {
    /// The text, see `TemplateBody`.
    #[schemars(example = &"Halo {customer_name}, unit {unit_type} dicatat pada {var.km|belum dicatat} km.")]
    pub body: String,
    /// Values to show it with, as a submission has them; what is absent is that of the example of a
    /// submission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<SubmissionSample>,
    /// Also on how many of the dealer's newest requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = MAX_RECENT), example = 20)]
    pub recent: Option<u32>,
}

discreet!(PreviewBody);

/// How messages of a text would read. Nothing is stored.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct PreviewData {
    /// With the sample; a variable without text and default shows as `[km]`. Null where the text has faults.
    #[schemars(example = &"Halo Adit, unit BeAT Street dicatat pada belum dicatat km.")]
    pub text: Option<String>,
    /// Its length in Unicode characters.
    #[schemars(range(max = FONNTE_CHARACTERS), example = 58)]
    pub characters: Option<usize>,
    /// What is wrong with the text, in its order; at most 100.
    pub faults: Vec<TemplateFaultItem>,
    /// As when it is saved.
    #[schemars(extend("example" = []))]
    pub warnings: Vec<String>,
    /// The names of its variables.
    #[schemars(extend("example" = ["km"]))]
    pub variables: Vec<String>,
    /// The newest requests, newest first; only with `recent`. Requests of erased persons, and rows of other
    /// programs that lack a value, are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renderings: Option<Vec<RenderingItem>>,
}

discreet!(PreviewData);

/// A fault of a template.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TemplateFaultItem {
    /// Where, in Unicode characters from 0; 0 where it is about the whole text.
    #[schemars(example = 5)]
    pub position: usize,
    /// What.
    #[schemars(example = &"unknown place {nama} at character 5")]
    pub message: String,
}

/// How the message of a request would read.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RenderingItem {
    /// The id of the request.
    #[schemars(extend("format" = "uuid"), example = &"23f16411-6eb2-4829-a964-9ad1f0e0cc22")]
    pub request_id: String,
    /// The text.
    #[schemars(example = &"Halo Adit, unit BeAT Street dicatat pada 12.000 km.")]
    pub text: String,
    /// Its length in Unicode characters.
    #[schemars(example = 51)]
    pub characters: usize,
    /// Whether its newest message has another text; null where it has no message.
    #[schemars(example = true)]
    pub differs: Option<bool>,
}

discreet!(RenderingItem, request_id);
