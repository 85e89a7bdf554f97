//! Templates: what messages say.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use callers::in_time;
use chrono::NaiveDate;
use domain::access::Scope;
use domain::ports::{Precondition, SeenTemplate};
use domain::requests::Input;
use domain::settings::SettingsPatch;
use domain::template::{TemplateName, VALIDATION, Variables};
use domain::usecases::{
    DealerAdministrationError, Preview, PreviewSample, TemplateError, TemplateHistory,
};
use domain::values::{DealerId, Owner};

use super::{Answer, go_to, page, page_with};
use crate::form::{Fields, Form};
use crate::mistake::Mistake;
use crate::seen::{over, seen};
use crate::state::Console;
use crate::views::preview::{self, Shown};
use crate::views::template::{self, Draft, NameFault, Note, TemplatePage};
use crate::views::templates::{self, TemplateList, Whose};
use crate::visit::Visit;

/// On how many of the newest requests a text is tried out.
const RECENT: u32 = 8;

/// All templates, or with `new` the draft of one more.
pub(crate) async fn list(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let whose = whose(&visit, &fields)?;
    if fields.get("new").is_some() {
        to_write(&whose)?;
        let draft = Draft {
            seen: seen(&whose.owner, None),
            ..Draft::default()
        };
        let mut shown = known(&console, whose, None, draft).await?;
        // Nobody has begun yet.
        shown.shown.preview.faults.clear();
        return Ok(page(template::page(&visit, &shown)));
    }
    let listing = console.services.templates.list(&whose.owner);
    let all = in_time(listing, TemplateError::Store).await?;
    let list = TemplateList {
        now: console.parts.clock.now(),
        default: default_of(&console, &whose.owner).await?,
        was_removed: fields.get("done") == Some("remove"),
        templates: all,
        whose,
    };
    Ok(page(templates::list(&visit, &list)))
}

/// One template; with `version` an older text as the draft.
pub(crate) async fn show(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
    name: Path<String>,
) -> Answer {
    let fields = Fields::read(request.query_string());
    let whose = whose(&visit, &fields)?;
    let name = TemplateName::parse(&name).map_err(|_| Mistake::NotFound)?;
    let history = find(&console, &whose.owner, &name).await?;
    let history = history.ok_or(Mistake::NotFound)?;
    let older = fields.get("version").and_then(|text| text.parse().ok());
    let older = older.and_then(|number: u32| {
        let versions = history.versions.iter();
        versions
            .map(|version| (version.version, version.body.clone()))
            .find(|(version, _)| *version == number)
    });
    let newest = history.template.newest.as_ref().map(|it| it.version);
    let note = match (fields.get("done"), &older) {
        (Some("save"), _) => Some(Note::Saved),
        (Some("same"), _) => Some(Note::Same),
        (Some("default"), _) => Some(Note::MadeDefault),
        (_, Some((version, _))) if Some(*version) != newest => Some(Note::OlderVersion),
        _ => None,
    };
    let draft = Draft {
        body: older.map_or_else(|| history.template.body().to_owned(), |(_, body)| body),
        seen: seen(&whose.owner, Some(&history.template)),
        ..Draft::default()
    };
    let shown = known(&console, whose, Some((&name, Some(history))), draft).await?;
    Ok(page(template::page(
        &visit,
        &TemplatePage { note, ..shown },
    )))
}

/// Tries a new template out, or makes it.
pub(crate) async fn make(visit: Visit, console: Data<Console>, Form(fields): Form) -> Answer {
    let whose = whose(&visit, &fields)?;
    to_write(&whose)?;
    write(&visit, &console, whose, None, &fields).await
}

/// Tries a text out, or makes it the newest version.
pub(crate) async fn save(
    visit: Visit,
    console: Data<Console>,
    name: Path<String>,
    Form(fields): Form,
) -> Answer {
    let (whose, name) = written(&visit, &fields, &name)?;
    write(&visit, &console, whose, Some(name), &fields).await
}

async fn write(
    visit: &Visit,
    console: &Console,
    whose: Whose,
    name: Option<TemplateName>,
    fields: &Fields,
) -> Answer {
    let typed = |name| fields.all(name).next().unwrap_or_default();
    let mut draft = Draft {
        name: typed("name").trim().to_owned(),
        // Browsers send line breaks as CRLF.
        body: typed("body").replace("\r\n", "\n"),
        seen: typed("seen").to_owned(),
        name_fault: None,
    };
    let act = fields.get("act");
    if act == Some("part") {
        let shown = try_out(console, &whose.owner, &draft.body).await?;
        return Ok(page(preview::fragment(&shown, visit.text())));
    }
    if act != Some("save") {
        let known = known(console, whose, on(name.as_ref()), draft).await?;
        return Ok(page(template::page(visit, &known)));
    }
    let wanted = match &name {
        Some(name) => Some(name.clone()),
        None => TemplateName::parse(&draft.name).ok(),
    };
    let mut note = None;
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    match wanted {
        None => draft.name_fault = Some(NameFault::Malformed),
        Some(wanted) => match keep(visit, console, &whose, &wanted, &draft).await {
            Ok(done) => {
                let address = whose.address(Some(wanted.as_str()), &[("done", done)]);
                return Ok(go_to(&address));
            }
            Err(TemplateError::Invalid(_)) => {}
            Err(TemplateError::TooMany) => note = Some(Note::TooMany),
            Err(TemplateError::Overtaken) if name.is_none() => {
                status = StatusCode::CONFLICT;
                draft.name_fault = Some(NameFault::Taken);
            }
            Err(TemplateError::Overtaken) => {
                status = StatusCode::CONFLICT;
                note = Some(Note::Overtaken);
            }
            Err(error) => return Err(error.into()),
        },
    }
    let mut known = known(console, whose, on(name.as_ref()), draft).await?;
    if note == Some(Note::Overtaken) {
        // Whoever saves again has seen what is in force now.
        let view = known.history.as_ref().map(|history| &history.template);
        known.draft.seen = seen(&known.whose.owner, view);
    }
    known.note = note;
    Ok(page_with(status, template::page(visit, &known)))
}

/// Saves a draft; says whether that made a version.
async fn keep(
    visit: &Visit,
    console: &Console,
    whose: &Whose,
    name: &TemplateName,
    draft: &Draft,
) -> Result<&'static str, TemplateError> {
    let over = over(&draft.seen);
    let by = visit.author().map_err(|_| TemplateError::UnknownTemplate)?;
    let before = match &over {
        Precondition::OneOf(all) => all.first().copied(),
        _ => None,
    };
    let templates = &console.services.templates;
    let saving = templates.save(&whose.owner, name, &draft.body, &over, &by);
    let (history, _) = in_time(saving, TemplateError::Store).await?;
    let newest = history.template.newest.map(|newest| newest.version);
    tracing::info!(
        dealer.id = whose.owner.dealer().map(DealerId::as_str),
        template.name = name.as_str(),
        template.version = newest,
        "template saved"
    );
    Ok(match (before, newest) {
        (Some(SeenTemplate::Own(before)), Some(newest)) if before == newest => "same",
        _ => "save",
    })
}

/// Asks once; then removes it.
pub(crate) async fn remove(
    visit: Visit,
    console: Data<Console>,
    name: Path<String>,
    Form(fields): Form,
) -> Answer {
    let (whose, name) = written(&visit, &fields, &name)?;
    let seen = fields.get("seen").unwrap_or_default();
    if fields.get("confirmed") != Some("yes") {
        find(&console, &whose.owner, &name)
            .await?
            .ok_or(Mistake::NotFound)?;
        let question = template::confirm_removal(&visit, &whose, name.as_str(), seen);
        return Ok(page(question));
    }
    let by = visit.author()?;
    let over = over(seen);
    let removing = console
        .services
        .templates
        .remove(&whose.owner, &name, &over, &by);
    match in_time(removing, TemplateError::Store).await {
        Ok(_) => {
            tracing::info!(
                dealer.id = whose.owner.dealer().map(DealerId::as_str),
                template.name = name.as_str(),
                "template removed"
            );
            Ok(go_to(&whose.address(None, &[("done", "remove")])))
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes it the dealer's default.
pub(crate) async fn make_default(
    visit: Visit,
    console: Data<Console>,
    name: Path<String>,
    Form(fields): Form,
) -> Answer {
    let whose = whose(&visit, &fields)?;
    let name = named(&name)?;
    let dealer = whose.owner.dealer().ok_or(Mistake::NotFound)?;
    let patch = SettingsPatch {
        default_template: Input::Text(name.as_str().to_owned()),
        ..SettingsPatch::default()
    };
    let dealers = &console.services.dealers;
    let store = DealerAdministrationError::Store;
    let change = in_time(dealers.check(Some(dealer), &patch), store).await;
    let change = change.map_err(|error| match error {
        DealerAdministrationError::Invalid(_) => Mistake::NotFound,
        other => other.into(),
    })?;
    let author = visit.author()?;
    in_time(dealers.change(dealer, &change, &author), store).await?;
    Ok(go_to(
        &whose.address(Some(name.as_str()), &[("done", "default")]),
    ))
}

/// Whose templates are meant. To a dealer's key another dealer looks like none.
fn whose(visit: &Visit, fields: &Fields) -> Result<Whose, Mistake> {
    let own = visit.dealer()?;
    let typed = fields.get("dealer_id").map(DealerId::parse).transpose();
    let typed = typed.map_err(|_| Mistake::NotFound)?;
    let owner = match (own, typed) {
        (Some(own), None) => Owner::Dealer(own.clone()),
        (Some(own), Some(typed)) if *own == typed => Owner::Dealer(typed),
        (Some(_), Some(_)) => return Err(Mistake::NotFound),
        (None, Some(typed)) => Owner::Dealer(typed),
        (None, None) => Owner::HeadOffice,
    };
    Ok(Whose {
        is_chosen: own.is_none(),
        may_write: visit.may(match owner {
            Owner::Dealer(_) => Scope::Write,
            Owner::HeadOffice => Scope::Admin,
        }),
        may_set_default: visit.may(Scope::Admin) && owner.dealer().is_some(),
        owner,
    })
}

fn named(name: &str) -> Result<TemplateName, Mistake> {
    TemplateName::parse(name).map_err(|_| Mistake::NotFound)
}

/// The template that is to be written.
fn written(visit: &Visit, fields: &Fields, name: &str) -> Result<(Whose, TemplateName), Mistake> {
    let whose = whose(visit, fields)?;
    to_write(&whose)?;
    Ok((whose, named(name)?))
}

/// Templates for all dealers are written by head office's administrators alone.
fn to_write(whose: &Whose) -> Result<(), Mistake> {
    match (whose.may_write, &whose.owner) {
        (true, _) => Ok(()),
        (false, Owner::Dealer(_)) => Err(Mistake::NotAllowed(Scope::Write)),
        (false, Owner::HeadOffice) => Err(Mistake::NotAllowed(Scope::Admin)),
    }
}

async fn find(
    console: &Console,
    owner: &Owner,
    name: &TemplateName,
) -> Result<Option<TemplateHistory>, Mistake> {
    let finding = console.services.templates.find(owner, name);
    match in_time(finding, TemplateError::Store).await {
        Ok(found) => Ok(Some(found)),
        Err(TemplateError::UnknownTemplate) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A name whose template is still to be looked up.
fn on(name: Option<&TemplateName>) -> Option<(&TemplateName, Option<TemplateHistory>)> {
    name.map(|name| (name, None))
}

/// The page of a draft, as things are.
async fn known(
    console: &Console,
    whose: Whose,
    named: Option<(&TemplateName, Option<TemplateHistory>)>,
    draft: Draft,
) -> Result<TemplatePage, Mistake> {
    let (name, history) = match named {
        None => (None, None),
        Some((name, Some(history))) => (Some(name), Some(history)),
        Some((name, None)) => (Some(name), find(console, &whose.owner, name).await?),
    };
    let default = default_of(console, &whose.owner).await?;
    let name = name.map(|name| name.as_str().to_owned());
    Ok(TemplatePage {
        now: console.parts.clock.now(),
        is_default: name.is_some() && default == name,
        shown: try_out(console, &whose.owner, &draft.body).await?,
        whose,
        name,
        history,
        draft,
        note: None,
    })
}

/// The name of a dealer's default template; head office has none.
async fn default_of(console: &Console, owner: &Owner) -> Result<Option<String>, Mistake> {
    let Some(dealer) = owner.dealer() else {
        return Ok(None);
    };
    let record = console.services.dealers.dealer(dealer);
    let record = in_time(record, DealerAdministrationError::Store).await?;
    let chosen = record.dealer.settings.default_template;
    Ok(Some(chosen.unwrap_or_else(|| VALIDATION.to_owned())))
}

async fn try_out(console: &Console, owner: &Owner, body: &str) -> Result<Shown, Mistake> {
    let day = NaiveDate::from_ymd_opt(2019, 12, 31).unwrap_or_default();
    // The example of a submission.
    let sample = PreviewSample {
        customer_name: "Adit".to_owned(),
        unit_type: "BeAT Street".to_owned(),
        license_plate: "D 123 AD".to_owned(),
        request_time: day.and_hms_opt(15, 40, 50).unwrap_or_default(),
        variables: Variables::default(),
    };
    let trying = console
        .services
        .templates
        .preview(owner, body, &sample, RECENT);
    let preview: Preview = in_time(trying, TemplateError::Store).await?;
    Ok(Shown {
        body: body.to_owned(),
        preview,
        is_of_dealer: owner.dealer().is_some(),
    })
}
