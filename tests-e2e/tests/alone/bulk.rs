//! Bulk calls leave room for live ones.

use std::time::{Duration, Instant};

use tests_e2e::{Story, post_table, table};

use crate::TURN;

#[tokio::test(flavor = "multi_thread")]
async fn live_submissions_keep_their_pace_while_ten_thousand_rows_are_stored() {
    let _turn = TURN.lock().await;
    let story = Story::begin().await;
    story.simulator.stop_listening().await.expect("it stops");
    let service = story.serve();
    // Connections are open and statements prepared.
    for n in 0..20 {
        story.submit(&service, 90_000_000 + n).await;
    }
    let client = service.client();
    let storing = post_table(&service, table(10_000), "K");
    let live = async {
        let mut due = tokio::time::interval(Duration::from_millis(5));
        let mut calls = Vec::new();
        for n in 0..400 {
            due.tick().await;
            let client = client.clone();
            calls.push(tokio::spawn(async move {
                let submission = tests_e2e::submission(91_000_000 + n);
                let began = Instant::now();
                let reply = client
                    .post("/api/v1/customer/validate-customer", &submission)
                    .await
                    .expect("an answer");
                assert_eq!(reply.json()["status"], 1);
                began.elapsed()
            }));
        }
        let mut times = Vec::new();
        for call in calls {
            times.push(call.await.expect("a time"));
        }
        times
    };
    let (reply, mut times) = tokio::join!(storing, live);
    assert_eq!(reply.expect("an answer").data.accepted, 10_000);
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    println!("p50 {:?}, p99 {p99:?}, most {:?}", times[200], times[399]);
    assert!(p99 < Duration::from_millis(50), "{p99:?}");
}
