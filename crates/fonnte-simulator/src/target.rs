//! The `target` field: several numbers, each with variables, and their normalisation.

/// One target and the variables after its bars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) number: String,
    pub(crate) variables: Vec<String>,
}

/// Why a target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadTarget {
    /// Refused like an unreadable body.
    Unreadable,
    /// Refused as a target.
    Invalid,
}

/// Parses `0812…|Name|Role,0813…`; one bad target fails all.
pub(crate) fn parse(raw: &str, country_code: &str) -> Result<Vec<Target>, BadTarget> {
    raw.split(',')
        .map(|one| parse_one(one, country_code))
        .collect()
}

fn parse_one(raw: &str, country_code: &str) -> Result<Target, BadTarget> {
    let mut parts = raw.split('|');
    let number = normalise(parts.next().unwrap_or_default().trim(), country_code)?;
    Ok(Target {
        number,
        variables: parts.map(str::to_owned).collect(),
    })
}

/// The number as Fonnte rewrites it. A country code of `0` leaves it alone. A number that starts with `8`
/// stays as well, and is later not routed.
pub(crate) fn normalise(raw: &str, country_code: &str) -> Result<String, BadTarget> {
    if let Some(group) = raw.strip_suffix("@g.us") {
        let sane = !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        return if sane {
            Ok(raw.to_owned())
        } else {
            Err(BadTarget::Invalid)
        };
    }
    if raw.ends_with("@s.whatsapp.net") {
        return Err(BadTarget::Unreadable);
    }
    let digits = raw.strip_prefix('+').unwrap_or(raw);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadTarget::Invalid);
    }
    let number = match digits.strip_prefix('0') {
        Some(rest) if country_code != "0" => format!("{country_code}{rest}"),
        _ => digits.to_owned(),
    };
    // Too short, or a group's id without its suffix.
    if (8..=15).contains(&number.len()) {
        Ok(number)
    } else {
        Err(BadTarget::Invalid)
    }
}

/// Puts a target's variables into the message: `{name}` is the first, `{var1}` the second.
pub(crate) fn replace_variables(message: &str, variables: &[String], always: bool) -> String {
    if !message.contains('{') || (variables.is_empty() && !always) {
        return message.to_owned();
    }
    let mut shown = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        shown.push_str(before);
        match placeholder(from) {
            Some((place, length)) => {
                shown.push_str(variables.get(place).map_or("", String::as_str));
                rest = &from[length..];
            }
            None => {
                shown.push('{');
                rest = &from[1..];
            }
        }
    }
    shown.push_str(rest);
    shown
}

/// Which variable the text starts with, and how long its name is in braces.
fn placeholder(text: &str) -> Option<(usize, usize)> {
    let name = &text[1..text.find('}')?];
    let place = match name {
        "name" => 0,
        _ => name
            .strip_prefix("var")?
            .parse()
            .ok()
            .filter(|&place: &usize| place > 0)?,
    };
    Some((place, name.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_zero_becomes_the_country_code_unless_that_is_zero() {
        assert_eq!(normalise("08000000042", "62").unwrap(), "628000000042");
        assert_eq!(normalise("08000000042", "0").unwrap(), "08000000042");
        assert_eq!(normalise("08000000042", "60").unwrap(), "608000000042");
        assert_eq!(normalise("+628000000042", "62").unwrap(), "628000000042");
        assert_eq!(normalise("8000000042", "62").unwrap(), "8000000042");
    }

    #[test]
    fn a_target_that_is_not_a_number_is_refused() {
        for bad in [
            "",
            "0812",
            "62-800-0000",
            "abc",
            "6280000000000000000",
            "@g.us",
            "x@g.us",
        ] {
            assert_eq!(normalise(bad, "62"), Err(BadTarget::Invalid), "{bad}");
        }
        let suffixed = normalise("628000000042@s.whatsapp.net", "62");
        assert_eq!(suffixed, Err(BadTarget::Unreadable));
        assert!(normalise("120000000000000042@g.us", "62").is_ok());
    }

    #[test]
    fn several_targets_carry_their_own_variables() {
        let targets = parse("08000000042|Adit|Owner, 628000000043", "62").unwrap();
        assert_eq!(targets[0].number, "628000000042");
        assert_eq!(targets[0].variables, ["Adit", "Owner"]);
        assert_eq!(targets[1].number, "628000000043");
        assert!(parse("08000000042,", "62").is_err());
    }

    #[test]
    fn variables_replace_their_names_and_nothing_else() {
        let variables = ["Adit".to_owned(), "Owner".to_owned()];
        let shown = replace_variables("{name} {var1} {var2} {x} { {{name}}", &variables, true);
        assert_eq!(shown, "Adit Owner  {x} { {Adit}");
        assert_eq!(replace_variables("Hi {name}!", &[], true), "Hi !");
        assert_eq!(replace_variables("Hi {name}!", &[], false), "Hi {name}!");
        assert_eq!(
            replace_variables("{var0}{varx}{", &variables, true),
            "{var0}{varx}{"
        );
    }
}
