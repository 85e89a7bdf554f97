use std::cmp::Reverse;

use async_trait::async_trait;
use domain::analytics::Period;
use domain::ports::{
    DateRange, DealerStats, ExportPart, ExportQuery, Facts, ListPlace, NewestPage, NewestQuery,
    Page, PageQuery, Reports, RequestFilter, StoreError,
};
use domain::requests::Request;
use domain::values::DealerId;

use super::MemoryStore;
use super::state::State;

#[async_trait]
impl Reports for MemoryStore {
    async fn list(&self, query: &PageQuery) -> Result<Page, StoreError> {
        let state = self.state();
        let mut found = requests_of(&state, &query.dealer, query.range);
        found.retain(|request| is_meant(request, &query.filter));
        let total = found.len() as u64;
        found.sort_by_key(|request| Reverse(place(request)));
        let first = match query.after {
            Some(after) => {
                found.retain(|request| place(request) < after);
                0
            }
            None => (query.page.saturating_sub(1)).saturating_mul(query.page_size.into()),
        };
        let items: Vec<_> = found
            .iter()
            .skip(usize::try_from(first).unwrap_or(usize::MAX))
            .take(query.page_size as usize)
            .map(|request| (*request).clone())
            .collect();
        let last = items.last().map(place);
        Ok(Page {
            last,
            has_more: first.saturating_add(items.len() as u64) < found.len() as u64,
            items,
            total,
        })
    }

    async fn newest(&self, query: &NewestQuery) -> Result<NewestPage, StoreError> {
        let state = self.state();
        let mut found: Vec<_> = state
            .requests
            .values()
            .filter(|request| is_within(request, query.range) && is_meant(request, &query.filter))
            .filter(|request| query.after.is_none_or(|after| place(request) < after))
            .collect();
        found.sort_by_key(|request| Reverse(place(request)));
        let has_more = found.len() > query.page_size as usize;
        found.truncate(query.page_size as usize);
        Ok(NewestPage {
            last: found.last().map(|request| place(request)),
            has_more,
            items: found.into_iter().cloned().collect(),
        })
    }

    async fn stats(&self, dealer: &DealerId, range: DateRange) -> Result<DealerStats, StoreError> {
        let state = self.state();
        let mut stats = DealerStats::default();
        for request in requests_of(&state, dealer, range) {
            count(&mut stats, request);
        }
        Ok(stats)
    }

    async fn facts(&self, dealer: Option<DealerId>, period: &Period) -> Result<Facts, StoreError> {
        Ok(super::facts::facts(&self.state(), dealer.as_ref(), period))
    }

    async fn part(&self, query: &ExportQuery) -> Result<ExportPart, StoreError> {
        let state = self.state();
        let mut found = requests_of(&state, &query.dealer, query.range);
        found.retain(|request| {
            is_meant(request, &query.filter)
                && query.after.is_none_or(|after| place(request) < after)
        });
        found.sort_by_key(|request| Reverse(place(request)));
        let most = query.most as usize;
        let next = found.get(most).and(found.get(most.saturating_sub(1)));
        Ok(ExportPart {
            next: next.map(|last| place(last)),
            items: found.into_iter().take(most).cloned().collect(),
        })
    }
}

fn is_meant(request: &Request, filter: &RequestFilter) -> bool {
    filter.wants(&request.request_status, &request.whatsapp_status)
        && (filter.search.as_ref()).is_none_or(|search| search.matches(request))
}

/// All rows here have a date and a time.
fn place(request: &Request) -> ListPlace {
    let date = request.request_date.unwrap_or_default();
    ListPlace::at(date, request.request_time.unwrap_or_default(), request.id)
}

fn requests_of<'a>(state: &'a State, dealer: &DealerId, range: DateRange) -> Vec<&'a Request> {
    state
        .requests
        .values()
        .filter(|request| request.dealer_id == dealer.as_str())
        .filter(|request| is_within(request, range))
        .collect()
}

fn is_within(request: &Request, range: DateRange) -> bool {
    let date = request.request_date;
    date.is_some_and(|date| range.contains(date))
}

fn count(stats: &mut DealerStats, request: &Request) {
    stats.total += 1;
    match request.whatsapp_status.as_str() {
        "DELIVERED" | "READ" => {
            stats.delivered += 1;
            stats.sent += 1;
        }
        "SENT" => stats.sent += 1,
        "FAILED" | "ERROR" => stats.failed += 1,
        "NOT_SENT" => stats.not_sent += 1,
        _ => {}
    }
    match request.request_status.as_str() {
        "PENDING" => stats.pending_requests += 1,
        "PROCESSED" => stats.processed_requests += 1,
        "FAILED" => stats.failed_requests += 1,
        _ => {}
    }
}
