use super::*;
use chrono::NaiveDate;
use proptest::prelude::*;

fn values(variables: &Variables) -> TemplateValues<'_> {
    TemplateValues {
        variables,
        customer_name: "Adit",
        unit_type: "BeAT Street",
        license_plate: "D 123 AD",
        dealer_name: "Dealer Demo",
        request_time: NaiveDate::from_ymd_opt(2019, 12, 31)
            .unwrap()
            .and_hms_opt(15, 40, 50)
            .unwrap(),
    }
}

#[test]
fn the_built_in_template_is_sent_byte_for_byte() {
    let text = Template::validation().render(&values(&Variables::default()));
    assert_eq!(
        text,
        "Halo Adit,\n\nTerima kasih telah melakukan validasi customer untuk unit BeAT Street dengan nomor polisi D 123 AD.\n\nData Anda telah kami terima dan sedang dalam proses verifikasi oleh tim Dealer Demo.\n\nKami akan menghubungi Anda kembali untuk proses selanjutnya.\n\nTerima kasih atas kepercayaan Anda.\n\nBest regards,\nDealer Demo"
    );
}

#[test]
fn braces_in_values_cannot_become_variables_of_the_provider() {
    let none = Variables::default();
    let mut values = values(&none);
    values.customer_name = "{name} {{var1}}";
    let text = Template::parse("{customer_name} {{x}} {request_date} {request_time}")
        .unwrap()
        .render(&values);
    assert_eq!(
        text,
        "{\u{2060}name} {\u{2060}{\u{2060}var1}} {x} 31/12/2019 15:40:50"
    );
}

#[test]
fn every_fault_is_listed_with_its_position() {
    assert_eq!(
        Template::parse("é{nama} {customer_name} } {"),
        Err(vec![
            TemplateFault::UnknownPlace {
                name: "nama".into(),
                position: 1
            },
            TemplateFault::SingleBrace { position: 24 },
            TemplateFault::SingleBrace { position: 26 },
        ])
    );
    assert_eq!(Template::parse(""), Err(vec![TemplateFault::Empty]));
    assert_eq!(
        Template::parse(&"a".repeat(4_001)),
        Err(vec![TemplateFault::TooLong])
    );
    assert!(Template::parse(&"é".repeat(4_000)).is_ok());
}

fn given(all: &[(&str, &str)]) -> Variables {
    all.iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn a_variable_is_what_was_given_else_its_default() {
    let template =
        Template::parse("{var.km} {var.km|x} {var.oil|belum|dicatat} {var.a|}.").unwrap();
    assert_eq!(template.variables(), ["km", "oil", "a"]);
    assert_eq!(template.required().collect::<Vec<_>>(), ["km"]);
    let text = template.render(&values(&given(&[("km", "12 {name}")])));
    assert_eq!(text, "12 {\u{2060}name} 12 {\u{2060}name} belum|dicatat .");
}

#[test]
fn what_is_missing_and_what_is_unknown_is_told_by_name() {
    let template = Template::parse("{var.b} {var.a} {var.c|x}").unwrap();
    let path = |name: &str| FieldPath::Variable(name.to_owned());
    assert_eq!(
        template.check(&given(&[("a", "1"), ("B", "2")])),
        [
            (path("b"), Fault::Missing),
            (path("B"), Fault::UnknownVariable)
        ]
    );
    assert_eq!(template.check(&given(&[("a", "1"), ("b", "2")])), []);
}

#[test]
fn a_variable_has_a_name_a_short_default_and_at_most_19_others() {
    let unknown = |name: &str| TemplateFault::UnknownPlace {
        name: name.to_owned(),
        position: 1,
    };
    for name in [
        "var.",
        "var.KM",
        "var.k m",
        "var",
        "VAR.km",
        "var.|x",
        "var.abcdefghijklmnopq",
    ] {
        assert_eq!(
            Template::parse(&format!("a{{{name}}}")),
            Err(vec![unknown(name)])
        );
    }
    let default = |length: usize| Template::parse(&format!("{{var.a|{}}}", "é".repeat(length)));
    assert!(default(100).is_ok());
    assert_eq!(
        default(101),
        Err(vec![TemplateFault::DefaultTooLong { position: 0 }])
    );
    let all: String = (0..20).map(|n| format!("{{var.v{n}}}")).collect();
    assert!(Template::parse(&format!("{all}{{var.v0}}")).is_ok());
    assert_eq!(
        Template::parse(&format!("{all}{{var.v20}}")),
        Err(vec![TemplateFault::TooManyVariables {
            position: all.len()
        }])
    );
}

#[test]
fn a_value_cannot_complete_a_literal_brace() {
    let none = Variables::default();
    let mut values = TemplateValues {
        customer_name: "name",
        unit_type: "1}",
        ..values(&none)
    };
    values.license_plate = "{";
    let text = Template::parse("{{{customer_name}}} {{var{unit_type} {license_plate}name}}")
        .unwrap()
        .render(&values);
    assert_eq!(text, "{\u{2060}name} {var\u{2060}1} \u{2060}{\u{2060}name}");
}

#[test]
fn nothing_that_is_invisible_is_a_template() {
    assert_eq!(
        Template::parse(" \n\u{200b}"),
        Err(vec![TemplateFault::Blank])
    );
    assert_eq!(
        Template::parse("a\0"),
        Err(vec![TemplateFault::ControlCharacter { position: 1 }])
    );
    assert!(Template::parse("a\r\n\tb").is_ok());
}

#[test]
fn an_author_is_warned_of_long_messages_and_places_at_the_ends() {
    let warnings = |body: &str| Template::parse(body).unwrap().warnings();
    assert_eq!(warnings(VALIDATION_BODY), [TemplateWarning::EndsWithPlace]);
    assert_eq!(
        warnings("{customer_name}!"),
        [TemplateWarning::BeginsWithPlace]
    );
    let long = |letters: usize| warnings(&format!("a{{customer_name}}{}", "b".repeat(letters)));
    assert_eq!(long(4_096 - 256), []);
    assert_eq!(
        long(4_097 - 256),
        [TemplateWarning::LongMessage { characters: 4_097 }]
    );
}

/// Texts with many braces, places and joiners.
fn bodies() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "\\PC{0,8}",
        "[a-z{}\u{2060}]{0,4}",
        Just("{{".to_owned()),
        Just("}}".to_owned()),
        Just("{unit_type}".to_owned()),
        Just("{customer_name}".to_owned()),
        "\\{var\\.[a-c](\\|[a-z|]{0,5})?\\}",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn what_parses_is_printed_as_it_was_and_renders(body in bodies(), name in "[a-z0-9{}]{0,6}", value in "[a-z0-9{}]{1,6}") {
        if let Ok(template) = Template::parse(&body) {
            prop_assert_eq!(template.to_string(), body.clone());
            prop_assert_eq!(Template::parse(&template.to_string()), Ok(template.clone()));
            let variables = given(&[("a", &value), ("b", &name)]);
            let values = TemplateValues { customer_name: &name, unit_type: &value, ..values(&variables) };
            let text = template.render(&values);
            let plain = |text: &str| text.replace(JOINER, "").chars().count();
            prop_assert!(plain(&text) <= template.longest());
            // No pair of braces that Fonnte might read has a character of a value in it.
            for (at, _) in text.match_indices('{') {
                let inner = &text[at + 1..];
                let Some(end) = inner.find(['{', '}']).filter(|end| inner[*end..].starts_with('}')) else { continue };
                let pair = &text[at..=at + 1 + end];
                let literal = |part: &Part| matches!(part, Part::Text(text) if text.contains(pair));
                let by_author = template.parts.iter().any(literal) || is_defaulted(&template, pair);
                prop_assert!(pair.contains(JOINER) || by_author, "{pair:?} in {text:?}");
            }
        }
    }

    #[test]
    fn literal_text_survives(body in "\\PC{1,60}|[a-z{}]{1,20}") {
        let escaped = body.replace('{', "{{").replace('}', "}}");
        if let Ok(template) = Template::parse(&escaped) {
            prop_assert_eq!(template.render(&values(&Variables::default())), body);
        } else {
            prop_assert!(crate::values::is_blank(&body));
        }
    }
}

/// Whether only an empty value stands within the pair.
fn is_defaulted(template: &Template, pair: &str) -> bool {
    let literals: String = template
        .parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Place(_) => "",
        })
        .collect();
    literals.contains(pair)
}
