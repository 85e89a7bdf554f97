//! Templates of messages: a dealer's own, and head office's for all dealers.

use actix_web::HttpResponse;
use actix_web::http::header::ETAG;
use actix_web::web::Data;
use api_types::{
    MAX_RECENT, PreviewBody, PreviewData, PreviewReply, RemovedTemplateReply, RenderingItem,
    SavedTemplateData, SavedTemplateReply, TemplateBody, TemplateData, TemplateFaultItem,
    TemplateItem, TemplateReply, TemplateVersionItem, TemplatesReply, rfc_3339,
};
use domain::access::Author;
use domain::ports::{SeenTemplate, TemplateVersion};
use domain::requests::Fault;
use domain::template::{
    MAX_TEMPLATE_CHARACTERS, TemplateFault, TemplateName, TemplateOrigin, TemplateWarning,
};
use domain::usecases::{
    Preview, PreviewSample, Rendering, TemplateError, TemplateHistory, TemplateView,
};
use domain::values::Owner;
use paperclip::actix::api_v2_operation;
use paperclip::actix::web::Path;
use serde::Deserialize;
use serde_json::Value;

use super::submissions::sample;
use crate::access::{Caller, DealerAt};
use crate::http::{Answered, IfMatch, JsonBody, etag, text};
use crate::problem::Problem;
use crate::state::Api;
use crate::validation::{Rule, fault, of_template, place};
use callers::in_time;

/// The most faults of one text that are told.
const MOST_FAULTS: usize = 100;

/// The part of a path that names a template.
#[derive(Deserialize, paperclip::actix::Apiv2Schema)]
pub(crate) struct Named {
    name: String,
}

/// List a dealer's templates
///
/// What each name means for the dealer's messages: its own template, else head office's, else the built-in
/// one. By name.
#[api_v2_operation(operation_id = "list_dealer_templates", tags(template))]
pub(crate) async fn list_dealer_templates(
    dealer: DealerAt,
    api: Data<Api>,
) -> Result<Answered<TemplatesReply>, Problem> {
    list(&api, &of(&dealer)?).await
}

/// Show a dealer's template
///
/// What the name means for the dealer's messages, with all versions, those before a removal too.
#[api_v2_operation(operation_id = "get_dealer_template", tags(template))]
pub(crate) async fn get_dealer_template(
    dealer: DealerAt,
    api: Data<Api>,
    path: Path<Named>,
) -> Result<Answered<TemplateReply>, Problem> {
    get(&api, &of(&dealer)?, &path.name).await
}

/// Save a dealer's template
///
/// Makes a new version, which is in force on every copy within 5 seconds, also where a shared or the
/// built-in template had the name; the same text again makes none. Messages remember the version that they
/// were made from.
#[api_v2_operation(operation_id = "save_dealer_template", tags(template))]
pub(crate) async fn save_dealer_template(
    dealer: DealerAt,
    api: Data<Api>,
    path: Path<Named>,
    over: IfMatch,
    body: JsonBody<TemplateBody>,
) -> Result<Answered<SavedTemplateReply>, Problem> {
    let author = dealer.author();
    save(&api, of(&dealer), &path.name, over, body, &author).await
}

/// Remove a dealer's template
///
/// Goes back to the shared or the built-in template of that name, or to none; its versions are kept.
#[api_v2_operation(operation_id = "remove_dealer_template", tags(template))]
pub(crate) async fn remove_dealer_template(
    dealer: DealerAt,
    api: Data<Api>,
    path: Path<Named>,
    over: IfMatch,
) -> Result<Answered<RemovedTemplateReply>, Problem> {
    remove(&api, &of(&dealer)?, &path.name, over, &dealer.author()).await
}

/// Try a text out for a dealer
///
/// Renders it with a sample and, with `recent`, as the dealer's newest requests would read. A text with
/// faults is answered with their positions. Stores nothing.
#[api_v2_operation(operation_id = "preview_dealer_template", tags(template))]
pub(crate) async fn preview_dealer_template(
    dealer: DealerAt,
    api: Data<Api>,
    body: JsonBody<PreviewBody>,
) -> Result<Answered<PreviewReply>, Problem> {
    preview(&api, of(&dealer), body).await
}

/// List head office's templates
///
/// What each name means for dealers without a template of that name: head office's, else the built-in one.
#[api_v2_operation(operation_id = "list_shared_templates", tags(admin))]
pub(crate) async fn list_shared_templates(
    api: Data<Api>,
) -> Result<Answered<TemplatesReply>, Problem> {
    list(&api, &Owner::HeadOffice).await
}

/// Show a template of head office
///
/// With all versions, those before a removal too.
#[api_v2_operation(operation_id = "get_shared_template", tags(admin))]
pub(crate) async fn get_shared_template(
    api: Data<Api>,
    path: Path<Named>,
) -> Result<Answered<TemplateReply>, Problem> {
    get(&api, &Owner::HeadOffice, &path.name).await
}

/// Save a template for all dealers
///
/// As a dealer's, for those who have none of that name.
#[api_v2_operation(operation_id = "save_shared_template", tags(admin))]
pub(crate) async fn save_shared_template(
    caller: Caller,
    api: Data<Api>,
    path: Path<Named>,
    over: IfMatch,
    body: JsonBody<TemplateBody>,
) -> Result<Answered<SavedTemplateReply>, Problem> {
    let owner = Ok(Owner::HeadOffice);
    save(&api, owner, &path.name, over, body, &caller.author()).await
}

/// Remove a template of head office
///
/// Goes back to the built-in template of that name, or to none; its versions are kept.
#[api_v2_operation(operation_id = "remove_shared_template", tags(admin))]
pub(crate) async fn remove_shared_template(
    caller: Caller,
    api: Data<Api>,
    path: Path<Named>,
    over: IfMatch,
) -> Result<Answered<RemovedTemplateReply>, Problem> {
    let owner = Owner::HeadOffice;
    remove(&api, &owner, &path.name, over, &caller.author()).await
}

/// Try a text out for all dealers
///
/// As for a dealer, with a sample alone: requests belong to dealers, so that `recent` shows none.
#[api_v2_operation(operation_id = "preview_shared_template", tags(admin))]
pub(crate) async fn preview_shared_template(
    api: Data<Api>,
    body: JsonBody<PreviewBody>,
) -> Result<Answered<PreviewReply>, Problem> {
    preview(&api, Ok(Owner::HeadOffice), body).await
}

fn of(dealer: &DealerAt) -> Result<Owner, Problem> {
    Ok(Owner::Dealer(dealer.id()?.clone()))
}

/// A name that no template can have is one that none has.
fn known(name: &str) -> Result<TemplateName, Problem> {
    TemplateName::parse(name).map_err(|_| TemplateError::UnknownTemplate.into())
}

async fn list(api: &Api, owner: &Owner) -> Result<Answered<TemplatesReply>, Problem> {
    let listing = api.templates.list(owner);
    let all = in_time(listing, TemplateError::Store).await?;
    let found = match all.len() {
        1 => "Found 1 template".to_owned(),
        count => format!("Found {count} templates"),
    };
    let items = all.into_iter().map(|view| template_item(&view)).collect();
    Ok(Answered::ok(&TemplatesReply::new(found, items)))
}

async fn get(api: &Api, owner: &Owner, name: &str) -> Result<Answered<TemplateReply>, Problem> {
    let name = known(name)?;
    let finding = api.templates.find(owner, &name);
    let history = in_time(finding, TemplateError::Store).await?;
    let tag = tag(owner, &history.template);
    let reply = TemplateReply::new("Template found", template_data(history));
    let mut response = HttpResponse::Ok();
    response.insert_header((ETAG, tag));
    Ok(Answered::with(response.json(reply)))
}

async fn save(
    api: &Api,
    owner: Result<Owner, Problem>,
    name: &str,
    IfMatch(over): IfMatch,
    body: JsonBody<TemplateBody>,
    author: &Author,
) -> Result<Answered<SavedTemplateReply>, Problem> {
    let name = TemplateName::parse(name).map_err(|_| {
        let at = vec![place("path"), place("name")];
        let rule = Rule::Own("Expected 1 to 50 of a to z, digits, _ and -");
        Problem::Invalid(vec![fault(at, rule, name.into())])
    })?;
    let mut fields = body.fields()?;
    let text = fields.required("body", text(|raw| Ok::<_, Rule>(raw.to_owned())));
    let Some(text) = text else {
        return Err(fields.invalid());
    };
    let refused = |error| match error {
        TemplateError::Invalid(faults) => Problem::Invalid(described(&faults, &text)),
        other => other.into(),
    };
    // Whether there is such a dealer is told when the text is right.
    api.templates.check(&text).map_err(refused)?;
    let owner = owner?;
    let saving = api.templates.save(&owner, &name, &text, &over, author);
    let (history, warnings) = in_time(saving, TemplateError::Store)
        .await
        .map_err(refused)?;
    let tag = tag(&owner, &history.template);
    tracing::info!(
        dealer.id = owner.dealer().map(domain::values::DealerId::as_str),
        template.name = name.as_str(),
        template.version = history
            .template
            .newest
            .as_ref()
            .map(|newest| newest.version),
        "template saved"
    );
    let data = SavedTemplateData {
        template: template_data(history),
        warnings: sentences(&warnings),
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((ETAG, tag));
    Ok(Answered::with(
        response.json(SavedTemplateReply::new("Template saved", data)),
    ))
}

async fn remove(
    api: &Api,
    owner: &Owner,
    name: &str,
    IfMatch(over): IfMatch,
    author: &Author,
) -> Result<Answered<RemovedTemplateReply>, Problem> {
    let name = known(name)?;
    let removing = api.templates.remove(owner, &name, &over, author);
    let left = in_time(removing, TemplateError::Store).await?;
    tracing::info!(
        dealer.id = owner.dealer().map(domain::values::DealerId::as_str),
        template.name = name.as_str(),
        "template removed"
    );
    let reply = RemovedTemplateReply::new("Template removed", left.map(template_data));
    Ok(Answered::ok(&reply))
}

async fn preview(
    api: &Api,
    owner: Result<Owner, Problem>,
    body: JsonBody<PreviewBody>,
) -> Result<Answered<PreviewReply>, Problem> {
    let mut fields = body.fields()?;
    let text = fields.required("body", text(|raw| Ok::<_, Rule>(raw.to_owned())));
    let sample = sample(&mut fields);
    let recent = fields.optional("recent", recent);
    let (Some(text), Some(sample), Some(recent)) = (text, sample, recent) else {
        return Err(fields.invalid());
    };
    let values = PreviewSample {
        customer_name: sample.customer_name,
        unit_type: sample.unit_type,
        license_plate: sample.license_plate.as_sent().to_owned(),
        request_time: sample.created_time,
        variables: sample.variables,
    };
    let owner = owner?;
    let rendering = api
        .templates
        .preview(&owner, &text, &values, recent.unwrap_or(0));
    let shown = in_time(rendering, TemplateError::Store).await?;
    let data = preview_data(shown, recent.is_some());
    Ok(Answered::ok(&PreviewReply::new("Template rendered", data)))
}

fn recent(value: &Value) -> Result<u32, Rule> {
    let most = i64::from(MAX_RECENT);
    match crate::http::input(Some(value)) {
        domain::requests::Input::Whole(number) if number < 0 => {
            Err(Fault::TooSmall { min: 0 }.into())
        }
        domain::requests::Input::Whole(number) if number > most => {
            Err(Fault::TooLarge { max: most }.into())
        }
        domain::requests::Input::Whole(number) => {
            u32::try_from(number).map_err(|_| Fault::NotWhole.into())
        }
        _ => Err(Fault::NotWhole.into()),
    }
}

/// The faults of a text that is to be saved, each with what stands there.
fn described(faults: &[TemplateFault], text: &str) -> Vec<api_types::FaultBody> {
    let at = || vec![place("body"), place("body")];
    let faults = faults.iter().take(MOST_FAULTS);
    faults
        .map(|found| match found {
            TemplateFault::Empty => fault(at(), Fault::TooShort { min: 1 }, text.into()),
            TemplateFault::TooLong => {
                let max = MAX_TEMPLATE_CHARACTERS;
                fault(at(), Fault::TooLong { max }, text.into())
            }
            TemplateFault::Blank => fault(at(), Fault::Blank, text.into()),
            other => of_template(at(), other, text),
        })
        .collect()
}

/// What was seen by whoever got this answer.
fn tag(owner: &Owner, view: &TemplateView) -> String {
    etag(match (&view.newest, view.origin) {
        (None, _) => SeenTemplate::BuiltIn,
        (Some(newest), TemplateOrigin::Shared) if owner.dealer().is_some() => {
            SeenTemplate::Shared(newest.version)
        }
        (Some(newest), _) => SeenTemplate::Own(newest.version),
    })
}

fn template_item(view: &TemplateView) -> TemplateItem {
    let newest = view.newest.as_ref();
    TemplateItem {
        name: view.name.clone(),
        origin: view.origin.as_str().into(),
        version: newest.map(|newest| newest.version),
        author: newest.map(|newest| newest.author.clone()),
        created_at: newest.map(|newest| rfc_3339(newest.created_at)),
        variables: view.variables.clone(),
    }
}

fn template_data(history: TemplateHistory) -> TemplateData {
    let version = |it: TemplateVersion| TemplateVersionItem {
        version: it.version,
        body: it.body,
        author: it.author,
        created_at: rfc_3339(it.created_at),
    };
    TemplateData {
        template: template_item(&history.template),
        body: history.template.body().to_owned(),
        versions: history.versions.into_iter().map(version).collect(),
    }
}

fn preview_data(shown: Preview, with_renderings: bool) -> PreviewData {
    let rendering = |it: Rendering| RenderingItem {
        request_id: it.request.to_string(),
        characters: it.text.chars().count(),
        text: it.text,
        differs: it.differs,
    };
    let faults = shown.faults.iter().take(MOST_FAULTS);
    PreviewData {
        characters: shown.text.as_ref().map(|text| text.chars().count()),
        text: shown.text,
        faults: faults
            .map(|fault| TemplateFaultItem {
                position: fault.position(),
                message: fault.to_string(),
            })
            .collect(),
        warnings: sentences(&shown.warnings),
        variables: shown.variables,
        renderings: with_renderings.then(|| shown.renderings.into_iter().map(rendering).collect()),
    }
}

fn sentences(warnings: &[TemplateWarning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}
