//! The messages that a form is about.

use std::collections::HashSet;

use domain::requests::{MessageId, RequestId};
use uuid::Uuid;

use crate::form::Fields;
use crate::mistake::Mistake;

/// The most messages that are acted on at once: those of a page of the list.
pub(crate) const MOST_CHOSEN: usize = 25;

/// A request that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) id: RequestId,
    pub(crate) newest: Newest,
}

/// Which message was the newest of a request when its form was shown. A form that tells it can be sent twice
/// and acts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Newest {
    /// The form does not tell.
    Untold,
    /// This one; a request of an older service had none.
    Told(Option<MessageId>),
}

impl Newest {
    /// As a form has it.
    pub(crate) fn read(value: Option<&str>) -> Result<Self, Mistake> {
        match value {
            None => Ok(Self::Untold),
            Some("none") => Ok(Self::Told(None)),
            Some(id) => {
                let id = Uuid::parse_str(id).map_err(|_| Mistake::Unreadable)?;
                Ok(Self::Told(Some(MessageId(id))))
            }
        }
    }

    /// The value of its field; a form that does not tell has no such field.
    pub(crate) fn value(self) -> Option<String> {
        match self {
            Self::Untold => None,
            Self::Told(None) => Some("none".to_owned()),
            Self::Told(Some(id)) => Some(id.to_string()),
        }
    }
}

impl Pick {
    /// The requests that were ticked, each once.
    pub(crate) fn read(fields: &Fields) -> Result<Vec<Self>, Mistake> {
        let mut met = HashSet::new();
        let mut picks = Vec::new();
        for id in fields.all("id") {
            let id = Uuid::parse_str(id).map_err(|_| Mistake::Unreadable)?;
            let id = RequestId(id);
            if met.insert(id) {
                let newest = Newest::read(fields.get(&newest_field(id)))?;
                picks.push(Self { id, newest });
            }
        }
        match picks.len() {
            ..=MOST_CHOSEN => Ok(picks),
            _ => Err(Mistake::Unreadable),
        }
    }

    /// The names and values of its fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (String, String)> + use<> {
        let id = ("id".to_owned(), self.id.to_string());
        let newest = self.newest.value();
        let newest = newest.map(|value| (newest_field(self.id), value));
        std::iter::once(id).chain(newest)
    }
}

fn newest_field(id: RequestId) -> String {
    format!("newest-{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_read_as_it_was_written() {
        let pick = |n, newest| Pick {
            id: RequestId(Uuid::from_u128(n)),
            newest,
        };
        let picks = [
            pick(1, Newest::Untold),
            pick(2, Newest::Told(None)),
            pick(3, Newest::Told(Some(MessageId(Uuid::from_u128(9))))),
        ];
        let fields: Vec<_> = picks.iter().flat_map(Pick::fields).collect();
        let form = serde_urlencoded::to_string(fields).unwrap();
        assert_eq!(Pick::read(&Fields::read(&form)).unwrap(), picks);
        let twice = Fields::read(&format!("{form}&{form}"));
        assert_eq!(Pick::read(&twice).unwrap(), picks);
        for form in ["id=x", &form.replace("=none", "=x")] {
            let read = Pick::read(&Fields::read(form));
            assert!(matches!(read, Err(Mistake::Unreadable)), "{form}");
        }
    }
}
