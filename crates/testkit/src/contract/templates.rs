//! Promises of [`TemplateBook`](domain::ports::TemplateBook), and of the templates that come with a dealer.

use domain::access::AuditEntry;
use domain::ports::{
    MAX_TEMPLATES, Precondition, SeenTemplate, StoreError, TemplateRemoved, TemplateSaved,
    TemplateVersion, VERSIONS_TOLD,
};
use domain::template::{TemplateName, TemplateOrigin};
use domain::values::{DealerId, Owner};
use tokio::task::JoinSet;

use super::Stage;
use super::settings::known_dealer;
use crate::sample;

/// Whatever is in force.
const ALWAYS: Precondition = Precondition::Unconditional;

fn promo() -> TemplateName {
    TemplateName::parse("promo").expect("a name")
}

fn validation() -> TemplateName {
    TemplateName::parse("validation").expect("a name")
}

fn own() -> Owner {
    Owner::Dealer(sample::dealer_id())
}

async fn try_save(
    stage: &Stage,
    owner: &Owner,
    name: &TemplateName,
    body: &str,
    over: &Precondition,
) -> Result<TemplateSaved, StoreError> {
    let entry = AuditEntry::template_changed(&sample::author(), owner.dealer(), name);
    stage.templates.save(owner, name, body, over, &entry).await
}

async fn save(stage: &Stage, owner: &Owner, name: &TemplateName, body: &str) {
    let saved = try_save(stage, owner, name, body, &ALWAYS).await;
    assert!(matches!(saved.expect("save"), TemplateSaved::Saved(_)));
}

async fn remove(
    stage: &Stage,
    owner: &Owner,
    name: &TemplateName,
    over: &Precondition,
) -> TemplateRemoved {
    let entry = AuditEntry::template_removed(&sample::author(), owner.dealer(), name);
    let removing = stage.templates.remove(owner, name, over, &entry);
    removing.await.expect("remove")
}

async fn versions(stage: &Stage, owner: &Owner, name: &TemplateName) -> Vec<TemplateVersion> {
    let found = stage.templates.versions(owner, name).await;
    found.expect("versions")
}

/// Numbers and texts, newest first.
async fn texts(stage: &Stage, owner: &Owner, name: &TemplateName) -> Vec<(u32, String)> {
    let versions = versions(stage, owner, name).await.into_iter();
    versions.map(|it| (it.version, it.body)).collect()
}

/// What a name means for the messages of a dealer: whose template it is, and which version.
async fn means(
    stage: &Stage,
    dealer: &DealerId,
    name: &str,
) -> Option<(TemplateOrigin, Option<u32>)> {
    let found = stage.dealers.find(dealer).await.expect("find");
    let dealer = found.expect("the dealer is known");
    let found = dealer.templates.named(name);
    found.map(|it| (it.origin, it.version))
}

/// Details of the audit, newest first.
async fn noted(stage: &Stage) -> Vec<(String, Option<String>, String)> {
    let lines = stage.audit.page(None, 10).await.expect("page");
    let lines = lines.into_iter();
    lines
        .map(|line| (line.action, line.dealer_id, line.detail))
        .collect()
}

/// Whoever was told that a text is saved finds it, with its author and its number, and so do messages.
pub async fn a_saved_text_is_a_new_version(stage: &Stage) {
    let dealer = known_dealer(stage).await.id;
    assert_eq!(means(stage, &dealer, "promo").await, None);
    save(stage, &own(), &promo(), "Halo {customer_name}!").await;
    let first = versions(stage, &own(), &promo()).await;
    save(stage, &own(), &promo(), "Hai {customer_name} é {{}}!").await;
    let both = versions(stage, &own(), &promo()).await;
    assert_eq!(both.len(), 2);
    assert_eq!(both[1..], first, "a version is never changed");
    assert_eq!(
        (both[0].version, both[0].body.as_str()),
        (2, "Hai {customer_name} é {{}}!")
    );
    assert_eq!(both[0].author, sample::author().actor);
    assert!(both[0].created_at <= stage.backstage.now());
    let meant = Some((TemplateOrigin::Dealer, Some(2)));
    assert_eq!(means(stage, &dealer, "promo").await, meant);
    let all = stage.templates.list(&own()).await.expect("list");
    assert_eq!(all.len(), 1);
    assert_eq!((&*all[0].name, &all[0].newest), ("promo", &both[0]));
    let line = (
        "template.change".to_owned(),
        Some(dealer.as_str().to_owned()),
        "template promo".to_owned(),
    );
    assert_eq!(noted(stage).await, [line.clone(), line]);
}

/// Saving what is there changes nothing, and is not noted.
pub async fn the_same_text_makes_no_version(stage: &Stage) {
    known_dealer(stage).await;
    save(stage, &own(), &promo(), "Halo").await;
    let again = try_save(stage, &own(), &promo(), "Halo", &ALWAYS).await;
    let versions = versions(stage, &own(), &promo()).await;
    assert_eq!(again.expect("save"), TemplateSaved::Unchanged(versions));
    assert_eq!(texts(stage, &own(), &promo()).await.len(), 1);
    assert_eq!(noted(stage).await.len(), 1);
}

/// A text may be changed any number of times.
pub async fn the_newest_versions_are_told(stage: &Stage) {
    let name = promo();
    for n in 0..=VERSIONS_TOLD {
        save(stage, &own(), &name, &format!("Halo {n}")).await;
    }
    let told = versions(stage, &own(), &name).await;
    assert_eq!(told.len(), VERSIONS_TOLD);
    assert_eq!(told[0].body, format!("Halo {VERSIONS_TOLD}"));
}

/// A removal ends no count.
pub async fn a_number_is_never_given_twice(stage: &Stage) {
    known_dealer(stage).await;
    save(stage, &own(), &promo(), "satu").await;
    save(stage, &own(), &promo(), "dua").await;
    let removed = remove(stage, &own(), &promo(), &ALWAYS).await;
    assert_eq!(removed, TemplateRemoved::Removed);
    assert_eq!(versions(stage, &own(), &promo()).await, []);
    let again = remove(stage, &own(), &promo(), &ALWAYS).await;
    assert_eq!(again, TemplateRemoved::Unknown);
    save(stage, &own(), &promo(), "dua").await;
    let expected = [(3, "dua"), (2, "dua"), (1, "satu")];
    let expected = expected.map(|(version, body)| (version, body.to_owned()));
    assert_eq!(texts(stage, &own(), &promo()).await, expected);
    let actions: Vec<String> = noted(stage).await.into_iter().map(|it| it.0).collect();
    let changed = "template.change";
    assert_eq!(actions, [changed, "template.remove", changed, changed]);
}

/// A name means the dealer's own, then head office's, then the built-in one; other dealers are others.
pub async fn a_name_is_looked_up_at_its_dealer_then_at_head_office(stage: &Stage) {
    use TemplateOrigin::{BuiltIn, Dealer as Own, Shared};
    let dealer = known_dealer(stage).await.id;
    let other = sample::dealer_numbered(1);
    stage.backstage.add_dealer(&other).await;
    let built_in = Some((BuiltIn, None));
    assert_eq!(means(stage, &dealer, "validation").await, built_in);
    save(stage, &Owner::HeadOffice, &validation(), "pusat 1").await;
    save(stage, &Owner::HeadOffice, &validation(), "pusat 2").await;
    save(stage, &own(), &validation(), "dealer").await;
    let shared = Some((Shared, Some(2)));
    assert_eq!(
        means(stage, &dealer, "validation").await,
        Some((Own, Some(1)))
    );
    assert_eq!(means(stage, &other.id, "validation").await, shared);
    remove(stage, &own(), &validation(), &ALWAYS).await;
    assert_eq!(means(stage, &dealer, "validation").await, shared);
    let removed = remove(stage, &Owner::HeadOffice, &validation(), &ALWAYS).await;
    assert_eq!(removed, TemplateRemoved::Removed);
    assert_eq!(means(stage, &dealer, "validation").await, built_in);
    assert_eq!(means(stage, &other.id, "validation").await, built_in);
    let (_, of_head_office, _) = noted(stage).await.remove(0);
    assert_eq!(of_head_office, None);
}

/// What its author did not see is not written over, nor removed.
pub async fn another_version_is_not_overtaken(stage: &Stage) {
    known_dealer(stage).await;
    let over = |seen: &[SeenTemplate]| Precondition::OneOf(seen.to_vec());
    let office = Owner::HeadOffice;
    let refused = async |precondition: Precondition| {
        let saved = try_save(stage, &own(), &validation(), "baru", &precondition).await;
        assert_eq!(saved.expect("save"), TemplateSaved::Overtaken);
    };
    let made = async |body: &str, precondition: Precondition| {
        let saved = try_save(stage, &own(), &validation(), body, &precondition).await;
        assert!(matches!(saved.expect("save"), TemplateSaved::Saved(_)));
    };
    refused(over(&[SeenTemplate::Own(1), SeenTemplate::Shared(1)])).await;
    refused(over(&[])).await;
    made("atas bawaan", over(&[SeenTemplate::BuiltIn])).await;
    refused(over(&[SeenTemplate::BuiltIn])).await;
    save(stage, &office, &validation(), "pusat").await;
    refused(over(&[SeenTemplate::Shared(1), SeenTemplate::Own(2)])).await;
    made(
        "atas sendiri",
        over(&[SeenTemplate::Own(9), SeenTemplate::Own(1)]),
    )
    .await;
    made("atas apa pun", Precondition::Exists).await;
    let stale = over(&[SeenTemplate::Own(2)]);
    let kept = remove(stage, &own(), &validation(), &stale).await;
    assert_eq!(kept, TemplateRemoved::Overtaken);
    let seen = over(&[SeenTemplate::Own(3)]);
    let removed = remove(stage, &own(), &validation(), &seen).await;
    assert_eq!(removed, TemplateRemoved::Removed);
    refused(over(&[SeenTemplate::Own(3)])).await;
    made("atas pusat", over(&[SeenTemplate::Shared(1)])).await;
    let none = try_save(stage, &own(), &promo(), "x", &Precondition::Exists).await;
    assert_eq!(none.expect("save"), TemplateSaved::Overtaken);
    assert_eq!(versions(stage, &own(), &promo()).await, []);
    // A new one overtakes neither the built-in one, nor head office's, nor another new one.
    refused(Precondition::Absent).await;
    let over_nothing = async |owner: &Owner, body: &str| {
        let saved = try_save(stage, owner, &promo(), body, &Precondition::Absent).await;
        matches!(saved.expect("save"), TemplateSaved::Saved(_))
    };
    assert!(over_nothing(&office, "pusat").await);
    assert!(!over_nothing(&own(), "sendiri").await);
    assert_eq!(
        remove(stage, &office, &promo(), &ALWAYS).await,
        TemplateRemoved::Removed
    );
    assert!(over_nothing(&own(), "sendiri").await);
    assert!(!over_nothing(&own(), "lain").await);
    let kept = remove(stage, &own(), &promo(), &Precondition::Absent).await;
    assert_eq!(kept, TemplateRemoved::Overtaken);
    // Who has seen the newest version and saves it again has overtaken nobody.
    let newest = over(&[SeenTemplate::Own(4)]);
    let same = try_save(stage, &own(), &validation(), "atas pusat", &newest).await;
    assert!(matches!(same.expect("save"), TemplateSaved::Unchanged(_)));
}

/// Numbers have no gaps, whoever writes at the same moment; over one version only one is saved.
pub async fn of_writers_at_the_same_moment_each_gets_a_number(stage: &Stage) {
    known_dealer(stage).await;
    let write = async |over: &Precondition| {
        let mut writers = JoinSet::new();
        for n in 0..8 {
            let (stage, over) = (stage.clone(), over.clone());
            writers.spawn(async move {
                let body = format!("penulis {n} {over:?}");
                try_save(&stage, &own(), &promo(), &body, &over).await
            });
        }
        let saved = writers.join_all().await.into_iter();
        saved
            .filter(|saved| matches!(saved, Ok(TemplateSaved::Saved(_))))
            .count()
    };
    assert_eq!(write(&Precondition::Absent).await, 1);
    assert_eq!(write(&ALWAYS).await, 8);
    assert_eq!(
        write(&Precondition::OneOf(vec![SeenTemplate::Own(9)])).await,
        1
    );
    let all = texts(stage, &own(), &promo()).await.into_iter();
    let numbers: Vec<u32> = all.map(|(version, _)| version).collect();
    assert_eq!(numbers, (1..=10).rev().collect::<Vec<_>>());
    assert_eq!(noted(stage).await.len(), 10);
}

/// A writer is told its own version and those before it, and without a condition nobody is refused, though
/// others write and remove the same template at the same moment.
pub async fn whoever_writes_is_told_of_its_own_version(stage: &Stage) {
    known_dealer(stage).await;
    let mut writers = JoinSet::new();
    let mut removers = JoinSet::new();
    for n in 0..8 {
        let (one, other) = (stage.clone(), stage.clone());
        writers.spawn(async move {
            let mut told = Vec::new();
            for turn in 0..8 {
                // Every second text is written by all of them.
                let writer = if turn % 2 == 0 { n } else { 0 };
                let body = format!("penulis {writer} {turn}");
                let saved = try_save(&one, &own(), &promo(), &body, &ALWAYS).await;
                let versions = match saved.expect("save") {
                    TemplateSaved::Saved(versions) | TemplateSaved::Unchanged(versions) => versions,
                    refused => panic!("nothing stands in the way: {refused:?}"),
                };
                assert_eq!(versions[0].body, body);
                told.push(versions);
            }
            told
        });
        removers.spawn(async move {
            for _ in 0..8 {
                let removed = remove(&other, &own(), &promo(), &ALWAYS).await;
                assert_ne!(removed, TemplateRemoved::Overtaken);
            }
        });
    }
    let told = writers.join_all().await.concat();
    removers.join_all().await;
    save(stage, &own(), &promo(), "akhir").await;
    let all = versions(stage, &own(), &promo()).await;
    for versions in told {
        let before = all.len() - versions.len();
        assert_eq!(all[before..], versions, "up to its own");
    }
}

/// They are all read together.
pub async fn an_owner_has_so_many_templates_at_most(stage: &Stage) {
    known_dealer(stage).await;
    let name = |n: u32| TemplateName::parse(&format!("t{n}")).expect("a name");
    for n in 0..MAX_TEMPLATES {
        save(stage, &own(), &name(n), "Halo").await;
    }
    let more = try_save(stage, &own(), &name(MAX_TEMPLATES), "Halo", &ALWAYS).await;
    assert_eq!(more.expect("save"), TemplateSaved::TooMany);
    save(stage, &own(), &name(0), "Hai").await;
    save(stage, &Owner::HeadOffice, &name(0), "Halo").await;
    remove(stage, &own(), &name(1), &ALWAYS).await;
    save(stage, &own(), &name(MAX_TEMPLATES), "Halo").await;
    let all = stage.templates.list(&own()).await.expect("list");
    assert_eq!(all.len(), MAX_TEMPLATES as usize);
    assert!(all.is_sorted_by(|one, next| one.name < next.name));
}

/// A change without its line in the audit is none.
pub async fn what_cannot_be_noted_is_not_done_to_a_template(stage: &Stage) {
    known_dealer(stage).await;
    save(stage, &own(), &promo(), "Halo").await;
    let mut entry = AuditEntry::template_changed(&sample::author(), own().dealer(), &promo());
    entry.detail = sample::UNSTORABLE.to_owned();
    let (owner, name) = (own(), promo());
    let book = &stage.templates;
    let saving = book.save(&owner, &name, "Hai", &ALWAYS, &entry);
    saving.await.expect_err("it cannot be noted");
    let removing = book.remove(&owner, &name, &ALWAYS, &entry);
    removing.await.expect_err("it cannot be noted");
    let expected = vec![(1, "Halo".to_owned())];
    assert_eq!(texts(stage, &own(), &promo()).await, expected);
}
