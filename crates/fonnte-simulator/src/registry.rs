//! The registered devices, found by token and by number.

use std::collections::HashMap;
use std::sync::Arc;

use crate::device::Device;
use crate::error::SimulatorError;
use crate::switches::Switches;

/// The most devices that unknown tokens register (chosen).
const MOST_DEVICES_BY_THEMSELVES: usize = 1_000;

/// A device and its counters.
pub(crate) struct Registered {
    pub(crate) device: Device,
    pub(crate) token: Arc<str>,
    pub(crate) number: Arc<str>,
    /// Messages accepted since it was registered.
    pub(crate) accepted: u64,
    pub(crate) in_flight: usize,
    pub(crate) max_in_flight: usize,
    /// Counts the calls to `/validate`, to notice that another one began.
    pub(crate) validations: u64,
}

impl Registered {
    pub(crate) fn switches(&self) -> &Switches {
        &self.device.switches
    }

    /// The quota left, as answers show it.
    pub(crate) fn quota_left(&self) -> i64 {
        if self.switches().no_quota {
            0
        } else {
            self.switches().quota
        }
    }
}

#[derive(Default)]
pub(crate) struct Registry {
    list: Vec<Registered>,
    by_token: HashMap<Arc<str>, usize>,
    by_number: HashMap<Arc<str>, usize>,
    turn: usize,
}

/// The device of an `Authorization` header.
pub(crate) enum Holder {
    /// One device; of several tokens, the next in turn.
    Device(usize),
    Unknown,
    ManyAccounts,
}

impl Registry {
    pub(crate) fn add(&mut self, device: Device) -> Result<(), SimulatorError> {
        device.check()?;
        if self.by_token.contains_key(device.token.as_str())
            || self.by_number.contains_key(device.number.as_str())
        {
            return Err(SimulatorError::DeviceExists);
        }
        self.list.push(Registered {
            token: Arc::from(device.token.as_str()),
            number: Arc::from(device.number.as_str()),
            device,
            accepted: 0,
            in_flight: 0,
            max_in_flight: 0,
            validations: 0,
        });
        self.index();
        Ok(())
    }

    /// Registers a device for an unknown token.
    pub(crate) fn add_for_token(&mut self, token: &str) {
        let known = self.by_token.contains_key(token);
        if known || self.list.len() >= MOST_DEVICES_BY_THEMSELVES {
            return;
        }
        let free = (1..).map(|n| format!("628009{n:06}"));
        let number = free
            .into_iter()
            .find(|number| self.find_number(number).is_none());
        if let Some(number) = number {
            // An invalid token stays unknown, and is refused as such.
            let _ = self.add(Device::new(token, number));
        }
    }

    pub(crate) fn remove(&mut self, number: &str) -> Option<Device> {
        let place = self.find_number(number)?;
        let removed = self.list.remove(place);
        self.index();
        Some(removed.device)
    }

    pub(crate) fn find_token(&self, token: &str) -> Option<usize> {
        self.by_token.get(token).copied()
    }

    pub(crate) fn find_number(&self, number: &str) -> Option<usize> {
        self.by_number.get(number).copied()
    }

    pub(crate) fn get(&self, place: usize) -> &Registered {
        &self.list[place]
    }

    pub(crate) fn get_mut(&mut self, place: usize) -> &mut Registered {
        &mut self.list[place]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Registered> {
        self.list.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Registered> {
        self.list.iter_mut()
    }

    /// The device of this `Authorization` header. Several tokens take turns.
    pub(crate) fn holder(&mut self, header: Option<&str>) -> Holder {
        let Some(header) = header else {
            return Holder::Unknown;
        };
        if !header.contains(',') {
            return self.usable(header).map_or(Holder::Unknown, Holder::Device);
        }
        let places: Option<Vec<usize>> = header
            .split(',')
            .map(|token| self.usable(token.trim()))
            .collect();
        let Some(places) = places else {
            return Holder::Unknown;
        };
        let account = &self.list[places[0]].device.account;
        if places
            .iter()
            .any(|&place| &self.list[place].device.account != account)
        {
            return Holder::ManyAccounts;
        }
        self.turn = self.turn.wrapping_add(1);
        Holder::Device(places[self.turn % places.len()])
    }

    fn usable(&self, token: &str) -> Option<usize> {
        self.find_token(token)
            .filter(|&place| !self.list[place].switches().bad_token)
    }

    fn index(&mut self) {
        let places = || self.list.iter().enumerate();
        self.by_token = places()
            .map(|(place, known)| (known.token.clone(), place))
            .collect();
        self.by_number = places()
            .map(|(place, known)| (known.number.clone(), place))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        let mut registry = Registry::default();
        registry.add(Device::new("one", "628000000001")).unwrap();
        registry.add(Device::new("two", "628000000002")).unwrap();
        let mut stranger = Device::new("three", "628000000003");
        stranger.account = "another".to_owned();
        registry.add(stranger).unwrap();
        registry
    }

    #[test]
    fn several_tokens_take_turns_and_must_be_of_one_account() {
        let mut registry = registry();
        let mut turns = [0, 0];
        for _ in 0..4 {
            match registry.holder(Some("one, two")) {
                Holder::Device(place) => turns[place] += 1,
                _ => panic!("both tokens are known"),
            }
        }
        assert_eq!(turns, [2, 2]);
        assert!(matches!(
            registry.holder(Some("one,three")),
            Holder::ManyAccounts
        ));
        assert!(matches!(registry.holder(Some("one,none")), Holder::Unknown));
        assert!(matches!(registry.holder(None), Holder::Unknown));
    }

    #[test]
    fn a_token_and_a_number_belong_to_one_device() {
        let mut registry = registry();
        assert!(registry.add(Device::new("one", "628000000009")).is_err());
        assert!(registry.add(Device::new("nine", "628000000001")).is_err());
        assert_eq!(registry.remove("628000000001").unwrap().token, "one");
        assert!(registry.find_token("one").is_none());
        assert_eq!(registry.find_token("two"), Some(0));
    }
}
