use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{PROGRAM, folder, has_ended, listens, names_in, port_in, until};

fn exec(script: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["exec", "--fast", "--", "sh", "-c", script]);
    command
}

#[test]
fn the_end_of_the_command_is_told_as_a_shell_does() {
    let folder = folder();
    let status = |words: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command
            .args(["exec", "--fast", "--dir"])
            .arg(folder.path())
            .arg("--")
            .args(words);
        command.status().unwrap().code()
    };
    assert_eq!(status(&["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(status(&["sh", "-c", "kill -KILL $$"]), Some(137));
    assert_eq!(status(&["/no/such/command"]), Some(127));
}

#[test]
fn a_cluster_without_a_folder_leaves_nothing() {
    let folder = folder();
    assert!(
        exec("exit 0")
            .env("TMPDIR", folder.path())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(names_in(folder.path()), Vec::<String>::new());
}

#[test]
fn the_command_gets_both_addresses_of_one_cluster() {
    let output = exec("echo $DATABASE_URL; echo $TEST_DATABASE_URL")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let urls: Vec<_> = text.lines().collect();
    assert!(
        urls[0].starts_with("postgresql://postgres:") && urls[0].ends_with("/customer_service"),
        "{text}"
    );
    assert_eq!(urls[1], urls[0].replace("/customer_service", "/postgres"));
}

#[test]
fn a_termination_reaches_the_command_and_the_cluster_outlives_it() {
    // The loop has no long sleep because a shell runs its trap between two commands.
    let script = "trap 'echo ended; exit 9' TERM; echo $DATABASE_URL; while :; do sleep 0.05; done";
    let mut owner = exec(script).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let port = port_in(&lines.next().unwrap().unwrap());
    assert!(listens(port));
    kill(
        Pid::from_raw(owner.id().try_into().unwrap()),
        Signal::SIGTERM,
    )
    .unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "ended");
    assert_eq!(owner.wait().unwrap().code(), Some(9));
    assert!(!listens(port));
}

#[test]
fn a_command_ends_with_a_killed_owner_and_is_asked_first() {
    let folder = folder();
    let last_words = folder.path().join("last-words");
    let script = format!(
        "trap 'echo told >{}; exit' TERM; echo $$; while :; do sleep 0.05; done",
        last_words.display()
    );
    let deaf = "trap '' TERM; echo $$; while :; do sleep 0.05; done";
    for script in [&script, deaf] {
        let mut owner = exec(script).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
        let pid = lines.next().unwrap().unwrap();
        owner.kill().unwrap();
        owner.wait().unwrap();
        until("the command has ended", || has_ended(&pid));
    }
    assert_eq!(fs::read_to_string(last_words).unwrap(), "told\n");
}

#[test]
fn a_failure_of_the_cluster_is_not_taken_for_the_commands() {
    let output = exec("exit 0")
        .env("PG_BIN_DIR", "/no/such/folder")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("PG_BIN_DIR is /no/such/folder"),
        "{message}"
    );
}

#[test]
fn the_programs_that_were_found_are_printed() {
    let output = Command::new(PROGRAM).arg("where").output().unwrap();
    let found = local_postgres::Programs::find().unwrap();
    let first = format!(
        "PostgreSQL {} in {}",
        found.version(),
        found.dir().display()
    );
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().lines().next(),
        Some(&*first)
    );
}

#[test]
fn nothing_is_installed_where_the_programs_are() {
    let output = Command::new(PROGRAM).arg("install").output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
