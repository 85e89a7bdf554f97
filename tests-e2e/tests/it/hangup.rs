//! A terminal that is closed: SIGHUP.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests_e2e::{Story, eventually, program};

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_terminal_stops_the_service_in_good_order() {
    let story = Story::begin().await;
    let mut service = story.serve();
    let path = story.submit(&service, 1).await;
    story.status(&service, &path, "SENT").await;
    service.signal(Signal::SIGHUP);
    eventually("it ends", async || service.has_ended().then_some(())).await;
    let log = service.log();
    assert!(
        log.iter().any(|line| line.contains("\"stopped\"")),
        "{log:#?}"
    );
}

/// As `nohup` starts it.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_to_outlive_its_terminal_goes_on() {
    let story = Story::begin().await;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut service = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$0\" serve"])
        .arg(program("customer-service"))
        .env("SERVICE_PORT", "0")
        .envs(story.settings())
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut lines = BufReader::new(service.stderr.take().expect("it is piped")).lines();
    let serves = lines
        .by_ref()
        .any(|line| line.expect("a line").contains("server.address"));
    assert!(serves, "it serves");
    let pid = Pid::from_raw(i32::try_from(service.id()).expect("a process id"));
    kill(pid, Signal::SIGHUP).expect("it runs");
    kill(pid, Signal::SIGTERM).expect("it still runs");
    let stopping = lines.map(|line| line.expect("a line"));
    let stopping = stopping.filter(|line| line.contains("stopping: ")).count();
    assert_eq!(stopping, 1, "it heard one of the two");
    assert!(service.wait().expect("it ends").success());
}
