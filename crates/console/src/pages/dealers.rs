//! Dealers: their accounts, queues and settings.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use callers::in_time;
use domain::requests::Input;
use domain::settings::{RawQuietHours, SettingsPatch};
use domain::usecases::{CheckError, DealerAdministrationError, LookupError};
use domain::values::{DealerId, Phone};

use super::{Answer, go_to, page, page_with};
use crate::form::{Fields, Form};
use crate::mistake::Mistake;
use crate::state::Console;
use crate::views::dealer::{self, DealerPage, Tested};
use crate::views::dealers::{self, DealerList};
use crate::views::settings::{InForce, Saved, Typed};
use crate::visit::Visit;

/// Dealers on a page.
const ROWS: u32 = 50;

/// All dealers; a dealer goes to its own page.
pub(crate) async fn list(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    if let Some(own) = visit.dealer()? {
        return Ok(go_to(&format!("/console/dealers/{own}")));
    }
    let fields = Fields::read(request.query_string());
    let number = fields.get("page").and_then(|text| text.parse().ok());
    let number: u64 = number.filter(|number| *number > 0).unwrap_or(1);
    let found = in_time(console.services.dealers.page(number, ROWS), |error| error).await?;
    let list = DealerList {
        now: console.parts.clock.now(),
        number,
        pages: found.total.div_ceil(ROWS.into()),
        total: found.total,
        dealers: found
            .items
            .into_iter()
            .map(|record| {
                let account = record.dealer.account(&console.parts.accounts).err();
                (record, account)
            })
            .collect(),
    };
    Ok(page(dealers::page(&visit, &list)))
}

pub(crate) async fn show(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
    dealer_id: Path<String>,
) -> Answer {
    let dealer = dealer(&visit, &dealer_id)?;
    let fields = Fields::read(request.query_string());
    let mut shown = known(&console, &dealer).await?;
    shown.saved = fields.get("done").and_then(Saved::parse);
    Ok(page(dealer::page(&visit, &shown)))
}

/// Asks the provider how the account is, or sends a real message.
pub(crate) async fn test(
    visit: Visit,
    console: Data<Console>,
    dealer_id: Path<String>,
    Form(fields): Form,
) -> Answer {
    let dealer = dealer(&visit, &dealer_id)?;
    let target = fields.get("target").unwrap_or_default().to_owned();
    let tested = match target.as_str() {
        "" => Tested::Device(console.services.checks.device(&dealer).await),
        raw => match Phone::parse(raw) {
            Ok(phone) => Tested::Message(console.parts.tests.send_test(&dealer, phone).await),
            Err(_) => Tested::NoPhone(target),
        },
    };
    let tested = match tested {
        Tested::Device(Err(CheckError::Store(error)))
        | Tested::Message(Err(CheckError::Store(error))) => return Err(error.into()),
        tested => tested,
    };
    let status = match tested {
        Tested::NoPhone(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    let mut shown = known(&console, &dealer).await?;
    shown.tested = Some(tested);
    Ok(page_with(status, dealer::page(&visit, &shown)))
}

/// Changes settings; a change of key or address only where that was confirmed, and nothing where others have
/// changed them since the form was shown.
pub(crate) async fn change(
    visit: Visit,
    console: Data<Console>,
    dealer_id: Path<String>,
    Form(fields): Form,
) -> Answer {
    let dealer = dealer(&visit, &dealer_id)?;
    let desk = &console.services.dealers;
    let mut shown = known(&console, &dealer).await?;
    let typed = Typed::read(&fields);
    let moves = typed.moves_account(&shown.typed.api_url);
    let patch = typed.patch(&shown.typed);
    shown.changed = shown.in_force.changed_since(fields.get("shown"));
    // Whoever sends the same form twice has changed it himself.
    if !shown.changed.is_empty() && patch != SettingsPatch::default() {
        shown.typed = typed;
        let page = dealer::page(&visit, &shown);
        return Ok(page_with(StatusCode::CONFLICT, page));
    }
    let checking = desk.check(Some(&dealer), &patch);
    let change = in_time(checking, DealerAdministrationError::Store).await;
    let faults = match change {
        Ok(_) if moves && !typed.is_sure => Vec::new(),
        Ok(change) if change.fields().is_empty() => return Ok(saved(&dealer, Saved::Nothing)),
        Ok(change) => {
            let author = visit.author()?;
            let changing = desk.change(&dealer, &change, &author);
            match in_time(changing, DealerAdministrationError::Store).await {
                Ok(_) => return Ok(saved(&dealer, Saved::Changed)),
                Err(DealerAdministrationError::Invalid(faults)) => faults,
                Err(error) => return Err(error.into()),
            }
        }
        Err(DealerAdministrationError::Invalid(faults)) => faults,
        Err(error) => return Err(error.into()),
    };
    shown.asks_to_be_sure = moves && !typed.is_sure;
    shown.typed = typed;
    shown.faults = faults;
    Ok(page_with(
        StatusCode::UNPROCESSABLE_ENTITY,
        dealer::page(&visit, &shown),
    ))
}

fn saved(dealer: &DealerId, saved: Saved) -> HttpResponse {
    let done = saved.name();
    go_to(&format!("/console/dealers/{dealer}?done={done}"))
}

/// The dealer of a path, where the visitor may see it.
fn dealer(visit: &Visit, raw: &str) -> Result<DealerId, Mistake> {
    let dealer = DealerId::parse(raw).map_err(|_| Mistake::NotFound)?;
    visit.dealer_asked(Some(&dealer))?;
    Ok(dealer)
}

async fn known(console: &Console, dealer: &DealerId) -> Result<DealerPage, Mistake> {
    let record = console.services.dealers.dealer(dealer);
    let record = in_time(record, DealerAdministrationError::Store).await?;
    let queue = console.services.messages.queue(dealer);
    let queue = match in_time(queue, LookupError::Store).await {
        Ok(queue) => Some(queue),
        // An inactive dealer has no queue.
        Err(LookupError::UnknownDealer) => None,
        Err(error) => return Err(error.into()),
    };
    let token = record.webhook_token.as_ref();
    let base = &console.parts.public_base_url;
    let webhooks = token.map(|token| {
        ["status", "device", "message"].map(|kind| base.webhook(token.as_str(), kind))
    });
    Ok(DealerPage {
        now: console.parts.clock.now(),
        account: record.dealer.account(&console.parts.accounts).err(),
        typed: Typed::of(&record),
        in_force: InForce::of(&record),
        record,
        queue,
        webhooks,
        tested: None,
        saved: None,
        changed: Vec::new(),
        asks_to_be_sure: false,
        faults: Vec::new(),
    })
}

impl Typed {
    /// As a form posts it.
    fn read(fields: &Fields) -> Self {
        let typed = |name| fields.get(name).unwrap_or_default().to_owned();
        let ticked = |name| fields.get(name).is_some();
        Self {
            min_interval: typed("min_interval_ms"),
            jitter: typed("jitter_ms"),
            daily_limit: typed("daily_limit"),
            quota_low_at: typed("quota_low_at"),
            quiet_from: typed("quiet_from"),
            quiet_to: typed("quiet_to"),
            on_unknown: typed("on_unknown"),
            exclusive_device: ticked("exclusive_device"),
            default_template: typed("default_template"),
            api_key: typed("fonnte_api_key"),
            api_url: typed("fonnte_api_url"),
            webhook_secret: typed("webhook_secret"),
            opt_out_reply: fields.all("opt_out_reply").last().map(|it| it == "yes"),
            removes_key: ticked("remove_key"),
            removes_secret: ticked("remove_secret"),
            is_sure: ticked("sure"),
        }
    }

    /// Whether messages go another way afterwards.
    fn moves_account(&self, address_before: &str) -> bool {
        !self.api_key.is_empty() || self.removes_key || self.api_url != address_before
    }

    /// What is to be changed: an empty field is removed, an empty secret stays, and so does what is as before.
    fn patch(&self, before: &Self) -> SettingsPatch {
        let typed = |text: &str| match text {
            "" => Input::Null,
            text => text.into(),
        };
        let changed = |now: &str, before: &str| match now == before {
            true => Input::Absent,
            false => typed(now),
        };
        let whole = |now: &str, before: &str| match changed(now, before) {
            Input::Text(text) => text.parse().map_or(Input::Text(text), Input::Whole),
            other => other,
        };
        let secret = |typed: &str, removes: bool| match removes {
            true => Input::Null,
            false => changed(typed, ""),
        };
        let quiet = (&self.quiet_from, &self.quiet_to);
        SettingsPatch {
            api_key: secret(&self.api_key, self.removes_key),
            api_url: changed(&self.api_url, &before.api_url),
            min_interval_ms: whole(&self.min_interval, &before.min_interval),
            jitter_ms: whole(&self.jitter, &before.jitter),
            daily_limit: whole(&self.daily_limit, &before.daily_limit),
            quiet_hours: match quiet == (&before.quiet_from, &before.quiet_to) {
                true => RawQuietHours::Absent,
                false => RawQuietHours::Times {
                    from: typed(quiet.0),
                    to: typed(quiet.1),
                },
            },
            on_unknown: changed(&self.on_unknown, &before.on_unknown),
            exclusive_device: match self.exclusive_device == before.exclusive_device {
                true => Input::Absent,
                false => Input::Flag(self.exclusive_device),
            },
            webhook_secret: secret(&self.webhook_secret, self.removes_secret),
            default_template: changed(&self.default_template, &before.default_template),
            opt_out_reply: match self.opt_out_reply {
                Some(now) if Some(now) != before.opt_out_reply => Input::Flag(now),
                _ => Input::Absent,
            },
            quota_low_at: whole(&self.quota_low_at, &before.quota_low_at),
        }
    }
}
