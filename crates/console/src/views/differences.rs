//! What is new in a text, word by word.

use maud::{Markup, html};

/// The most pairs of words that are compared; above it all that lies between the common ends counts as new.
const MOST_PAIRS: usize = 1_000_000;

/// A run of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run<'a> {
    Same(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// The new text with what it replaces struck out.
pub(crate) fn marked(old: &str, new: &str) -> Markup {
    html! {
        @for run in runs(old, new) {
            @match run {
                Run::Same(words) => (words),
                Run::Old(words) => del { (words) },
                Run::New(words) => ins { (words) },
            }
        }
    }
}

/// Words with the blanks behind them.
fn words(text: &str) -> Vec<&str> {
    text.split_inclusive(char::is_whitespace).collect()
}

fn runs<'a>(old: &'a str, new: &'a str) -> Vec<Run<'a>> {
    let (before, after) = (words(old), words(new));
    let pairs = || before.iter().zip(&after);
    let begin = pairs().take_while(|(one, other)| one == other).count();
    let rest = before.len().min(after.len()) - begin;
    let ends = before.iter().rev().zip(after.iter().rev());
    let end = ends
        .take(rest)
        .take_while(|(one, other)| one == other)
        .count();
    let (old_end, new_end) = (before.len() - end, after.len() - end);
    let mut all: Vec<Run<'a>> = before[..begin].iter().map(|word| Run::Same(word)).collect();
    between(&before[begin..old_end], &after[begin..new_end], &mut all);
    all.extend(before[old_end..].iter().map(|word| Run::Same(word)));
    all
}

/// The longest common words of both stay; the rest is old or new.
fn between<'a>(old: &[&'a str], new: &[&'a str], all: &mut Vec<Run<'a>>) {
    if old.len() * new.len() > MOST_PAIRS {
        all.extend(old.iter().map(|word| Run::Old(word)));
        all.extend(new.iter().map(|word| Run::New(word)));
        return;
    }
    let width = new.len() + 1;
    // How many words the rests from here on have in common.
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for (o, one) in old.iter().enumerate().rev() {
        for (n, other) in new.iter().enumerate().rev() {
            common[o * width + n] = if one == other {
                common[(o + 1) * width + n + 1] + 1
            } else {
                common[(o + 1) * width + n].max(common[o * width + n + 1])
            };
        }
    }
    let (mut o, mut n) = (0, 0);
    while o < old.len() || n < new.len() {
        if o < old.len() && n < new.len() && old[o] == new[n] {
            all.push(Run::Same(old[o]));
            (o, n) = (o + 1, n + 1);
        } else if n == new.len()
            || o < old.len() && common[(o + 1) * width + n] >= common[o * width + n + 1]
        {
            all.push(Run::Old(old[o]));
            o += 1;
        } else {
            all.push(Run::New(new[n]));
            n += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(old: &str, new: &str) -> String {
        marked(old, new).into_string()
    }

    #[test]
    fn what_is_new_is_marked_and_what_is_gone_struck_out() {
        assert_eq!(said("Halo Adit, apa", "Halo Adit, apa"), "Halo Adit, apa");
        assert_eq!(
            said("Halo Adit, terima kasih", "Hai Adit, terima kasih"),
            "<del>Halo </del><ins>Hai </ins>Adit, terima kasih"
        );
        assert_eq!(said("", "baru"), "<ins>baru</ins>");
        assert_eq!(said("lama", ""), "<del>lama</del>");
        assert_eq!(
            said("a b c d", "a x c d"),
            "a <del>b </del><ins>x </ins>c d"
        );
        assert_eq!(
            said("<b>", "<i>"),
            "<del>&lt;b&gt;</del><ins>&lt;i&gt;</ins>"
        );
    }

    #[test]
    fn both_texts_can_be_read_from_the_marks() {
        let texts = [
            "",
            "a",
            "a a",
            "a b a c\nd ",
            "b a c a",
            "x y",
            "a b c d e f g",
        ];
        for old in texts {
            for new in texts {
                let all = runs(old, new);
                let of = |wanted: fn(&Run<'_>) -> bool| -> String {
                    let kept = all.iter().filter(|run| wanted(run));
                    kept.map(|run| match run {
                        Run::Same(it) | Run::Old(it) | Run::New(it) => *it,
                    })
                    .collect()
                };
                assert_eq!(of(|run| !matches!(run, Run::New(_))), old);
                assert_eq!(of(|run| !matches!(run, Run::Old(_))), new);
            }
        }
    }

    #[test]
    fn long_texts_take_no_longer_than_may_be() {
        let long = |word: &str| format!("{word} ").repeat(20_000);
        let said = said(&long("a"), &long("b"));
        assert!(said.starts_with("<del>a </del>"));
    }
}
