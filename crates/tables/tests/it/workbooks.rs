use std::io::{Cursor, Write as _};

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};
use serde_json::json;
use tables::{CellFault, ColumnFault, Form, Options, Refusal, Table};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{
    HEADER, OPTIONS, ROW, faults, fields, only, open, refusal, rows, sample, sample_with,
};

/// A workbook of one sheet.
fn workbook(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet());
    workbook.save_to_buffer().expect("a workbook")
}

fn texts(sheet: &mut Worksheet, row: u32, line: &str) {
    for (column, text) in (0..).zip(line.split(',')) {
        sheet.write_string(row, column, text).expect("a text");
    }
}

/// The sample, filled in further.
fn filled(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    workbook(|sheet| {
        texts(sheet, 0, HEADER);
        texts(sheet, 1, ROW);
        fill(sheet);
    })
}

fn at(time: &str) -> ExcelDateTime {
    ExcelDateTime::parse_from_str(time).expect("a time")
}

#[test]
fn a_row_is_what_a_single_submission_is() {
    assert_eq!(only(Form::Workbook, filled(|_| ())), sample());
}

#[test]
fn a_date_cell_is_its_moment_and_another_number_is_none() {
    let date = Format::new().set_num_format("dd/mm/yyyy hh:mm:ss");
    let cell = |format: Option<&Format>| {
        filled(|sheet| {
            let moment = at("2019-12-31T15:40:50");
            match format {
                Some(format) => sheet.write_datetime_with_format(1, 4, &moment, format),
                None => sheet.write_number(1, 4, 43_830.65),
            }
            .expect("a cell");
        })
    };
    assert_eq!(only(Form::Workbook, cell(Some(&date))), sample());
    let us = Format::new().set_num_format("m/d/yy h:mm AM/PM");
    assert_eq!(only(Form::Workbook, cell(Some(&us))), sample());
    let found = rows(Form::Workbook, cell(None));
    assert_eq!(
        faults(&found[0]),
        [("createdTime", CellFault::NumberForTime)]
    );
    // Every second of a day comes out of Excel's fractions.
    let bytes = workbook(|sheet| {
        texts(sheet, 0, HEADER);
        for n in 0..500 {
            texts(sheet, n + 1, ROW);
            let second = n * 173 % 86_400;
            let text = format!(
                "2019-12-31T{:02}:{:02}:{:02}",
                second / 3_600,
                second / 60 % 60,
                second % 60
            );
            sheet
                .write_datetime_with_format(n + 1, 4, at(&text), &date)
                .expect("a cell");
        }
    });
    for (n, row) in rows(Form::Workbook, bytes).into_iter().enumerate() {
        let second = n * 173 % 86_400;
        let expected = format!(
            "31/12/2019 {:02}:{:02}:{:02}",
            second / 3_600,
            second / 60 % 60,
            second % 60
        );
        assert_eq!(fields(row)["createdTime"], expected);
    }
}

#[test]
fn a_duration_and_a_time_of_day_are_no_moments() {
    for (format, number) in [("[h]:mm:ss", 43_830.5), ("hh:mm", 0.65)] {
        let format = Format::new().set_num_format(format);
        let bytes = filled(|sheet| {
            sheet
                .write_number_with_format(1, 5, number, &format)
                .expect("a cell");
        });
        let found = rows(Form::Workbook, bytes);
        assert_eq!(
            faults(&found[0]),
            [("modifiedTime", CellFault::NumberForTime)]
        );
    }
}

/// A row that is written down with its kept cells, as text, is the same row.
#[test]
fn kept_cells_are_read_back_as_the_same_fields() {
    let date = Format::new().set_num_format("dd/mm/yyyy hh:mm");
    let bytes = workbook(|sheet| {
        texts(sheet, 0, &format!("{HEADER},sendAt,SEND AT 2,'var.km"));
        texts(sheet, 1, ROW);
        for column in [4, 5, 7, 8] {
            sheet
                .write_datetime_with_format(1, column, at("2026-12-01T08:00:00"), &date)
                .expect("a cell");
        }
        sheet.write_number(1, 1, 82_148_523_421.0).expect("a cell");
        sheet.write_number(1, 9, 12.5).expect("a cell");
    });
    let mut table = open(Form::Workbook, bytes).expect("a table");
    let row = table.next_row().expect("read").expect("a row");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(table.header().expect("a header"))
        .expect("written");
    writer.write_record(&row.cells).expect("written");
    let text = writer.into_inner().expect("written");
    let expected = fields(row);
    assert_eq!(expected["sendAt"], "2026-12-01T08:00:00+07:00");
    assert_eq!(only(Form::Csv, text), expected);
}

#[test]
fn date_cells_say_nothing_about_the_order_of_dates() {
    let date = Format::new().set_num_format("mm/dd/yyyy");
    let bytes = filled(|sheet| {
        sheet
            .write_datetime_with_format(1, 4, at("2019-12-31"), &date)
            .expect("a cell");
        sheet.write_string(1, 5, "01/02/2019").expect("a cell");
    });
    assert_eq!(rows(Form::Workbook, bytes).len(), 1);
    let bytes = filled(|sheet| {
        sheet.write_string(1, 4, "12/31/2019").expect("a cell");
        sheet.write_string(1, 5, "12/01/2019").expect("a cell");
    });
    assert!(matches!(
        refusal(Form::Workbook, bytes),
        Refusal::DateOrder {
            column: "createdTime",
            ..
        }
    ));
}

#[test]
fn a_numeric_cell_is_its_digits() {
    let bytes = filled(|sheet| {
        sheet.write_number(1, 1, 82_148_523_421.0).expect("a cell");
        sheet.write_number(1, 6, 9_999).expect("a cell");
    });
    let found = only(Form::Workbook, bytes);
    assert_eq!(
        (&found["noTelp"], &found["dealerId"]),
        (&json!("82148523421"), &json!("9999"))
    );
    let bytes = filled(|sheet| {
        sheet.write_string(1, 1, "8,21E+11").expect("a cell");
    });
    let found = rows(Form::Workbook, bytes);
    assert_eq!(faults(&found[0]), [("noTelp", CellFault::Exponent)]);
    let bytes = filled(|sheet| {
        sheet.write_number(1, 1, 82_148_523_421.5).expect("a cell");
    });
    let found = rows(Form::Workbook, bytes);
    assert_eq!(faults(&found[0]), [("noTelp", CellFault::Fraction)]);
}

#[test]
fn formulas_are_their_results_and_errors_are_faults() {
    let bytes = filled(|sheet| {
        let formula = Formula::new("=UPPER(\"d 1 a\")").set_result("D 1 A");
        sheet.write_formula(1, 3, formula).expect("a cell");
    });
    assert_eq!(only(Form::Workbook, bytes), sample_with("noPol", "D 1 A"));
    let bytes = filled(|sheet| {
        let formula = Formula::new("=VLOOKUP(1,A1:A1,1,0)").set_result("#N/A");
        sheet.write_formula(1, 3, formula).expect("a cell");
    });
    assert_eq!(
        faults(&rows(Form::Workbook, bytes)[0]),
        [("noPol", CellFault::ErrorValue)]
    );
}

#[test]
fn white_space_is_nothing() {
    let bytes = workbook(|sheet| {
        texts(sheet, 0, HEADER);
        texts(sheet, 1, "\u{a0}, ,\u{2003},,,,");
        texts(sheet, 2, ROW);
        texts(sheet, 3, &ROW.replace("0009999", "\u{a0}"));
    });
    let found = rows(Form::Workbook, bytes);
    let dealers = found
        .into_iter()
        .map(|row| fields(row).get("dealerId").cloned());
    assert_eq!(dealers.collect::<Vec<_>>(), [Some("0009999".into()), None]);
}

#[test]
fn merged_and_empty_rows_at_the_end_and_further_sheets_are_passed_over() {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet();
    texts(sheet, 2, &HEADER.to_uppercase());
    texts(sheet, 3, ROW);
    texts(sheet, 5, ROW);
    for row in 6..200 {
        sheet.write_blank(row, 0, &bold).expect("a cell");
        sheet.write_string(row, 2, " ").expect("a cell");
    }
    sheet
        .merge_range(300, 0, 301, 6, "", &bold)
        .expect("merged cells");
    texts(workbook.add_worksheet(), 0, "another,sheet");
    let bytes = workbook.save_to_buffer().expect("a workbook");
    let found = rows(Form::Workbook, bytes);
    assert_eq!(found.iter().map(|row| row.line).collect::<Vec<_>>(), [4, 6]);
    assert_eq!(fields(found.into_iter().next().expect("a row")), sample());
}

#[test]
fn a_merged_cell_is_its_first_row_alone() {
    let bytes = filled(|sheet| {
        texts(sheet, 2, ROW);
        let format = Format::new();
        sheet
            .merge_range(1, 6, 2, 6, "0009999", &format)
            .expect("merged cells");
    });
    let found: Vec<_> = rows(Form::Workbook, bytes)
        .into_iter()
        .map(fields)
        .collect();
    assert_eq!(found[0]["dealerId"], "0009999");
    assert_eq!(found[1].get("dealerId"), None);
}

#[test]
fn a_cell_far_away_costs_nothing() {
    let bytes = filled(|sheet| {
        sheet.write_string(1_048_575, 16_383, "x").expect("a cell");
    });
    assert_eq!(only(Form::Workbook, bytes), sample());
}

#[test]
fn empty_cells_before_one_that_is_kept_are_counted() {
    let far = workbook(|sheet| {
        texts(sheet, 0, &HEADER.replace(",dealerId", ""));
        for row in 0..200 {
            let text = if row == 0 { "dealerId" } else { "0009999" };
            sheet.write_string(row, 16_383, text).expect("a text");
        }
    });
    let Err(refused) = Table::open(Form::Workbook, Box::new(Cursor::new(far)), &OPTIONS) else {
        panic!("three million cells are kept");
    };
    assert!(matches!(refused, Refusal::TooLarge { .. }));
}

#[test]
fn what_is_no_workbook_is_refused() {
    assert!(matches!(refusal(Form::Workbook, ""), Refusal::Empty));
    let whole = filled(|_| ());
    for bytes in [
        b"namaPembawa;noTelp".to_vec(),
        whole[..whole.len() / 2].to_vec(),
        b"PK\x03\x04".to_vec(),
        vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
        zipped(&[("a.txt", b"x")]),
    ] {
        assert!(matches!(
            refusal(Form::Workbook, bytes),
            Refusal::NotAWorkbook
        ));
    }
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("a file");
        zip.write_all(content).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

/// A workbook in which one part was replaced.
fn with_part(name: &str, content: &[u8]) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(Cursor::new(filled(|_| ()))).expect("an archive");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..old.len() {
        let file = old.by_index_raw(n).expect("a part");
        let is_other = file.name().expect("a name") != name;
        if is_other {
            zip.raw_copy_file(file).expect("copied");
        }
    }
    zip.start_file(name, SimpleFileOptions::default())
        .expect("a file");
    zip.write_all(content).expect("written");
    zip.finish().expect("an archive").into_inner()
}

#[test]
fn a_zip_bomb_is_refused_before_it_is_read() {
    let zeros = vec![b' '; 65 * 1024 * 1024];
    for name in ["xl/worksheets/sheet1.xml", "xl/media/image1.png"] {
        let bomb = with_part(name, &zeros);
        assert!(bomb.len() < 1024 * 1024, "{} bytes", bomb.len());
        assert!(matches!(
            refusal(Form::Workbook, bomb),
            Refusal::TooLarge { .. }
        ));
    }
}

#[test]
fn what_a_workbook_says_about_its_texts_reserves_no_memory() {
    for count in [
        "4000000000000",
        "\n'18446744073709551615",
        "184467440737095516159",
    ] {
        let quote = if count.contains('\'') { "'" } else { "\"" };
        let count = count.replace('\'', "");
        let text = format!(
            "<?xml version=\"1.0\"?><sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" uniqueCount = {quote}{}{quote}><si><t>x</t></si></sst>",
            count.trim()
        );
        let bytes = with_part("xl/sharedStrings.xml", text.as_bytes());
        assert!(matches!(
            refusal(Form::Workbook, bytes),
            Refusal::TooLarge { .. }
        ));
    }
    let utf16: Vec<u8> = "\u{feff}<sst uniqueCount=\"4000000000000\"/>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let bytes = with_part("xl/sharedStrings.xml", &utf16);
    assert!(matches!(
        refusal(Form::Workbook, bytes),
        Refusal::NotAWorkbook
    ));
}

#[test]
fn a_text_that_stands_in_many_cells_is_counted_each_time() {
    let bytes = workbook(|sheet| {
        texts(sheet, 0, HEADER);
        let long = "x".repeat(30_000);
        for row in 1..1_200 {
            sheet.write_string(row, 0, &long).expect("a cell");
        }
    });
    assert!(matches!(
        refusal(Form::Workbook, bytes),
        Refusal::TooLarge { .. }
    ));
}

#[test]
fn rows_beyond_the_most_are_refused() {
    let of = |count: u32| {
        workbook(|sheet| {
            texts(sheet, 0, HEADER);
            for row in 1..=count {
                texts(sheet, row, ROW);
            }
        })
    };
    let options = Options {
        most_rows: 100,
        ..OPTIONS
    };
    let open = |count| Table::open(Form::Workbook, Box::new(Cursor::new(of(count))), &options);
    assert_eq!(open(100).expect("a table").rows(), 100);
    assert!(matches!(
        open(101).err(),
        Some(Refusal::TooManyRows { most: 100 })
    ));
}

#[test]
fn a_table_needs_no_column_for_a_dealer_that_is_known() {
    let bytes = workbook(|sheet| {
        texts(sheet, 0, "namaPembawa,noTelp,tipeUnit,noPol");
        texts(sheet, 1, "Adit,082148523421,BeAT,D 1 A");
    });
    let Refusal::Columns(faults) = refusal(Form::Workbook, bytes.clone()) else {
        panic!("it lacks a column")
    };
    assert_eq!(faults, [ColumnFault::Missing("dealerId")]);
    let options = Options {
        has_dealer: true,
        ..OPTIONS
    };
    let table = Table::open(Form::Workbook, Box::new(Cursor::new(bytes)), &options);
    assert_eq!(table.expect("a table").rows(), 1);
}
