//! Promises about files of lists.

use domain::ports::{DateRange, ExportQuery, PageQuery, RequestFilter};
use domain::requests::{Request, RequestId, WhatsappStatus};
use domain::values::Search;

use super::Stage;
use super::reports::{everything, january, list, store};
use crate::sample;

/// Whatever is filtered, and however small the parts are.
pub async fn an_export_is_the_list_part_by_part(stage: &Stage) {
    let dealer = sample::dealer_id();
    for n in 0..23 {
        let id = store(stage, &dealer, n, sample::morning(2026, 1, 5 + n % 3))
            .await
            .id;
        if n % 4 == 0 {
            let sent = (Some("PROCESSED"), Some("SENT"));
            stage.backstage.set_statuses(id, sent.0, sent.1).await;
        }
    }
    let other = sample::dealer_id_numbered(1);
    store(stage, &other, 99, sample::morning(2026, 1, 5)).await;
    let some_days = DateRange {
        from: Some(january(6)),
        to: Some(january(6)),
    };
    let sent = RequestFilter {
        whatsapp_statuses: vec![WhatsappStatus::Sent],
        ..RequestFilter::default()
    };
    let searched = RequestFilter {
        search: Search::parse("Pelanggan 2").ok(),
        ..RequestFilter::default()
    };
    for range in [DateRange::default(), some_days] {
        for filter in [RequestFilter::default(), sent.clone(), searched.clone()] {
            let mut asked = everything(1, 100);
            (asked.range, asked.filter) = (range, filter.clone());
            let whole = list(stage, &asked).await.items;
            assert!(!whole.is_empty());
            for most in [1, 4, 23, 100] {
                let all = in_parts(stage, &asked, most).await;
                // A file has no place for what the provider answered.
                let ids = |all: &[Request]| -> Vec<RequestId> {
                    all.iter().map(|request| request.id).collect()
                };
                assert_eq!(ids(&all), ids(&whole), "parts of {most}");
                assert_eq!(all[0].phone, whole[0].phone);
            }
        }
    }
}

/// The whole list, read in parts of this size.
async fn in_parts(stage: &Stage, asked: &PageQuery, most: u32) -> Vec<Request> {
    let mut query = ExportQuery {
        dealer: asked.dealer.clone(),
        range: asked.range,
        filter: asked.filter.clone(),
        after: None,
        most,
    };
    let mut all = Vec::new();
    loop {
        let part = stage.reports.part(&query).await.expect("part");
        assert!(part.items.len() <= most as usize);
        all.extend(part.items);
        query.after = part.next;
        if query.after.is_none() {
            return all;
        }
    }
}
