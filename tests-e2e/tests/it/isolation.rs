use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use fonnte_simulator::{Fault, Switches};
use tests_e2e::{Service, Story, eventually, key_of, submission_of};

/// The dealers that get into trouble; 47 others do not.
const TROUBLED: usize = 3;

/// How many messages each of the others sends in a round.
const MESSAGES: u32 = 5;

/// Half of the times, and 95 of 100, are not longer than these.
#[derive(Debug)]
struct Times {
    median: Duration,
    p95: Duration,
}

/// Posts for all dealers, and measures the others' time from the answer to the call.
async fn round(story: &Story, service: &Service, dealers: &[String], first: u32) -> Times {
    let mut answered = HashMap::new();
    for n in 0..MESSAGES {
        for (place, dealer) in (0_u32..).zip(dealers) {
            let number = first + n * 100 + place;
            let submission = submission_of(dealer, number);
            let reply = service
                .post("/api/v1/customer/validate-customer", &submission)
                .await;
            assert_eq!(reply.unwrap().status, 200);
            if place as usize >= TROUBLED {
                answered.insert(format!("62812{number:08}"), SystemTime::now());
            }
        }
    }
    let mut times = eventually("the others' messages are sent", async || {
        let messages = story.simulator.messages();
        let ours = messages.iter().filter_map(|message| {
            let answered = answered.get(&message.target)?;
            // Not before the answer: the call may be quicker than the caller.
            Some(
                SystemTime::from(message.at)
                    .duration_since(*answered)
                    .unwrap_or_default(),
            )
        });
        let times = ours.collect::<Vec<_>>();
        (times.len() == answered.len()).then_some(times)
    })
    .await;
    times.sort_unstable();
    Times {
        median: times[times.len() / 2],
        p95: times[times.len() * 95 / 100],
    }
}

/// Two installations side by side, of which one has dealers in trouble: what else slows this machine
/// down slows both.
#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_a_refused_and_an_offline_dealer_delay_nobody_else() {
    let (story, control) = tokio::join!(Story::begin(), Story::begin());
    let dealers = story.add_dealers(50).await;
    assert_eq!(control.add_dealers(50).await, dealers);
    let (service, unhindered) = (story.serve(), control.serve());
    // Connections and caches are made before anything is measured.
    tokio::join!(
        round(&story, &service, &dealers, 0),
        round(&control, &unhindered, &dealers, 0)
    );

    let trouble: [fn(&mut Switches); TROUBLED] = [
        |switches| switches.faults = vec![Fault::Hang { queued: false }.until_off()],
        |switches| switches.bad_token = true,
        |switches| switches.offline = true,
    ];
    for (dealer, trouble) in dealers.iter().zip(trouble) {
        story.simulator.update(&key_of(dealer), trouble).unwrap();
    }
    let (troubled, well) = tokio::join!(
        round(&story, &service, &dealers, 20_000),
        round(&control, &unhindered, &dealers, 20_000)
    );
    println!("all well: {well:?}, three in trouble: {troubled:?}");
    // One hanging call alone takes 30 s; what else there is is the noise of a busy machine.
    assert!(
        troubled.median < well.median * 3 + Duration::from_millis(100)
            && troubled.p95 < well.p95 * 3 + Duration::from_millis(250),
        "{well:?}, with three in trouble {troubled:?}"
    );
    let waiting = "SELECT count(*) FROM customer.message WHERE state IN ('QUEUED', 'SENDING')";
    // The others' last calls are answered, and recorded a moment later.
    eventually("only theirs wait", async || {
        (story.count(waiting).await == i64::from(MESSAGES) * 3).then_some(())
    })
    .await;
}
