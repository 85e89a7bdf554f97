use actix_web::web::Bytes;
use tables::{csv_writer, guarded};

/// Rows as a CSV file has them, all equally long, beneath a header where that has cells. What a spreadsheet would
/// take for a formula gets a `'` in front.
#[must_use]
pub fn csv<Row: AsRef<[Option<String>]>>(
    header: &[&str],
    rows: impl IntoIterator<Item = Row>,
) -> Bytes {
    let mut writer = csv_writer(b',');
    // Writing into memory does not fail, and all rows are equally long.
    if !header.is_empty() {
        let _ = writer.write_record(header);
    }
    for cells in rows {
        for cell in cells.as_ref() {
            let _ = writer.write_field(&*guarded(cell.as_deref().unwrap_or_default()));
        }
        let _ = writer.write_record(None::<&[u8]>);
    }
    writer.into_inner().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api_types::{Cells, Item};

    #[test]
    fn texts_are_quoted_and_formulas_are_texts() {
        let mut cells = Cells::default();
        let texts = [
            "a,b",
            "say \"hi\"",
            "two\r\nlines",
            "=1+1",
            "+62",
            "-1",
            "@x",
            "\tx",
            "\rx",
            "Adit",
            "'",
            " =1",
        ];
        for (cell, text) in cells.iter_mut().zip(texts) {
            *cell = Some(text.to_owned());
        }
        let written = csv(&Item::COLUMNS, [cells]);
        assert_eq!(
            std::str::from_utf8(&written).unwrap(),
            Item::COLUMNS.join(",")
                + "\r\n\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\",'=1+1,'+62,'-1,'@x,'\tx,\"'\rx\",Adit,', =1,,\r\n"
        );
        assert!(csv::<Cells>(&[], []).is_empty());
    }
}
