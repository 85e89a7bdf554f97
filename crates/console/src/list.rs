//! The list of messages as an address describes it, with the API's names and rules.

use callers::CursorList;
use chrono::NaiveDate;
use domain::ports::{DateRange, ListPlace, RequestFilter};
use domain::requests::WhatsappStatus;
use domain::values::{DealerId, Search, SearchError, parse_day};

use crate::PATH;
use crate::form::Fields;

/// What was asked for, as it was typed, and what is meant by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// `q` as it was typed.
    pub(crate) typed: String,
    /// `date_from` and `date_to` as they were typed.
    pub(crate) typed_from: String,
    pub(crate) typed_to: String,
    /// `dealer_id` as it was typed.
    pub(crate) typed_dealer: String,
    /// The days.
    pub(crate) range: DateRange,
    /// Statuses and what is searched for.
    pub(crate) filter: RequestFilter,
    /// The one dealer.
    pub(crate) dealer: Option<DealerId>,
    /// `cursor` as it came.
    pub(crate) cursor: Option<String>,
    /// Its place, where it is a cursor of this list; see [`find_place`](Self::find_place).
    pub(crate) after: Option<ListPlace>,
    /// What cannot be meant, in the order of the form.
    pub(crate) faults: Vec<ListFault>,
}

/// What is wrong with an address of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListFault {
    Search(SearchError),
    DateFrom,
    DateTo,
    Dealer,
}

impl Listing {
    /// Reads an address. An empty value is as if absent; an unknown status, which no form of ours sends, is
    /// passed over.
    pub(crate) fn read(fields: &Fields) -> Self {
        let mut listing = Self::default();
        let typed = |name| fields.get(name).unwrap_or_default().to_owned();
        listing.typed = typed("q");
        listing.typed_from = typed("date_from");
        listing.typed_to = typed("date_to");
        listing.typed_dealer = typed("dealer_id");
        if !listing.typed.is_empty() {
            match Search::parse(&listing.typed) {
                Ok(search) => listing.filter.search = Some(search),
                Err(error) => listing.faults.push(ListFault::Search(error)),
            }
        }
        listing.range.from = listing.day("date_from", fields, ListFault::DateFrom);
        listing.range.to = listing.day("date_to", fields, ListFault::DateTo);
        if !listing.typed_dealer.is_empty() {
            match DealerId::parse(&listing.typed_dealer) {
                Ok(dealer) => listing.dealer = Some(dealer),
                Err(_) => listing.faults.push(ListFault::Dealer),
            }
        }
        let statuses = fields.all("whatsapp_status");
        let statuses = statuses.flat_map(|list| list.split(','));
        let statuses = statuses.filter_map(|name| WhatsappStatus::parse(name.trim()));
        listing.filter.whatsapp_statuses = statuses.collect();
        listing.cursor = fields.get("cursor").map(str::to_owned);
        listing
    }

    fn day(&mut self, name: &str, fields: &Fields, fault: ListFault) -> Option<NaiveDate> {
        let text = fields.get(name)?;
        let day = parse_day(text);
        if day.is_none() {
            self.faults.push(fault);
        }
        day
    }

    /// Whether anything is left out of the list.
    pub(crate) fn is_filtered(&self) -> bool {
        !self.fields().is_empty()
    }

    /// Goes to the place of the cursor. One of another list, or of none, is passed over: the list begins at
    /// its beginning. `dealer` is the one dealer of the list; `None` for that of all dealers.
    pub(crate) fn find_place(&mut self, dealer: Option<&DealerId>) {
        let cursor = self.cursor.as_deref();
        self.after = cursor.and_then(|cursor| self.of(dealer).place(cursor));
    }

    /// The cursor of a place of this list.
    pub(crate) fn cursor_of(&self, dealer: Option<&DealerId>, place: ListPlace) -> String {
        self.of(dealer).cursor(place)
    }

    fn of<'a>(&'a self, dealer: Option<&'a DealerId>) -> CursorList<'a> {
        CursorList {
            dealer,
            range: self.range,
            filter: &self.filter,
        }
    }

    /// Begins on a day that nobody typed, and shows it in the form.
    pub(crate) fn begin_on(&mut self, day: Option<NaiveDate>) {
        self.range.from = day;
        self.typed_from = day.map(|day| day.to_string()).unwrap_or_default();
    }

    /// Whether a look at every row is needed, because no index knows them.
    pub(crate) fn looks_at_rows(&self) -> bool {
        self.filter.search.is_some() || !self.filter.whatsapp_statuses.is_empty()
    }

    /// The names and values of the form, without the place.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let statuses = self.filter.whatsapp_statuses.iter();
        let statuses: Vec<&str> = statuses.map(|status| status.as_str()).collect();
        [
            ("q", self.typed.clone()),
            ("whatsapp_status", statuses.join(",")),
            ("date_from", self.typed_from.clone()),
            ("date_to", self.typed_to.clone()),
            ("dealer_id", self.typed_dealer.clone()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }

    /// The address of this list, with more names and values.
    pub(crate) fn address(&self, more: &[(&str, String)]) -> String {
        let more = more.iter().map(|(name, value)| (*name, value.clone()));
        Self::at("/messages", self.fields().into_iter().chain(more))
    }

    /// The address of something else with the same filters, from its beginning.
    pub(crate) fn address_of(&self, path: &str, more: &[(&'static str, &str)]) -> String {
        let more = more
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Self::at(path, self.fields().into_iter().chain(more))
    }

    fn at<'a>(path: &str, fields: impl Iterator<Item = (&'a str, String)>) -> String {
        let all: Vec<(&str, String)> = fields.collect();
        let query = serde_urlencoded::to_string(all).unwrap_or_default();
        match query.is_empty() {
            true => format!("{PATH}{path}"),
            false => format!("{PATH}{path}?{query}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::requests::RequestId;
    use uuid::Uuid;

    use super::*;

    fn read(query: &str) -> Listing {
        Listing::read(&Fields::read(query))
    }

    #[test]
    fn an_address_is_read_and_written() {
        let query = "q=D+123+AD&whatsapp_status=FAILED%2CERROR&date_from=2026-11-01\
            &date_to=2026-11-30&dealer_id=0009999";
        let listing = read(query);
        assert_eq!(listing.faults, []);
        assert!(listing.is_filtered());
        assert_eq!(listing.address(&[]), format!("/console/messages?{query}"));
        assert_eq!(
            read("whatsapp_status=FAILED&whatsapp_status=ERROR").filter,
            { read("whatsapp_status=FAILED,ERROR").filter }
        );
        assert_eq!(read("").address(&[]), "/console/messages");
        assert!(!read("q=&date_from=&cursor=0_0_x").is_filtered());
    }

    #[test]
    fn a_place_is_found_again_in_its_own_list_alone() {
        let time = chrono::NaiveTime::from_hms_opt(15, 40, 50).unwrap();
        let day = NaiveDate::from_ymd_opt(2026, 11, 30).unwrap();
        let place = ListPlace::at(day, time, RequestId(Uuid::from_u128(7)));
        let dealer = DealerId::parse("0009999").unwrap();
        let listing = read("q=adit");
        let cursor = listing.cursor_of(Some(&dealer), place);
        let address = listing.address(&[("cursor", cursor)]);
        let (_, query) = address.split_once('?').unwrap();
        let place_of = |query: &str, dealer: Option<&DealerId>| {
            let mut listing = read(query);
            listing.find_place(dealer);
            listing.after
        };
        assert_eq!(place_of(query, Some(&dealer)), Some(place));
        assert_eq!(place_of(query, None), None);
        let other = query.replace("adit", "budi");
        assert_eq!(place_of(&other, Some(&dealer)), None);
        assert_eq!(place_of("cursor=1_2_3", Some(&dealer)), None);
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        let listing = read("q=ab&date_from=31-12-2026&date_to=2026-02-30&dealer_id=1");
        assert_eq!(
            listing.faults,
            [
                ListFault::Search(SearchError::TooShort),
                ListFault::DateFrom,
                ListFault::DateTo,
                ListFault::Dealer
            ]
        );
        // What was typed is kept.
        assert!(listing.address(&[]).contains("date_from=31-12-2026"));
    }
}
