use std::iter::repeat;

use actix_web::web::Bytes;
use api_types::{Cells, Item};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, XlsxError};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The most rows of a workbook, without its header.
pub const MOST_ROWS: u64 = 100_000;

/// How wide the first columns are, in characters.
const WIDTHS: [f64; 14] = [
    38.0, 11.0, 13.0, 13.0, 28.0, 16.0, 20.0, 14.0, 15.0, 16.0, 12.0, 20.0, 16.0, 27.0,
];

/// How wide a column is that has no width of its own.
const USUAL_WIDTH: f64 = 20.0;

/// A workbook that is being made, by a thread of its own: packing it takes seconds, and web workers have
/// others to answer. Rows go to a file without a name and never stand in memory together.
pub(crate) struct Workbook {
    rows: mpsc::Sender<Option<Vec<Cells>>>,
    made: JoinHandle<Result<Option<Vec<u8>>, XlsxError>>,
}

impl Workbook {
    /// Begins one. It has its place until it is made or given up.
    pub(crate) fn begin(place: OwnedSemaphorePermit) -> Self {
        let (rows, receiver) = mpsc::channel(2);
        let made = tokio::task::spawn_blocking(move || {
            let _place = place;
            write(receiver)
        });
        Self { rows, made }
    }

    /// Adds rows. Where that cannot be done, [`finish`](Self::finish) tells why.
    pub(crate) async fn add(&self, rows: Vec<Cells>) {
        let _ = self.rows.send(Some(rows)).await;
    }

    /// The file.
    pub(crate) async fn finish(self) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
        let _ = self.rows.send(None).await;
        let made = self.made.await??;
        Ok(made.ok_or("nobody said that all rows were there")?.into())
    }
}

/// Nothing where whoever wanted it is gone.
fn write(mut rows: mpsc::Receiver<Option<Vec<Cells>>>) -> Result<Option<Vec<u8>>, XlsxError> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    // The same rows make the same file.
    let always = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&always));
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name("requests")?;
    sheet.set_freeze_panes(1, 0)?;
    let bold = Format::new().set_bold();
    let widths = WIDTHS.into_iter().chain(repeat(USUAL_WIDTH));
    for (column, (name, width)) in (0..).zip(Item::COLUMNS.iter().zip(widths)) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, *name, &bold)?;
    }
    let mut row = 0;
    loop {
        match rows.blocking_recv() {
            Some(Some(part)) => {
                for cells in part {
                    row += 1;
                    for (column, cell) in (0..).zip(cells) {
                        if let Some(text) = cell {
                            sheet.write_string(row, column, text)?;
                        }
                    }
                }
            }
            Some(None) => break,
            None => return Ok(None),
        }
    }
    workbook.save_to_buffer().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use std::sync::Arc;

    use calamine::{Data, Reader as _, Xlsx};
    use tokio::sync::Semaphore;

    async fn made(parts: Vec<Vec<Cells>>) -> Bytes {
        let places = Arc::new(Semaphore::new(1));
        let workbook = Workbook::begin(places.acquire_owned().await.unwrap());
        for part in parts {
            workbook.add(part).await;
        }
        workbook.finish().await.unwrap()
    }

    #[tokio::test]
    async fn every_cell_is_a_text() {
        let texts = [
            "082148523421",
            "=1+1",
            "",
            "D 123 AD",
            "a\u{7}b",
            "2026-01-05",
        ];
        let mut cells = Cells::default();
        for (cell, text) in cells.iter_mut().zip(texts) {
            *cell = Some(text.to_owned());
        }
        let file = made(vec![vec![cells.clone()], vec![cells]]).await;
        let mut read: Xlsx<_> = Xlsx::new(Cursor::new(file.clone())).unwrap();
        let sheet = read.worksheet_range("requests").unwrap();
        let rows: Vec<Vec<Data>> = sheet.rows().map(<[Data]>::to_vec).collect();
        assert_eq!(rows.len(), 3);
        let header = Item::COLUMNS.map(|name| Data::String(name.to_owned()));
        assert_eq!(rows[0], header);
        assert_eq!(rows[1], rows[2]);
        assert_eq!(rows[1][0], Data::String("082148523421".to_owned()));
        assert_eq!(rows[1][1], Data::String("=1+1".to_owned()));
        assert_eq!(rows[1][5], Data::String("2026-01-05".to_owned()));
        assert_eq!(rows[1][6], Data::Empty);
        let again = made(vec![Vec::new()]).await;
        assert_ne!(again, file);
        assert_eq!(
            again,
            made(vec![Vec::new()]).await,
            "the same rows make the same file"
        );
    }

    #[tokio::test]
    async fn a_workbook_that_nobody_wants_gives_its_place_back() {
        let places = Arc::new(Semaphore::new(1));
        let workbook = Workbook::begin(places.clone().acquire_owned().await.unwrap());
        assert_eq!(places.available_permits(), 0);
        drop(workbook);
        let _place = places.acquire().await.unwrap();
    }
}
