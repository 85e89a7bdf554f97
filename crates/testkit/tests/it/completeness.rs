use std::fs;
use std::path::Path;

/// A promise that is not stamped onto anything is not kept by anyone.
#[test]
fn every_promise_is_stamped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
    let stamps = ["stamp.rs", "stamp_endpoints.rs", "stamp_replies.rs"];
    let stamps = stamps.map(|file| fs::read_to_string(folder.join(file)).expect(file));
    let stamp = stamps.concat();
    let stamped: Vec<&str> = stamp.split_whitespace().collect();
    let mut promises = 0;
    for file in fs::read_dir(folder).expect("the promises") {
        let file = fs::read_to_string(file.expect("a file").path()).expect("a text");
        let names = file
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn "))
            .filter_map(|rest| rest.split('(').next());
        for name in names {
            let last = format!("{name};");
            let found = stamped.contains(&name) || stamped.contains(&last.as_str());
            assert!(found, "{name} is not stamped");
            promises += 1;
        }
    }
    assert!(promises > 100, "the promises are found: {promises}");
}
