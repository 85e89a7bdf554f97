//! What the README says of a database has a test for every line.

use std::path::Path;

#[test]
fn every_line_about_a_database_names_a_test_that_is_there() {
    let readme = include_str!("../../README.md");
    let (_, table) = readme
        .split_once("## What the service asks of a database")
        .unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows = table
        .lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("| **"));
    let mut lines = 0;
    // After the head and the line below it.
    for line in rows.skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [_, _, test] = cells[..] else {
            panic!("three cells: {line}");
        };
        let folder = match test.trim().strip_prefix("e2e ") {
            Some(_) => root.join("../../tests-e2e/tests/it"),
            None => root.join("tests/it"),
        };
        let name = test.trim().trim_start_matches("e2e ").trim_matches('`');
        let (module, function) = name.split_once("::").unwrap();
        let source = std::fs::read_to_string(folder.join(format!("{module}.rs")));
        let source = source.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(source.contains(&format!("fn {function}(")), "{name}");
        lines += 1;
    }
    assert!(lines > 20, "{lines}");
}
