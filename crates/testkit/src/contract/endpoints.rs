//! Promises of [`Endpoints`](domain::ports::Endpoints).

use domain::access::{Action, AuditEntry};
use domain::endpoints::{
    DeliveryRecord, EndpointChange, EndpointId, EndpointPolicy, EndpointRecord, EndpointSecret,
    EndpointUrl, EventType, NewEndpoint, most_endpoints,
};
use domain::ports::EndpointCreated;
use domain::settings::Change;
use domain::values::Owner;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Stage;
use crate::sample;

pub(super) fn own() -> Owner {
    Owner::Dealer(sample::dealer_id())
}

pub(super) fn url(raw: &str) -> EndpointUrl {
    EndpointUrl::parse(raw, &EndpointPolicy::default()).expect("an address")
}

pub(super) fn wanting(events: &[EventType]) -> NewEndpoint {
    NewEndpoint {
        url: url("https://hooks.example/in?key=1"),
        events: events.to_vec(),
        note: None,
    }
}

pub(super) fn entry(action: Action, owner: &Owner, id: EndpointId) -> AuditEntry {
    AuditEntry::endpoint(&sample::author(), action, owner, id, &[])
}

pub(super) async fn try_create(stage: &Stage, owner: &Owner, new: &NewEndpoint) -> EndpointCreated {
    let id = EndpointId(Uuid::now_v7());
    let secret = EndpointSecret::new([7; 32]);
    let entry = entry(Action::AddEndpoint, owner, id);
    let creating = stage.endpoints.create(owner, id, new, &secret, &entry);
    creating.await.expect("create")
}

pub(super) async fn create(stage: &Stage, owner: &Owner, events: &[EventType]) -> EndpointId {
    match try_create(stage, owner, &wanting(events)).await {
        EndpointCreated::Created(made) => made.id,
        EndpointCreated::TooMany => panic!("there is room"),
    }
}

pub(super) async fn change(
    stage: &Stage,
    owner: &Owner,
    id: EndpointId,
    change: &EndpointChange,
) -> Option<EndpointRecord> {
    let entry = entry(Action::ChangeEndpoint, owner, id);
    let changing = stage.endpoints.change(owner, id, change, &entry);
    changing.await.expect("change")
}

pub(super) async fn enable(stage: &Stage, owner: &Owner, id: EndpointId, enabled: bool) {
    let enabling = EndpointChange {
        enabled: Some(enabled),
        ..EndpointChange::default()
    };
    let changed = change(stage, owner, id, &enabling).await;
    assert_eq!(changed.expect("it is there").disabled_at.is_none(), enabled);
}

pub(super) async fn remove(stage: &Stage, owner: &Owner, id: EndpointId) -> bool {
    let entry = entry(Action::RemoveEndpoint, owner, id);
    let removing = stage.endpoints.remove(owner, id, &entry);
    removing.await.expect("remove")
}

pub(super) async fn test(stage: &Stage, owner: &Owner, id: EndpointId) -> Option<DeliveryRecord> {
    let entry = entry(Action::TestEndpoint, owner, id);
    stage.endpoints.test(owner, id, &entry).await.expect("test")
}

pub(super) async fn retry(stage: &Stage, owner: &Owner, of: EndpointId, delivery: &DeliveryRecord) {
    let entry = entry(Action::RetryDelivery, owner, of);
    let retrying = stage.endpoints.retry(owner, of, delivery.id, &entry);
    let found = retrying.await.expect("retry").expect("it is there");
    assert_eq!((found.id, found.event_id), (delivery.id, delivery.event_id));
}

pub(super) async fn list(stage: &Stage, owner: &Owner) -> Vec<EndpointRecord> {
    stage.endpoints.list(owner).await.expect("list")
}

pub(super) async fn deliveries(
    stage: &Stage,
    owner: &Owner,
    id: EndpointId,
) -> Vec<DeliveryRecord> {
    let found = stage.endpoints.deliveries(owner, id, None, 100).await;
    found.expect("deliveries").expect("the endpoint is known")
}

/// As it was made, without its secret.
pub async fn an_endpoint_is_shown_as_it_was_made(stage: &Stage) {
    for owner in [own(), Owner::HeadOffice] {
        assert_eq!(list(stage, &owner).await, []);
        let new = NewEndpoint {
            note: Some("bengkel é".to_owned()),
            ..wanting(&[EventType::MessageSent, EventType::EndpointDisabled])
        };
        let EndpointCreated::Created(made) = try_create(stage, &owner, &new).await else {
            panic!("there is room");
        };
        assert_eq!((&made.owner, &*made.url), (&owner, new.url.as_str()));
        assert_eq!((&made.events, &made.note), (&new.events, &new.note));
        assert_eq!(made.disabled_at, None);
        assert!(made.created_at <= stage.backstage.now());
        let second = create(stage, &owner, &[EventType::MessageRead]).await;
        let all = list(stage, &owner).await;
        assert_eq!(all.len(), 2);
        assert_eq!((&all[0], all[1].id), (&made, second));
    }
}

/// A removed one makes room.
pub async fn an_owner_has_so_many_endpoints_and_no_more(stage: &Stage) {
    for owner in [own(), Owner::HeadOffice] {
        let mut ids = Vec::new();
        for _ in 0..most_endpoints(&owner) {
            ids.push(create(stage, &owner, &[EventType::MessageSent]).await);
        }
        let new = wanting(&[EventType::MessageSent]);
        let one_more = try_create(stage, &owner, &new).await;
        assert_eq!(one_more, EndpointCreated::TooMany);
        assert!(remove(stage, &owner, ids[1]).await);
        create(stage, &owner, &[EventType::MessageSent]).await;
        assert_eq!(
            try_create(stage, &owner, &new).await,
            EndpointCreated::TooMany
        );
        assert_eq!(list(stage, &owner).await.len(), most_endpoints(&owner));
    }
    // Another dealer's do not count.
    let other = Owner::Dealer(sample::dealer_id_numbered(1));
    create(stage, &other, &[EventType::MessageSent]).await;
}

/// Whoever comes first.
pub async fn of_many_made_at_once_no_more_are_made_than_may_be(stage: &Stage) {
    let mut making = JoinSet::new();
    for _ in 0..12 {
        let stage = stage.clone();
        making.spawn(async move {
            let new = wanting(&[EventType::MessageSent]);
            try_create(&stage, &own(), &new).await
        });
    }
    let made = making.join_all().await;
    let made = made
        .iter()
        .filter(|made| **made != EndpointCreated::TooMany);
    assert_eq!(made.count(), 5);
    assert_eq!(list(stage, &own()).await.len(), 5);
}

/// Even for head office.
pub async fn another_owners_endpoint_is_unknown(stage: &Stage) {
    let id = create(stage, &own(), &[EventType::MessageSent]).await;
    let delivery = test(stage, &own(), id).await.expect("it is there");
    let other = Owner::Dealer(sample::dealer_id_numbered(1));
    let another = create(stage, &other, &[EventType::MessageSent]).await;
    let noted = stage.audit.page(None, 100).await.expect("page").len();
    for owner in [other, Owner::HeadOffice] {
        let nothing = EndpointChange::default();
        let disabling = EndpointChange {
            enabled: Some(false),
            ..EndpointChange::default()
        };
        for it in [nothing, disabling] {
            assert_eq!(change(stage, &owner, id, &it).await, None);
        }
        assert!(!remove(stage, &owner, id).await);
        assert_eq!(test(stage, &owner, id).await, None);
        let found = stage.endpoints.deliveries(&owner, id, None, 10).await;
        assert_eq!(found.expect("deliveries"), None);
        let entry = entry(Action::RetryDelivery, &owner, id);
        let retrying = stage.endpoints.retry(&owner, id, delivery.id, &entry);
        assert_eq!(retrying.await.expect("retry"), None);
    }
    // Nor is a delivery found at another endpoint of its owner.
    let second = create(stage, &own(), &[EventType::MessageSent]).await;
    let mine = own();
    let noting = entry(Action::RetryDelivery, &mine, second);
    let retrying = stage.endpoints.retry(&mine, second, delivery.id, &noting);
    assert_eq!(retrying.await.expect("retry"), None);
    assert_ne!(another, second);
    let lines = stage.audit.page(None, 100).await.expect("page").len();
    assert_eq!(lines, noted + 1, "only the second endpoint is noted");
}

/// Its secret stays as well.
pub async fn a_change_leaves_what_it_does_not_name(stage: &Stage) {
    let id = create(stage, &own(), &[EventType::MessageSent]).await;
    let before = list(stage, &own()).await.remove(0);
    let nothing = EndpointChange::default();
    assert_eq!(
        change(stage, &own(), id, &nothing).await,
        Some(before.clone())
    );
    let noted = EndpointChange {
        note: Change::Set("baru".to_owned()),
        ..EndpointChange::default()
    };
    let expected = EndpointRecord {
        note: Some("baru".to_owned()),
        ..before
    };
    assert_eq!(
        change(stage, &own(), id, &noted).await,
        Some(expected.clone())
    );
    let rest = EndpointChange {
        url: Some(url("https://hooks.example/other")),
        events: Some(vec![EventType::MessageRead]),
        ..EndpointChange::default()
    };
    let expected = EndpointRecord {
        url: "https://hooks.example/other".to_owned(),
        events: vec![EventType::MessageRead],
        ..expected
    };
    assert_eq!(
        change(stage, &own(), id, &rest).await,
        Some(expected.clone())
    );
    let unnoted = EndpointChange {
        note: Change::Remove,
        ..EndpointChange::default()
    };
    let expected = EndpointRecord {
        note: None,
        ..expected
    };
    assert_eq!(
        change(stage, &own(), id, &unnoted).await,
        Some(expected.clone())
    );
    assert_eq!(list(stage, &own()).await, [expected]);
}

/// With the dealer, or none for head office.
pub async fn every_change_of_an_endpoint_is_noted(stage: &Stage) {
    for (owner, dealer) in [(own(), Some("0009999")), (Owner::HeadOffice, None)] {
        let id = create(stage, &owner, &[EventType::MessageSent]).await;
        enable(stage, &owner, id, false).await;
        let delivery = test(stage, &owner, id).await.expect("it is there");
        retry(stage, &owner, id, &delivery).await;
        // Nothing is changed, and nothing noted.
        change(stage, &owner, id, &EndpointChange::default()).await;
        assert!(remove(stage, &owner, id).await);
        assert!(!remove(stage, &owner, id).await);
        let lines = stage.audit.page(None, 5).await.expect("page");
        let actions: Vec<_> = lines.iter().map(|line| line.action.as_str()).collect();
        assert_eq!(
            actions,
            [
                "endpoint.remove",
                "endpoint.retry",
                "endpoint.test",
                "endpoint.change",
                "endpoint.add"
            ]
        );
        for line in lines {
            assert_eq!(line.dealer_id.as_deref(), dealer);
            assert_eq!(line.detail, format!("endpoint {id}"));
        }
    }
}

/// Pages never overlap.
pub async fn deliveries_are_listed_newest_first_in_pages(stage: &Stage) {
    let id = create(stage, &own(), &[EventType::MessageSent]).await;
    let other = create(stage, &own(), &[EventType::MessageSent]).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.insert(0, test(stage, &own(), id).await.expect("it is there").id);
        test(stage, &own(), other).await;
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = stage.endpoints.deliveries(&own(), id, after, 2).await;
        let page = page.expect("deliveries").expect("it is known");
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.cursor);
        found.extend(page.iter().map(|delivery| delivery.id));
    }
    assert_eq!(found, expected);
}
