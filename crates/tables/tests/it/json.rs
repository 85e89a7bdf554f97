use serde_json::{Value, json};
use tables::{Form, Refusal, Unreadable};

use crate::support::{fields, only, refusal, rows, sample};

#[test]
fn both_forms_give_the_objects_as_they_were_sent() {
    let text = sample().to_string();
    assert_eq!(only(Form::Json, format!("[{text}]")), sample());
    assert_eq!(only(Form::JsonLines, text.clone()), sample());
    let marked = format!("\u{feff} [\n{text} ,\r\n{text}\n]\n");
    assert_eq!(rows(Form::Json, marked).len(), 2);
    let lines = rows(Form::JsonLines, format!("\u{feff}{text}\r\n\n  \n{text}"));
    assert_eq!(lines.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(rows(Form::Json, "[]").len(), 0);
    assert_eq!(rows(Form::JsonLines, "\n\n").len(), 0);
}

#[test]
fn elements_end_where_they_end() {
    let tricky = [
        json!({"a": "],[{\"\\", "b": [1, [2, {"c": "}"}]], "é": "\u{1f600}"}),
        json!({}),
        json!({"a": "\\\"],"}),
    ];
    for text in [
        serde_json::to_string(&tricky).expect("json"),
        serde_json::to_string_pretty(&tricky).expect("json"),
    ] {
        let found: Vec<Value> = rows(Form::Json, text).into_iter().map(fields).collect();
        assert_eq!(found, tricky);
    }
}

#[test]
fn what_is_no_object_is_an_error_of_its_row() {
    let found = rows(Form::Json, "[null, 7, \"x\", [[]], {}]");
    for (row, value) in found
        .iter()
        .zip([json!(null), json!(7), json!("x"), json!([[]])])
    {
        let expected = Unreadable::NotAnObject(value);
        assert_eq!(row.content.as_ref().err(), Some(&expected));
    }
    assert!(found[4].content.is_ok());
    // A half of a pair of UTF-16.
    let found = rows(Form::Json, "[{\"a\":\"\\ud800\"}, {}]");
    assert!(matches!(found[0].content, Err(Unreadable::NotJson { .. })));
    assert!(found[1].content.is_ok());
}

#[test]
fn a_line_that_is_no_json_harms_only_itself() {
    let found = rows(Form::JsonLines, "{}\n{\"é\": x}\n{\n{}");
    let Err(Unreadable::NotJson { offset, reason }) = &found[1].content else {
        panic!("it is no JSON")
    };
    assert_eq!((*offset, reason.as_str()), (6, "expected value"));
    assert!(matches!(
        found[2].content,
        Err(Unreadable::NotJson { offset: 1, .. })
    ));
    assert!(found[3].content.is_ok());
}

#[test]
fn an_array_is_refused_as_a_whole_where_it_is_none() {
    assert!(matches!(refusal(Form::Json, ""), Refusal::Empty));
    assert!(matches!(refusal(Form::Json, " null "), Refusal::Empty));
    assert!(matches!(refusal(Form::JsonLines, ""), Refusal::Empty));
    for (text, value) in [("{}", json!({})), ("7", json!(7)), ("\"x\"", json!("x"))] {
        let Refusal::NotAnArray(found) = refusal(Form::Json, text) else {
            panic!("{text} is no array")
        };
        assert_eq!(found, value);
    }
    for (text, place) in [
        ("[{}", 3),
        ("[{},]", 4),
        ("nope", 0),
        ("[{}] x", 5),
        (" ", 1),
    ] {
        let Refusal::NotJson { offset, .. } = refusal(Form::Json, text) else {
            panic!("{text} is no JSON")
        };
        assert_eq!(offset, place, "{text}");
    }
}

#[test]
fn rows_are_counted_before_any_is_read() {
    let array = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    assert_eq!(rows(Form::Json, array(10_000)).len(), 10_000);
    for (form, text) in [
        (Form::Json, array(10_001)),
        (Form::JsonLines, "1\n".repeat(10_001)),
    ] {
        assert!(matches!(
            refusal(form, text),
            Refusal::TooManyRows { most: 10_000 }
        ));
    }
}

#[test]
fn a_row_that_is_longer_than_a_submission_may_be_harms_only_itself() {
    let long = json!({ "a": "x".repeat(70_000) });
    for (form, text) in [
        (Form::Json, format!("[{long},{{}}]")),
        (Form::JsonLines, format!("{long}\n{{}}")),
    ] {
        let found = rows(form, text);
        assert_eq!(found[0].content.as_ref().err(), Some(&Unreadable::TooLong));
        assert!(found[1].content.is_ok());
    }
}
