//! What *Today* and the analytics say.

use domain::analytics::Bucket;
use domain::usecases::ConcernKind;

use super::{Text, texts};
use crate::look::Language;

texts! {
    // -- today
    today: "Hari ini", "Today";
    all_well: "Tidak ada yang perlu perhatian.", "Nothing needs attention.";
    none_today: "Belum ada pesan.", "No message yet.";
    to_dealer: "Buka dealer", "Open the dealer";
    to_unknown: "Putuskan satu per satu", "Decide one by one";
    funnel: "Perjalanan pesan", "How far messages came";
    by_hour: "Per jam", "By the hour";
    latest: "Terakhir", "Latest";
    all_messages: "Semua pesan", "All messages";
    failures: "Penyebab gagal", "Why messages failed";
    no_failures: "Tidak ada yang gagal.", "Nothing failed.";
    reason: "Penyebab", "Reason";
    without_reason: "tanpa penjelasan", "without a reason";

    only_for_admin: "Keadaan akun dan hitungan semua dealer perlu izin admin.",
        "The accounts and counts of all dealers need the scope admin.";

    // -- analytics
    name_a_dealer: "Tulis nomor dealer: hitungan semua dealer perlu izin admin.",
        "Write a dealer number: counts of all dealers need the scope admin.";
    analytics: "Analitik", "Analytics";
    bucket: "Dikelompokkan per", "Grouped by";
    show: "Tampilkan", "Show";
    start: "Mulai", "Start";
    requests: "Permintaan", "Requests";
    sent: "Terkirim", "Sent";
    delivered: "Sampai", "Delivered";
    read: "Dibaca", "Read";
    failed: "Gagal", "Failed";
    unknown: "Tidak diketahui", "Unknown";
    not_sent: "Menunggu", "Waiting";
    series: "Dari waktu ke waktu", "Over time";
    as_table: "Sebagai tabel", "As a table";
    hours: "Jam dan hari", "Hours by weekday";
    weekday: "Hari", "Weekday";
    how_long: "Berapa lama", "How long it takes";
    send_seconds: "Sampai diterima Fonnte", "Until Fonnte accepts it";
    delivery_seconds: "Dari sana sampai ke ponsel", "From there to the phone";
    read_seconds: "Dari sana sampai dibaca", "From there until it is read";
    half: "Separuh dalam", "Half within";
    most: "95 % dalam", "95 % within";
    nearly_all: "99 % dalam", "99 % within";
    units: "Tipe unit", "Unit types";
    other_units: "lainnya", "others";
    dealers_compared: "Per dealer", "By dealer";
    nothing_in_period: "Tidak ada permintaan dalam jangka waktu ini.", "No request in this period.";
    too_many_buckets: "Terlalu banyak baris: perpendek jangka waktu, atau kelompokkan lebih besar.",
        "Too many rows: choose a shorter period or larger groups.";
}

impl Text {
    /// How many the highest bar stands for.
    pub(crate) fn highest_bar(self, count: u64) -> String {
        match self.0 {
            Language::Indonesian => format!("batang tertinggi {}", self.number(count)),
            Language::English => format!("highest bar {}", self.number(count)),
        }
    }

    /// What needs attention.
    pub(crate) fn concern(self, kind: ConcernKind) -> &'static str {
        match (self.0, kind) {
            (Language::Indonesian, ConcernKind::Blocked) => "Akun tidak bisa mengirim",
            (Language::Indonesian, ConcernKind::NoQuota) => "Kuota habis",
            (Language::Indonesian, ConcernKind::Expired) => "Paket sudah berakhir",
            (Language::Indonesian, ConcernKind::Late) => "Antrean tidak bergerak",
            (Language::Indonesian, ConcernKind::Unknown) => "Nasib pesan tidak diketahui",
            (Language::Indonesian, ConcernKind::LowQuota) => "Kuota hampir habis",
            (Language::Indonesian, ConcernKind::ExpiresSoon) => "Paket segera berakhir",
            (Language::English, ConcernKind::Blocked) => "The account cannot send",
            (Language::English, ConcernKind::NoQuota) => "The quota is used up",
            (Language::English, ConcernKind::Expired) => "The package has ended",
            (Language::English, ConcernKind::Late) => "The queue does not move",
            (Language::English, ConcernKind::Unknown) => "The outcome of messages is unknown",
            (Language::English, ConcernKind::LowQuota) => "The quota is low",
            (Language::English, ConcernKind::ExpiresSoon) => "The package ends soon",
        }
    }

    /// What to do about it.
    pub(crate) fn remedy(self, kind: ConcernKind) -> &'static str {
        match (self.0, kind) {
            (Language::Indonesian, ConcernKind::Blocked) => {
                "Sambungkan lagi perangkatnya di Fonnte, lalu uji akunnya di sini. Pesan yang menunggu dikirim sendiri setelah itu."
            }
            (Language::Indonesian, ConcernKind::NoQuota | ConcernKind::LowQuota) => {
                "Tambah kuota atau perpanjang paket di Fonnte."
            }
            (Language::Indonesian, ConcernKind::Expired | ConcernKind::ExpiresSoon) => {
                "Perpanjang paketnya di Fonnte."
            }
            (Language::Indonesian, ConcernKind::Late) => {
                "Uji akunnya. Jika akunnya baik, periksa sistem."
            }
            (Language::Indonesian, ConcernKind::Unknown) => {
                "Tanyakan ke orangnya atau lihat di ponsel pengirim, lalu kirim ulang yang belum sampai."
            }
            (Language::English, ConcernKind::Blocked) => {
                "Connect the device again at Fonnte, then check the account here. What waits is sent by itself after that."
            }
            (Language::English, ConcernKind::NoQuota | ConcernKind::LowQuota) => {
                "Buy quota or renew the package at Fonnte."
            }
            (Language::English, ConcernKind::Expired | ConcernKind::ExpiresSoon) => {
                "Renew the package at Fonnte."
            }
            (Language::English, ConcernKind::Late) => {
                "Check the account. If it is well, look at the system."
            }
            (Language::English, ConcernKind::Unknown) => {
                "Ask the person or look at the sender's phone, then resend what did not arrive."
            }
        }
    }

    /// How many things need attention.
    pub(crate) fn concerns(self, count: u64) -> String {
        let number = self.number(count);
        match (self.0, count) {
            (Language::Indonesian, _) => format!("{number} hal perlu perhatian"),
            (Language::English, 1) => format!("{number} thing needs attention"),
            (Language::English, _) => format!("{number} things need attention"),
        }
    }

    /// How many messages wait.
    pub(crate) fn waiting_counted(self, count: u64) -> String {
        let counted = self.messages_counted(count);
        match self.0 {
            Language::Indonesian => format!("{counted} menunggu"),
            Language::English => format!("{counted} waiting"),
        }
    }

    /// What is left of a quota.
    pub(crate) fn left(self, count: u64) -> String {
        match self.0 {
            Language::Indonesian => format!("sisa {}", self.number(count)),
            Language::English => format!("{} left", self.number(count)),
        }
    }

    pub(crate) fn bucket_name(self, bucket: Bucket) -> &'static str {
        match (self.0, bucket) {
            (Language::Indonesian, Bucket::Hour) => "jam",
            (Language::Indonesian, Bucket::Day) => "hari",
            (Language::Indonesian, Bucket::Week) => "minggu",
            (Language::Indonesian, Bucket::Month) => "bulan",
            (Language::English, Bucket::Hour) => "hour",
            (Language::English, Bucket::Day) => "day",
            (Language::English, Bucket::Week) => "week",
            (Language::English, Bucket::Month) => "month",
        }
    }

    /// A weekday, from Monday.
    pub(crate) fn weekday_name(self, day: usize) -> &'static str {
        let names: [&str; 7] = match self.0 {
            Language::Indonesian => ["Sen", "Sel", "Rab", "Kam", "Jum", "Sab", "Min"],
            Language::English => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        };
        names.get(day).copied().unwrap_or_default()
    }

    /// Whole seconds as people say them.
    pub(crate) fn seconds(self, seconds: u32) -> String {
        self.long(std::time::Duration::from_secs(seconds.into()))
    }

    /// A part of all, in whole percent.
    pub(crate) fn percent(self, part: u64, all: u64) -> String {
        match (part * 100 + all / 2).checked_div(all) {
            None => "–".to_owned(),
            Some(percent) => match self.0 {
                Language::Indonesian => format!("{percent} %"),
                Language::English => format!("{percent}%"),
            },
        }
    }
}
