//! What the import says.

use domain::requests::Fault;
use tables::{CellFault, ColumnFault, Refusal, Unreadable};

use super::{Text, texts};
use crate::given::{MOST_BYTES, MOST_ROWS};
use crate::importing::{Tally, Why};
use crate::look::Language;

texts! {
    import: "Impor", "Import";
    import_lead: "Unggah daftar dari Excel atau CSV. Daftarnya diperiksa dahulu; belum ada yang disimpan atau dikirim.",
        "Upload a list from Excel or CSV. It is checked first; nothing is stored or sent yet.";
    import_file: "Berkas", "File";
    import_file_help: "Excel (.xlsx), CSV, atau JSON; paling banyak 10.000 baris dan 8 MB.",
        "Excel (.xlsx), CSV or JSON; at most 10,000 rows and 8 MB.";
    import_paste: "Atau tempel isinya", "Or paste it";
    import_paste_help: "Dengan baris judul, seperti disalin dari Excel.", "With its header, as copied from Excel.";
    import_dealer: "Nomor dealer untuk baris tanpa dealer", "Dealer number of rows that name none";
    import_check: "Periksa", "Check";
    import_columns: "Kolom yang dikenal", "Columns that are known";
    import_columns_help: "Kolom lain dilewati. Waktu boleh kosong: lalu berarti sekarang.",
        "Other columns are passed over. Times may be empty: they mean now.";
    import_needed: "wajib", "needed";
    import_nothing: "Pilih berkas atau tempel isinya dahulu.", "Choose a file or paste something first.";
    import_refused: "Berkas ini tidak bisa dipakai", "This file cannot be used";
    import_checked: "Hasil pemeriksaan", "What was found";
    import_not_yet: "Belum ada yang disimpan.", "Nothing is stored yet.";
    import_faulty_rows: "Baris yang salah", "Rows with mistakes";
    import_line: "Baris", "Row";
    import_mend: "Perbaiki di berkas Anda lalu unggah lagi: baris yang sudah tersimpan tidak dikirim dua kali. Atau unduh hanya baris yang salah, perbaiki, dan unggah itu.",
        "Mend them in your file and upload it again: rows that are stored are not sent twice. Or download the rows with mistakes alone, mend them, and upload that.";
    import_download_faulty: "Unduh baris yang salah", "Download the rows with mistakes";
    import_another: "Unggah berkas lain", "Upload another file";
    import_storing: "Menyimpan", "Storing";
    import_keep_open: "Menutup halaman ini tidak menghentikannya.", "Closing this page does not stop it.";
    import_broken_off: "Berkas tidak bisa dibaca lebih jauh.", "The file could not be read any further.";
    import_to_messages: "Lihat pesannya", "See the messages";
    import_reason: "alasan", "reason";
    import_reason_line: "baris", "line";
    import_none_stored: "Tidak ada baris yang bisa disimpan.", "No row can be stored.";
}

impl Text {
    /// How many rows: `3 baris`, `3 rows`.
    pub(crate) fn rows_counted(self, count: usize) -> String {
        let number = self.number(count as u64);
        match (self.0, count) {
            (Language::Indonesian, _) => format!("{number} baris"),
            (Language::English, 1) => format!("{number} row"),
            (Language::English, _) => format!("{number} rows"),
        }
    }

    /// What a check found.
    pub(crate) fn import_found(self, tally: &Tally) -> String {
        let (all, good) = (
            self.rows_counted(tally.rows),
            self.rows_counted(tally.stored),
        );
        match self.0 {
            Language::Indonesian => format!("{all}: {good} bisa disimpan."),
            Language::English => format!("{all}: {good} can be stored."),
        }
    }

    /// How many of them are there already.
    pub(crate) fn import_replayed(self, count: usize) -> String {
        let rows = self.rows_counted(count);
        match self.0 {
            Language::Indonesian => {
                format!(
                    "{rows} sudah tersimpan dalam 24 jam terakhir dan tidak dikirim lagi, juga yang dibatalkan: itu bisa dikirim ulang dari daftar pesan."
                )
            }
            Language::English => {
                format!(
                    "{rows} stored within the last 24 hours, and not sent again, nor are cancelled ones: those can be resent from the list of messages."
                )
            }
        }
    }

    pub(crate) fn import_faulty(self, count: usize) -> String {
        let rows = self.rows_counted(count);
        match (self.0, count) {
            (Language::Indonesian, _) => format!("{rows} salah."),
            (Language::English, 1) => format!("{rows} has a mistake."),
            (Language::English, _) => format!("{rows} have mistakes."),
        }
    }

    /// The button that stores.
    pub(crate) fn import_store(self, count: usize) -> String {
        let rows = self.rows_counted(count);
        match self.0 {
            Language::Indonesian => format!("Simpan dan kirim {rows}"),
            Language::English => format!("Store and send {rows}"),
        }
    }

    pub(crate) fn import_stored(self, count: usize) -> String {
        let rows = self.rows_counted(count);
        match self.0 {
            Language::Indonesian => format!("{rows} tersimpan dan masuk antrean."),
            Language::English => format!("{rows} stored and queued."),
        }
    }

    /// What the store did not take.
    pub(crate) fn import_unstored(self, count: usize) -> String {
        let rows = self.rows_counted(count);
        match self.0 {
            Language::Indonesian => format!(
                "{rows} belum tersimpan: penyimpanan data tidak menjawab. Unggah berkas yang sama lagi; yang sudah tersimpan tidak dikirim dua kali."
            ),
            Language::English => format!(
                "{rows} not stored: the database does not answer. Upload the same file again; what is stored is not sent twice."
            ),
        }
    }

    /// That more are faulty than are shown.
    pub(crate) fn import_first_shown(self, shown: usize) -> String {
        let rows = self.rows_counted(shown);
        match self.0 {
            Language::Indonesian => {
                format!("Yang pertama {rows} ditampilkan; unduhan memuat semuanya.")
            }
            Language::English => format!("The first {rows} are shown; the download has all."),
        }
    }

    /// How far it is, how fast, and what is left.
    pub(crate) fn import_progress(self, done: usize, all: usize, rate: u64, left: u64) -> String {
        let (done, all) = (self.number(done as u64), self.rows_counted(all));
        let rate = self.number(rate);
        let left = self.long(std::time::Duration::from_secs(left));
        match self.0 {
            Language::Indonesian => format!("{done} dari {all} · {rate} per detik · sisa {left}"),
            Language::English => format!("{done} of {all} · {rate} a second · {left} left"),
        }
    }

    /// Why a table is not taken in at all, and what to do.
    pub(crate) fn table_refused(self, refusal: &Refusal) -> Vec<String> {
        let english = self.0 == Language::English;
        let words = match refusal {
            Refusal::Empty if english => "There is nothing in it.".to_owned(),
            Refusal::Empty => "Tidak ada isinya.".to_owned(),
            Refusal::NotJson { offset, .. } if english => {
                format!("It is not JSON; the fault is at character {}.", offset + 1)
            }
            Refusal::NotJson { offset, .. } => {
                format!("Ini bukan JSON; salahnya pada karakter {}.", offset + 1)
            }
            Refusal::NotAnArray(_) if english => "It is JSON, but no list of rows.".to_owned(),
            Refusal::NotAnArray(_) => "Ini JSON, tetapi bukan daftar baris.".to_owned(),
            Refusal::Columns(faults) => {
                return faults
                    .iter()
                    .map(|fault| self.column_fault(fault))
                    .collect();
            }
            Refusal::LongHeader if english => {
                "The first row, which names the columns, is too long.".to_owned()
            }
            Refusal::LongHeader => "Baris pertama, yang menamai kolom, terlalu panjang.".to_owned(),
            Refusal::DateOrder { column, example } if english => format!(
                "The dates of {column} begin with the month, such as {example}. Write DD/MM/YYYY, else other dates would be wrong unnoticed."
            ),
            Refusal::DateOrder { column, example } => format!(
                "Tanggal di {column} dimulai dengan bulan, misalnya {example}. Tulis DD/MM/YYYY, kalau tidak tanggal lain salah tanpa terlihat."
            ),
            Refusal::OpenQuote { line } if english => {
                format!("A quotation mark in line {line} is not closed.")
            }
            Refusal::OpenQuote { line } => format!("Tanda kutip di baris {line} tidak ditutup."),
            Refusal::TooManyRows { .. } if english => format!(
                "It has more than {}. Split it into several files.",
                self.rows_counted(MOST_ROWS)
            ),
            Refusal::TooManyRows { .. } => format!(
                "Isinya lebih dari {}. Bagi menjadi beberapa berkas.",
                self.rows_counted(MOST_ROWS)
            ),
            Refusal::TooLarge { .. } if english => format!(
                "It is larger than {} MB, or becomes too large when unpacked. Split it into several files.",
                MOST_BYTES / 1024 / 1024
            ),
            Refusal::TooLarge { .. } => format!(
                "Lebih besar dari {} MB, atau terlalu besar saat dibuka. Bagi menjadi beberapa berkas.",
                MOST_BYTES / 1024 / 1024
            ),
            Refusal::NotAWorkbook if english => {
                "It is no Excel workbook that can be read. Save it as .xlsx again.".to_owned()
            }
            Refusal::NotAWorkbook => {
                "Ini bukan buku kerja Excel yang bisa dibaca. Simpan lagi sebagai .xlsx.".to_owned()
            }
            Refusal::Io(_) => self.import_broken_off().to_owned(),
        };
        vec![words]
    }

    fn column_fault(self, fault: &ColumnFault) -> String {
        match (self.0, fault) {
            (Language::Indonesian, ColumnFault::Missing(name)) => {
                format!("Kolom {name} tidak ada.")
            }
            (Language::English, ColumnFault::Missing(name)) => {
                format!("There is no column {name}.")
            }
            (Language::Indonesian, ColumnFault::Repeated { name, .. }) => {
                format!("Kolom {name} ada lebih dari sekali.")
            }
            (Language::English, ColumnFault::Repeated { name, .. }) => {
                format!("The column {name} is there more than once.")
            }
        }
    }

    /// What is wrong with a row or a cell, and how to mend it.
    pub(crate) fn row_fault(self, why: &Why) -> String {
        let english = self.0 == Language::English;
        let words = match why {
            Why::Field(fault) => return self.field_fault(*fault),
            Why::Cell(CellFault::ErrorValue) if english => {
                "the cell holds an error of a formula, such as #N/A"
            }
            Why::Cell(CellFault::ErrorValue) => "sel berisi galat rumus, misalnya #N/A",
            Why::Cell(CellFault::Exponent) if english => {
                "Excel has shortened the number and digits are lost: format the column as Text and type it again"
            }
            Why::Cell(CellFault::Exponent) => {
                "Excel memendekkan nomor ini dan angkanya hilang: beri kolom format Teks lalu ketik ulang"
            }
            Why::Cell(CellFault::Fraction) if english => {
                "the number has a decimal point: format the column as Text"
            }
            Why::Cell(CellFault::Fraction) => "nomor ini berkoma: beri kolom format Teks",
            Why::Cell(CellFault::NumberForTime) if english => {
                "a number is no time: format the cell as a date"
            }
            Why::Cell(CellFault::NumberForTime) => "angka bukan waktu: beri sel format tanggal",
            Why::Row(Unreadable::NotJson { .. }) if english => "this line is not JSON",
            Why::Row(Unreadable::NotJson { .. }) => "baris ini bukan JSON",
            Why::Row(Unreadable::NotAnObject(_)) if english => "this is no object",
            Why::Row(Unreadable::NotAnObject(_)) => "ini bukan objek JSON",
            Why::Row(Unreadable::NotText) if english => {
                "there are bytes that are no text: save it as UTF-8"
            }
            Why::Row(Unreadable::NotText) => "ada byte yang bukan teks: simpan sebagai UTF-8",
            Why::Row(Unreadable::TooLong) if english => "the row is too long",
            Why::Row(Unreadable::TooLong) => "barisnya terlalu panjang",
            Why::ForeignDealer if english => "your key is not for this dealer",
            Why::ForeignDealer => "kunci Anda bukan untuk dealer ini",
            Why::UnknownDealer if english => "there is no dealer of this number",
            Why::UnknownDealer => "tidak ada dealer dengan nomor ini",
            Why::InactiveDealer if english => "this dealer is not active",
            Why::InactiveDealer => "dealer ini tidak aktif",
            Why::NoAccount(error) => self.account_error(*error),
            Why::KeyReused if english => "its idempotencyKey stood for another row before",
            Why::KeyReused => "idempotencyKey ini sudah dipakai untuk baris lain",
            Why::KeyInProgress if english => {
                "the same row is being stored right now: upload it again in a moment"
            }
            Why::KeyInProgress => "baris yang sama sedang disimpan: unggah lagi sebentar lagi",
        };
        words.to_owned()
    }

    fn field_fault(self, fault: Fault) -> String {
        let english = self.0 == Language::English;
        match fault {
            Fault::Missing if english => "this is needed".to_owned(),
            Fault::Missing => "wajib diisi".to_owned(),
            Fault::TooShort { min } if english => format!("at least {min} characters"),
            Fault::TooShort { min } => format!("minimal {min} karakter"),
            Fault::TooLong { max } if english => format!("at most {max} characters"),
            Fault::TooLong { max } => format!("maksimal {max} karakter"),
            Fault::TooMany { max } if english => format!("at most {max} variables"),
            Fault::TooMany { max } => format!("maksimal {max} variabel"),
            Fault::ControlCharacter if english => {
                "it has a control character, such as a line break".to_owned()
            }
            Fault::ControlCharacter => "ada karakter kontrol, misalnya ganti baris".to_owned(),
            Fault::Blank if english => "it must not be blank".to_owned(),
            Fault::Blank => "tidak boleh kosong".to_owned(),
            Fault::Phone if english => {
                "no Indonesian mobile number (08…, 10 to 13 digits)".to_owned()
            }
            Fault::Phone => "bukan nomor HP Indonesia (08…, 10 sampai 13 angka)".to_owned(),
            Fault::Time if english => "no time like 31/12/2026 15:40".to_owned(),
            Fault::Time => "bukan waktu seperti 31/12/2026 15:40".to_owned(),
            Fault::Instant if english => "no time like 2026-11-22T15:40:50+07:00".to_owned(),
            Fault::Instant => "bukan waktu seperti 2026-11-22T15:40:50+07:00".to_owned(),
            Fault::TooFarAhead if english => "at most 30 days ahead".to_owned(),
            Fault::TooFarAhead => "paling lama 30 hari ke depan".to_owned(),
            Fault::UnknownTemplate if english => "there is no template of this name".to_owned(),
            Fault::UnknownTemplate => "tidak ada templat dengan nama ini".to_owned(),
            Fault::UnknownVariable if english => "the template has no such variable".to_owned(),
            Fault::UnknownVariable => "templat tidak punya variabel ini".to_owned(),
            Fault::NotVisible if english => "only visible ASCII characters, at most 255".to_owned(),
            Fault::NotVisible => "hanya karakter ASCII yang terlihat, paling banyak 255".to_owned(),
            _ if english => "this must be a text".to_owned(),
            _ => "harus berupa teks".to_owned(),
        }
    }
}
