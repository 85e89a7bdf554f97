//! Forms of texts, as regular expressions of ECMAScript.

/// No control character, and something that is seen: `domain::values::is_blank` is its opposite.
pub(crate) const SEEN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb][^\u0000-\u001f\u007f-\u009f]*$";

/// No control character.
pub(crate) const NO_CONTROL: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// An Indonesian mobile number, written as people write it; see `domain::values::Phone`.
pub(crate) const PHONE: &str = r"^[\s().-]*((\+|0[\s().-]*0)?[\s().-]*6[\s().-]*2|0)?[\s().-]*8([\s().-]*[0-9]){8,11}[\s().-]*$";

/// `DD/MM/YYYY HH:mm:ss`; see `domain::values::parse_local_time`.
pub(crate) const SUBMITTED_TIME: &str = "^(0?[1-9]|[12][0-9]|3[01])/(0?[1-9]|1[0-2])/([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9]) ([01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9]$";

/// `HH:mm:ss`, with six more digits when there is a fraction.
pub(crate) const TIME: &str = r"^[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?$";

/// A local date and time without a zone.
pub(crate) const DATE_TIME: &str =
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?$";

/// A time of day, `HH:MM`.
pub(crate) const TIME_OF_DAY: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";

/// The public part of a key.
pub(crate) const KEY_ID: &str = "^[0-9a-f]{16}$";

/// Visible ASCII characters.
pub(crate) const VISIBLE: &str = "^[!-~]+$";

/// The name of a template; see `domain::template::TemplateName`.
pub(crate) const TEMPLATE_NAME: &str = "^[a-z0-9_-]{1,50}$";

/// The text of a template, but for what is blank and how many variables it has; see
/// `domain::template::Template::parse`.
pub(crate) const TEMPLATE_TEXT: &str = r"^([^{}\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\{\{|\}\}|\{(customer_name|unit_type|license_plate|dealer_name|request_date|request_time|var\.[a-z][a-z0-9_]{0,15}(\|[^{}\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]{0,100})?)\})+$";
