//! The handle: starting, stopping, waiting and counting.

use std::time::Duration;

use fonnte_simulator::{
    CallOutcome, Device, Fault, LifeCycle, Receipt, Simulator, SimulatorError, SimulatorOptions,
    Stage,
};

use crate::support::*;

#[tokio::test]
async fn only_loopback_is_listened_on() {
    for address in ["0.0.0.0:0", "192.0.2.1:0"] {
        let options = SimulatorOptions {
            listen: address.parse().unwrap(),
            ..SimulatorOptions::default()
        };
        let refused = Simulator::start(options).await;
        assert!(
            matches!(refused, Err(SimulatorError::NotLoopback { .. })),
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_taken_port_is_an_error_and_a_stopped_one_is_free() {
    let first = simulator().await;
    let options = SimulatorOptions {
        listen: first.address(),
        ..SimulatorOptions::default()
    };
    let taken = Simulator::start(options.clone()).await;
    assert!(matches!(taken, Err(SimulatorError::Listen { .. })));
    first.stop().await;
    let second = Simulator::start(options).await.unwrap();
    assert_eq!(second.url(), format!("http://{}", second.address()));
    assert_eq!(second.send_url(), format!("{}/send", second.url()));
}

#[tokio::test]
async fn a_closed_port_refuses_connections_and_opens_again() {
    let simulator = simulator().await;
    send_plain(&simulator).await.unwrap();
    simulator.stop_listening().await.unwrap();
    simulator.stop_listening().await.unwrap();
    assert!(send_plain(&simulator).await.unwrap_err().is_connect());
    simulator.listen_again().await.unwrap();
    simulator.listen_again().await.unwrap();
    assert_eq!(send_plain(&simulator).await.unwrap().status(), 200);
    assert_eq!(simulator.messages().len(), 2);
}

#[tokio::test]
async fn closing_the_port_closes_its_connections() {
    let simulator = simulator_with(|s| s.faults = vec![Fault::Hang { queued: true }.once()]).await;
    let (answer, ()) = tokio::join!(send_plain(&simulator), async {
        simulator.wait_for_messages(1, PATIENCE).await.unwrap();
        simulator.stop_listening().await.unwrap();
    });
    assert!(!answer.unwrap_err().is_timeout());
    assert_eq!(simulator.calls()[0].outcome, CallOutcome::ClientLeft);
}

#[tokio::test]
async fn calls_in_flight_are_counted_for_each_token() {
    let hang = Fault::Hang { queued: true }.until_off();
    let simulator = simulator_with(|switches| switches.faults = vec![hang.clone()]).await;
    let second = Device::new("second", "628000000002").with(|s| s.faults = vec![hang.clone()]);
    simulator.add_device(second).unwrap();
    let fields = [("target", TARGET), ("message", "Hello")];
    let calls = async {
        tokio::join!(
            send_plain(&simulator),
            send_plain(&simulator),
            post(&simulator, "/send", "second", &fields),
        )
    };
    tokio::select! {
        _ = calls => panic!("an answer came"),
        messages = simulator.wait_for_messages(3, PATIENCE) => drop(messages.unwrap()),
    }
    assert_eq!(simulator.max_in_flight(TOKEN), 2);
    assert_eq!(simulator.max_in_flight("second"), 1);
    assert_eq!(simulator.max_in_flight("nobody"), 0);
    let ended = |simulator: &Simulator| {
        let mut calls = simulator.calls().into_iter();
        calls.all(|call| call.outcome == CallOutcome::ClientLeft)
    };
    simulator.wait_until(PATIENCE, ended).await.unwrap();
    simulator.clear();
    simulator
        .update(TOKEN, |switches| switches.faults.clear())
        .unwrap();
    for _ in 0..3 {
        send_plain(&simulator).await.unwrap();
    }
    assert_eq!(simulator.max_in_flight(TOKEN), 1);
}

#[tokio::test]
async fn calls_are_recorded_with_token_times_and_outcome() {
    let simulator = simulator().await;
    post(&simulator, "/device/", "nobody", &[]).await.unwrap();
    client().post(simulator.send_url()).send().await.unwrap();
    let [device, send] = &simulator.calls()[..] else {
        panic!("two calls")
    };
    assert_eq!(
        (&*device.endpoint, device.token.as_deref()),
        ("/device", Some("nobody"))
    );
    assert_eq!((&*send.endpoint, send.token.as_deref()), ("/send", None));
    assert!(device.answered_at.unwrap() >= device.received_at);
    assert_eq!(send.outcome, CallOutcome::Answered { http_status: 200 });
}

#[tokio::test]
async fn only_the_newest_are_kept_and_counting_goes_on() {
    let options = SimulatorOptions {
        keep: 3,
        ..SimulatorOptions::with_device(TOKEN, DEVICE)
    };
    let simulator = Simulator::start(options).await.unwrap();
    let targets = ["628000000042"; 5].join(",");
    for _ in 0..4 {
        send(&simulator, &[("target", &targets), ("message", "Hello")]).await;
    }
    let ids: Vec<_> = simulator
        .messages()
        .iter()
        .map(|message| message.id)
        .collect();
    assert_eq!(ids, [142_223_116, 142_223_117, 142_223_118]);
    assert_eq!((simulator.message_count(), simulator.call_count()), (20, 4));
    assert_eq!(simulator.calls().len(), 3);
    assert!(simulator.message(142_223_117).is_some());
    assert!(simulator.message(142_223_115).is_none());
    assert!(simulator.message(142_223_119).is_none());
}

#[tokio::test]
async fn waiting_for_what_does_not_come_ends_in_time() {
    let simulator = simulator().await;
    let late = simulator
        .wait_for_messages(1, Duration::from_millis(20))
        .await;
    assert!(matches!(late, Err(SimulatorError::TimedOut { .. })));
}

#[tokio::test]
async fn a_removed_device_is_unknown() {
    let simulator = simulator().await;
    assert_eq!(simulator.remove_device(TOKEN).unwrap().number, DEVICE);
    let refused = send(&simulator, &[("target", TARGET), ("message", "Hello")]).await;
    assert_eq!(refused["reason"], "invalid token");
    let gone = simulator.update(TOKEN, |_| {});
    assert!(matches!(gone, Err(SimulatorError::UnknownDevice)));
}

#[test]
fn it_works_beside_a_runtime_that_has_no_clock() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let life = LifeCycle::until(Stage::Read).every(20);
        let simulator = simulator_with(|switches| switches.life_cycle = life.clone()).await;
        let url = simulator.send_url();
        let sending = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let request = client().post(url).header("Authorization", TOKEN);
                let request = request.header("Content-Type", "application/x-www-form-urlencoded");
                request
                    .body(format!("target={TARGET}&message=Hello"))
                    .send()
                    .await
                    .unwrap();
            });
        });
        simulator.wait_for_messages(1, PATIENCE).await.unwrap();
        let is_read = |simulator: &Simulator| simulator.messages()[0].state == Some(Receipt::Read);
        simulator.wait_until(PATIENCE, is_read).await.unwrap();
        let late = simulator
            .wait_for_messages(2, Duration::from_millis(20))
            .await;
        assert!(matches!(late, Err(SimulatorError::TimedOut { .. })));
        sending.join().unwrap();
    });
}
