//! Templates: written, looked up, and what messages are made from them.

use std::sync::Arc;

use domain::access::Visibility;
use domain::ports::{
    DealerAdmin as _, DealerDirectory as _, MockDealerDirectory, Precondition, SeenTemplate,
    StoreError,
};
use domain::requests::{Fault, Field, FieldPath, Input, Message, RequestId, Submission};
use domain::settings::{Change, SettingField, SettingsChange, SettingsPatch};
use domain::template::{RawVariables, TemplateFault, TemplateName, TemplateOrigin, Variables};
use domain::usecases::{
    BulkCall, BulkRow, DealerAdministrationError, IntakeError, MessageError, Ports, PreviewSample,
    Reordered, ResendOrder, Services, TemplateError,
};
use domain::values::Owner;
use testkit::{World, sample};

use crate::support::round;

const ALL: Visibility = Visibility::All;
const ALWAYS: Precondition = Precondition::Unconditional;
const OFFICE: Owner = Owner::HeadOffice;

fn own() -> Owner {
    Owner::Dealer(sample::dealer_id())
}

fn name(raw: &str) -> TemplateName {
    TemplateName::parse(raw).unwrap()
}

async fn save(world: &World, owner: &Owner, template: &str, body: &str) {
    let desk = world.services().templates;
    desk.save(owner, &name(template), body, &ALWAYS, &sample::author())
        .await
        .unwrap();
}

async fn remove(world: &World, owner: &Owner, template: &str) {
    let desk = world.services().templates;
    desk.remove(owner, &name(template), &ALWAYS, &sample::author())
        .await
        .unwrap();
}

async fn by_default(world: &World, template: &str) {
    let change = SettingsChange {
        default_template: Change::Set(template.to_owned()),
        ..SettingsChange::default()
    };
    let entry = domain::access::AuditEntry::settings_changed(
        &sample::author(),
        &sample::dealer_id(),
        &change,
    );
    world
        .store
        .change(&sample::dealer_id(), &change, &entry)
        .await
        .unwrap();
}

fn submission(template: &str, variables: &[(&str, &str)]) -> Submission {
    Submission {
        template: template.into(),
        variables: raw(variables),
        ..sample::submission()
    }
}

fn raw(variables: &[(&str, &str)]) -> RawVariables {
    let given = variables.iter();
    RawVariables::Given(
        given
            .map(|(name, text)| ((*name).to_owned(), (*text).into()))
            .collect(),
    )
}

async fn accept(world: &World, submission: Submission) -> RequestId {
    world.services().intake.accept(submission).await.unwrap().id
}

async fn faults(world: &World, submission: Submission) -> Vec<(FieldPath, Fault)> {
    match world.services().intake.accept(submission).await {
        Err(IntakeError::Invalid(faults)) => faults,
        other => panic!("it is refused: {other:?}"),
    }
}

async fn newest(world: &World, request: RequestId) -> Message {
    let messages = world.services().messages;
    let mut timeline = messages.timeline(request, &ALL).await.unwrap();
    timeline.pop().unwrap().message
}

/// Template, version and text of the newest message.
async fn made(world: &World, request: RequestId) -> (String, Option<u32>, String) {
    let message = newest(world, request).await;
    (message.template, message.template_version, message.body)
}

fn expected(template: &str, version: u32, body: &str) -> (String, Option<u32>, String) {
    (template.to_owned(), Some(version), body.to_owned())
}

fn variable(name: &str) -> FieldPath {
    FieldPath::Variable(name.to_owned())
}

#[tokio::test]
async fn a_message_is_made_from_the_template_that_is_named() {
    let world = World::new();
    save(&world, &OFFICE, "promo", "Pusat: {customer_name}").await;
    let request = accept(&world, submission("promo", &[])).await;
    assert_eq!(
        made(&world, request).await,
        expected("promo", 1, "Pusat: Adit")
    );
    save(&world, &own(), "promo", "lama").await;
    save(
        &world,
        &own(),
        "promo",
        "Dealer: {var.km|-} {customer_name}",
    )
    .await;
    let request = accept(&world, submission("promo", &[("km", "12")])).await;
    let own_text = expected("promo", 2, "Dealer: 12 Adit");
    assert_eq!(made(&world, request).await, own_text);
    assert_eq!(
        newest(&world, request).await.variables.get("km"),
        Some("12")
    );
}

#[tokio::test]
async fn a_message_for_which_none_is_named_is_made_from_the_default() {
    let world = World::new();
    save(&world, &OFFICE, "servis", "Servis").await;
    by_default(&world, "servis").await;
    for template in [Input::Absent, Input::Null] {
        let submission = Submission {
            template,
            ..sample::submission()
        };
        let request = accept(&world, submission).await;
        assert_eq!(made(&world, request).await, expected("servis", 1, "Servis"));
    }
    remove(&world, &OFFICE, "servis").await;
    let request = accept(&world, sample::submission()).await;
    let (template, version, _) = made(&world, request).await;
    assert_eq!((&*template, version), ("validation", None));
    save(&world, &own(), "validation", "Dealer sendiri").await;
    let request = accept(&world, sample::submission()).await;
    let own_text = expected("validation", 1, "Dealer sendiri");
    assert_eq!(made(&world, request).await, own_text);
}

#[tokio::test]
async fn what_does_not_fit_the_template_is_told_when_nothing_else_is_wrong() {
    let world = World::new();
    save(
        &world,
        &own(),
        "servis",
        "{var.km} {var.oli} {var.catatan|-}",
    )
    .await;
    let unknown = vec![(Field::Template.into(), Fault::UnknownTemplate)];
    for none in ["promo", "Servis", "", "a\0b"] {
        assert_eq!(
            faults(&world, submission(none, &[])).await,
            unknown,
            "{none}"
        );
    }
    let given = [("oli", ""), ("KM", "1"), ("merk", "x")];
    assert_eq!(
        faults(&world, submission("servis", &given)).await,
        [
            (variable("km"), Fault::Missing),
            (variable("oli"), Fault::Missing),
            (variable("KM"), Fault::UnknownVariable),
            (variable("merk"), Fault::UnknownVariable),
        ]
    );
    let extra = faults(&world, submission("validation", &[("km", "1")])).await;
    assert_eq!(extra, [(variable("km"), Fault::UnknownVariable)]);
    // Validation, dealer, configuration, template.
    let mut faulty = submission("promo", &[("km", "a\nb")]);
    faulty.phone = "1".into();
    let told = faults(&world, faulty).await;
    let fields: Vec<Field> = told.iter().map(|(path, _)| path.field()).collect();
    assert_eq!(fields, [Field::Phone, Field::Variables]);
    let foreign = Submission {
        dealer_id: "9999999".into(),
        ..submission("promo", &[])
    };
    let intake = world.services().intake;
    let refused = intake.accept(foreign).await;
    assert!(matches!(refused, Err(IntakeError::UnknownDealer)));
    world.store.put_dealer(domain::dealers::Dealer {
        api_key: None,
        ..sample::dealer()
    });
    let refused = intake.accept(submission("promo", &[])).await;
    assert!(matches!(refused, Err(IntakeError::NoAccount(_))));
    assert_eq!(world.store.request_count(), 0);
}

#[tokio::test]
async fn a_submission_under_a_key_is_answered_again_though_its_template_is_gone() {
    let world = World::new();
    save(&world, &own(), "promo", "Halo").await;
    let intake = world.services().intake;
    let once = || Some(sample::once("k", "body"));
    let first = intake.accept_once(submission("promo", &[]), once(), &ALL);
    let first = first.await.unwrap();
    assert_eq!(first.template, Some(TemplateOrigin::Dealer));
    remove(&world, &own(), "promo").await;
    let again = intake.accept_once(submission("promo", &[]), once(), &ALL);
    let again = again.await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.request.id, again.template), (first.request.id, None));
}

async fn resend(
    world: &World,
    request: RequestId,
    template: Input,
    variables: RawVariables,
) -> Result<(String, Option<u32>, String), MessageError> {
    let order = ResendOrder {
        template,
        variables,
    };
    resend_as(world, request, order.check().unwrap()).await?;
    Ok(made(world, request).await)
}

async fn resend_as(
    world: &World,
    request: RequestId,
    order: Reordered,
) -> Result<(), MessageError> {
    world.pass(std::time::Duration::from_secs(60));
    round(&world.services().dispatcher).await;
    let messages = world.services().messages;
    let author = sample::author();
    messages
        .resend(request, &ALL, order, &author, None)
        .await
        .map(drop)
}

#[tokio::test]
async fn a_resent_message_is_of_the_newest_version_with_the_same_variables() {
    let world = World::new();
    save(&world, &own(), "servis", "Km {var.km}, oli {var.oli|-}").await;
    let given = [("km", "12"), ("oli", "10W")];
    let request = accept(&world, submission("servis", &given)).await;
    save(&world, &own(), "servis", "Jarak {var.km}").await;
    let same = resend(&world, request, Input::Absent, RawVariables::Absent);
    assert_eq!(same.await.unwrap(), expected("servis", 2, "Jarak 12"));
    let variables: Variables = newest(&world, request).await.variables;
    assert_eq!(variables.iter().collect::<Vec<_>>(), [("km", "12")]);
    let other = resend(&world, request, Input::Absent, raw(&[("km", "13")]));
    assert_eq!(other.await.unwrap(), expected("servis", 2, "Jarak 13"));
    save(&world, &OFFICE, "promo", "{var.km} {var.hadiah|payung}").await;
    let promo = resend(&world, request, "promo".into(), RawVariables::Absent);
    assert_eq!(promo.await.unwrap(), expected("promo", 1, "13 payung"));
    let bare = resend(&world, request, "validation".into(), RawVariables::Absent);
    assert_eq!(bare.await.unwrap().0, "validation");
}

#[tokio::test]
async fn a_resend_that_fits_no_template_is_refused() {
    let world = World::new();
    save(&world, &own(), "servis", "{var.km}").await;
    let request = accept(&world, submission("servis", &[("km", "12")])).await;
    let invalid = async |template: Input, variables: RawVariables| match resend(
        &world, request, template, variables,
    )
    .await
    {
        Err(MessageError::Invalid(faults)) => faults,
        other => panic!("it is refused: {other:?}"),
    };
    let absent = || RawVariables::Absent;
    let unknown = [(Field::Template.into(), Fault::UnknownTemplate)];
    assert_eq!(invalid("gone".into(), absent()).await, unknown);
    let none = invalid(Input::Absent, raw(&[])).await;
    assert_eq!(none, [(variable("km"), Fault::Missing)]);
    let extra = invalid("validation".into(), raw(&[("km", "1")])).await;
    assert_eq!(extra, [(variable("km"), Fault::UnknownVariable)]);
    remove(&world, &own(), "servis").await;
    assert_eq!(invalid(Input::Absent, absent()).await, unknown);
    let faulty = ResendOrder {
        template: Input::Whole(1),
        variables: RawVariables::Other,
    };
    assert_eq!(
        faulty.check().unwrap_err(),
        [
            (Field::Template.into(), Fault::NotText),
            (Field::Variables.into(), Fault::NotObject)
        ]
    );
    assert_eq!(world.store.message_count(), 1);
}

#[tokio::test]
async fn a_list_tells_what_each_name_means() {
    let world = World::new();
    save(&world, &OFFICE, "validation", "Pusat").await;
    save(&world, &OFFICE, "promo", "Pusat {var.a} {var.b|x}").await;
    save(&world, &own(), "promo", "Dealer").await;
    save(&world, &own(), "servis", "{var.km}").await;
    let desk = world.services().templates;
    let shown = async |owner: &Owner| {
        let all = desk.list(owner).await.unwrap();
        let all = all.into_iter().map(|it| {
            let version = it.newest.as_ref().map(|newest| newest.version);
            (it.name, it.origin, version, it.variables.join(","))
        });
        all.collect::<Vec<_>>()
    };
    use TemplateOrigin::{BuiltIn, Dealer, Shared};
    let line = |name: &str, origin, variables: &str| {
        (name.to_owned(), origin, Some(1), variables.to_owned())
    };
    assert_eq!(
        shown(&own()).await,
        [
            line("promo", Dealer, ""),
            line("servis", Dealer, "km"),
            line("validation", Shared, ""),
        ]
    );
    let of_office = [line("promo", Shared, "a,b"), line("validation", Shared, "")];
    assert_eq!(shown(&OFFICE).await, of_office);
    let history = desk.find(&own(), &name("validation")).await.unwrap();
    assert_eq!(history.template.origin, Shared);
    assert_eq!(history.versions.len(), 1);
    remove(&world, &OFFICE, "validation").await;
    let history = desk.find(&own(), &name("validation")).await.unwrap();
    assert_eq!(history.template.origin, BuiltIn);
    assert!(
        history
            .template
            .body()
            .starts_with("Halo {customer_name},\n")
    );
    let gone = desk.find(&own(), &name("gone")).await;
    assert!(matches!(gone, Err(TemplateError::UnknownTemplate)));
}

#[tokio::test]
async fn a_text_that_is_no_template_is_not_saved() {
    let world = World::new();
    let desk = world.services().templates;
    let refused = async |body: &str| {
        let (owner, author) = (own(), sample::author());
        match desk
            .save(&owner, &name("promo"), body, &ALWAYS, &author)
            .await
        {
            Err(TemplateError::Invalid(faults)) => faults,
            other => panic!("it is refused: {other:?}"),
        }
    };
    let faults = refused("Halo {nama} {").await;
    let positions: Vec<usize> = faults.iter().map(TemplateFault::position).collect();
    assert_eq!(positions, [5, 12]);
    let long = "{customer_name}".repeat(236);
    assert_eq!(refused(&long).await, [TemplateFault::MessageTooLong]);
    save(&world, &own(), "promo", &"{customer_name}".repeat(235)).await;
    let stale = Precondition::OneOf(vec![SeenTemplate::Own(7)]);
    let (owner, promo, author) = (own(), name("promo"), sample::author());
    let saving = desk.save(&owner, &promo, "x", &stale, &author);
    assert!(matches!(saving.await, Err(TemplateError::Overtaken)));
    world.store.put_dealer(domain::dealers::Dealer {
        active: false,
        ..sample::dealer()
    });
    let saving = desk.save(&owner, &promo, "x", &ALWAYS, &author);
    assert!(matches!(saving.await, Err(TemplateError::UnknownDealer)));
}

#[tokio::test]
async fn a_preview_shows_a_sample_and_the_newest_requests() {
    let world = World::new();
    let other = "Halo {customer_name}, {var.km}";
    save(&world, &own(), "servis", other).await;
    let first = accept(&world, submission("servis", &[("km", "12")])).await;
    let second = accept(&world, sample::submission()).await;
    let values = PreviewSample {
        customer_name: "{Budi}".to_owned(),
        unit_type: "Vario".to_owned(),
        license_plate: "B 1".to_owned(),
        request_time: sample::morning(2026, 1, 5),
        variables: Variables::default(),
    };
    let desk = world.services().templates;
    let shown = desk.preview(&own(), other, &values, 5).await.unwrap();
    assert_eq!(shown.text.as_deref(), Some("Halo {\u{2060}Budi}, [km]"));
    assert_eq!(shown.variables, ["km"]);
    let renderings: Vec<_> = shown
        .renderings
        .iter()
        .map(|it| (it.request, it.text.as_str(), it.differs))
        .collect();
    let with = (first, "Halo Adit, 12", Some(false));
    let without = (second, "Halo Adit, [km]", Some(true));
    assert_eq!(renderings, [without, with]);
    let faulty = desk.preview(&own(), "{", &values, 5).await.unwrap();
    assert_eq!(faulty.text, None);
    assert_eq!(faulty.faults, [TemplateFault::SingleBrace { position: 0 }]);
    let office = desk.preview(&OFFICE, "{dealer_name}!", &values, 5).await;
    assert_eq!(office.unwrap().text.as_deref(), Some("Nama Dealer!"));
}

#[tokio::test]
async fn a_default_template_must_be_in_force_when_it_is_set() {
    let world = World::new();
    let id = sample::dealer_id();
    let desk = world.services().dealers;
    let patch = |name: &str| SettingsPatch {
        default_template: name.into(),
        ..SettingsPatch::default()
    };
    let check = async |name: &str| desk.check(Some(&id), &patch(name)).await;
    let Err(DealerAdministrationError::Invalid(faults)) = check("servis").await else {
        panic!("there is none");
    };
    let unknown = [(SettingField::DefaultTemplate, Fault::UnknownTemplate)];
    assert_eq!(faults, unknown);
    assert!(check("validation").await.is_ok());
    save(&world, &OFFICE, "servis", "Servis").await;
    let change = check("servis").await.unwrap();
    let record = desk.change(&id, &change, &sample::author()).await.unwrap();
    assert_eq!(record.dealer.missing_default_template(), None);
    remove(&world, &OFFICE, "servis").await;
    let record = desk.dealer(&id).await.unwrap();
    assert_eq!(record.dealer.missing_default_template(), Some("servis"));
}

/// Use cases over a directory that remembers the dealer without its templates, and is asked once more so
/// many times.
async fn remembering(world: &World, again: usize) -> Services {
    let now = world.store.find(&sample::dealer_id()).await.unwrap();
    let later = now.clone();
    let mut dealers = MockDealerDirectory::new();
    dealers
        .expect_find()
        .returning(|_| Ok(Some(sample::dealer())));
    dealers
        .expect_find_again()
        .times(again)
        .returning(move |_| Ok(later.clone()));
    dealers
        .expect_find_now()
        .returning(move |_| Ok(now.clone()));
    world.services_over(&Ports {
        dealers: Arc::new(dealers),
        ..world.ports()
    })
}

#[tokio::test]
async fn a_template_that_was_saved_on_another_copy_is_looked_for_once_more() {
    let world = World::new();
    save(&world, &own(), "promo", "Halo").await;
    let services = remembering(&world, 2).await;
    let request = services.intake.accept(submission("promo", &[])).await;
    let request = request.unwrap().id;
    assert_eq!(made(&world, request).await, expected("promo", 1, "Halo"));
    let gone = services.intake.accept(submission("gone", &[])).await;
    assert!(matches!(gone, Err(IntakeError::Invalid(_))));
}

#[tokio::test]
async fn a_bulk_call_looks_for_templates_once_more() {
    let world = World::new();
    save(&world, &own(), "promo", "Halo").await;
    let intake = remembering(&world, 1).await.intake;
    let row = |template: &str| BulkRow {
        submission: submission(template, &[]),
        once: None,
    };
    let mut call = BulkCall::new(ALL, false);
    let rows = vec![row("gone"), row("promo"), row("gone")];
    let answers = intake.accept_all(&mut call, rows).await;
    let stored: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(stored, [false, true, false]);
}

/// Such a row can be stored later; one that is told to be wrong is never sent again.
#[tokio::test]
async fn rows_whose_template_cannot_be_looked_for_are_not_stored() {
    let world = World::new();
    let mut dealers = MockDealerDirectory::new();
    dealers
        .expect_find()
        .returning(|_| Ok(Some(sample::dealer())));
    dealers
        .expect_find_again()
        .times(1)
        .returning(|_| Err(StoreError::Unavailable("away".into())));
    let ports = Ports {
        dealers: Arc::new(dealers),
        ..world.ports()
    };
    let intake = world.services_over(&ports).intake;
    let row = || BulkRow {
        submission: submission("promo", &[]),
        once: None,
    };
    let mut call = BulkCall::new(ALL, false);
    let answers = intake.accept_all(&mut call, vec![row(), row()]).await;
    for answer in answers {
        assert!(
            matches!(answer, Err(IntakeError::NotStored(_))),
            "{answer:?}"
        );
    }
    assert!(call.is_given_up());
}

#[tokio::test]
async fn a_resent_message_is_of_the_newest_version_of_another_copy_too() {
    let world = World::new();
    let request = accept(&world, sample::submission()).await;
    save(&world, &own(), "validation", "Halo").await;
    world.pass(std::time::Duration::from_secs(60));
    round(&world.services().dispatcher).await;
    let messages = remembering(&world, 0).await.messages;
    let (order, author) = (Reordered::default(), sample::author());
    let resent = messages.resend(request, &ALL, order, &author, None).await;
    assert_eq!(resent.unwrap().message.template_version, Some(1));
}
