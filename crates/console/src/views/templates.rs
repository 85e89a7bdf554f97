//! The templates of somebody, and one with its draft, preview and versions.

use chrono::{DateTime, Utc};
use domain::template::TemplateOrigin;
use domain::usecases::TemplateView;
use domain::values::Owner;
use maud::{Markup, html};

use super::layout::{self, Section};
use crate::text::Text;
use crate::visit::Visit;

/// Whose templates are shown, and what may be done to them.
#[derive(Debug, Clone)]
pub(crate) struct Whose {
    pub(crate) owner: Owner,
    /// Whether it may be chosen: head office.
    pub(crate) is_chosen: bool,
    pub(crate) may_write: bool,
    /// Whether the default of a dealer may be changed.
    pub(crate) may_set_default: bool,
}

/// All templates of somebody.
#[derive(Debug)]
pub(crate) struct TemplateList {
    pub(crate) now: DateTime<Utc>,
    pub(crate) whose: Whose,
    pub(crate) templates: Vec<TemplateView>,
    /// The name of the default one.
    pub(crate) default: Option<String>,
    pub(crate) was_removed: bool,
}

impl Whose {
    /// An address of theirs, with more in its query.
    pub(crate) fn address(&self, name: Option<&str>, more: &[(&str, &str)]) -> String {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        if let (true, Some(dealer)) = (self.is_chosen, self.owner.dealer()) {
            fields.push(("dealer_id", dealer.as_str()));
        }
        fields.extend(more);
        let query = serde_urlencoded::to_string(fields).unwrap_or_default();
        let path = match name {
            None => "/console/templates".to_owned(),
            Some(name) => format!("/console/templates/{name}"),
        };
        match query.is_empty() {
            true => path,
            false => format!("{path}?{query}"),
        }
    }

    /// Carries over whose they are in a form.
    pub(super) fn hidden(&self) -> Markup {
        html! {
            @if let (true, Some(dealer)) = (self.is_chosen, self.owner.dealer()) {
                input type="hidden" name="dealer_id" value=(dealer);
            }
        }
    }

    /// Whether a template is theirs, and none of a layer behind.
    pub(super) fn has(&self, origin: TemplateOrigin) -> bool {
        match self.owner {
            Owner::Dealer(_) => origin == TemplateOrigin::Dealer,
            Owner::HeadOffice => origin == TemplateOrigin::Shared,
        }
    }
}

pub(crate) fn list(visit: &Visit, list: &TemplateList) -> Markup {
    let text = visit.text();
    let whose = &list.whose;
    let content = html! {
        div class="over" {
            h1 { (text.templates()) }
            @if whose.may_write {
                p class="actions" {
                    a class="button primary" href=(whose.address(None, &[("new", "yes")])) { (text.template_new()) }
                }
            }
        }
        @if list.was_removed { p class="notice" role="status" { (text.template_removed()) } }
        p { (text.templates_lead()) }
        @if whose.is_chosen { (choose(whose, text)) }
        table class="cards" {
            caption class="unseen" { (text.templates()) }
            thead {
                tr {
                    th scope="col" { (text.name()) }
                    th scope="col" { (text.template_origin()) }
                    th scope="col" class="number" { (text.version()) }
                    th scope="col" { (text.template_author()) }
                    th scope="col" { (text.time()) }
                    th scope="col" { (text.template_variables()) }
                }
            }
            tbody {
                @for template in &list.templates { (row(template, list, text)) }
            }
        }
    };
    layout::page(visit, Section::Templates, text.templates(), &content)
}

fn choose(whose: &Whose, text: Text) -> Markup {
    let dealer = whose.owner.dealer().map_or("", |dealer| dealer.as_str());
    html! {
        form class="filters" method="get" action="/console/templates" {
            div class="field" {
                label for="dealer_id" { (text.template_choose_dealer()) }
                input id="dealer_id" name="dealer_id" value=(dealer) maxlength="10" autocomplete="off"
                    aria-describedby="dealer_id-help";
                p class="help" id="dealer_id-help" { (text.template_choose_help()) }
            }
            div class="field buttons" { button { (text.show()) } }
        }
    }
}

fn row(template: &TemplateView, list: &TemplateList, text: Text) -> Markup {
    let newest = template.newest.as_ref();
    html! {
        tr {
            th scope="row" {
                a href=(list.whose.address(Some(&template.name), &[])) { (template.name) }
                @if list.default.as_ref() == Some(&template.name) {
                    " " span class="badge" { (text.template_is_default()) }
                }
            }
            td data-label=(text.template_origin()) { (text.template_origin_of(template.origin)) }
            td class="number" data-label=(text.version()) {
                (newest.map_or_else(|| "–".to_owned(), |newest| newest.version.to_string()))
            }
            td data-label=(text.template_author()) { bdi { (newest.map_or("–", |newest| &newest.author)) } }
            td class="figures" data-label=(text.time()) {
                @match newest {
                    Some(newest) => {
                        span title=(text.exactly(newest.created_at)) { (text.moment(newest.created_at, list.now)) }
                    }
                    None => "–",
                }
            }
            td data-label=(text.template_variables()) {
                @if template.variables.is_empty() { "–" } @else { (template.variables.join(", ")) }
            }
        }
    }
}
