//! Commands whose standard output is closed, or full: they end with an error, not with a panic.

use std::fs::OpenOptions;
use std::process::{Command, Output, Stdio};

use tests_e2e::{Story, output, program};

/// Runs a command whose standard output nobody reads any more, or that has no room.
fn unread(arguments: &[&str], settings: &[(&str, &str)], is_full: bool) -> Output {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let stdout = if is_full {
        let full = OpenOptions::new().write(true).open("/dev/full");
        Stdio::from(full.expect("Linux has it"))
    } else {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        drop(reader);
        Stdio::from(writer)
    };
    Command::new(program("customer-service"))
        .args(arguments)
        .env_clear()
        .envs(std::env::var("PATH").map(|path| ("PATH", path)))
        .envs(settings.iter().copied())
        .current_dir(folder.path())
        .stdout(stdout)
        .output()
        .expect("the program can be started")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_cannot_print_ends_with_an_error() {
    let story = Story::begin().await;
    let settings = story.settings();
    let service = story.serve();
    let port = service.port().to_string();
    let asking = [&settings[..], &[("SERVICE_PORT", port.as_str())]].concat();
    for arguments in [
        &["openapi"][..],
        &["migrate"],
        &["recount"],
        &["doctor", "--offline"],
        &["health"],
        &["dealer", "list"],
        &[
            "dealer",
            "add",
            "0007777",
            "--name",
            "Dealer",
            "--if-missing",
        ],
        &["dealer", "test", "0009999"],
    ] {
        for is_full in [false, true] {
            let ended = unread(arguments, &asking, is_full);
            let told = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {told}");
            assert!(
                told.contains("error: not everything could be written"),
                "{told}"
            );
            assert!(!told.contains("panicked"), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_could_not_be_shown_does_not_stay() {
    let story = Story::begin().await;
    let make = ["api-key", "create", "--name", "unseen", "--scope", "read"];
    for is_full in [false, true] {
        let ended = unread(&make, &story.settings(), is_full);
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(
            told.contains("the key could not be shown, so it is revoked"),
            "{told}"
        );
    }
    let list = output(&["api-key", "list"], &story.settings());
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let unseen: Vec<&str> = list
        .lines()
        .filter(|line| line.ends_with("unseen"))
        .collect();
    assert_eq!(unseen.len(), 2, "{list}");
    assert!(unseen.iter().all(|line| line.contains("revoked")), "{list}");
}
