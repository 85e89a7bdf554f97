use super::{AddressFault, EndpointPolicy, EndpointUrl, EventType, LONGEST_URL};
use crate::replies::LONGEST_NOTE;
use crate::requests::{Fault, Input};
use crate::settings::Change;
use crate::values::is_blank;

/// The raw list of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RawEvents {
    /// Missing.
    #[default]
    Absent,
    /// A list.
    List(Vec<Input>),
    /// Null or another type.
    Other,
}

/// An endpoint, or the change of one, as it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `EndpointChange`")]
pub struct EndpointInput {
    pub url: Input,
    pub events: RawEvents,
    pub note: Input,
    /// Only of a change.
    pub enabled: Input,
}

/// Where a fault is, in the order in which faults are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the fields are those of `EndpointInput`")]
pub enum EndpointField {
    Url,
    Events,
    /// An entry of the list of events, from 0.
    Event(usize),
    Note,
    Enabled,
}

/// The first rule that a field breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointFault {
    /// A rule of all fields.
    #[error(transparent)]
    Field(#[from] Fault),
    /// Something is wrong in the address itself.
    #[error(transparent)]
    Address(#[from] AddressFault),
    /// The events must be a list.
    #[error("the field is not a list")]
    NotAList,
    /// An endpoint wants at least one event.
    #[error("there is no event")]
    NoEvents,
    /// Nobody can subscribe to an event of that name.
    #[error("there is no event of that name")]
    UnknownEvent,
}

/// For every faulty field its first broken rule, in field order.
pub type EndpointFaults = Vec<(EndpointField, EndpointFault)>;

/// A valid new endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    /// The address.
    pub url: EndpointUrl,
    /// The events it wants, in the order of [`EventType::ALL`].
    pub events: Vec<EventType>,
    /// What a person wrote about it.
    pub note: Option<String>,
}

/// A valid change of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// Another address; its secret stays.
    pub url: Option<EndpointUrl>,
    /// Other events.
    pub events: Option<Vec<EventType>>,
    /// Another note.
    pub note: Change<String>,
    /// Whether it is enabled: enabling an endpoint that is disabled begins the time anew after which
    /// [failures disable](super::DISABLED_AFTER) it.
    pub enabled: Option<bool>,
}

impl EndpointChange {
    /// The names of what is changed, in field order; for the audit.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        let enabled = match self.enabled {
            Some(false) => "disabled",
            _ => "enabled",
        };
        let fields = [
            ("url", self.url.is_some()),
            ("events", self.events.is_some()),
            ("note", !self.note.keeps()),
            (enabled, self.enabled.is_some()),
        ];
        let changed = fields.into_iter().filter(|(_, is_changed)| *is_changed);
        changed.map(|(name, _)| name).collect()
    }
}

impl EndpointInput {
    /// Checks a new endpoint.
    ///
    /// # Errors
    /// For every faulty field its first broken rule, in field order.
    pub fn validate_new(&self, policy: &EndpointPolicy) -> Result<NewEndpoint, EndpointFaults> {
        let mut faults = Vec::new();
        let url = match &self.url {
            Input::Absent => Err(Fault::Missing.into()),
            given => url(given, policy),
        };
        let url = url.map_err(|fault| faults.push((EndpointField::Url, fault)));
        let events = match &self.events {
            RawEvents::Absent => Err(vec![(EndpointField::Events, Fault::Missing.into())]),
            given => events(given),
        };
        let events = events.map_err(|found| faults.extend(found));
        let note = note(&self.note).map_err(|fault| faults.push((EndpointField::Note, fault)));
        match (url, events, note) {
            (Ok(url), Ok(events), Ok(note)) => Ok(NewEndpoint { url, events, note }),
            _ => Err(faults),
        }
    }

    /// Checks a change: what is absent stays, a note that is null is removed.
    ///
    /// # Errors
    /// As for [`validate_new`](Self::validate_new).
    pub fn validate_change(
        &self,
        policy: &EndpointPolicy,
    ) -> Result<EndpointChange, EndpointFaults> {
        let mut faults = Vec::new();
        let mut change = EndpointChange::default();
        if self.url != Input::Absent {
            match url(&self.url, policy) {
                Ok(url) => change.url = Some(url),
                Err(fault) => faults.push((EndpointField::Url, fault)),
            }
        }
        if self.events != RawEvents::Absent {
            match events(&self.events) {
                Ok(events) => change.events = Some(events),
                Err(found) => faults.extend(found),
            }
        }
        if self.note != Input::Absent {
            match note(&self.note) {
                Ok(note) => change.note = note.map_or(Change::Remove, Change::Set),
                Err(fault) => faults.push((EndpointField::Note, fault)),
            }
        }
        match self.enabled {
            Input::Absent => {}
            Input::Flag(enabled) => change.enabled = Some(enabled),
            _ => faults.push((EndpointField::Enabled, Fault::NotFlag.into())),
        }
        if faults.is_empty() {
            Ok(change)
        } else {
            Err(faults)
        }
    }
}

fn url(raw: &Input, policy: &EndpointPolicy) -> Result<EndpointUrl, EndpointFault> {
    let Input::Text(raw) = raw else {
        return Err(Fault::NotText.into());
    };
    text(raw, LONGEST_URL)?;
    Ok(EndpointUrl::parse(raw, policy)?)
}

/// The events, each once and in order.
fn events(raw: &RawEvents) -> Result<Vec<EventType>, EndpointFaults> {
    let RawEvents::List(raw) = raw else {
        return Err(vec![(EndpointField::Events, EndpointFault::NotAList)]);
    };
    let whole = |fault: EndpointFault| Err(vec![(EndpointField::Events, fault)]);
    if raw.is_empty() {
        return whole(EndpointFault::NoEvents);
    }
    let max = EventType::ALL.len();
    if raw.len() > max {
        return whole(Fault::TooMany { max }.into());
    }
    let (mut events, mut faults) = (Vec::new(), Vec::new());
    for (place, entry) in raw.iter().enumerate() {
        let event = match entry {
            Input::Text(name) => EventType::parse(name)
                .filter(|event| event.can_be_subscribed())
                .ok_or(EndpointFault::UnknownEvent),
            _ => Err(Fault::NotText.into()),
        };
        match event {
            Ok(event) => events.push(event),
            Err(fault) => faults.push((EndpointField::Event(place), fault)),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    events.sort_unstable();
    events.dedup();
    Ok(events)
}

/// The note; none where it is absent, null or empty.
fn note(raw: &Input) -> Result<Option<String>, EndpointFault> {
    match raw {
        Input::Absent | Input::Null => Ok(None),
        Input::Text(note) if note.is_empty() => Ok(None),
        Input::Text(note) => {
            text(note, LONGEST_NOTE)?;
            Ok(Some(note.clone()))
        }
        _ => Err(Fault::NotText.into()),
    }
}

fn text(raw: &str, max: usize) -> Result<(), Fault> {
    if raw.chars().count() > max {
        return Err(Fault::TooLong { max });
    }
    if raw.chars().any(char::is_control) {
        return Err(Fault::ControlCharacter);
    }
    if is_blank(raw) {
        return Err(Fault::Blank);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> EndpointPolicy {
        EndpointPolicy::default()
    }

    fn list(names: &[&str]) -> RawEvents {
        RawEvents::List(names.iter().map(|name| Input::from(*name)).collect())
    }

    fn input() -> EndpointInput {
        EndpointInput {
            url: "https://hooks.example/in".into(),
            events: list(&["message.sent"]),
            ..EndpointInput::default()
        }
    }

    #[test]
    fn an_endpoint_has_an_address_and_events_and_perhaps_a_note() {
        let new = EndpointInput {
            events: list(&["reply.received", "message.sent", "reply.received"]),
            note: "bengkel".into(),
            ..input()
        };
        let new = new.validate_new(&policy()).unwrap();
        assert_eq!(new.url.as_str(), "https://hooks.example/in");
        let both = [EventType::MessageSent, EventType::ReplyReceived];
        assert_eq!(new.events, both);
        assert_eq!(new.note.as_deref(), Some("bengkel"));
        for note in [Input::Absent, Input::Null, "".into()] {
            let new = EndpointInput { note, ..input() }.validate_new(&policy());
            assert_eq!(new.unwrap().note, None);
        }
    }

    #[test]
    fn every_faulty_field_of_an_endpoint_is_told() {
        let bad = EndpointInput {
            url: Input::Null,
            events: list(&["message.sent", "endpoint.test", "nothing", ""]),
            note: Input::Whole(1),
            enabled: Input::Absent,
        };
        let unknown = EndpointFault::UnknownEvent;
        assert_eq!(
            bad.validate_new(&policy()).unwrap_err(),
            [
                (EndpointField::Url, Fault::NotText.into()),
                (EndpointField::Event(1), unknown),
                (EndpointField::Event(2), unknown),
                (EndpointField::Event(3), unknown),
                (EndpointField::Note, Fault::NotText.into()),
            ]
        );
        let missing = EndpointInput::default()
            .validate_new(&policy())
            .unwrap_err();
        let fault = EndpointFault::from(Fault::Missing);
        let expected = [(EndpointField::Url, fault), (EndpointField::Events, fault)];
        assert_eq!(missing, expected);
    }

    #[test]
    fn an_address_is_text_of_a_bounded_length() {
        let long = format!("https://hooks.example/{}", "a".repeat(LONGEST_URL));
        for (url, fault) in [
            (" ".into(), EndpointFault::from(Fault::Blank)),
            (
                "https://hooks.example/\n".into(),
                Fault::ControlCharacter.into(),
            ),
            (long.into(), Fault::TooLong { max: LONGEST_URL }.into()),
            ("https://10.0.0.1".into(), AddressFault::NotPublic.into()),
        ] {
            let faults = EndpointInput { url, ..input() }
                .validate_new(&policy())
                .unwrap_err();
            assert_eq!(faults, [(EndpointField::Url, fault)]);
        }
    }

    #[test]
    fn events_are_a_list_that_is_not_empty() {
        for (events, fault) in [
            (RawEvents::Other, EndpointFault::NotAList),
            (list(&[]), EndpointFault::NoEvents),
            (
                list(&["message.sent"; 16]),
                Fault::TooMany { max: 15 }.into(),
            ),
        ] {
            let faults = EndpointInput { events, ..input() }
                .validate_new(&policy())
                .unwrap_err();
            assert_eq!(faults, [(EndpointField::Events, fault)]);
        }
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let nothing = EndpointInput::default().validate_change(&policy()).unwrap();
        assert_eq!(nothing, EndpointChange::default());
        assert!(nothing.fields().is_empty());
        let change = EndpointInput {
            note: Input::Null,
            enabled: Input::Flag(true),
            ..EndpointInput::default()
        };
        let change = change.validate_change(&policy()).unwrap();
        assert_eq!(
            (change.note.clone(), change.enabled),
            (Change::Remove, Some(true))
        );
        assert_eq!(change.fields(), ["note", "enabled"]);
        let bad = EndpointInput {
            url: Input::Null,
            events: RawEvents::Other,
            enabled: "yes".into(),
            ..EndpointInput::default()
        };
        assert_eq!(
            bad.validate_change(&policy()).unwrap_err(),
            [
                (EndpointField::Url, Fault::NotText.into()),
                (EndpointField::Events, EndpointFault::NotAList),
                (EndpointField::Enabled, Fault::NotFlag.into()),
            ]
        );
    }
}
