//! What holds for whatever somebody sends as a table. The property test below and a fuzz target, which has this
//! file as a module, look for tables that break a law.

use std::io::Cursor;

use tables::{Form, Options, Table};

/// A table is refused as a whole, or has as many rows as it says, and never more than it may; read once more it
/// is the same.
///
/// # Panics
/// When a law is broken.
pub(crate) fn table(bytes: &[u8]) {
    let options = Options {
        most_rows: 100,
        most_unpacked: 1 << 20,
        has_dealer: true,
        keep_cells: true,
    };
    for form in Form::ALL {
        let open = || Table::open(form, Box::new(Cursor::new(bytes.to_vec())), &options);
        let (Ok(mut first), Ok(mut again)) = (open(), open()) else {
            assert!(open().is_err());
            continue;
        };
        assert!(first.rows() <= options.most_rows);
        for _ in 0..first.rows() {
            let row = first.next_row().expect("memory can be read");
            assert!(row.is_some());
            let same = again.next_row().expect("memory can be read");
            assert_eq!(format!("{row:?}"), format!("{same:?}"));
        }
        assert!(first.next_row().expect("memory can be read").is_none());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    const HEADER: &str =
        "Nama Pembawa;No Telp;Tipe Unit;No Pol;Created Time;Modified Time;Dealer ID";

    proptest! {
        #[test]
        fn any_text_is_refused_or_read(text in "[\\[\\]{}\":,;= a-z0-9\t\r\n\u{feff}\u{a0}é]{0,120}") {
            super::table(text.as_bytes());
        }

        #[test]
        fn any_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            super::table(&bytes);
        }

        #[test]
        fn any_rows_below_a_header_are_refused_or_read(
            begin in "(\u{feff}|sep=;\r\n)?",
            rows in "[;\"'=0-9A-D/: \r\n]{0,160}",
        ) {
            super::table(format!("{begin}{HEADER}\r\n{rows}").as_bytes());
        }
    }
}
