//! Many submissions of one call.

use domain::values::DealerId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::requests::DEALER_ID;
use crate::{FaultBody, QueueData, SubmissionBody, Text};

/// The most rows of a bulk call.
pub const MAX_ROWS: usize = 10_000;

/// The most characters of an `Idempotency-Key` of a bulk call, which the numbers of rows are added to.
pub const MAX_BULK_KEY: usize = 240;

/// The most dealers whose queues are told.
pub const MAX_QUEUES: usize = 20;

/// A row: the fields of a single submission, and a key of its own.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RowBody {
    /// The fields of a single submission.
    #[serde(flatten)]
    pub submission: SubmissionBody,
    /// The caller's own name for this row, as `Idempotency-Key` of a single submission; it wins over the
    /// header's.
    #[serde(rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), example = &"SPK-2026-000123")]
    pub idempotency_key: Option<String>,
}

impl std::fmt::Debug for RowBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.submission.fmt(f)
    }
}

/// The rows of a bulk call, at most 10,000 and 8 MiB.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct BulkBody(#[schemars(length(max = MAX_ROWS))] pub Vec<RowBody>);

/// The answer to a bulk call.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct BulkReply {
    /// 0 where no row was stored, else 1.
    #[schemars(extend("enum" = [1, 0]))]
    pub status: u8,
    /// How many rows were stored, in Indonesian.
    pub message: BulkMessage,
    /// What became of the rows.
    pub data: BulkData,
}

/// How many rows were stored. One of the two is there, as `status` says.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct BulkMessage {
    /// With `status` 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", example = &"998 dari 1000 data berhasil disimpan")]
    pub confirmation: Option<String>,
    /// With `status` 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", example = &"0 dari 2 data berhasil disimpan")]
    pub error: Option<String>,
}

/// What became of the rows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct BulkData {
    /// How many rows are stored, those that were before included.
    #[schemars(example = 998)]
    pub accepted: usize,
    /// How many were not stored.
    #[schemars(example = 2)]
    pub rejected: usize,
    /// Every row; with `Prefer: return=minimal` those that were not stored.
    #[schemars(length(max = MAX_ROWS))]
    pub items: Vec<BulkItem>,
    /// How many of the accepted were stored before, under the same key.
    #[schemars(example = 0)]
    pub replayed: usize,
    /// The queues of the dealers concerned, as far as they could be asked in time: until when the last message
    /// has left.
    #[schemars(length(max = MAX_QUEUES))]
    pub queues: Vec<DealerQueue>,
    /// True in a dry run, else absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool", extend("enum" = [true]))]
    pub dry_run: Option<bool>,
}

/// What became of a row: `request_id` where it is stored, `errors` where fields break rules, else `error`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct BulkItem {
    /// Its number, from 1; a table's header, blank lines and rows of empty cells do not count.
    #[schemars(range(min = 1, max = MAX_ROWS), example = 1)]
    pub row: usize,
    /// 1: stored. 0: not stored.
    #[schemars(extend("enum" = [1, 0]))]
    pub status: u8,
    /// The request that it is stored as; null in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "uuid"), example = &"23f16411-6eb2-4829-a964-9ad1f0e0cc22")]
    pub request_id: Option<Option<String>>,
    /// True where it was stored before, under the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool", extend("enum" = [true]))]
    pub replayed: Option<bool>,
    /// For every faulty field its first broken rule, as for a single submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<FaultBody>")]
    pub errors: Option<Vec<FaultBody>>,
    /// Why it was not stored, otherwise; where a single submission is answered in Indonesian, so is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", example = &"Dealer tidak ditemukan atau tidak aktif")]
    pub error: Option<Text>,
    /// A name that programs can rely on, for errors that have one. `Unavailable` and
    /// `IdempotencyKeyInProgress`: the same row may be stored when it is sent again. `NotStorable`: the
    /// database can never store this row. `IdempotencyKeyReused`: its key stands for another row.
    /// `ForeignDealer`: the API key is not for its dealer.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", example = &"IdempotencyKeyReused")]
    pub kind: Option<Text>,
}

impl BulkItem {
    /// The type of a row that could not be stored now.
    pub const UNAVAILABLE: &str = "Unavailable";

    /// The type of a row that the database can never store.
    pub const NOT_STORABLE: &str = "NotStorable";

    /// The type of a row whose key another call is storing just now.
    pub const KEY_IN_PROGRESS: &str = "IdempotencyKeyInProgress";

    /// Whether the same row may be stored when it is sent again.
    #[must_use]
    pub fn may_be_stored_later(&self) -> bool {
        matches!(
            self.kind.as_deref(),
            Some(Self::UNAVAILABLE | Self::KEY_IN_PROGRESS)
        )
    }

    /// A row of which nothing is known yet.
    const fn of(row: usize, status: u8) -> Self {
        Self {
            row,
            status,
            request_id: None,
            replayed: None,
            errors: None,
            error: None,
            kind: None,
        }
    }

    /// A row that is stored as this request, or, without one, would be.
    #[must_use]
    pub fn stored(row: usize, request_id: Option<String>, replayed: bool) -> Self {
        Self {
            request_id: Some(request_id),
            replayed: replayed.then_some(true),
            ..Self::of(row, 1)
        }
    }

    /// A row whose fields break rules.
    #[must_use]
    pub fn invalid(row: usize, errors: Vec<FaultBody>) -> Self {
        Self {
            errors: Some(errors),
            ..Self::of(row, 0)
        }
    }

    /// A row that is refused otherwise.
    #[must_use]
    pub fn refused(row: usize, error: Text, kind: Option<Text>) -> Self {
        Self {
            error: Some(error),
            kind,
            ..Self::of(row, 0)
        }
    }
}

/// The queue of a dealer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DealerQueue {
    /// The dealer's number.
    #[schemars(length(min = DEALER_ID.0, max = DEALER_ID.1), example = &"0009999")]
    pub dealer_id: String,
    /// What waits to be sent for it.
    #[serde(flatten)]
    pub queue: QueueData,
}

impl DealerQueue {
    /// The queue of this dealer.
    #[must_use]
    pub fn new(dealer: &DealerId, queue: QueueData) -> Self {
        Self {
            dealer_id: dealer.as_str().to_owned(),
            queue,
        }
    }
}

/// How to take the rows of a bulk call in.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct BulkQuery {
    /// `true` checks everything and stores nothing; the answer is the same, with `request_id` null. Empty is as
    /// if absent.
    #[schemars(extend("default" = false), example = true)]
    pub dry_run: Option<bool>,
    /// The dealer of rows that name none. A key that belongs to one dealer is its own default. Empty is as if
    /// absent.
    #[schemars(length(min = DEALER_ID.0, max = DEALER_ID.1), example = &"0009999")]
    pub dealer_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_have_the_keys_that_belong_to_them() {
        let text = |item: &BulkItem| serde_json::to_string(item).unwrap();
        assert_eq!(
            text(&BulkItem::stored(1, Some("i".into()), false)),
            r#"{"row":1,"status":1,"request_id":"i"}"#
        );
        assert_eq!(
            text(&BulkItem::stored(1, Some("i".into()), true)),
            r#"{"row":1,"status":1,"request_id":"i","replayed":true}"#
        );
        assert_eq!(
            text(&BulkItem::stored(1, None, false)),
            r#"{"row":1,"status":1,"request_id":null}"#
        );
        assert_eq!(
            text(&BulkItem::refused(3, "Dealer".into(), None)),
            r#"{"row":3,"status":0,"error":"Dealer"}"#
        );
        assert_eq!(
            text(&BulkItem::refused(3, "Used".into(), Some("Kind".into()))),
            r#"{"row":3,"status":0,"error":"Used","type":"Kind"}"#
        );
        for (kind, later) in [
            (None, false),
            (Some("Unavailable"), true),
            (Some("IdempotencyKeyInProgress"), true),
            (Some("NotStorable"), false),
            (Some("IdempotencyKeyReused"), false),
        ] {
            let item = BulkItem::refused(3, "Gagal".into(), kind.map(Text::from));
            assert_eq!(item.may_be_stored_later(), later, "{kind:?}");
        }
        let item = BulkItem::invalid(2, Vec::new());
        assert_eq!(text(&item), r#"{"row":2,"status":0,"errors":[]}"#);
        let back: BulkItem = serde_json::from_str(&text(&item)).unwrap();
        assert_eq!(text(&back), text(&item));
    }
}
