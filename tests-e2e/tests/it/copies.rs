use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fonnte_simulator::Fault;
use nix::sys::signal::Signal;
use tests_e2e::{DEALER, KEY, Service, Story, eventually, key_of, submission_of};

const PATH: &str = "/api/v1/customer/validate-customer";

/// Settings under which a copy that froze is noticed soon.
async fn hasty(on_unknown: &str) -> Story {
    let story = Story::begin().await;
    story.watch_states().await;
    story
        .with("FONNTE_TIMEOUT", "1")
        .with("LANE_LEASE_SECONDS", "6")
        .with("ON_UNKNOWN", on_unknown)
}

/// Starts a copy, posts, and waits until it froze at the step. Gives the request's path, too: the
/// copy may have frozen before it could answer.
async fn freeze(story: &Story, step: &str) -> (Service, String) {
    let frozen = story.serve_faulty("STOP", step, 1);
    let client = frozen.client();
    tokio::spawn(async move { client.post(PATH, &submission_of(DEALER, 1)).await });
    frozen.is_frozen().await;
    let database = story.database.connect().await;
    let stored = "SELECT id::text FROM customer.customer_validation_request";
    let row = database.query_one(stored, &[]).await.unwrap();
    let path = format!("/api/v1/customer/request/{}", row.get::<_, String>(0));
    (frozen, path)
}

async fn open_messages(story: &Story) -> i64 {
    let open = "SELECT count(*) FROM customer.message WHERE state IN ('QUEUED', 'SENDING')";
    story.count(open).await
}

async fn all_is_sent(story: &Story) {
    eventually("all is sent", async || {
        (open_messages(story).await == 0).then_some(())
    })
    .await;
}

/// How often each phone got a message.
fn received(story: &Story) -> HashMap<String, u32> {
    let mut phones = HashMap::new();
    for message in story.simulator.messages() {
        *phones.entry(message.target).or_default() += 1;
    }
    phones
}

fn settled_in_vain(log: &[String]) -> Option<()> {
    let line = log.iter().find(|line| line.contains("delivery settled"))?;
    assert!(line.contains("LeaseLost"), "{line}");
    Some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_send_every_message_once_and_one_at_a_time() {
    let story = Story::begin().await;
    let dealers = story.add_dealers(10).await;
    for dealer in &dealers {
        let slow = Fault::Slow { ms: 3 }.until_off();
        story
            .simulator
            .update(&key_of(dealer), |switches| switches.faults = vec![slow])
            .unwrap();
    }
    let copies = [story.serve(), story.serve()];
    let callers = (0..20_u32).map(|caller| {
        let client = copies[caller as usize % 2].client();
        let dealer = dealers[caller as usize / 2].clone();
        tokio::spawn(async move {
            let (mut stored, mut numbers) = (0, caller * 100..);
            // What is not stored because everything has just begun is not acknowledged either; its
            // phone is not used again.
            while stored < 10 {
                let submission = submission_of(&dealer, numbers.next().unwrap());
                let reply = client.post(PATH, &submission).await.unwrap();
                if reply.status == 200 {
                    stored += 1;
                } else {
                    assert_eq!(reply.status, 503, "{}", reply.text);
                }
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    all_is_sent(&story).await;
    let sent = "SELECT count(*) FROM customer.message WHERE state = 'SENT'";
    let sent = usize::try_from(story.count(sent).await).unwrap();
    let received = received(&story);
    assert!(
        sent >= 200 && received.len() == sent,
        "{sent} of {}",
        received.len()
    );
    assert!(received.values().all(|count| *count == 1), "{received:?}");
    for dealer in &dealers {
        assert_eq!(
            story.simulator.max_in_flight(&key_of(dealer)),
            1,
            "{dealer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_hold_a_frozen_copy_that_wakes_with_an_acceptance_is_believed() {
    let story = hasty("hold").await;
    let (frozen, path) = freeze(&story, "settle-before").await;

    let second = story.serve();
    story.status(&second, &path, "ERROR").await;
    frozen.signal(Signal::SIGCONT);
    story.status(&second, &path, "SENT").await;
    eventually("it settled nothing", async || {
        settled_in_vain(&frozen.log())
    })
    .await;
    assert_eq!(received(&story).into_values().collect::<Vec<_>>(), [1]);
    assert_eq!(story.steps_back().await, [""; 0]);
    assert_eq!(story.simulator.max_in_flight(KEY), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_resend_a_frozen_copy_that_wakes_changes_nothing() {
    let story = hasty("resend").await;
    let (frozen, path) = freeze(&story, "settle-before").await;

    let second = story.serve();
    let before = story.status(&second, &path, "SENT").await;
    frozen.signal(Signal::SIGCONT);
    eventually("it settled nothing", async || {
        settled_in_vain(&frozen.log())
    })
    .await;
    let after = story.status(&second, &path, "SENT").await;
    assert_eq!(before["fonnte_response"], after["fonnte_response"]);
    assert_eq!(received(&story).into_values().collect::<Vec<_>>(), [2]);
    assert_eq!(story.steps_back().await, [""; 0]);
    assert_eq!(story.simulator.max_in_flight(KEY), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_froze_before_its_call_does_not_make_it_after_the_lease() {
    for step in ["claim-after", "send-before"] {
        let story = hasty("resend").await;
        let (frozen, path) = freeze(&story, step).await;

        let second = story.serve();
        story.status(&second, &path, "SENT").await;
        frozen.signal(Signal::SIGCONT);
        eventually("it settled nothing", async || {
            settled_in_vain(&frozen.log())
        })
        .await;
        assert_eq!(
            story.outcomes(&path).await[..2],
            ["unknown", "accepted"],
            "{step}"
        );
        assert_eq!(story.simulator.call_count(), 1, "{step}");
        assert_eq!(story.steps_back().await, [""; 0], "{step}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_frozen_in_the_middle_of_a_call_settles_nothing() {
    let story = hasty("hold").await;
    let hang = Fault::Hang { queued: true }.once();
    story
        .simulator
        .update(KEY, |switches| switches.faults = vec![hang])
        .unwrap();
    let frozen = story.serve();
    let path = story.submit(&frozen, 1).await;
    story
        .simulator
        .wait_for_messages(1, Duration::from_secs(10))
        .await
        .unwrap();
    frozen.signal(Signal::SIGSTOP);

    let second = story.serve();
    story.status(&second, &path, "ERROR").await;
    let next = story.submit(&second, 2).await;
    story.status(&second, &next, "SENT").await;
    frozen.signal(Signal::SIGCONT);
    eventually("it settled nothing", async || {
        settled_in_vain(&frozen.log())
    })
    .await;
    story.status(&second, &path, "ERROR").await;
    assert!(received(&story).into_values().all(|count| count == 1));
    assert_eq!(story.steps_back().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_loses_nothing_and_leaves_the_rest_to_the_next_copy() {
    let story = Story::begin().await;
    story.watch_states().await;
    let dealers = story.add_dealers(5).await;
    for dealer in &dealers {
        let slow = Fault::Slow { ms: 150 }.until_off();
        story
            .simulator
            .update(&key_of(dealer), |switches| switches.faults = vec![slow])
            .unwrap();
    }
    let service = story.serve();
    let acknowledged = Arc::new(AtomicU32::new(0));
    let callers = (0..20_u32).map(|caller| {
        let (client, acknowledged) = (service.client(), acknowledged.clone());
        let dealer = dealers[caller as usize % 5].clone();
        tokio::spawn(async move {
            let mut stored = Vec::new();
            for n in 0..30 {
                let submission = submission_of(&dealer, caller * 100 + n);
                // Until the port is closed.
                let Ok(reply) = client.post(PATH, &submission).await else {
                    break;
                };
                if reply.status == 200 {
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                    stored.push(reply.header("location").unwrap().to_owned());
                }
            }
            stored
        })
    });
    let callers = callers.collect::<Vec<_>>();
    eventually("there is load", async || {
        let load = acknowledged.load(Ordering::Relaxed) >= 60 && story.simulator.call_count() >= 5;
        load.then_some(())
    })
    .await;
    let (status, log) = service.terminate().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
    let mut stored = Vec::new();
    for caller in callers {
        stored.extend(caller.await.unwrap());
    }
    assert_eq!(
        story
            .count("SELECT count(*) FROM customer.message WHERE state = 'SENDING'")
            .await,
        0
    );
    assert!(open_messages(&story).await > 0, "there was too little load");

    for dealer in &dealers {
        story
            .simulator
            .update(&key_of(dealer), |switches| switches.faults.clear())
            .unwrap();
    }
    let next = story.serve();
    all_is_sent(&story).await;
    for path in &stored {
        story.status(&next, path, "SENT").await;
    }
    assert!(received(&story).into_values().all(|count| count == 1));
    assert_eq!(story.steps_back().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_while_the_database_is_silent_ends_in_time() {
    // Connections are taken by the system, and nobody ever answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://u:p@{}/silent", silent.local_addr().unwrap());
    let story = Story::without_dealers(tests_e2e::Database::Own(url)).await;
    let service = story.serve();
    let client = service.client();
    let caller = tokio::spawn(async move { client.post(PATH, &submission_of(DEALER, 1)).await });
    eventually("a caller waits for the database", async || {
        let reply = service.get("/api/v1/health/ready").await.ok()?;
        (reply.status == 503).then_some(())
    })
    .await;
    let (status, log) = service.terminate().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
    if let Ok(reply) = caller.await.unwrap() {
        assert_eq!(reply.status, 503, "{}", reply.text);
    }
}

/// Hosts whose clocks are two minutes apart: times are the database's, so that nobody takes a lease
/// for over, sends too early, or leaves a message lying.
#[tokio::test(flavor = "multi_thread")]
async fn copies_whose_clocks_differ_agree_all_the_same() {
    let story = hasty("hold").await;
    let dealers = story.add_dealers(4).await;
    for dealer in &dealers {
        let slow = Fault::Slow { ms: 50 }.until_off();
        story
            .simulator
            .update(&key_of(dealer), |switches| switches.faults = vec![slow])
            .unwrap();
    }
    let copies = ["60", "-60"].map(|seconds| story.serve_with_clock(seconds));
    for (n, dealer) in (0..).zip(&dealers) {
        for m in 0..10_u32 {
            let copy = &copies[m as usize % 2];
            let submission = submission_of(dealer, n * 100 + m);
            eventually("the submission is stored", async || {
                let reply = copy.client().post(PATH, &submission).await.ok()?;
                (reply.status == 200).then_some(())
            })
            .await;
        }
    }
    all_is_sent(&story).await;
    let received = received(&story);
    assert_eq!(received.len(), 40);
    assert!(received.values().all(|count| *count == 1), "{received:?}");
    for dealer in &dealers {
        assert_eq!(story.simulator.max_in_flight(&key_of(dealer)), 1);
    }
    let outcomes = "SELECT count(*) FROM customer.message WHERE unknowns > 0 OR state <> 'SENT'";
    assert_eq!(story.count(outcomes).await, 0);
    assert_eq!(story.steps_back().await, Vec::<String>::new());
}
