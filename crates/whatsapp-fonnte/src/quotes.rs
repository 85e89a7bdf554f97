//! Masks quotes of the message in Fonnte's texts, which are stored and logged: the message identifies a
//! person.

use std::borrow::Cow;

/// Fonnte's own words, in lower case, that are kept although the message has them, too: those of its
/// documented answers, and common short words.
const OWN: &str = "\
    a account akun an and api are at be belong blocked body by can cannot choices connected \
    connection dan data delay detail details device devices di disconnected does due duplicate \
    empty error exceeded exist expired failed false file filename for format found free from \
    gagal habis has http id in inbox input insufficient internal invalid is issue it json kuota \
    later limit many maximum message must no nomor not null number of on only or package paket \
    pending perangkat pesan phone process processing queue quota reached reason registered \
    remaining request requestid requests required scheduled sent server service size status \
    success supported target terdaftar terputus that the this tidak time to token too true under \
    unknown unreachable url used user valid value whatsapp will with";

/// A text with a mask for each word that the message has, too.
pub(crate) fn without_quotes<'w>(words: &'w str, message: &str, mask: &str) -> Cow<'w, str> {
    let mut clean = String::new();
    let mut copied = 0;
    for word in words_of(words) {
        let small = word.to_lowercase();
        if is_own(&small) || !words_of(message).any(|its| its.to_lowercase() == small) {
            continue;
        }
        let at = word.as_ptr() as usize - words.as_ptr() as usize;
        clean.push_str(&words[copied..at]);
        clean.push_str(mask);
        copied = at + word.len();
    }
    if copied == 0 {
        return Cow::Borrowed(words);
    }
    clean.push_str(&words[copied..]);
    Cow::Owned(clean)
}

fn is_own(small: &str) -> bool {
    OWN.split(' ').any(|own| own == small)
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::template::{Template, TemplateValues, Variables};
    use proptest::prelude::*;

    fn message() -> String {
        let values = TemplateValues {
            customer_name: "Nur Aïsyah",
            unit_type: "BeAT Street",
            license_plate: "D 7713 ZWB",
            dealer_name: "Target Motor",
            request_time: Default::default(),
            variables: &Variables::default(),
        };
        Template::validation().render(&values)
    }

    #[test]
    fn what_the_message_says_is_masked() {
        for (words, clean) in [
            (
                "Nur Aïsyah (D-7713-zwb) is not registered",
                "* * (*-*-*) is not registered",
            ),
            ("NUR AÏSYAH, nurul", "* *, nurul"),
            ("invalid message: Halo Nur Aïsyah", "invalid message: * * *"),
            ("target invalid", "target invalid"),
            ("", ""),
        ] {
            assert_eq!(without_quotes(words, &message(), "*"), clean);
        }
    }

    #[test]
    fn documented_reasons_are_not() {
        for reason in [
            "token invalid",
            "devices must belong to an account",
            "unknown user",
            "request invalid on disconnected device",
            "insufficient quota",
            "target input invalid",
            "invalid/empty body value",
            "JSON format invalid",
            "unknown inbox id",
            "url unreachable",
            "file size must under 4MB",
            "invalid message request",
            "success! message in queue",
            "success! message pending due to server issue, will be sent later",
        ] {
            let everything = format!("{} {reason}", message());
            let kept = without_quotes(reason, &everything, "*").replace("4MB", "*");
            assert_eq!(kept, reason.replace("4MB", "*"));
        }
    }

    proptest! {
        #[test]
        fn no_word_of_a_name_is_left(
            name in "\\PC{1,20}",
            before in "(target |no )?",
            after in "( invalid|: [0-9]{3})?",
        ) {
            let words = format!("{before}{name}{after}");
            let clean = without_quotes(&words, &format!("Halo {name},"), "*").into_owned();
            for word in words_of(&name).map(str::to_lowercase) {
                let left = words_of(&clean).any(|left| left.to_lowercase() == word);
                prop_assert!(!left || is_own(&word), "{word} in {clean}");
            }
        }
    }
}
