//! The cursor of a list: the place where the next page begins.

use std::fmt::Write as _;

use domain::ports::{DateRange, ListPlace, RequestFilter};
use domain::requests::{RequestId, RequestStatus, WhatsappStatus};
use domain::values::DealerId;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Days since the year 1, nanoseconds since midnight, the id: as in the cursors of earlier releases.
const PLACE_BYTES: usize = 4 + 8 + 16;

/// 1 January 2000, in days since the year 1.
const YEAR_2000: i32 = 730_120;

/// Bytes of the digest in a cursor: enough to notice an altered one, or another list's. Its content is no
/// secret.
const PRINT_BYTES: usize = 12;

/// The list to which a cursor belongs: a dealer's, or that of all dealers, under a filter.
#[derive(Debug, Clone, Copy)]
pub struct CursorList<'a> {
    /// The dealer; `None` for the list of all dealers.
    pub dealer: Option<&'a DealerId>,
    /// The days.
    pub range: DateRange,
    /// The statuses and the search.
    pub filter: &'a RequestFilter,
}

impl CursorList<'_> {
    /// The cursor of a place: without personal data, and only valid in this list.
    #[must_use]
    pub fn cursor(&self, place: ListPlace) -> String {
        let place = bytes(place);
        let mut cursor = String::with_capacity(2 * (PLACE_BYTES + PRINT_BYTES));
        for byte in place.iter().chain(&self.print(&place)) {
            let _ = write!(cursor, "{byte:02x}");
        }
        cursor
    }

    /// The place of a cursor of this list.
    #[must_use]
    pub fn place(&self, cursor: &str) -> Option<ListPlace> {
        if cursor.len() != 2 * (PLACE_BYTES + PRINT_BYTES) || !cursor.is_ascii() {
            return None;
        }
        let all: Vec<u8> = (0..cursor.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&cursor[at..at + 2], 16).ok())
            .collect::<Option<_>>()?;
        let (place, print) = all.split_first_chunk::<PLACE_BYTES>()?;
        (self.print(place) == print).then(|| read(place))?
    }

    fn print(&self, place: &[u8; PLACE_BYTES]) -> [u8; PRINT_BYTES] {
        let filter = self.filter;
        let mut requests: Vec<_> = filter
            .request_statuses
            .iter()
            .copied()
            .map(RequestStatus::as_str)
            .collect();
        let mut whatsapps: Vec<_> = filter
            .whatsapp_statuses
            .iter()
            .copied()
            .map(WhatsappStatus::as_str)
            .collect();
        for statuses in [&mut requests, &mut whatsapps] {
            statuses.sort_unstable();
            statuses.dedup();
        }
        // The search is only in the digest, preceded by its length.
        let search = filter.search.as_ref().map(domain::values::Search::name);
        let list = format!(
            "{}|{:?}|{:?}|{requests:?}|{whatsapps:?}|{search:?}|",
            // No dealer has an empty number.
            self.dealer.map_or("", DealerId::as_str),
            self.range.from,
            self.range.to
        );
        let digest = Sha256::new()
            .chain_update("customer-service list cursor 1|")
            .chain_update(list)
            .chain_update(place)
            .finalize();
        std::array::from_fn(|at| digest[at])
    }
}

fn bytes(place: ListPlace) -> [u8; PLACE_BYTES] {
    let mut bytes = [0; PLACE_BYTES];
    // `infinity` wraps around, and back when it is read.
    bytes[..4].copy_from_slice(&place.days.wrapping_add(YEAR_2000).to_be_bytes());
    bytes[4..12].copy_from_slice(&place.micros.wrapping_mul(1_000).to_be_bytes());
    bytes[12..].copy_from_slice(place.id.0.as_bytes());
    bytes
}

fn read(bytes: &[u8; PLACE_BYTES]) -> Option<ListPlace> {
    let (days, rest) = bytes.split_first_chunk::<4>()?;
    let (nanoseconds, id) = rest.split_first_chunk::<8>()?;
    Some(ListPlace {
        days: i32::from_be_bytes(*days).wrapping_sub(YEAR_2000),
        micros: i64::from_be_bytes(*nanoseconds) / 1_000,
        id: RequestId(Uuid::from_slice(id).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, NaiveTime};

    use super::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
    }

    fn place() -> ListPlace {
        let time = NaiveTime::from_hms_micro_opt(15, 40, 50, 123_456).unwrap();
        ListPlace::at(day(), time, RequestId(Uuid::from_u128(7)))
    }

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_own_list_alone() {
        let dealer = DealerId::parse("0009999").unwrap();
        let other = DealerId::parse("0009998").unwrap();
        let filter = RequestFilter::default();
        let range = DateRange::default();
        let list = CursorList {
            dealer: Some(&dealer),
            range,
            filter: &filter,
        };
        let cursor = list.cursor(place());
        assert_eq!(list.place(&cursor), Some(place()));
        // Values that other writers may have stored.
        for (days, micros) in [
            (i32::MAX, 86_400_000_000),
            (i32::MIN, 0),
            (2_145_031_948, 1),
        ] {
            let odd = ListPlace {
                days,
                micros,
                ..place()
            };
            assert_eq!(list.place(&list.cursor(odd)), Some(odd));
        }

        let searched = RequestFilter {
            search: domain::values::Search::parse("adit").ok(),
            ..RequestFilter::default()
        };
        let failed = RequestFilter {
            request_statuses: vec![RequestStatus::Failed],
            ..RequestFilter::default()
        };
        let from = DateRange {
            from: Some(day()),
            to: None,
        };
        for another in [
            CursorList {
                dealer: Some(&other),
                ..list
            },
            CursorList {
                dealer: None,
                ..list
            },
            CursorList {
                range: from,
                ..list
            },
            CursorList {
                filter: &searched,
                ..list
            },
            CursorList {
                filter: &failed,
                ..list
            },
        ] {
            assert_eq!(another.place(&cursor), None);
        }
    }

    #[test]
    fn an_altered_cursor_leads_nowhere() {
        let dealer = DealerId::parse("0009999").unwrap();
        let filter = RequestFilter::default();
        let list = CursorList {
            dealer: Some(&dealer),
            range: DateRange::default(),
            filter: &filter,
        };
        let cursor = list.cursor(place());
        for at in 0..cursor.len() {
            let mut altered = cursor.clone().into_bytes();
            altered[at] = if altered[at] == b'0' { b'1' } else { b'0' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(list.place(&altered), None, "{at}");
        }
        for nonsense in [
            "",
            "x",
            "é",
            &cursor[2..],
            &format!("{cursor}00"),
            &"+1".repeat(40),
        ] {
            assert_eq!(list.place(nonsense), None);
        }
    }
}
