//! Promises of [`ApiKeys`](domain::ports::ApiKeys).

use std::time::Duration;

use chrono::TimeDelta;
use domain::access::{Access, Action, ApiKeyId, AuditEntry, KeyName, Scope};
use domain::ports::{ApiKeyRecord, KnownKey, NewApiKey, Validity};

use super::Stage;
use super::acts::HOUR;
use crate::sample;

/// The `n`th key of the sample dealer, with the scopes `read` and `write`.
fn key(n: u8) -> NewApiKey {
    let key = sample::api_key(n);
    let scopes = [Scope::Write, Scope::Read].into_iter().collect();
    NewApiKey {
        id: key.id(),
        fingerprint: key.fingerprint(),
        name: KeyName::parse(&format!("Bengkel {n}")).expect("a name"),
        access: Access::new(Some(sample::dealer_id()), scopes).expect("access"),
        expires_at: None,
    }
}

fn entry(action: Action, id: ApiKeyId) -> AuditEntry {
    AuditEntry {
        author: sample::author(),
        action,
        dealer: None,
        detail: format!("key {id}"),
    }
}

async fn create(stage: &Stage, key: &NewApiKey) -> ApiKeyRecord {
    let entry = AuditEntry {
        dealer: key.access.visibility().dealer().cloned(),
        ..entry(Action::CreateKey, key.id)
    };
    let created = stage.api_keys.create(key, &entry).await;
    created.expect("create")
}

async fn find(stage: &Stage, id: ApiKeyId) -> Option<KnownKey> {
    stage.api_keys.find(id).await.expect("find")
}

async fn validity(stage: &Stage, id: ApiKeyId) -> Validity {
    find(stage, id).await.expect("the key is known").validity
}

async fn revoke(stage: &Stage, id: ApiKeyId) -> Option<ApiKeyRecord> {
    let entry = entry(Action::RevokeKey, id);
    stage.api_keys.revoke(id, &entry).await.expect("revoke")
}

/// All but its secret.
pub async fn a_key_is_found_as_it_was_made(stage: &Stage) {
    let expires_at = sample::whole_micros(stage.backstage.now() + HOUR);
    let new = NewApiKey {
        expires_at: Some(expires_at),
        ..key(1)
    };
    let record = create(stage, &new).await;
    assert_eq!(record.id, new.id);
    assert_eq!(record.name, new.name);
    assert_eq!(record.access, new.access);
    assert_eq!(record.expires_at, Some(expires_at));
    assert_eq!(record.revoked_at, None);
    let age = stage.backstage.now() - record.created_at;
    assert!(age.abs() < TimeDelta::minutes(1), "{age}");
    create(stage, &key(2)).await;
    let found = find(stage, new.id).await.expect("it is known");
    assert_eq!(found.record, record);
    assert_eq!(found.fingerprint, new.fingerprint);
    assert_eq!(found.validity, Validity::InForce);
}

/// Absent is `Ok(None)`.
pub async fn an_unknown_key_is_absent(stage: &Stage) {
    create(stage, &key(1)).await;
    assert_eq!(find(stage, key(2).id).await, None);
    assert_eq!(find(stage, key(2).id).await, None);
}

/// An id that was never found may be invented.
pub async fn a_key_is_known_once_it_was_made_or_found(stage: &Stage) {
    let unknown = key(2).id;
    assert!(!stage.api_keys.knows(unknown));
    assert_eq!(find(stage, unknown).await, None);
    assert!(!stage.api_keys.knows(unknown));
    create(stage, &key(1)).await;
    assert!(stage.api_keys.knows(key(1).id));
    find(stage, key(1).id).await.expect("it is found");
    assert!(stage.api_keys.knows(key(1).id));
    revoke(stage, key(1).id).await.expect("it is known");
    assert!(stage.api_keys.knows(key(1).id));
}

/// It may have all scopes.
pub async fn a_key_of_head_office_belongs_to_no_dealer(stage: &Stage) {
    let new = NewApiKey {
        access: Access::unlimited(),
        ..key(1)
    };
    create(stage, &new).await;
    let found = find(stage, new.id).await.expect("it is known");
    assert_eq!(found.record.access, Access::unlimited());
}

/// The first key stays as it is.
pub async fn an_id_is_given_to_one_key(stage: &Stage) {
    create(stage, &key(1)).await;
    let mut second = key(2);
    second.id = key(1).id;
    let entry = entry(Action::CreateKey, second.id);
    assert!(stage.api_keys.create(&second, &entry).await.is_err());
    let found = find(stage, key(1).id).await.expect("it is known");
    assert_eq!(found.fingerprint, key(1).fingerprint);
    assert_eq!(stage.audit.page(None, 10).await.expect("page").len(), 1);
}

/// At once on the copy that revoked it.
pub async fn a_revoked_key_counts_no_more(stage: &Stage) {
    create(stage, &key(1)).await;
    create(stage, &key(2)).await;
    assert_eq!(validity(stage, key(1).id).await, Validity::InForce);
    let revoked = revoke(stage, key(1).id).await.expect("it is known");
    assert!(revoked.revoked_at.is_some());
    let found = find(stage, key(1).id).await.expect("it is known");
    assert_eq!(found.validity, Validity::Revoked);
    assert_eq!(found.record, revoked);
    assert_eq!(validity(stage, key(2).id).await, Validity::InForce);
}

/// The first time of revocation stays.
pub async fn a_key_is_revoked_once(stage: &Stage) {
    create(stage, &key(1)).await;
    let first = revoke(stage, key(1).id).await;
    let second = revoke(stage, key(1).id).await;
    assert_eq!(first, second);
    assert_eq!(stage.audit.page(None, 10).await.expect("page").len(), 2);
}

/// There is no audit entry.
pub async fn an_unknown_key_cannot_be_revoked(stage: &Stage) {
    assert_eq!(revoke(stage, key(1).id).await, None);
    assert_eq!(stage.audit.page(None, 10).await.expect("page"), []);
}

/// Expiry is by the store's clock.
pub async fn a_key_counts_until_its_time_is_over(stage: &Stage) {
    let now = stage.backstage.now();
    for (n, hours) in [(1, 1), (2, 3)] {
        let expires_at = Some(now + HOUR * hours);
        create(
            stage,
            &NewApiKey {
                expires_at,
                ..key(n)
            },
        )
        .await;
    }
    create(stage, &key(3)).await;
    stage.pass(HOUR + Duration::from_secs(60)).await;
    assert_eq!(validity(stage, key(1).id).await, Validity::Expired);
    assert_eq!(validity(stage, key(2).id).await, Validity::InForce);
    assert_eq!(validity(stage, key(3).id).await, Validity::InForce);
}

/// Revocation takes precedence over expiry.
pub async fn a_revoked_key_is_revoked_also_when_its_time_is_over(stage: &Stage) {
    let expires_at = Some(stage.backstage.now() + HOUR);
    create(
        stage,
        &NewApiKey {
            expires_at,
            ..key(1)
        },
    )
    .await;
    revoke(stage, key(1).id).await;
    stage.pass(HOUR * 2).await;
    assert_eq!(validity(stage, key(1).id).await, Validity::Revoked);
}

/// In a list shorter than all keys.
pub async fn keys_in_force_are_listed_first_and_the_newest_of_them(stage: &Stage) {
    for n in 1..=4 {
        create(stage, &key(n)).await;
        stage.pass(Duration::from_secs(120)).await;
    }
    revoke(stage, key(4).id).await;
    let list = async |limit| stage.api_keys.list(limit).await.expect("list");
    let all = list(10).await;
    let shown: Vec<_> = all.iter().map(|(key, valid)| (key.id, *valid)).collect();
    let in_force = |n| (key(n).id, Validity::InForce);
    let expected = [
        in_force(3),
        in_force(2),
        in_force(1),
        (key(4).id, Validity::Revoked),
    ];
    assert_eq!(shown, expected);
    assert_eq!(list(2).await, all[..2]);
}

/// Key and audit entry are one transaction.
pub async fn what_cannot_be_noted_is_not_done_to_a_key(stage: &Stage) {
    let unstorable = |action| AuditEntry {
        detail: sample::UNSTORABLE.to_owned(),
        ..entry(action, key(1).id)
    };
    let creating = unstorable(Action::CreateKey);
    assert!(stage.api_keys.create(&key(1), &creating).await.is_err());
    assert_eq!(stage.api_keys.list(10).await.expect("list"), []);
    create(stage, &key(1)).await;
    let revoking = unstorable(Action::RevokeKey);
    let revoked = stage.api_keys.revoke(key(1).id, &revoking).await;
    assert!(revoked.is_err(), "{revoked:?}");
    assert_eq!(validity(stage, key(1).id).await, Validity::InForce);
    assert_eq!(stage.audit.page(None, 10).await.expect("page").len(), 1);
}

/// In the same transaction.
pub async fn making_and_revoking_are_noted_in_the_audit(stage: &Stage) {
    create(stage, &key(1)).await;
    revoke(stage, key(1).id).await;
    let noted = stage.audit.page(None, 10).await.expect("page");
    let actions: Vec<&str> = noted.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(actions, ["api_key.revoke", "api_key.create"]);
    for line in noted {
        assert_eq!(line.dealer_id.as_deref(), Some("0009999"));
        assert_eq!(line.actor, sample::author().actor);
        assert_eq!(line.detail, format!("key {}", key(1).id));
    }
}
