//! What the pages say, in both languages. A text that lacks one does not compile.
//!
//! Indonesian as a clerk speaks: Pesan, Terkirim, Sampai, Dibaca, Gagal, Menunggu. English as plain as that.

use domain::access::Scope;
use domain::delivery::{OutcomeKind, WaitingFor};
use domain::requests::WhatsappStatus;

use crate::look::Language;

mod administration;
mod dealers;
mod endpoints;
mod import;
mod replies;
mod reports;
mod templates;

/// What the pages say in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Language);

/// Texts without parts, one a line.
macro_rules! texts {
    ($($name:ident: $indonesian:literal, $english:literal;)*) => {
        impl Text {
            $(pub(crate) fn $name(self) -> &'static str {
                match self.0 {
                    Language::Indonesian => $indonesian,
                    Language::English => $english,
                }
            })*
        }
    };
}

use texts;

texts! {
    // -- around every page
    product: "Layanan Pelanggan", "Customer Service";
    skip: "Langsung ke isi", "Skip to content";
    navigation: "Halaman", "Pages";
    messages: "Pesan", "Messages";
    log_out: "Keluar", "Log out";
    without_keys: "tanpa kunci", "no key";
    head_office: "kantor pusat", "head office";
    language: "Bahasa", "Language";
    theme: "Tampilan", "Appearance";
    theme_system: "Ikuti perangkat", "As the device";
    theme_light: "Terang", "Light";
    theme_dark: "Gelap", "Dark";
    times_are_local: "Semua waktu dalam WIB.", "All times are WIB (UTC+7).";
    back: "Kembali", "Back";

    // -- logging in
    log_in: "Masuk", "Log in";
    log_in_lead: "Tempel kunci API Anda. Kunci tidak disimpan di peramban ini.",
        "Paste your API key. The key is not kept in this browser.";
    api_key: "Kunci API", "API key";
    api_key_help: "Dimulai dengan csk_. Belum punya? Minta ke kantor pusat.",
        "Begins with csk_. None yet? Ask head office.";
    key_refused: "Kunci ini tidak berlaku. Periksa apakah tersalin seluruhnya, atau minta kunci baru.",
        "This key is not valid. Check that all of it was copied, or ask for a new one.";
    key_missing: "Tempel kunci API dahulu.", "Paste an API key first.";
    session_lasts: "Sesi berlaku paling lama 12 jam.", "A session lasts 12 hours at most.";

    // -- mistakes
    not_found: "Halaman tidak ditemukan", "Page not found";
    not_found_why: "Alamat ini tidak ada, atau datanya bukan milik dealer Anda.",
        "There is nothing at this address, or it belongs to another dealer.";
    not_allowed: "Kunci Anda tidak boleh melakukan ini", "Your key may not do this";
    foreign_page: "Formulir ditolak", "The form was refused";
    foreign_page_why: "Formulir ini tidak dikirim dari halaman konsol. Tidak ada yang berubah. Buka konsol lagi dan ulangi.",
        "This form was not sent by a page of the console. Nothing was changed. Open the console again and repeat it.";
    foreign_host: "Alamat ditolak", "The address was refused";
    foreign_host_why: "Tanpa kunci, konsol hanya menjawab pada localhost. Buka http://localhost dengan porta layanan ini, atau atur API_AUTH=required.",
        "Without keys the console answers only at localhost. Open http://localhost with the service's port, or set API_AUTH=required.";
    wrong_method: "Halaman ini tidak bisa dibuka dengan cara itu", "This page cannot be opened that way";
    unreadable: "Formulir tidak bisa dibaca", "The form cannot be read";
    unreadable_why: "Tidak ada yang berubah. Kembali dan ulangi.", "Nothing was changed. Go back and repeat it.";
    conflict: "Ini sudah tidak bisa dilakukan", "This is not possible any more";
    conflict_why: "Pesan ini sedang menunggu, sudah terkirim, atau orangnya sudah dihapus. Tidak ada yang berubah.",
        "The message waits, was sent already, or its person was erased. Nothing was changed.";
    too_many_rows: "Terlalu banyak baris untuk satu buku kerja", "Too many rows for one workbook";
    too_many_rows_why: "Buku kerja memuat paling banyak 100.000 baris. Perpendek jangka waktunya, atau unduh sebagai CSV.",
        "A workbook has at most 100,000 rows. Choose a shorter period, or download it as CSV.";
    download_csv: "Unduh CSV", "Download CSV";
    download_workbook: "Unduh Excel", "Download Excel";
    download_of_dealer: "Pilih nomor dealer untuk mengunduh daftarnya.", "Choose a dealer number to download its list.";
    too_large: "Terlalu besar", "Too large";
    too_large_why: "Alamat atau formulir ini lebih panjang daripada yang diterima. Tidak ada yang berubah.",
        "The address or the form is longer than is accepted. Nothing was changed.";
    too_slow: "Terlalu lama", "Too slow";
    too_slow_why: "Formulir tidak sampai seluruhnya dalam 15 detik. Tidak ada yang berubah. Periksa koneksi, lalu ulangi.",
        "The form did not arrive within 15 seconds. Nothing was changed. Check the connection, then repeat it.";
    dealer_inactive: "Dealer ini tidak aktif", "This dealer is not active";
    dealer_inactive_why: "Daftar pesan dan hitungannya tidak ditampilkan selama dealer tidak aktif. Tanyakan ke kantor pusat.",
        "Its messages and counts are not shown while it is not active. Ask head office.";
    limited: "Terlalu banyak permintaan", "Too many requests";
    unavailable: "Layanan sedang tidak bisa menjawab", "The service cannot answer right now";
    unavailable_why: "Penyimpanan data tidak menjawab. Pesan yang sudah diterima tetap aman dan tetap dikirim. Coba lagi sebentar lagi.",
        "The database does not answer. Messages that were accepted are safe and will be sent. Try again in a moment.";
    unforeseen: "Terjadi kesalahan", "Something went wrong";
    unforeseen_why: "Kesalahan ini sudah tercatat. Jika terulang, sebutkan nomor permintaan di bawah ini.",
        "The error is in the log. If it happens again, tell the request id below.";
    request_id: "Nomor permintaan", "Request id";
    try_again: "Coba lagi", "Try again";
    to_first_page: "Ke halaman pertama", "To the first page";

    // -- the list
    find: "Cari", "Find";
    live_words: "{} pesan baru", "{} new";
    search: "Nama, telepon, atau pelat", "Name, phone or plate";
    search_help: "Paling sedikit 3 huruf atau angka.", "At least 3 letters or digits.";
    status: "Status", "Status";
    all_statuses: "Semua status", "All statuses";
    date_from: "Dari tanggal", "From";
    date_to: "Sampai tanggal", "To";
    dealer: "Dealer", "Dealer";
    dealer_number: "Nomor dealer", "Dealer number";
    clear_filters: "Hapus saringan", "Clear filters";
    time: "Waktu", "Time";
    date: "Tanggal", "Date";
    plate: "Pelat", "Plate";
    name: "Nama", "Name";
    phone: "Telepon", "Phone";
    unit: "Tipe unit", "Unit type";
    selection: "Pilih", "Select";
    select_all: "Pilih semua di halaman ini", "Select all on this page";
    resend: "Kirim ulang", "Resend";
    cancel: "Batalkan", "Cancel";
    older: "Lebih lama", "Older";
    to_newest: "Ke yang terbaru", "To the newest";
    none_found: "Tidak ada pesan yang cocok dengan saringan ini.", "No message matches this filter.";
    none_yet: "Belum ada pesan. Sistem bengkel mengirim yang pertama seperti ini:",
        "No message yet. The workshop system sends the first one like this:";
    not_shown: "tidak terbaca", "unreadable";
    nothing_chosen: "Tidak ada pesan yang dipilih. Centang dahulu pesannya di daftar.",
        "No message was chosen. Tick the messages in the list first.";

    pages_of_list: "Halaman daftar", "Pages of the list";
    date_fault: "Tulis tanggal seperti 2026-11-30.", "Write the date like 2026-11-30.";
    dealer_fault: "Nomor dealer terdiri dari 4 sampai 10 karakter.", "A dealer number has 4 to 10 characters.";
    search_too_short: "Tulis paling sedikit 3 huruf atau angka.", "Write at least 3 letters or digits.";
    search_too_long: "Tulis paling banyak 100 huruf.", "Write at most 100 characters.";
    search_control: "Ada karakter yang tidak bisa dicari.", "There is a character that cannot be searched for.";
    resend_pattern: "Kirim ulang {} pesan", "Resend {} chosen";
    cancel_pattern: "Batalkan {} pesan", "Cancel {} chosen";

    // -- acting on several
    confirm_resend: "Kirim ulang pesan?", "Resend messages?";
    confirm_cancel: "Batalkan pesan?", "Cancel messages?";
    resend_warning: "Pesan yang nasibnya tidak diketahui mungkin sampai dua kali.",
        "A message whose outcome is unknown may arrive twice.";
    nothing_possible: "Tidak satu pun dari yang dipilih bisa diproses.", "Nothing of what was chosen can be processed.";

    stopped: "Berhenti di tengah jalan", "Stopped half way";
    undecided: "Penyimpanan data tidak menjawab. Untuk pesan ini tidak diketahui apakah berhasil:",
        "The database does not answer. It is not known whether this message was done:";
    look_at_it: "lihat pesannya", "look at it";

    // -- one message
    as_on_a_phone: "Seperti di ponsel", "As on a phone";
    what_happened: "Yang terjadi", "What happened";
    received: "Diterima dari sistem bengkel", "Received from the workshop system";
    queued_again: "Masuk antrean lagi", "Queued again";
    scheduled: "Dijadwalkan", "Scheduled";
    accepted_by_fonnte: "Diterima Fonnte", "Accepted by Fonnte";
    refused_by_fonnte: "Ditolak Fonnte", "Refused by Fonnte";
    account_blocked: "Akun tidak bisa mengirim", "The account cannot send";
    not_sent_try: "Belum terkirim, akan dicoba lagi", "Not sent, will be tried again";
    outcome_unknown: "Jawaban tidak diketahui", "The outcome is unknown";
    delivered_to_phone: "Sampai di ponsel", "Delivered to the phone";
    read_on_phone: "Dibaca", "Read";
    ended: "Berakhir", "Ended";
    waits_for: "Menunggu", "Waiting";
    until: "sampai", "until";
    no_end_known: "Belum diketahui sampai kapan.", "Nobody knows until when.";
    raw_answer: "Jawaban mentah Fonnte", "Raw answer of Fonnte";
    show_phone: "Tampilkan nomor", "Show the number";
    shown_phone: "Nomor ditampilkan, dan ini tercatat di audit.", "The number is shown, and that is in the audit.";
    copy_id: "Salin ID", "Copy ID";
    copied: "Tersalin", "Copied";
    details: "Data", "Details";
    message_id: "ID permintaan", "Request ID";
    no_message: "Permintaan lama tanpa pesan. Kirim ulang membuat pesan baru dari datanya.",
        "An older request without a message. Resending makes one from its data.";
    resent_once: "Pesan masuk antrean lagi.", "The message was queued again.";
    cancelled_once: "Pesan dibatalkan.", "The message was cancelled.";
    person_resent: "mengirim ulang", "resent it";
    person_cancelled: "membatalkan", "cancelled it";
    person_showed_phone: "menampilkan nomor", "showed the number";
    where_this_is: "Letak halaman", "Where this is";
    template: "Templat", "Template";
}

impl Text {
    pub(crate) fn month(self, month: u32) -> &'static str {
        let names: [&str; 12] = match self.0 {
            Language::Indonesian => [
                "Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des",
            ],
            Language::English => [
                "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
            ],
        };
        let place = usize::try_from(month.saturating_sub(1)).unwrap_or_default();
        names.get(place).copied().unwrap_or_default()
    }

    pub(crate) fn minutes_ago(self, minutes: i64) -> String {
        match (self.0, minutes) {
            (Language::Indonesian, 0) => "baru saja".to_owned(),
            (Language::Indonesian, _) => format!("{minutes} menit lalu"),
            (Language::English, 0) => "just now".to_owned(),
            (Language::English, 1) => "1 minute ago".to_owned(),
            (Language::English, _) => format!("{minutes} minutes ago"),
        }
    }

    /// A state as people call it.
    pub(crate) fn whatsapp_status(self, status: WhatsappStatus) -> &'static str {
        match (self.0, status) {
            (Language::Indonesian, WhatsappStatus::NotSent) => "Menunggu",
            (Language::Indonesian, WhatsappStatus::Sent) => "Terkirim",
            (Language::Indonesian, WhatsappStatus::Delivered) => "Sampai",
            (Language::Indonesian, WhatsappStatus::Read) => "Dibaca",
            (Language::Indonesian, WhatsappStatus::Failed) => "Gagal",
            (Language::Indonesian, WhatsappStatus::Error) => "Tidak diketahui",
            (Language::English, WhatsappStatus::NotSent) => "Waiting",
            (Language::English, WhatsappStatus::Sent) => "Sent",
            (Language::English, WhatsappStatus::Delivered) => "Delivered",
            (Language::English, WhatsappStatus::Read) => "Read",
            (Language::English, WhatsappStatus::Failed) => "Failed",
            (Language::English, WhatsappStatus::Error) => "Unknown",
        }
    }

    /// What a call to the provider came to.
    pub(crate) fn outcome(self, outcome: OutcomeKind) -> &'static str {
        match outcome {
            OutcomeKind::Accepted => self.accepted_by_fonnte(),
            OutcomeKind::Refused => self.refused_by_fonnte(),
            OutcomeKind::Blocked => self.account_blocked(),
            OutcomeKind::NotSent => self.not_sent_try(),
            OutcomeKind::Unknown => self.outcome_unknown(),
        }
    }

    /// What a message waits for.
    pub(crate) fn waiting_for(self, reason: WaitingFor) -> &'static str {
        match (self.0, reason) {
            (Language::Indonesian, WaitingFor::Schedule) => "waktu yang dijadwalkan",
            (Language::Indonesian, WaitingFor::Turn) => "giliran: pesan lain dealer ini lebih dulu",
            (Language::Indonesian, WaitingFor::Pace) => "jeda antara dua pesan",
            (Language::Indonesian, WaitingFor::Retry) => "percobaan berikutnya",
            (Language::Indonesian, WaitingFor::Account) => "akun WhatsApp dealer berfungsi lagi",
            (Language::Indonesian, WaitingFor::QuietHours) => "akhir jam tenang",
            (Language::Indonesian, WaitingFor::DailyLimit) => "besok: batas harian sudah habis",
            (Language::Indonesian, WaitingFor::Evidence) => "laporan yang memastikan nasibnya",
            (Language::English, WaitingFor::Schedule) => "its scheduled time",
            (Language::English, WaitingFor::Turn) => "its turn: others of this dealer go first",
            (Language::English, WaitingFor::Pace) => "the pause between two messages",
            (Language::English, WaitingFor::Retry) => "the next try",
            (Language::English, WaitingFor::Account) => {
                "the dealer's WhatsApp account to work again"
            }
            (Language::English, WaitingFor::QuietHours) => "the end of quiet hours",
            (Language::English, WaitingFor::DailyLimit) => "tomorrow: the daily limit is used up",
            (Language::English, WaitingFor::Evidence) => "a report that tells its outcome",
        }
    }

    /// The right that is missing.
    pub(crate) fn scope_missing(self, scope: Scope) -> &'static str {
        match (self.0, scope) {
            (Language::Indonesian, Scope::Read) => "Perlu kunci dengan izin melihat (read).",
            (Language::Indonesian, Scope::Write) => {
                "Perlu kunci dengan izin mengirim (write). Tidak ada yang berubah."
            }
            (Language::Indonesian, Scope::Admin) => "Halaman ini untuk kantor pusat (admin).",
            (Language::English, Scope::Read) => "A key that may look (read) is needed.",
            (Language::English, Scope::Write) => {
                "A key that may send (write) is needed. Nothing was changed."
            }
            (Language::English, Scope::Admin) => "This page is for head office (admin).",
        }
    }

    pub(crate) fn limited_why(self, seconds: u32) -> String {
        match self.0 {
            Language::Indonesian => {
                format!("Tidak ada yang berubah. Coba lagi dalam {seconds} detik.")
            }
            Language::English if seconds == 1 => {
                "Nothing was changed. Try again in 1 second.".to_owned()
            }
            Language::English => format!("Nothing was changed. Try again in {seconds} seconds."),
        }
    }

    /// How many messages: `3 pesan`, `3 messages`.
    pub(crate) fn messages_counted(self, count: u64) -> String {
        let number = self.number(count);
        match (self.0, count) {
            (Language::Indonesian, _) => format!("{number} pesan"),
            (Language::English, 1) => format!("{number} message"),
            (Language::English, _) => format!("{number} messages"),
        }
    }

    pub(crate) fn resend_counted(self, count: u64) -> String {
        format!("{} {}", self.resend(), self.messages_counted(count))
    }

    pub(crate) fn cancel_counted(self, count: u64) -> String {
        format!("{} {}", self.cancel(), self.messages_counted(count))
    }

    /// How many of those chosen are left out, and why.
    pub(crate) fn left_out(self, act: Act, count: u64) -> String {
        let counted = self.messages_counted(count);
        match (self.0, act) {
            (Language::Indonesian, Act::Resend) => {
                format!("{counted} dilewati karena masih menunggu atau tidak bisa dikirim.")
            }
            (Language::Indonesian, Act::Cancel) => {
                format!("{counted} dilewati karena tidak menunggu lagi.")
            }
            (Language::English, Act::Resend) => {
                format!("{counted} left out: still waiting, or impossible to send.")
            }
            (Language::English, Act::Cancel) => {
                format!("{counted} left out: not waiting any more.")
            }
        }
    }

    /// What was done to several.
    pub(crate) fn done(self, act: Act, count: u64) -> String {
        let counted = self.messages_counted(count);
        match (self.0, act) {
            (Language::Indonesian, Act::Resend) => format!("{counted} masuk antrean lagi."),
            (Language::Indonesian, Act::Cancel) => format!("{counted} dibatalkan."),
            (Language::English, Act::Resend) => format!("{counted} queued again."),
            (Language::English, Act::Cancel) => format!("{counted} cancelled."),
        }
    }

    /// How many could not be tried, because the store went away.
    pub(crate) fn not_tried(self, count: u64) -> String {
        let counted = self.messages_counted(count);
        match self.0 {
            Language::Indonesian => format!("{counted} belum dicoba. Ulangi untuk sisanya."),
            Language::English => format!("{counted} not tried. Repeat it for the rest."),
        }
    }

    /// How many the store cannot work on.
    pub(crate) fn faulty(self, count: u64) -> String {
        let counted = self.messages_counted(count);
        match self.0 {
            Language::Indonesian => {
                format!("{counted} gagal diproses. Kesalahannya sudah tercatat.")
            }
            Language::English => format!("{counted} failed. The errors are in the log."),
        }
    }

    /// How many there are in a list.
    pub(crate) fn found(self, total: u64) -> String {
        match self.0 {
            Language::Indonesian => format!("{} ditemukan", self.messages_counted(total)),
            Language::English => format!("{} found", self.messages_counted(total)),
        }
    }

    /// The label of a box beside a row.
    pub(crate) fn select_row(self, plate: &str, name: &str) -> String {
        format!("{} {plate} {name}", self.selection())
    }

    pub(crate) fn behind(self, before: u64) -> String {
        let number = self.number(before);
        match (self.0, before) {
            (Language::Indonesian, _) => format!("di belakang {number} pesan lain"),
            (Language::English, 1) => format!("behind {number} other message"),
            (Language::English, _) => format!("behind {number} other messages"),
        }
    }
}

domain::named! {
    /// What is done to messages.
    pub(crate) enum Act {
        Resend = "resend",
        Cancel = "cancel",
    }
}
