use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Whether a text shows nothing: it is empty, or all white space, control and format characters, and others
/// that Unicode does not display (`Default_Ignorable_Code_Point`: joiners, directional marks, variation
/// selectors, Hangul fillers and the like).
///
/// ```
/// assert!(domain::values::is_blank(" \u{200b}\u{2060}\u{3164}"));
/// assert!(!domain::values::is_blank("\u{200e}Adit\u{200e}"));
/// ```
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

/// Whether a character alone is not displayed.
pub(crate) fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() || c == ' ';
    }
    c.is_whitespace()
        || c.is_control()
        // The Braille pattern without a dot, which is used as an empty name.
        || c == '\u{2800}'
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `Default_Ignorable_Code_Point` of Unicode 16.0 (DerivedCoreProperties.txt), and the rest of category
    /// Cf that may form an invisible name.
    const LISTED: [(u32, u32); 24] = [
        (0x00ad, 0x00ad),
        (0x034f, 0x034f),
        (0x061c, 0x061c),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x202a, 0x202e),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfff8),
        (0xfff9, 0xfffb),
        (0x13430, 0x1343f),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0xe0000, 0xe0fff),
        (0x0085, 0x00a0),
        (0x1680, 0x1680),
        (0x2000, 0x200a),
        (0x2028, 0x202f),
        (0x3000, 0x3000),
    ];

    #[test]
    fn everything_that_unicode_shows_as_nothing_is_invisible() {
        for (first, last) in LISTED {
            for c in (first..=last).filter_map(char::from_u32) {
                assert!(is_invisible(c), "{:x}", c as u32);
            }
        }
        assert!(('\0'..=' ').all(is_invisible));
        assert!(is_invisible('\u{2800}'));
    }

    #[test]
    fn what_people_write_is_seen() {
        for text in [
            "a",
            "1",
            "-",
            "é",
            "e\u{301}",
            "ك",
            "漢",
            "ꦗ",
            "ᮔ",
            "한",
            "\u{2801}",
            "❤\u{fe0f}",
            "👩\u{200d}🔧",
        ] {
            assert!(!is_blank(text), "{text}");
        }
        let visible = ('!'..='~')
            .chain('\u{a1}'..='\u{ac}')
            .chain('\u{ae}'..='\u{34e}');
        for c in visible {
            assert!(!is_invisible(c), "{c}");
        }
    }

    proptest! {
        #[test]
        fn one_visible_character_is_enough(before in "\\p{Cf}{0,4}", seen in "[\\p{L}\\p{Nd}]", after in "[\\p{Cf}\\s]{0,4}") {
            prop_assume!(!seen.chars().all(is_invisible));
            let text = [before, seen, after].concat();
            prop_assert!(!is_blank(&text));
        }

        #[test]
        fn format_characters_and_white_space_alone_are_blank(text in "[\\p{Cf}\\p{Zs}\\p{Zl}\\p{Zp}\\p{Cc}]{0,8}") {
            prop_assert!(is_blank(&text));
        }
    }
}
