use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use local_postgres::{Error, LocalPostgres, Options};

use crate::support::{folder, listens, names_in, pid_file, port_in, single_user};

#[test]
fn a_temporary_cluster_takes_connections_and_leaves_nothing() {
    let postgres = LocalPostgres::start(&Options::temporary()).unwrap();
    let (port, dir) = (postgres.port(), postgres.dir().to_owned());
    assert!(listens(port));
    assert_eq!(port_in(&postgres.url("customer_service")), port);
    drop(postgres);
    assert!(!listens(port));
    assert!(!dir.exists());
}

#[test]
fn a_kept_cluster_keeps_its_data_and_its_password() {
    let folder = folder();
    let home = folder.path().join("postgres");
    let password = |postgres: &LocalPostgres| {
        postgres
            .url("x")
            .split_once('@')
            .unwrap()
            .0
            .rsplit_once(':')
            .unwrap()
            .1
            .to_owned()
    };
    let first = LocalPostgres::start(&Options::durable(&home)).unwrap();
    let first_password = password(&first);
    first.stop().unwrap();
    single_user(
        &home,
        "customer_service",
        "CREATE TABLE kept AS SELECT 4711 AS number",
    );

    let second = LocalPostgres::start(&Options::durable(&home)).unwrap();
    assert_eq!(password(&second), first_password);
    second.stop().unwrap();
    assert!(single_user(&home, "customer_service", "SELECT number FROM kept").contains("4711"));
}

#[test]
fn password_socket_and_data_are_private_and_debug_does_not_tell() {
    let folder = folder();
    let home = folder.path().join("postgres");
    let postgres = LocalPostgres::start(&Options::fast(&home)).unwrap();
    let mode = |name: &str| fs::metadata(home.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        [mode("password"), mode("run"), mode("data")],
        [0o600, 0o700, 0o700]
    );
    assert!(
        home.join(format!("run/.s.PGSQL.{}", postgres.port()))
            .exists()
    );
    let configured = fs::read_to_string(home.join("data/pg_hba.conf")).unwrap();
    let rules: Vec<_> = configured
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert!(
        rules.iter().all(|rule| rule.ends_with("scram-sha-256")),
        "{rules:?}"
    );
}

#[test]
fn a_second_start_in_the_same_folder_is_refused() {
    let folder = folder();
    let home = folder.path().join("postgres");
    let postgres = LocalPostgres::start(&Options::fast(&home)).unwrap();
    let Err(error) = LocalPostgres::start(&Options::fast(&home)) else {
        panic!("two servers in one folder")
    };
    assert!(
        matches!(error, Error::AlreadyRunning { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );
    assert!(listens(postgres.port()));
    postgres.stop().unwrap();
    assert!(!pid_file(&home).exists());
    LocalPostgres::start(&Options::fast(&home)).unwrap();
}

#[test]
fn a_demanded_port_is_used_or_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = Options::temporary().on_port(port);
    let Err(error) = LocalPostgres::start(&options) else {
        panic!("two programs on one port")
    };
    assert!(
        matches!(error, Error::PortTaken { port: taken } if taken == port),
        "{error}"
    );
    drop(listener);
    assert_eq!(LocalPostgres::start(&options).unwrap().port(), port);
}

#[test]
fn a_cluster_of_another_major_version_is_left_alone() {
    let folder = folder();
    let home = folder.path().join("postgres");
    LocalPostgres::start(&Options::fast(&home))
        .unwrap()
        .stop()
        .unwrap();
    fs::write(home.join("data/PG_VERSION"), "11\n").unwrap();
    let Err(error) = LocalPostgres::start(&Options::fast(&home)) else {
        panic!("it was started")
    };
    assert!(
        error.to_string().contains("was made by PostgreSQL 11"),
        "{error}"
    );
    assert!(names_in(&home.join("data")).contains(&"base".to_owned()));
}

#[test]
fn the_log_of_the_last_run_is_kept_and_older_ones_are_not() {
    let folder = folder();
    let home = folder.path().join("postgres");
    for _ in 0..3 {
        LocalPostgres::start(&Options::fast(&home))
            .unwrap()
            .stop()
            .unwrap();
    }
    let mut names = names_in(&home);
    names.sort();
    assert_eq!(
        names,
        [
            "data",
            "lock",
            "password",
            "run",
            "server.log",
            "server.log.1"
        ]
    );
}

#[test]
fn a_standby_is_a_copy_that_takes_connections_and_outlives_its_primary() {
    let folder = folder();
    let primary = LocalPostgres::start(&Options::temporary()).unwrap();
    let home = folder.path().join("standby");
    let mut standby = primary.start_standby(&Options::fast(&home)).unwrap();
    assert_ne!(standby.port(), primary.port());
    assert!(listens(standby.port()));
    assert_eq!(
        standby.url("x").replace(&standby.port().to_string(), ""),
        primary.url("x").replace(&primary.port().to_string(), "")
    );
    assert!(home.join("data/standby.signal").exists());
    primary.stop().unwrap();
    standby.restart().unwrap();
    assert!(listens(standby.port()));
}

#[test]
fn a_demoted_server_is_a_standby_on_the_same_port() {
    let mut postgres = LocalPostgres::start(&Options::temporary()).unwrap();
    let port = postgres.port();
    postgres.demote().unwrap();
    assert_eq!(postgres.port(), port);
    assert!(listens(port));
    assert!(postgres.dir().join("data/standby.signal").exists());
}
