//! Promises of [`Arrivals`](domain::ports::Arrivals).

use chrono::{TimeDelta, Utc};
use domain::ports::{ArrivalCount, ArrivalWindow};
use domain::requests::RequestId;
use uuid::Uuid;

use super::Stage;
use super::settings::known_dealer;
use crate::sample;

/// By dealer, of a window that has its beginning and not its end, and of that what came in early.
pub async fn what_came_in_is_counted_by_dealer(stage: &Stage) {
    known_dealer(stage).await;
    let from = "2026-11-30T10:00:00Z".parse().expect("a time");
    let window = ArrivalWindow {
        from,
        settled: from + TimeDelta::seconds(30),
        to: from + TimeDelta::seconds(60),
    };
    let [own, other] = [sample::dealer_id(), sample::dealer_numbered(1).id];
    let none = stage.arrivals.arrivals(&window).await.expect("arrivals");
    assert_eq!(none, []);
    for (n, (dealer, milliseconds)) in (0..).zip([
        (&own, -1),
        (&own, 0),
        (&own, 29_999),
        (&own, 30_000),
        (&own, 59_999),
        (&own, 60_000),
        (&other, 45_000),
    ]) {
        let mut request = sample::request_for(dealer, n);
        let at = from + TimeDelta::milliseconds(milliseconds);
        let at: chrono::DateTime<Utc> = at;
        let first = u128::try_from(at.timestamp_millis()).expect("after 1970") << 80;
        request.id = RequestId(Uuid::from_u128(first | 7 << 76 | 2 << 62 | u128::from(n)));
        stage.requests.accept(&request).await.expect("accept");
    }
    let mut counted = stage.arrivals.arrivals(&window).await.expect("arrivals");
    counted.sort_by(|one, other| one.dealer_id.cmp(&other.dealer_id));
    let count = |dealer: &domain::values::DealerId, settled, all| ArrivalCount {
        dealer_id: dealer.as_str().to_owned(),
        settled,
        all,
    };
    let mut expected = vec![count(&own, 2, 4), count(&other, 0, 1)];
    expected.sort_by(|one, other| one.dealer_id.cmp(&other.dealer_id));
    assert_eq!(counted, expected);
}
