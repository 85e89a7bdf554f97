//! Bodies into inputs, records into answers.

use api_types::{
    DeliveriesData, DeliveriesReply, DeliveryAttemptItem, DeliveryItem, EndpointItem,
    EndpointsData, EndpointsReply, EventName, MadeEndpointData, rfc_3339,
};
use domain::endpoints::{
    AddressFault, DeliveryRecord, EndpointFault, EndpointField, EndpointInput, EndpointRecord,
    EventAttempt, RawEvents,
};
use domain::replies::ListCursor;
use domain::requests::Fault;
use domain::usecases::{EndpointError, MadeEndpoint};
use serde_json::Value;

use crate::http::{Fields, input as value_of};
use crate::problem::Problem;
use crate::routes::list_page::{Page, found};
use crate::validation::Rule;

/// The names of [`EventName`], for people.
const EVENTS: &str = "'message.sent', 'message.delivered', 'message.read', 'message.failed', \
     'message.unknown', 'message.expired', 'message.cancelled', 'account.blocked', \
     'account.recovered', 'account.quota_low', 'account.expiring', 'reply.received', \
     'opt_out.changed' or 'endpoint.disabled'";

/// Reads a body.
pub(super) fn input(fields: &Fields) -> EndpointInput {
    EndpointInput {
        url: fields.input("url"),
        events: match fields.value("events") {
            None => RawEvents::Absent,
            Some(Value::Array(events)) => {
                RawEvents::List(events.iter().map(|event| value_of(Some(event))).collect())
            }
            Some(_) => RawEvents::Other,
        },
        note: fields.input("note"),
        enabled: fields.input("enabled"),
    }
}

/// The problem of a refused body.
pub(super) fn refused(error: EndpointError, mut fields: Fields) -> Problem {
    let faults = match error {
        EndpointError::Invalid(faults) => faults,
        other => return other.into(),
    };
    for (field, fault) in faults {
        let rule = rule(fault);
        match field {
            EndpointField::Url => fields.refuse(&["url"], rule),
            EndpointField::Events => fields.refuse(&["events"], rule),
            EndpointField::Event(place) => fields.refuse_entry("events", place, rule),
            EndpointField::Note => fields.refuse(&["note"], rule),
            EndpointField::Enabled => fields.refuse(&["enabled"], rule),
        }
    }
    fields.invalid()
}

fn rule(fault: EndpointFault) -> Rule {
    match fault {
        EndpointFault::Field(Fault::TooMany { max }) => Rule::TooManyEntries(max),
        EndpointFault::Field(fault) => fault.into(),
        EndpointFault::Address(fault) => address(fault),
        EndpointFault::NotAList => Rule::NotAList,
        EndpointFault::NoEvents => Rule::NoEntries,
        EndpointFault::UnknownEvent => Rule::NoneOf(EVENTS),
    }
}

fn address(fault: AddressFault) -> Rule {
    Rule::Own(match fault {
        AddressFault::NotAUrl => "Expected an address such as https://workshop.example/events",
        AddressFault::NotHttps => {
            "Expected an https address; http is for loopback, from a service that listens on loopback"
        }
        AddressFault::HasUser => "Expected an address without user name and password",
        AddressFault::PortZero => "Expected a port from 1 to 65535",
        AddressFault::HasFragment => "Expected an address without a fragment (#)",
        AddressFault::NotPublic => return Rule::NOT_PUBLIC,
    })
}

/// A page of endpoints; their list is short and comes whole.
pub(super) fn written_endpoints(page: &Page, mut all: Vec<EndpointRecord>) -> EndpointsReply {
    // No two endpoints of an owner were made in the same microsecond: they are made one after the other.
    let cursor =
        |endpoint: &EndpointRecord| ListCursor(endpoint.created_at.timestamp_micros().max(0));
    all.reverse();
    if let Some(after) = page.after {
        all.retain(|endpoint| cursor(endpoint).0 < after.0);
    }
    let next_cursor = page.cut(&mut all, cursor);
    let found = found(all.len(), "endpoint", "endpoints");
    let items = all.into_iter().map(endpoint_item).collect();
    EndpointsReply::new(found, EndpointsData { items, next_cursor })
}

pub(super) fn written_deliveries(page: &Page, mut all: Vec<DeliveryRecord>) -> DeliveriesReply {
    let next_cursor = page.cut(&mut all, |delivery| delivery.cursor);
    let found = found(all.len(), "delivery", "deliveries");
    let items = all.into_iter().map(delivery_item).collect();
    DeliveriesReply::new(found, DeliveriesData { items, next_cursor })
}

pub(super) fn endpoint_item(endpoint: EndpointRecord) -> EndpointItem {
    EndpointItem {
        id: endpoint.id.to_string(),
        url: endpoint.url,
        events: endpoint.events.into_iter().map(EventName::from).collect(),
        note: endpoint.note,
        enabled: endpoint.disabled_at.is_none(),
        created_at: rfc_3339(endpoint.created_at),
        disabled_at: endpoint.disabled_at.map(rfc_3339),
    }
}

pub(super) fn endpoint_data(made: MadeEndpoint) -> MadeEndpointData {
    use secrecy::ExposeSecret as _;

    MadeEndpointData {
        endpoint: endpoint_item(made.record),
        secret: made.secret.expose_secret().to_owned(),
    }
}

pub(super) fn delivery_item(delivery: DeliveryRecord) -> DeliveryItem {
    DeliveryItem {
        id: delivery.id.to_string(),
        webhook_id: delivery.event_id.to_string(),
        event: delivery.event,
        created_at: rfc_3339(delivery.created_at),
        state: delivery.state.as_str().into(),
        attempts: delivery.attempts.into_iter().map(attempt_item).collect(),
    }
}

fn attempt_item(attempt: EventAttempt) -> DeliveryAttemptItem {
    DeliveryAttemptItem {
        at: rfc_3339(attempt.at),
        status: attempt.status,
        error: attempt.error,
    }
}

#[cfg(test)]
mod tests {
    use domain::endpoints::EventType;

    use super::*;

    #[test]
    fn the_events_are_told_by_name() {
        let names: Vec<_> = EventType::subscribable().map(EventType::as_str).collect();
        let (last, others) = names.split_last().unwrap();
        assert_eq!(EVENTS, format!("'{}' or '{last}'", others.join("', '")));
    }
}
