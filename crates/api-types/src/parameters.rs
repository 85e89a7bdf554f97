//! Parameters of paths and query strings. Values of a query are texts to the service, which tells what is
//! wrong with each; here they have the types that are sent.

use domain::template::MAX_NAME_CHARACTERS;
use domain::values::{IdempotencyKey, SEARCH_CHARACTERS};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::patterns::{KEY_ID, TEMPLATE_NAME, VISIBLE};
use crate::requests::DEALER_ID;
use crate::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};

/// Which page of a list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct PageQuery {
    /// The page, from 1. A page past the end is empty, however large its number.
    #[schemars(range(min = 1, max = i64::MAX), extend("default" = 1), example = 1)]
    pub page: Option<u64>,
    /// How many entries a page has at most.
    #[schemars(range(min = 1, max = MAX_PAGE_SIZE), extend("default" = DEFAULT_PAGE_SIZE), example = DEFAULT_PAGE_SIZE)]
    pub page_size: Option<u32>,
}

/// Which requests of a dealer to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ListQuery {
    /// Which page of them.
    #[serde(flatten)]
    pub page: PageQuery,
    /// Which of them.
    #[serde(flatten)]
    pub filter: ExportQuery,
    /// Where to go on: the `next_cursor` of a page of the same dealer with the same dates, statuses and
    /// `q`; any other is a 422. `page` is ignored then, whatever it is. Empty is as if absent.
    #[schemars(example = &"000b3fc9000033412d6b3a0023f164116eb24829a9649ad1f0e0cc224f1c9a0e7d52b8834466aa01")]
    pub cursor: Option<String>,
}

/// Which days to count.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct RangeQuery {
    /// The first day of `request_date`, strictly `YYYY-MM-DD`; empty is as if absent. After `date_to`,
    /// nothing is found.
    #[schemars(extend("format" = "date"), example = &"2019-12-01")]
    pub date_from: Option<String>,
    /// The last day of `request_date`, strictly `YYYY-MM-DD`; empty is as if absent.
    #[schemars(extend("format" = "date"), example = &"2019-12-31")]
    pub date_to: Option<String>,
}

/// Which requests of a dealer to write into a file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ExportQuery {
    /// Their days.
    #[serde(flatten)]
    pub range: RangeQuery,
    /// Only requests with one of these, separated by commas: `PENDING`, `PROCESSED`, `FAILED`; empty is as
    /// if absent.
    #[schemars(regex(pattern = "^((PENDING|PROCESSED|FAILED)(,(PENDING|PROCESSED|FAILED))*)?$"), example = &"PENDING,FAILED")]
    pub request_status: Option<String>,
    /// Only requests with one of these, separated by commas: `NOT_SENT`, `SENT`, `DELIVERED`, `READ`,
    /// `FAILED`, `ERROR`; empty is as if absent.
    #[schemars(regex(pattern = "^((NOT_SENT|SENT|DELIVERED|READ|FAILED|ERROR)(,(NOT_SENT|SENT|DELIVERED|READ|FAILED|ERROR))*)?$"), example = &"SENT,DELIVERED,READ")]
    pub whatsapp_status: Option<String>,
    /// Only requests in which this is a part of the name, the plate or the phone: 3 to 100 characters, in
    /// any case, whatever stands between the groups of a plate or a phone; `+62` and `62` at the front of a
    /// phone are its `0`. Empty is as if absent.
    #[schemars(length(max = SEARCH_CHARACTERS.1), regex(pattern = r"^([^\x00-\x1f\x7f-\x9f]{3,100})?$"), example = &"D 123")]
    pub q: Option<String>,
}

/// Which days to tell about.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct AnalyticsQuery {
    /// The first day of `request_date`, strictly `YYYY-MM-DD`; absent or empty: 29 days before the last one.
    /// After `date_to`, there are no buckets. At most 1,000 buckets, and hours for at most 31 days.
    #[schemars(extend("format" = "date"), example = &"2026-11-01")]
    pub date_from: Option<String>,
    /// The last day of `request_date`, strictly `YYYY-MM-DD`; absent or empty: today in Jakarta.
    #[schemars(extend("format" = "date"), example = &"2026-11-30")]
    pub date_to: Option<String>,
    /// What is counted together: `hour`, `day`, `week` (from Monday on) or `month`; absent or empty: `day`.
    #[schemars(regex(pattern = "^(hour|day|week|month)?$"), extend("default" = "day"), example = &"day")]
    pub bucket: Option<String>,
}

/// Which lines of the audit to show.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct AuditQuery {
    /// How many entries a page has at most.
    #[schemars(range(min = 1, max = MAX_PAGE_SIZE), extend("default" = DEFAULT_PAGE_SIZE), example = DEFAULT_PAGE_SIZE)]
    pub page_size: Option<u32>,
    /// The `next_cursor` of the page before; absent or empty: the first page.
    #[schemars(example = &"4d2")]
    pub cursor: Option<String>,
}

/// Which part of a list to show: of replies, opt-outs, endpoints, deliveries.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ReplyListQuery {
    /// How many entries a page has at most.
    #[schemars(range(min = 1, max = MAX_PAGE_SIZE), extend("default" = DEFAULT_PAGE_SIZE), example = DEFAULT_PAGE_SIZE)]
    pub page_size: Option<u32>,
    /// The `next_cursor` of the page before; absent or empty: the first page.
    #[schemars(example = &"4d2")]
    pub cursor: Option<String>,
}

/// The parameters of all paths.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PathParameters {
    /// The id of a request, a UUID, with or without hyphens, in any case. What is no UUID is an id that no
    /// request has.
    #[schemars(extend("format" = "uuid"), example = &"23f16411-6eb2-4829-a964-9ad1f0e0cc22")]
    pub request_id: String,
    /// A dealer's number, 4 to 10 characters. What cannot be one is a number that no dealer has.
    #[schemars(length(min = DEALER_ID.0, max = DEALER_ID.1), example = &"0009999")]
    pub dealer_id: String,
    /// The public part of a key, 16 lower-case hexadecimal digits. What is none is an id that no key has.
    #[schemars(regex(pattern = KEY_ID), example = &"3f9c1a7be2d40586")]
    pub key_id: String,
    /// The name of a template: 1 to 50 of `a` to `z`, digits, `_` and `-`.
    #[schemars(length(min = 1, max = MAX_NAME_CHARACTERS), regex(pattern = TEMPLATE_NAME), example = &"servis")]
    pub name: String,
    /// A phone, an Indonesian mobile number written as people write them. What is none is opted out nowhere.
    #[schemars(example = &"082148523421")]
    pub phone: String,
    /// The id of an endpoint, a UUID. What is no UUID is an id that no endpoint has.
    #[schemars(extend("format" = "uuid"), example = &"5b0f6a0e-6f52-4c7e-8a52-0f3a7c1d9b21")]
    pub endpoint_id: String,
    /// The id of a delivery, a UUID. What is no UUID is an id that no delivery has.
    #[schemars(extend("format" = "uuid"), example = &"0b9d4b0e-8d0f-4f0b-9f59-3a51a5d6c1f7")]
    pub delivery_id: String,
    /// The unguessable part of the dealer's address.
    #[schemars(length(min = 16, max = 128), regex(pattern = "^[A-Za-z0-9_-]{16,128}$"), example = &"invented-token-00000001")]
    pub token: String,
}

/// The headers that callers may send.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct HeaderParameters {
    /// The caller's own id for this call; it comes back with the answer and stands in the log. Any other
    /// than 1 to 128 visible ASCII characters is replaced by a new one, and so is one in which a phone
    /// number stands, unless it is a UUID.
    #[serde(rename = "X-Request-Id")]
    #[schemars(example = &"4b1c6a52-3d1f-4a5c-9d4e-0f6a7b8c9d0e")]
    pub request_id: Option<String>,
    /// `return=representation` puts what was stored into `data` of a single submission, `return=minimal` leaves
    /// stored rows out of the answer to a bulk call (RFC 7240). Of several preferences of that name the first
    /// counts; every other preference is ignored.
    #[serde(rename = "Prefer")]
    #[schemars(example = &"return=representation")]
    pub prefer: Option<String>,
    /// The caller's own name for this submission, different for every other one of the same dealer: 1 to
    /// 255 visible ASCII characters. For 24 hours the same key with the same body, that is the same JSON
    /// value, is answered as the first time, with `Idempotent-Replayed: true`, and nothing is stored or
    /// sent. White space and the order of members do not matter, and `Prefer` may differ. Only answers that
    /// stored something are kept. Of a bulk call it has at most 240 characters: row `n` counts as sent under
    /// `KEY/n`, whatever the form of the rows is, and is the same when its values are.
    #[serde(rename = "Idempotency-Key")]
    #[schemars(length(min = 1, max = IdempotencyKey::MAX), regex(pattern = VISIBLE), example = &"4b1c6a52-3d1f-4a5c-9d4e-0f6a7b8c9d0e")]
    pub idempotency_key: Option<String>,
    /// Makes the change only while one of these is in force: the `ETag` of the template as it was read, so
    /// that nobody else's version is written over. `*`: any template of that name.
    #[serde(rename = "If-Match")]
    #[schemars(example = &"\"3\"")]
    pub if_match: Option<String>,
}
