use std::fs;
use std::process::{Command, Stdio};

use local_postgres::{LocalPostgres, Options};

use crate::support::{Owner, PROGRAM, folder, listens, names_in, pid_file, single_user, until};

#[test]
fn a_killed_server_is_gone_and_comes_back_on_its_port_with_its_data() {
    let folder = folder();
    let home = folder.path().join("postgres");
    LocalPostgres::start(&Options::durable(&home))
        .unwrap()
        .stop()
        .unwrap();
    single_user(
        &home,
        "postgres",
        "CREATE TABLE kept AS SELECT 4711 AS number",
    );

    let mut postgres = LocalPostgres::start(&Options::durable(&home)).unwrap();
    let (port, first) = (postgres.port(), postgres.pid());
    postgres.kill().unwrap();
    assert_eq!(postgres.pid(), None);
    assert!(!listens(port));
    // It refuses to work while a child of the server lives.
    assert!(single_user(&home, "postgres", "SELECT number FROM kept").contains("4711"));

    postgres.restart().unwrap();
    assert!(postgres.pid().is_some() && postgres.pid() != first);
    assert_eq!(postgres.port(), port);
    assert!(listens(port));
    postgres.kill().unwrap();
    postgres.restart().unwrap();
    postgres.stop().unwrap();
    assert!(single_user(&home, "postgres", "SELECT number FROM kept").contains("4711"));
}

#[test]
fn a_restart_needs_no_kill_before() {
    let mut postgres = LocalPostgres::start(&Options::temporary()).unwrap();
    let port = postgres.port();
    postgres.restart().unwrap();
    assert!(postgres.port() == port && listens(port));
}

#[test]
fn a_killed_temporary_cluster_leaves_nothing() {
    let mut postgres = LocalPostgres::start(&Options::temporary()).unwrap();
    postgres.kill().unwrap();
    let dir = postgres.dir().to_owned();
    drop(postgres);
    assert!(!dir.exists());
}

#[test]
fn a_killed_owner_takes_its_server_and_its_temporary_folder_along() {
    let folder = folder();
    let owner = Owner::start(Command::new(PROGRAM).env("TMPDIR", folder.path()), &[]);
    let port = owner.port();
    assert!(listens(port));
    assert_eq!(names_in(folder.path()).len(), 1);
    owner.kill();
    until("the server has ended", || !listens(port));
    until("the folder is removed", || {
        names_in(folder.path()).is_empty()
    });
}

#[test]
fn a_cluster_whose_owner_was_killed_is_taken_over_at_once() {
    let folder = folder();
    let home = folder.path().join("postgres");
    let owner = Owner::start(
        &mut Command::new(PROGRAM),
        &["--dir", home.to_str().unwrap()],
    );
    let port = owner.port();
    owner.kill();
    let postgres = LocalPostgres::start(&Options::fast(&home)).unwrap();
    assert!(listens(postgres.port()) && !listens(port));
}

#[test]
fn the_owner_is_named_to_who_comes_second() {
    let folder = folder();
    let home = folder.path().join("postgres");
    let owner = Owner::start(
        &mut Command::new(PROGRAM),
        &["--dir", home.to_str().unwrap()],
    );
    let Err(error) = LocalPostgres::start(&Options::fast(&home)) else {
        panic!("two servers in one folder")
    };
    assert!(
        error
            .to_string()
            .contains(&format!("process {}", owner.pid())),
        "{error}"
    );
    owner.finish();
}

#[test]
fn an_interrupted_initdb_is_done_again() {
    let folder = folder();
    let home = folder.path().join("postgres");
    let is_half_done = || {
        home.exists()
            && names_in(&home)
                .iter()
                .any(|name| name.starts_with("data.new-"))
    };
    let mut owner = Command::new(PROGRAM);
    owner
        .args(["exec", "--fast", "--dir"])
        .arg(&home)
        .arg("true")
        .stderr(Stdio::null());
    let mut owner = owner.spawn().unwrap();
    until("initdb is at work", is_half_done);
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(!home.join("data").exists());
    let postgres = LocalPostgres::start(&Options::fast(&home)).unwrap();
    assert!(listens(postgres.port()));
    assert!(!is_half_done());
}

#[test]
fn another_program_with_the_number_of_the_killed_server_is_not_in_the_way() {
    let folder = folder();
    let home = folder.path().join("postgres");
    let mut postgres = LocalPostgres::start(&Options::fast(&home)).unwrap();
    postgres.kill().unwrap();
    let mut other = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let text = fs::read_to_string(pid_file(&home)).unwrap();
    let rest = text.split_once('\n').unwrap().1;
    fs::write(pid_file(&home), format!("{}\n{rest}", other.id())).unwrap();
    postgres.restart().unwrap();
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
}
