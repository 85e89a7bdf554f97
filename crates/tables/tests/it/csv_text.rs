use std::fmt::Write as _;

use serde_json::json;
use tables::{CellFault, ColumnFault, Encoding, Form, Refusal, Unreadable};

use crate::support::{HEADER, ROW, faults, fields, only, open, refusal, rows, sample, sample_with};

fn csv(rows: &str) -> String {
    format!("{HEADER}\r\n{rows}\r\n")
}

/// The sample row with another cell under this header.
fn with(name: &str, value: &str) -> String {
    let cells: Vec<&str> = HEADER
        .split(',')
        .zip(ROW.split(','))
        .map(|(header, cell)| if header == name { value } else { cell })
        .collect();
    csv(&cells.join(","))
}

#[test]
fn a_row_is_what_a_single_submission_is() {
    assert_eq!(only(Form::Csv, csv(ROW)), sample());
}

#[test]
fn the_separator_is_the_one_that_gives_the_header_most_names() {
    for separator in [",", ";", "\t"] {
        let text = csv(ROW).replace(',', separator);
        assert_eq!(only(Form::Csv, text), sample(), "{separator:?}");
    }
    // Commas within names of columns that are not ours.
    let text = csv(ROW).replace(',', ";");
    let text = text.replacen("dealerId", "dealerId;a,b,c,d,e,f,g", 1);
    assert_eq!(only(Form::Csv, text), sample());
}

#[test]
fn a_line_that_names_the_separator_is_obeyed() {
    for (said, separator) in [
        ("sep=;", ";"),
        ("SEP=|", "|"),
        ("sep=\t", "\t"),
        ("\"sep=;\"", ";"),
    ] {
        let text = format!("{said}\r\n{}", csv(ROW).replace(',', separator));
        let table = open(Form::Csv, text.clone()).expect("a table");
        assert!(table.dialect().expect("text").says_separator);
        let rows = rows(Form::Csv, text);
        assert_eq!(rows[0].line, 3);
        assert_eq!(fields(rows.into_iter().next().expect("a row")), sample());
    }
}

#[test]
fn utf_8_and_utf_16_are_read_by_their_marks() {
    let text = csv(&ROW.replace("Adit", "Ayu é 日"));
    let expected = sample_with("namaPembawa", "Ayu é 日");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (bytes, encoding) in [
        (text.clone().into_bytes(), Encoding::Utf8 { marked: false }),
        (
            [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
            Encoding::Utf8 { marked: true },
        ),
        ([&[0xff, 0xfe][..], &little].concat(), Encoding::Utf16Little),
        ([&[0xfe, 0xff][..], &big].concat(), Encoding::Utf16Big),
    ] {
        let table = open(Form::Csv, bytes.clone()).expect("a table");
        assert_eq!(table.dialect().expect("text").encoding, encoding);
        assert_eq!(only(Form::Csv, bytes), expected, "{encoding:?}");
    }
}

#[test]
fn bytes_that_are_not_of_the_encoding_make_their_row_an_error() {
    let mut bytes = csv(&format!("{ROW}\r\n{ROW}\r\n{ROW}")).into_bytes();
    let second = HEADER.len() + 2 + ROW.len() + 2;
    bytes[second] = 0xe9;
    let found = rows(Form::Csv, bytes);
    assert!(found[0].content.is_ok() && found[2].content.is_ok());
    assert_eq!(found[1].content.as_ref().err(), Some(&Unreadable::NotText));

    // A half of a pair of UTF-16.
    let text = csv(&format!("{ROW}\r\n{ROW}"));
    let mut units: Vec<u16> = text.encode_utf16().collect();
    units[HEADER.len() + 2] = 0xd800;
    let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
    let found = rows(Form::Csv, [&[0xff, 0xfe][..], &bytes].concat());
    assert_eq!(found[0].content.as_ref().err(), Some(&Unreadable::NotText));
    assert!(found[1].content.is_ok());
}

#[test]
fn quotes_hold_separators_quotes_and_lines() {
    let text = csv(&format!(
        "\"Adit, \"\"Bos\"\"\",{}\r\n{ROW}",
        ROW.split_once(',')
            .expect("cells")
            .1
            .replace("BeAT Street", "\"BeAT\nStreet\"")
    ));
    let found = rows(Form::Csv, text);
    assert_eq!((found[0].line, found[1].line), (2, 4));
    let first = fields(found.into_iter().next().expect("a row"));
    assert_eq!(first["namaPembawa"], "Adit, \"Bos\"");
    assert_eq!(first["tipeUnit"], "BeAT\nStreet");
}

#[test]
fn a_quote_that_is_not_closed_hides_rows_and_is_refused() {
    let text = csv(&format!("{ROW}\r\n\"{ROW}\r\n{ROW}\r\n{ROW}"));
    assert!(matches!(
        refusal(Form::Csv, text),
        Refusal::OpenQuote { line: 3 }
    ));
    // One in the middle of a cell hides nothing.
    assert_eq!(
        only(Form::Csv, with("tipeUnit", "Ban 17\"")),
        sample_with("tipeUnit", "Ban 17\"")
    );
}

#[test]
fn blank_lines_and_rows_of_empty_cells_are_passed_over() {
    let text =
        format!("\r\n;;;\r\n{HEADER}\r\n\r\n,,,,,,\r\n{ROW}\r\n , ,,,,,\r\n{ROW}\r\n\r\n,,\r\n");
    let found = rows(Form::Csv, text.replace(";;;", ",,,"));
    assert_eq!(found.iter().map(|row| row.line).collect::<Vec<_>>(), [6, 8]);
    let text = format!("\u{a0},\n{HEADER}\n\u{a0}, \u{2003},,,,,\n{ROW}\n\u{3000}\n{ROW}");
    let found = rows(Form::Csv, text);
    assert_eq!(found.iter().map(|row| row.line).collect::<Vec<_>>(), [4, 6]);
    for end in ["\n", "\r\n"] {
        let text = format!("{HEADER}{end}{end}{ROW}{end}{end}{end}{ROW}");
        let found = rows(Form::Csv, text);
        assert_eq!(found.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 6]);
    }
}

#[test]
fn every_end_of_a_line_is_one() {
    for end in ["\r\n", "\n", "\r"] {
        let text = format!("{HEADER}{end}{ROW}{end}{ROW}");
        assert_eq!(rows(Form::Csv, text).len(), 2, "{end:?}");
    }
}

#[test]
fn headers_are_known_in_any_case_and_further_columns_ignored() {
    let text =
        "No,NAMA PEMBAWA,no_telp,Tipe Unit,nopol,CREATED_TIME,modified time,Dealer ID,Catatan\n";
    let text = format!("{text}1,{ROW},hadir");
    assert_eq!(only(Form::Csv, text), sample());
    // A cell beyond the header.
    assert_eq!(only(Form::Csv, csv(&format!("{ROW},x,y"))), sample());
}

#[test]
fn a_table_must_have_its_columns_each_once() {
    let faults = |text: &str| match refusal(Form::Csv, text) {
        Refusal::Columns(faults) => faults,
        other => panic!("{other}"),
    };
    let needed = ["namaPembawa", "noTelp", "tipeUnit", "noPol", "dealerId"];
    for name in needed {
        let text = csv(ROW).replacen(name, "lain", 1);
        assert_eq!(faults(&text), [ColumnFault::Missing(name)]);
    }
    let repeated = |name: &str, written: &str| ColumnFault::Repeated {
        name: name.to_owned(),
        written: written.to_owned(),
    };
    let text = format!("var.km,VAR.KM,Var.Km,created_time,NO TELP,{HEADER}\n");
    assert_eq!(
        faults(&text.replace("noPol", "lain")),
        [
            repeated("noTelp", "noTelp"),
            ColumnFault::Missing("noPol"),
            repeated("createdTime", "createdTime"),
            repeated("var.km", "VAR.KM"),
        ]
    );
    let text = format!("{HEADER},NO TELP\n");
    assert_eq!(faults(&text), [repeated("noTelp", "NO TELP")]);
    // A title is no header.
    let all = needed.map(ColumnFault::Missing);
    assert_eq!(faults("Daftar Customer\n"), all);
    assert!(matches!(refusal(Form::Csv, ""), Refusal::Empty));
    assert!(matches!(refusal(Form::Csv, "\u{feff}"), Refusal::Empty));
    assert_eq!(rows(Form::Csv, HEADER).len(), 0);
}

#[test]
fn times_may_be_absent_and_have_other_forms() {
    let text = "namaPembawa,noTelp,tipeUnit,noPol,dealerId\nAdit,082148523421,BeAT,D 1 A,0009999";
    let found = only(Form::Csv, text);
    assert_eq!(found.get("createdTime"), None);
    let empty = only(Form::Csv, with("createdTime", ""));
    assert_eq!(empty.get("createdTime"), None);
    assert_eq!(empty["modifiedTime"], "31/12/2019 15:40:50");
    for (given, read) in [
        ("31/12/2019", "31/12/2019 00:00:00"),
        ("31/12/2019 15:40", "31/12/2019 15:40:00"),
        ("2019-12-31T15:40:50", "31/12/2019 15:40:50"),
        ("2019-12-31", "31/12/2019 00:00:00"),
        ("kemarin", "kemarin"),
    ] {
        let found = only(Form::Csv, with("createdTime", given));
        assert_eq!(found["createdTime"], read, "{given}");
    }
}

#[test]
fn dates_that_begin_with_the_month_are_refused_as_a_whole() {
    let text = format!(
        "{}\r\n{}",
        with("createdTime", "01/02/2019").trim_end(),
        ROW.replacen("31/12/2019", "02/13/2019", 1)
            .replace("31/12/2019", "02/03/2019")
    );
    let text = text.replace(",31/12/2019 15:40:50,", ",02/03/2019,");
    let Refusal::DateOrder { column, example } = refusal(Form::Csv, text.clone()) else {
        panic!("the month is first")
    };
    assert_eq!(
        (column, example.as_str()),
        ("createdTime", "02/13/2019 15:40:50")
    );
    // One that begins with the day shows that the other one is merely wrong.
    let text = format!("{text}\r\n{ROW}");
    assert_eq!(rows(Form::Csv, text).len(), 3);
}

#[test]
fn what_excel_made_of_a_phone_is_told_and_nothing_guessed() {
    for phone in ["\"8,21E+11\"", "\"+8,21E+11\"", "8.21E+11", "6.28E+12"] {
        let found = rows(Form::Csv, with("noTelp", phone));
        assert_eq!(
            faults(&found[0]),
            [("noTelp", CellFault::Exponent)],
            "{phone}"
        );
    }
    for phone in ["82148523421.0", "\"82148523421,0\"", "82148523421.5"] {
        let found = rows(Form::Csv, with("noTelp", phone));
        assert_eq!(
            faults(&found[0]),
            [("noTelp", CellFault::Fraction)],
            "{phone}"
        );
    }
    // A lost zero is no loss.
    assert_eq!(
        only(Form::Csv, with("noTelp", "82148523421"))["noTelp"],
        "82148523421"
    );
}

#[test]
fn error_values_and_numbers_for_times_are_faults() {
    for text in ["#N/A", "#VALUE!", "#REF!", "########"] {
        let found = rows(Form::Csv, with("noPol", text));
        assert_eq!(
            faults(&found[0]),
            [("noPol", CellFault::ErrorValue)],
            "{text}"
        );
    }
    let found = rows(Form::Csv, with("modifiedTime", "43830.65"));
    assert_eq!(
        faults(&found[0]),
        [("modifiedTime", CellFault::NumberForTime)]
    );
    // Where nobody looks.
    let text = format!("{HEADER},Catatan\n{ROW},#N/A");
    assert_eq!(faults(&rows(Form::Csv, text)[0]), []);
}

#[test]
fn one_leading_apostrophe_is_dropped() {
    assert_eq!(only(Form::Csv, with("noTelp", "'082148523421")), sample());
    assert_eq!(only(Form::Csv, with("noPol", "''D 1 A"))["noPol"], "'D 1 A");
}

#[test]
fn empty_cells_are_absent() {
    let found = only(Form::Csv, with("noTelp", ""));
    assert_eq!(found.get("noTelp"), None);
    for blank in [" ", "\u{a0}", "\u{2003}\t", "' "] {
        for name in ["noTelp", "dealerId", "createdTime"] {
            let found = only(Form::Csv, with(name, blank));
            assert_eq!(found.get(name), None, "{name} {blank:?}");
        }
    }
    let text = format!("{HEADER},template,sendAt,idempotencyKey,var.km\n{ROW},, ,,\n");
    assert_eq!(only(Form::Csv, text), sample());
}

#[test]
fn further_fields_have_columns() {
    let text = format!(
        "{HEADER},Template,Send At,Idempotency_Key,VAR.KM,var.servis_ke\n{ROW},ajakan,2026-12-01T08:00:00+07:00,k-1,12000,'3"
    );
    let mut expected = sample();
    expected["template"] = "ajakan".into();
    expected["sendAt"] = "2026-12-01T08:00:00+07:00".into();
    expected["idempotencyKey"] = "k-1".into();
    expected["variables"] = json!({"km": "12000", "servis_ke": "3"});
    assert_eq!(only(Form::Csv, text), expected);
}

#[test]
fn ten_thousand_rows_are_the_most() {
    let mut text = format!("{HEADER}\n");
    for n in 0..10_000 {
        let _ = writeln!(text, "{}", ROW.replace("Adit", &format!("Adit {n}")));
    }
    let found = rows(Form::Csv, text.clone());
    assert_eq!(found.len(), 10_000);
    text.push_str(ROW);
    assert!(matches!(
        refusal(Form::Csv, text),
        Refusal::TooManyRows { most: 10_000 }
    ));
}

#[test]
fn a_row_that_is_longer_than_a_submission_may_be_harms_only_itself() {
    let long = with("namaPembawa", &"x".repeat(70_000));
    let found = rows(Form::Csv, format!("{long}{ROW}\r\n"));
    assert_eq!(found[0].content.as_ref().err(), Some(&Unreadable::TooLong));
    assert!(found[1].content.is_ok());
}

#[test]
fn cells_are_kept_as_they_stood() {
    let found = rows(Form::Csv, with("noTelp", "'0812"));
    assert_eq!(found[0].cells[1], "'0812");
    let table = open(Form::Csv, csv(ROW)).expect("a table");
    assert_eq!(table.header().expect("a header")[1], "noTelp");
}

#[test]
fn a_header_is_no_longer_than_a_row() {
    let wide = |columns: usize| format!("{HEADER}{}\r\n{ROW}\r\n", ",".repeat(columns));
    assert_eq!(only(Form::Csv, wide(16_000)), sample());
    for header in [
        wide(16_384),
        csv(ROW).replacen("dealerId", &format!("dealerId,{}", "x".repeat(66_000)), 1),
    ] {
        assert!(matches!(refusal(Form::Csv, header), Refusal::LongHeader));
    }
    // Under a separator that it does not have, a header may have as many columns as it likes.
    let commas = format!("\"{}\"", ",".repeat(20_000));
    let text = csv(ROW)
        .replace(',', ";")
        .replacen("dealerId", &format!("dealerId;x{commas}"), 1);
    assert_eq!(only(Form::Csv, text), sample());
}

#[test]
fn cells_beyond_the_header_and_bytes_that_are_no_text_are_not_kept() {
    let long = rows(Form::Csv, csv(&format!("{ROW}{}", ",x".repeat(9))));
    assert_eq!(long[0].cells, ROW.split(',').collect::<Vec<_>>());
    let mut bytes = csv(ROW).into_bytes();
    let at = bytes
        .windows(4)
        .position(|four| four == b"Adit")
        .expect("a name");
    bytes[at] = 0xff;
    let faulty = rows(Form::Csv, bytes);
    assert_eq!(faulty[0].content.as_ref().err(), Some(&Unreadable::NotText));
    assert_eq!(faulty[0].cells[..2], ["", "082148523421"]);
}
