//! Samples for tests: change the one field under test.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SubsecRound as _, TimeDelta, Utc};
use domain::access::{ApiKey, ApiKeyId, Author};
use domain::dealers::{Dealer, DealerSettings};
use domain::delivery::{DeliveryPolicy, OnUnknown};
use domain::events::{EventContent, ProviderEvent};
use domain::requests::{MessageId, MessageKind, NewMessage, NewRequest, RequestId, Submission};
use domain::template::{Template, TemplateValues, Templates, VALIDATION, Variables};
use domain::values::{
    AccountPolicy, BodyFingerprint, DealerId, IdempotencyKey, Once, Phone, WebhookToken,
};
use uuid::Uuid;

/// The key of [`dealer`]'s account: invented and invalid.
pub const API_KEY: &str = "kunci-contoh-0009999";

/// The provider's answer to an accepted message, as the documentation shows it.
pub const ANSWER: &str = r#"{"detail":"success! message in queue","id":[142223099],"process":"pending","requestid":369052479,"status":true,"target":["6282148523421"]}"#;

/// A text that no store accepts.
pub const UNSTORABLE: &str = "a\0b";

/// The start of a [`ManualClock`](crate::ManualClock): 08:00 in Jakarta.
#[must_use]
pub fn now() -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(2026, 1, 5)
        .and_then(|day| day.and_hms_opt(1, 0, 0))
        .expect("the date exists")
        .and_utc()
}

/// The example of the API's documentation.
#[must_use]
pub fn submission() -> Submission {
    Submission {
        customer_name: "Adit".into(),
        phone: "082148523421".into(),
        unit_type: "BeAT Street".into(),
        license_plate: "D 123 AD".into(),
        created_time: "31/12/2019 15:40:50".into(),
        modified_time: "31/12/2019 15:40:50".into(),
        dealer_id: "0009999".into(),
        ..Submission::default()
    }
}

/// A provider event with this content.
#[must_use]
pub fn event(content: EventContent) -> ProviderEvent {
    ProviderEvent {
        text: r#"{"device":"628000000001"}"#.to_owned(),
        secrets: Vec::new(),
        content,
    }
}

/// The `n`th of some tokens.
#[must_use]
pub fn webhook_token(n: u32) -> WebhookToken {
    WebhookToken::parse(&format!("invented-token-{n:08}")).expect("it is long enough")
}

/// The number of [`dealer`].
#[must_use]
pub fn dealer_id() -> DealerId {
    parse_dealer_id("0009999")
}

/// The dealer of [`submission`]: active, with a key and the default address.
#[must_use]
pub fn dealer() -> Dealer {
    Dealer {
        id: dealer_id(),
        name: "Dealer Demo".to_owned(),
        active: true,
        api_key: Some(API_KEY.into()),
        api_url: None,
        webhook_secret: None,
        sealed_shut: Vec::new(),
        settings: DealerSettings::default(),
        templates: Templates::default(),
        created_at: Some(morning(2025, 6, 1)),
        updated_at: Some(morning(2025, 6, 2)),
    }
}

/// The number of a dealer other than [`dealer`].
#[must_use]
pub fn dealer_id_numbered(n: u32) -> DealerId {
    parse_dealer_id(&format!("{:07}", 10_000 + n))
}

/// A dealer other than [`dealer`], with an account of its own.
#[must_use]
pub fn dealer_numbered(n: u32) -> Dealer {
    let id = dealer_id_numbered(n);
    Dealer {
        name: format!("Dealer {n}"),
        api_key: Some(format!("kunci-contoh-{id}").into()),
        id,
        ..dealer()
    }
}

/// The request that [`submission`] becomes.
#[must_use]
pub fn new_request() -> NewRequest {
    built(submission(), "Dealer Demo", &dealer_id(), 0)
}

/// The `n`th request of a dealer, with its own ids, which rise with `n`, and its own phone; made `n` seconds
/// after 08:00 on 5 January 2026.
#[must_use]
pub fn request_for(dealer: &DealerId, n: u32) -> NewRequest {
    request_at(
        dealer,
        n,
        morning(2026, 1, 5) + TimeDelta::seconds(n.into()),
    )
}

/// Like [`request_for`], made at a local time of Jakarta.
#[must_use]
pub fn request_at(dealer: &DealerId, n: u32, created: NaiveDateTime) -> NewRequest {
    let submission = Submission {
        customer_name: format!("Pelanggan {n}").into(),
        phone: format!("0812{n:08}").into(),
        dealer_id: dealer.as_str().into(),
        ..submission()
    };
    let mut request = built(submission, "Dealer Demo", dealer, n);
    request.submission.created_time = created;
    request.submission.modified_time = created;
    request
}

/// An idempotency key and its body.
///
/// # Panics
/// When the key is invalid.
#[must_use]
pub fn once(key: &str, body: &str) -> Once {
    Once {
        key: IdempotencyKey::parse(key).expect("the key is well formed"),
        body: BodyFingerprint::of(body),
        alike: None,
    }
}

/// The `n`th API key: invented and invalid.
#[must_use]
pub fn api_key(n: u8) -> ApiKey {
    ApiKey::new(ApiKeyId::new([n; 8]), [n; 32])
}

/// An author with a key and the id of an HTTP request.
#[must_use]
pub fn author() -> Author {
    Author {
        actor: "Kantor pusat".to_owned(),
        key: Some(api_key(7).id()),
        call: Some("call-1".to_owned()),
    }
}

/// The time in a database's precision.
#[must_use]
pub fn whole_micros(moment: DateTime<Utc>) -> DateTime<Utc> {
    moment.trunc_subsecs(6)
}

/// A phone that is not the sample's.
#[must_use]
pub fn another_phone() -> Phone {
    Phone::parse("081200001234").expect("the number is well formed")
}

/// The default policy: `https://api.fonnte.com` only.
#[must_use]
pub fn account_policy() -> AccountPolicy {
    AccountPolicy::new("https://api.fonnte.com/send", &[]).expect("the default address is allowed")
}

/// Short waits without jitter; an unknown outcome is sent once more.
#[must_use]
pub fn policy() -> DeliveryPolicy {
    DeliveryPolicy {
        min_interval: Duration::from_millis(10),
        jitter: Duration::ZERO,
        breaker_open: Duration::from_millis(100),
        retry_base: Duration::from_millis(50),
        on_unknown: OnUnknown::Resend,
        message_ttl: Duration::from_secs(24 * 3_600),
        lease: Duration::from_secs(10),
        send_timeout: Duration::from_secs(5),
        unknown_wait: Duration::from_secs(60),
    }
}

/// 08:00 on a day.
///
/// # Panics
/// When the day does not exist.
#[must_use]
pub fn morning(year: i32, month: u32, day: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|day| day.and_hms_opt(8, 0, 0))
        .expect("the day exists")
}

/// A UUIDv7 that rises with `n` and differs by the first nine bytes of `salt`.
pub(crate) fn uuid(n: u32, salt: &[u8]) -> Uuid {
    let mut random = [0; 10];
    for (byte, salt) in random.iter_mut().skip(1).zip(salt) {
        *byte = *salt;
    }
    let millis = now().timestamp_millis().unsigned_abs() + u64::from(n);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

fn parse_dealer_id(raw: &str) -> DealerId {
    DealerId::parse(raw).expect("the number has 4 to 10 characters")
}

fn built(submission: Submission, dealer_name: &str, dealer: &DealerId, n: u32) -> NewRequest {
    let submission = submission
        .validate(now())
        .expect("the sample keeps all rules");
    let body = Template::validation().render(&TemplateValues {
        customer_name: &submission.customer_name,
        unit_type: &submission.unit_type,
        license_plate: submission.license_plate.as_sent(),
        dealer_name,
        request_time: submission.created_time,
        variables: &Variables::default(),
    });
    NewRequest {
        id: RequestId(uuid(n, dealer.as_str().as_bytes())),
        message: NewMessage {
            // Requests and messages have separate counters and ids.
            id: MessageId(uuid(n, format!("M{dealer}").as_bytes())),
            kind: MessageKind::Live,
            template: VALIDATION.to_owned(),
            template_version: None,
            variables: Variables::default(),
            body,
            not_before: submission.send_at,
            origin: submission.origin.clone(),
        },
        submission,
        once: None,
    }
}
