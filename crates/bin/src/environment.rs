//! The sources of settings: the environment, and a `.env` file in the working folder.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;

use crate::config::ConfigErrors;

/// The file's name.
const FILE: &str = ".env";

/// All variables by upper-case name. Names are matched without case, the environment overrides the file, and
/// empty values count as unset.
pub(crate) fn variables() -> Result<BTreeMap<String, OsString>, ConfigErrors> {
    let mut all = BTreeMap::new();
    let file = read(Path::new(FILE)).and_then(|text| lines(&text));
    for (name, value) in file.map_err(|fault| ConfigErrors::single(FILE, &fault))? {
        add(&mut all, &name, value.into());
    }
    let mut environment = BTreeMap::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where variables are read"
    )]
    for (name, value) in std::env::vars_os() {
        // Names of settings are ASCII.
        if let Ok(name) = name.into_string() {
            add(&mut environment, &name, value);
        }
    }
    all.extend(environment);
    Ok(all)
}

/// A name in upper case overrides other spellings.
fn add(all: &mut BTreeMap<String, OsString>, name: &str, value: OsString) {
    let upper = name.to_ascii_uppercase();
    let is_blank = value.to_str().is_some_and(|value| value.trim().is_empty());
    if is_blank || (upper != name && all.contains_key(&upper)) {
        return;
    }
    all.insert(upper, value);
}

/// The text of the file; empty without one.
fn read(file: &Path) -> Result<String, String> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            return Err("is a folder; it must be a file with lines NAME=value".to_owned());
        }
        Err(error) => return Err(format!("cannot be read: {}", error.kind())),
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("is UTF-16; save it as UTF-8".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        format!("has a line that is not UTF-8: line {line}; save it as UTF-8")
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// The names and values of a file. An error has the line number and no text, which may be a secret.
fn lines(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::new();
    for line in dotenvy::Iter::new(text.as_bytes()) {
        match line {
            Ok(variable) => all.push(variable),
            Err(dotenvy::Error::LineParse(faulty, _)) => {
                let first = faulty.lines().next().unwrap_or_default().trim();
                let place = text.lines().position(|line| line.contains(first));
                let place = place.map_or_else(String::new, |n| format!(": line {}", n + 1));
                return Err(format!(
                    "has a line that is not NAME=value{place}; a value with spaces, $ or # stands \
                     in single quotes"
                ));
            }
            Err(_) => return Err("cannot be read".to_owned()),
        }
    }
    Ok(all)
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
            add(&mut all, name, value.into());
        }
        let all: Vec<_> = all.into_iter().collect();
        assert_eq!(
            all,
            [("DB_SCHEMA".into(), "a".into()), ("X".into(), "1".into())]
        );
    }

    fn from_file(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        std::fs::write(&file, bytes).unwrap();
        lines(&read(&file)?)
    }

    #[test]
    fn a_file_is_read_as_editors_of_any_system_write_it() {
        let expected = [
            ("A".to_owned(), "1".to_owned()),
            ("B".to_owned(), "x y".to_owned()),
        ];
        for text in [
            "A=1\nB='x y'\n",
            "\u{feff}A=1\r\nB=\"x y\"\r\n",
            "# é\n\nexport A=1\n B = 'x y'",
        ] {
            assert_eq!(from_file(text.as_bytes()).unwrap(), expected, "{text:?}");
        }
        assert_eq!(from_file(b"").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_by_line_and_cause_and_never_quoted() {
        for (bytes, told) in [
            (&b"A=1\nB=geheim geheim\n"[..], "line 2;"),
            (b"A=1\r\n\r\ngeheim\r\n", "line 3;"),
            (b"A=1\nB=geheim\xff\n", "not UTF-8: line 2"),
            (b"\xff\xfeA\0=\0", "UTF-16"),
            (b"\xfe\xff\0A\0=", "UTF-16"),
        ] {
            let fault = from_file(bytes).unwrap_err();
            assert!(fault.contains(told), "{fault}");
            assert!(!fault.contains("geheim"), "{fault}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().contains("is a folder"));
    }

    #[test]
    fn no_file_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&folder.path().join(FILE)).unwrap(), "");
    }
}
