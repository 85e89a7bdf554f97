//! Fonnte's texts, as documented or recorded.

/// Bad token, recorded form; comes without `requestid`.
pub const INVALID_TOKEN: &str = "invalid token";
/// Bad token, documented form; comes with a capital `Status`.
pub const TOKEN_INVALID: &str = "token invalid";
/// Several tokens of different accounts in one header; comes with a capital `Status`.
pub const DEVICES_OF_MANY_ACCOUNTS: &str = "devices must belong to an account";
/// The device is offline and `connectOnly` is true.
pub const DISCONNECTED_DEVICE: &str = "request invalid on disconnected device";
/// The quota is used up.
pub const INSUFFICIENT_QUOTA: &str = "insufficient quota";
/// Bad target, documented form.
pub const TARGET_INVALID: &str = "target invalid";
/// Bad target, recorded form.
pub const TARGET_INPUT_INVALID: &str = "target input invalid";
/// No target was given; `/validate` only.
pub const TARGET_REQUIRED: &str = "target required";
/// A parameter has an invalid value.
pub const INPUT_INVALID: &str = "input invalid";
/// The body cannot be decoded, or `target` or `message` is empty.
pub const INVALID_BODY_VALUE: &str = "invalid/empty body value";
/// `data` is not JSON.
pub const JSON_FORMAT_INVALID: &str = "JSON format invalid";
/// `inboxid` does not exist.
pub const UNKNOWN_INBOX_ID: &str = "unknown inbox id";
/// The attachment's address cannot be public.
pub const URL_INVALID: &str = "url invalid";
/// The attachment's address does not answer; only on demand, because nothing is fetched.
pub const URL_UNREACHABLE: &str = "url unreachable";
/// The attachment's type is not supported.
pub const FILE_FORMAT_NOT_SUPPORTED: &str = "file format not supported";
/// The attachment is larger than 10 MB, whatever the text says.
pub const FILE_TOO_LARGE: &str = "file size must under 4MB";
/// Reported once, of unclear meaning; on demand only.
pub const INVALID_MESSAGE_REQUEST: &str = "invalid message request";
/// No message of the device has this id; `/delete-message` only.
pub const INVALID_MESSAGE_ID: &str = "invalid message id";
/// The message is being sent; `/delete-message` only.
pub const CANNOT_DELETE_PROCESSING: &str = "cannot delete message with status processing";
/// The answer of `/status` to a valid token.
pub const STATUS_DEPRECATED: &str =
    "this API is deprecated, use webhook update message status instead";
/// `/disconnect` of a device that is offline, under `detail`.
pub const ALREADY_DISCONNECTED: &str = "device already disconnected";

/// Every known reason of `/send`.
pub const OF_SEND: [&str; 16] = [
    TOKEN_INVALID,
    INVALID_TOKEN,
    DEVICES_OF_MANY_ACCOUNTS,
    DISCONNECTED_DEVICE,
    INSUFFICIENT_QUOTA,
    TARGET_INVALID,
    TARGET_INPUT_INVALID,
    INPUT_INVALID,
    INVALID_BODY_VALUE,
    JSON_FORMAT_INVALID,
    UNKNOWN_INBOX_ID,
    URL_INVALID,
    URL_UNREACHABLE,
    FILE_FORMAT_NOT_SUPPORTED,
    FILE_TOO_LARGE,
    INVALID_MESSAGE_REQUEST,
];
