//! Promises of [`PersonalData`](domain::ports::PersonalData) about other rows that mention a person.

use domain::access::{Access, Action, AuditEntry, Author, KeyName, Scope};
use domain::delivery::{LaneChange, MessageChange};
use domain::persons::ERASED;
use domain::ports::{Accepted, NewApiKey};
use domain::requests::{MessageState, NewRequest, Origin};

use super::acts::{HOUR, LEASE, READY, to_recover, to_send, unknown};
use super::persons::{assert_erased, erase, phone_of, queued};
use super::{OldRow, Stage};
use crate::sample;

/// Failures are counted by reason; phones are never stored there.
pub async fn a_reason_keeps_its_words_and_loses_its_person(stage: &Stage) {
    let words = [
        ("invalid token", "invalid token"),
        ("+62 812-0000-0002 is on a list", "+[nomor] is on a list"),
        (
            "HTTP 502: (0812) 0000.0003, 1234567",
            "HTTP 502: ([nomor], 1234567",
        ),
        (
            "PELANGGAN 4 (D123AD) is unknown",
            "[dihapus] ([dihapus]) is unknown",
        ),
        ("Pelanggan is unknown", "[dihapus] is unknown"),
    ];
    for (n, (reason, left)) in (1..).zip(words) {
        let request = stage.queue(&sample::dealer_id(), n).await;
        let claim = stage.claim().await;
        let change = MessageChange::Failed {
            reason: reason.to_owned(),
        };
        stage.settle_now(&claim, change, READY).await;
        erase(stage, &phone_of(n)).await;
        let message = stage.message(request.id).await;
        assert_eq!(message.reason.as_deref(), Some(left));
    }
}

/// The lane stays blocked, with a reason.
pub async fn why_a_lane_is_blocked_does_not_name_an_erased_person(stage: &Stage) {
    let dealer = sample::dealer();
    stage.backstage.add_dealer(&dealer).await;
    queued(stage).await;
    let claim = stage.claim().await;
    stage
        .settle_now(&claim, MessageChange::Requeued, blocked_for("Pelanggan 1"))
        .await;
    erase(stage, &phone_of(2)).await;
    assert_eq!(
        block_reason(stage).await.as_deref(),
        Some("no token for Pelanggan 1")
    );
    erase(stage, &phone_of(1)).await;
    assert_eq!(
        block_reason(stage).await.as_deref(),
        Some("no token for [dihapus]")
    );
    // A call that was in flight meanwhile.
    let dealer = sample::dealer_id_numbered(1);
    stage
        .backstage
        .add_dealer(&sample::dealer_numbered(1))
        .await;
    let request = stage.queue(&dealer, 3).await;
    let claim = stage.claim().await;
    erase(stage, &phone_of(3)).await;
    stage
        .settle_now(&claim, MessageChange::Requeued, blocked_for("Pelanggan 3"))
        .await;
    assert_eq!(
        stage.message(request.id).await.state,
        MessageState::Cancelled
    );
    let record = stage.admin.record(&dealer).await.expect("record");
    let lane = record.expect("the dealer is known").lane;
    assert_eq!(lane.block_reason.as_deref(), Some(ERASED));
}

fn blocked_for(name: &str) -> LaneChange {
    LaneChange::Blocked {
        cause: domain::delivery::BlockCause::Token,
        pause: HOUR,
        reason: format!("no token for {name}"),
    }
}

/// The block reason of the sample dealer's lane.
async fn block_reason(stage: &Stage) -> Option<String> {
    let record = stage.admin.record(&sample::dealer_id()).await;
    let record = record.expect("record").expect("the dealer is known");
    assert!(record.lane.blocked_since.is_some(), "it is blocked");
    record.lane.block_reason
}

/// A UUID reveals nothing; any other id may hold personal data.
pub async fn a_chosen_id_of_a_call_is_erased_and_a_uuid_is_not(stage: &Stage) {
    let uuid = "4b1c6a52-3d1f-4a5c-9d4e-0f6a7b8c9d0e";
    for (n, id, kept) in [(1, "order-of-Pelanggan-1", None), (2, uuid, Some(uuid))] {
        let mut request = sample::request_for(&sample::dealer_id(), n);
        request.message.origin = Some(Origin {
            request_id: id.to_owned(),
            traceparent: Some("00-00000000000000000812000000010000-0000000000000001-01".to_owned()),
        });
        stage.requests.accept(&request).await.expect("accept");
        let claim = stage.claim().await;
        assert!(to_send(&claim).origin.is_some());
        let by = Author {
            call: Some(id.to_owned()),
            ..sample::author()
        };
        let entry = AuditEntry {
            dealer: Some(sample::dealer_id()),
            ..AuditEntry::cancelled(&by, request.id)
        };
        stage.audit.record(&entry).await.expect("record");
        erase(stage, &phone_of(n)).await;
        let line = stage.audit.page(None, 1).await.expect("page").remove(0);
        assert_eq!(line.call.as_deref(), kept);
        assert_eq!(line.detail, entry.detail);
        stage.pass(LEASE + HOUR).await;
        let claim = stage.claim().await;
        let origin = to_recover(&claim).origin.clone();
        assert_eq!(origin.as_ref().map(|origin| &*origin.request_id), kept);
        assert_eq!(origin.and_then(|origin| origin.traceparent), None);
        stage.settle_now(&claim, unknown(), READY).await;
    }
}

/// In lines of the person's dealers and in lines without a dealer.
pub async fn the_audit_does_not_hold_the_phone_of_an_erased_person(stage: &Stage) {
    queued(stage).await;
    let entry = |dealer, call: &str, detail: &str| AuditEntry {
        author: Author {
            actor: detail.to_owned(),
            key: None,
            call: Some(call.to_owned()),
        },
        action: Action::ChangeSettings,
        dealer,
        detail: detail.to_owned(),
    };
    let dealer = Some(sample::dealer_id());
    for (dealer, call, detail) in [
        (
            dealer.clone(),
            "job_+62 812-0000-0001",
            "for 0812 0000 0001",
        ),
        (None, "x6281200000001y", "81200000001, 6281200000002"),
        (dealer, "Pelanggan-1", "Pelanggan 1"),
    ] {
        let entry = entry(dealer, call, detail);
        stage.audit.record(&entry).await.expect("record");
    }
    erase(stage, &phone_of(1)).await;
    let lines = stage.audit.page(None, 10).await.expect("page");
    let texts: Vec<_> = lines
        .iter()
        .rev()
        .map(|line| (line.call.as_deref().unwrap_or_default(), &*line.detail))
        .collect();
    let expected = [
        ("job_+[dihapus]", "for [dihapus]"),
        ("x[dihapus]y", "[dihapus], 6281200000002"),
        // Another person may have that name.
        ("Pelanggan-1", "Pelanggan 1"),
    ];
    assert_eq!(texts, expected);
    for line in &lines {
        assert_eq!(line.actor, line.detail);
    }
}

/// The rest of its name stays.
pub async fn an_api_key_is_not_called_by_the_phone_of_an_erased_person(stage: &Stage) {
    for (n, name) in [(1, "HP 0812-0000-0001 (Adit)"), (2, "HP 0812-0000-0002")] {
        let key = NewApiKey {
            id: sample::api_key(n).id(),
            fingerprint: sample::api_key(n).fingerprint(),
            name: KeyName::parse(name).expect("a name"),
            access: Access::new(None, [Scope::Read].into_iter().collect()).expect("access"),
            expires_at: None,
        };
        let entry = AuditEntry {
            author: sample::author(),
            action: Action::CreateKey,
            dealer: None,
            detail: String::new(),
        };
        stage.api_keys.create(&key, &entry).await.expect("create");
    }
    erase(stage, &phone_of(1)).await;
    let listed = stage.api_keys.list(10).await.expect("list");
    let names: Vec<&str> = listed.iter().map(|(key, _)| key.name.as_str()).collect();
    assert_eq!(names, ["HP 0812-0000-0002", "HP [dihapus] (Adit)"]);
}

/// Where it holds the name; other requests keep theirs.
pub async fn a_unit_type_does_not_name_an_erased_person(stage: &Stage) {
    let row = |n, phone: &str| OldRow {
        phone: phone.to_owned(),
        unit_type: "Vario Budi Jaya 0812.0000.0001".to_owned(),
        customer_name: "Budi Jaya".to_owned(),
        ..OldRow::sample(&sample::dealer_id(), n)
    };
    let (theirs, other) = (row(1, "081200000001"), row(2, "081200000002"));
    for row in [&theirs, &other] {
        stage.backstage.insert_old_row(row).await;
    }
    erase(stage, &phone_of(1)).await;
    assert_erased(stage, theirs.id).await;
    let kept = stage.request(theirs.id).await.unit_type;
    assert_eq!(kept.as_deref(), Some("Vario [dihapus] [dihapus]"));
    assert_eq!(
        stage.request(other.id).await.unit_type,
        Some(other.unit_type)
    );
}

/// Idempotency keys of other persons' requests that hold this phone.
pub async fn keys_that_hold_the_phone_of_an_erased_person_are_forgotten(stage: &Stage) {
    queued(stage).await;
    let under = |n: u32, key: &str| NewRequest {
        once: Some(sample::once(key, &n.to_string())),
        ..sample::request_for(&sample::dealer_id(), n)
    };
    let accept = async |n, key: &str| {
        let accepting = stage.requests.accept(&under(n, key)).await;
        accepting.expect("accept")
    };
    for (n, key) in [(2, "wa-62812-0000-0001"), (3, "wa-62812-0000-0009")] {
        assert_eq!(accept(n, key).await, Accepted::Stored);
        assert_eq!(accept(n + 2, key).await, Accepted::KeyReused);
    }
    erase(stage, &phone_of(1)).await;
    assert_eq!(accept(4, "wa-62812-0000-0001").await, Accepted::Stored);
    assert_eq!(accept(5, "wa-62812-0000-0009").await, Accepted::KeyReused);
}
