use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

use local_postgres::{LocalPostgres, Options};
use nix::unistd::{Uid, User};
use tempfile::TempDir;

use crate::support::{Owner, PROGRAM, folder, listens, pid_file};

#[test]
fn the_server_never_runs_as_root() {
    let postgres = LocalPostgres::start(&Options::temporary()).unwrap();
    // The postmaster writes this file itself.
    let runs_as = Uid::from_raw(fs::metadata(pid_file(postgres.dir())).unwrap().uid());
    assert!(!runs_as.is_root());
    assert!(runs_as == Uid::effective() || Uid::effective().is_root());
}

#[test]
fn an_ordinary_user_runs_a_cluster_as_itself() {
    let folder = folder();
    let home = folder.path().join("postgres");
    // The program may be built where ordinary users cannot go. `cp` copies it, because a file that this process had
    // open for writing could not be run while another test starts a process.
    let program = folder.path().join("program");
    assert!(
        Command::new("cp")
            .args([PROGRAM.as_ref(), program.as_path()])
            .status()
            .unwrap()
            .success()
    );
    let mut command = Command::new(program);
    let mut expected = Uid::effective();
    if expected.is_root() {
        let nobody = User::from_name("nobody").unwrap().unwrap();
        chown(
            folder.path(),
            Some(nobody.uid.as_raw()),
            Some(nobody.gid.as_raw()),
        )
        .unwrap();
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
        expected = nobody.uid;
    }
    let owner = Owner::start(command.current_dir("/"), &["--dir", home.to_str().unwrap()]);
    assert!(listens(owner.port()));
    assert_eq!(
        fs::metadata(pid_file(&home)).unwrap().uid(),
        expected.as_raw()
    );
    owner.finish();
    assert!(!pid_file(&home).exists());

    // Root may run it too, and it stays the ordinary user's.
    let postgres = LocalPostgres::start(&Options::fast(&home)).unwrap();
    assert_eq!(
        fs::metadata(pid_file(postgres.dir())).unwrap().uid(),
        expected.as_raw()
    );
}

#[test]
fn root_gets_another_folder_when_the_servers_user_cannot_reach_the_wanted_one() {
    let closed = closed_folder();
    let wanted = closed.path().join("postgres");
    let first = LocalPostgres::start(&Options::fast(&wanted)).unwrap();
    let dir = first.dir().to_owned();
    assert_eq!(dir != wanted, Uid::effective().is_root());
    first.stop().unwrap();
    let second = LocalPostgres::start(&Options::fast(&wanted)).unwrap();
    assert_eq!(second.dir(), dir);
    second.stop().unwrap();
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn an_empty_folder_made_by_root_is_opened_to_the_servers_user() {
    let folder = closed_folder();
    let postgres = LocalPostgres::start(&Options::fast(folder.path())).unwrap();
    assert_eq!(postgres.dir(), folder.path());
}

/// Only its owner may pass through this one.
fn closed_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    folder
}
