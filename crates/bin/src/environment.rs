//! Where settings come from: the environment, and a `.env` file in the working folder.

use std::collections::BTreeMap;

use crate::config::ConfigErrors;

/// The file that is read in the working folder.
const FILE: &str = ".env";

/// All variables by upper-case name: names are matched without regard to case, and the environment
/// wins over the file. Empty ones are as if unset.
pub(crate) fn variables() -> Result<BTreeMap<String, String>, ConfigErrors> {
    let mut all = BTreeMap::new();
    match dotenvy::from_path_iter(FILE) {
        Ok(lines) => {
            for line in lines {
                // The error would quote the line, which may hold a secret.
                let (name, value) = line.map_err(|_| unreadable())?;
                add(&mut all, &name, value);
            }
        }
        Err(error) if error.not_found() => {}
        Err(_) => return Err(unreadable()),
    }
    let mut environment = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) {
            add(&mut environment, &name, value);
        }
    }
    all.extend(environment);
    Ok(all)
}

/// A name in upper case wins over other ways to write it.
fn add(all: &mut BTreeMap<String, String>, name: &str, value: String) {
    let upper = name.to_ascii_uppercase();
    if value.trim().is_empty() || (upper != name && all.contains_key(&upper)) {
        return;
    }
    all.insert(upper, value);
}

fn unreadable() -> ConfigErrors {
    ConfigErrors::single(FILE, "has a line that is not NAME=value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_without_regard_to_case_and_empty_values_are_unset() {
        let mut all = BTreeMap::new();
        for (name, value) in [
            ("db_schema", "a"),
            ("Db_Schema", "b"),
            ("LOG_LEVEL", " "),
            ("X", "1"),
            ("x", "2"),
        ] {
            add(&mut all, name, value.to_owned());
        }
        let all: Vec<_> = all.into_iter().collect();
        assert_eq!(
            all,
            [("DB_SCHEMA".into(), "a".into()), ("X".into(), "1".into())]
        );
    }
}
