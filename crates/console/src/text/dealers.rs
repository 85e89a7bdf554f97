//! What the pages of dealers say.

use domain::dealers::LOW_QUOTA;
use domain::requests::Fault;
use domain::usecases::CheckError;
use domain::values::AccountError;

use super::{Text, texts};
use crate::look::Language;

texts! {
    dealers: "Dealer", "Dealers";
    no_dealers: "Belum ada dealer. Tambahkan dengan: customer-service dealer add NOMOR NAMA",
        "No dealer yet. Add one with: customer-service dealer add NUMBER NAME";
    account: "Akun WhatsApp", "WhatsApp account";
    account_well: "Bisa mengirim", "Can send";
    account_is_blocked: "Terblokir", "Blocked";
    account_missing: "Belum bisa mengirim", "Cannot send yet";
    inactive: "Tidak aktif", "Inactive";
    quota: "Sisa kuota", "Quota left";
    quota_low: "hampir habis", "nearly used up";
    expires: "Paket sampai", "Package until";
    not_said: "belum diketahui", "not known";
    as_of: "per", "as of";
    check_account: "Uji akun", "Check the account";
    check_account_help: "Menanyakan keadaan perangkat ke Fonnte. Tidak ada pesan yang dikirim.",
        "Asks Fonnte for the state of the device. No message is sent.";
    test_target: "Nomor tujuan pesan uji", "Phone for a test message";
    test_target_help: "Mengirim satu pesan sungguhan ke nomor ini.", "Sends one real message to this number.";
    send_test: "Kirim pesan uji", "Send a test message";
    test_phone_fault: "Ini bukan nomor ponsel Indonesia. Contoh: 0812 0000 0001.",
        "This is no Indonesian mobile number. For example: 0812 0000 0001.";
    check_passed: "Akun berfungsi. Jawaban Fonnte:", "The account works. Fonnte answered:";
    test_passed: "Pesan uji diterima Fonnte. Jawabannya:", "Fonnte accepted the test message. It answered:";
    queue: "Antrean", "Queue";
    queue_empty: "Antrean kosong.", "The queue is empty.";
    queue_waiting: "Menunggu sekarang", "Due now";
    queue_scheduled: "Dijadwalkan", "Scheduled";
    queue_sending: "Sedang dikirim", "Being sent";
    queue_oldest: "Paling lama sejak", "Oldest since";
    queue_pace: "Paling banyak per jam", "At most an hour";
    queue_done: "Perkiraan selesai", "Done at (estimate)";
    queue_paused: "Antrean berhenti, menunggu", "The queue is paused, waiting for";
    webhooks: "Alamat webhook", "Webhook addresses";
    webhooks_lead: "Salin ke pengaturan perangkat di Fonnte, supaya status sampai, dibaca, dan balasan pelanggan terlihat di sini.",
        "Copy them into the device's settings at Fonnte, so that delivered, read and replies show up here.";
    webhook_status: "Webhook status pesan", "Webhook for message status";
    webhook_device: "Webhook koneksi perangkat", "Webhook for the device's connection";
    webhook_sealed: "Alamat tersegel dan tidak bisa dibuka dengan SECRETS_KEY layanan ini.",
        "The addresses are sealed and cannot be opened with this service's SECRETS_KEY.";
    copy: "Salin", "Copy";
    settings: "Pengaturan", "Settings";
    settings_saved: "Pengaturan disimpan, berlaku dalam 5 detik.", "Settings saved, in force within 5 seconds.";
    settings_unchanged: "Tidak ada yang berubah. Kunci atau rahasia baru harus diketik (lagi) sebelum disimpan.",
        "Nothing was changed. A new key or secret has to be typed (again) before it is saved.";
    settings_changed: "Pengaturan ini diubah orang lain setelah halaman dibuka, jadi tidak ada yang disimpan. Yang Anda ketik masih ada di bawah; menyimpannya lagi menggantikan yang berlaku sekarang:",
        "Somebody else changed these settings after the page was opened, so nothing was saved. What you typed is kept below; saving it again replaces what is in force now:";
    type_again: "Ketik lagi: yang tadi diketik tidak disimpan.", "Type it again: what was typed is not kept.";
    settings_help: "Kolom kosong berarti memakai bawaan layanan.", "An empty field means the default of the service.";
    save: "Simpan", "Save";
    min_interval: "Jeda antara dua pesan (milidetik)", "Pause between two messages (milliseconds)";
    jitter: "Tambahan jeda acak (milidetik)", "Random extra pause (milliseconds)";
    daily_limit: "Paling banyak per hari", "At most a day";
    quota_low_at: "Peringatkan jika sisa kuota di bawah", "Warn when the quota left is below";
    quiet_from: "Jam tenang dari", "Quiet hours from";
    quiet_to: "Jam tenang sampai", "Quiet hours until";
    on_unknown: "Jika hasil kirim tidak diketahui", "When an outcome is unknown";
    on_unknown_default: "Bawaan layanan", "Default of the service";
    on_unknown_resend: "Kirim sekali lagi", "Send once more";
    on_unknown_hold: "Tahan sampai diputuskan orang", "Hold until a person decides";
    exclusive_device: "Hanya layanan ini yang mengirim lewat perangkat ini",
        "Nobody else sends through this device";
    default_template: "Templat bawaan", "Default template";
    key_and_address: "Kunci dan alamat akun", "Key and address of the account";
    fonnte_key: "Kunci Fonnte baru", "New Fonnte key";
    fonnte_key_help: "Kosong berarti tetap. Kunci tidak pernah ditampilkan.", "Empty keeps it. The key is never shown.";
    fonnte_url: "Alamat Fonnte", "Address of Fonnte";
    webhook_secret: "Rahasia webhook baru", "New webhook secret";
    webhook_secret_help: "Kosong berarti tetap.", "Empty keeps it.";
    key_of_account: "Kunci Fonnte", "Fonnte key";
    key_is_set_here: "Ada, diatur di halaman ini.", "There is one, set on this page.";
    key_is_of_dealers: "Ada, dari data dealer.", "There is one, from the dealer's record.";
    is_set: "Sudah ada.", "There is one.";
    is_not_set: "Belum ada.", "There is none.";
    remove_key: "Hapus kunci yang diatur di sini", "Remove the key that was set here";
    remove_secret: "Hapus rahasia webhook", "Remove the webhook secret";
    sure_fault: "Kunci atau alamat berubah: centang untuk memastikan.",
        "The key or the address changes: tick this to be sure.";
    own_only: "Hanya kantor pusat (admin) yang bisa mengubah pengaturan.",
        "Only head office (admin) can change settings.";
    next_page: "Berikutnya", "Next";
    previous_page: "Sebelumnya", "Previous";
    to_messages: "Lihat pesannya", "See its messages";
}

impl Text {
    /// The question before a key or address is changed, with what it concerns.
    pub(crate) fn sure(self, waiting: u64) -> String {
        let counted = self.messages_counted(waiting);
        match self.0 {
            Language::Indonesian => {
                format!(
                    "Ya, ganti kunci atau alamat: {counted} yang menunggu akan dikirim lewat akun itu."
                )
            }
            Language::English => {
                format!(
                    "Yes, change key or address: {counted} waiting will be sent through that account."
                )
            }
        }
    }

    /// What an empty field of the quota means.
    pub(crate) fn quota_low_at_help(self) -> String {
        let number = self.number(LOW_QUOTA);
        match self.0 {
            Language::Indonesian => {
                format!("Kosong berarti {number}. Endpoint diberi tahu pada saat yang sama.")
            }
            Language::English => {
                format!("Empty means {number}. Endpoints are told at the same time.")
            }
        }
    }

    /// Why an account cannot be used.
    pub(crate) fn account_error(self, error: AccountError) -> &'static str {
        match (self.0, error) {
            (Language::Indonesian, AccountError::SealedShut) => {
                "Kunci akun tersegel dan tidak bisa dibuka dengan SECRETS_KEY layanan ini."
            }
            (Language::Indonesian, AccountError::NoKey) => "Kunci Fonnte belum diatur.",
            (Language::Indonesian, AccountError::MalformedKey) => {
                "Kunci Fonnte rusak: salin ulang."
            }
            (Language::Indonesian, AccountError::AddressNotAllowed) => {
                "Alamat Fonnte tidak diizinkan (FONNTE_ALLOWED_HOSTS)."
            }
            (Language::English, AccountError::SealedShut) => {
                "The account's key is sealed and cannot be opened with this service's SECRETS_KEY."
            }
            (Language::English, AccountError::NoKey) => "No Fonnte key is set.",
            (Language::English, AccountError::MalformedKey) => {
                "The Fonnte key is malformed: copy it again."
            }
            (Language::English, AccountError::AddressNotAllowed) => {
                "The address of Fonnte is not allowed (FONNTE_ALLOWED_HOSTS)."
            }
        }
    }

    /// Why a check or a test did not go well.
    pub(crate) fn check_error(self, error: &CheckError) -> String {
        match (self.0, error) {
            (_, CheckError::NoAccount(error)) => self.account_error(*error).to_owned(),
            (Language::Indonesian, CheckError::UnknownDealer) => {
                "Dealer ini tidak aktif.".to_owned()
            }
            (Language::English, CheckError::UnknownDealer) => {
                "This dealer is not active.".to_owned()
            }
            (Language::Indonesian, CheckError::Failed { reason }) => {
                format!("Akun tidak berfungsi. Kata Fonnte: {reason}")
            }
            (Language::English, CheckError::Failed { reason }) => {
                format!("The account does not work. Fonnte says: {reason}")
            }
            (Language::Indonesian, CheckError::LaneBusy) => {
                "Antrean dealer ini sedang sibuk. Coba lagi sebentar lagi.".to_owned()
            }
            (Language::English, CheckError::LaneBusy) => {
                "This dealer's queue is busy. Try again in a moment.".to_owned()
            }
            (Language::Indonesian, CheckError::RecipientOptedOut) => {
                "Penerima tidak mau menerima pesan dari dealer ini.".to_owned()
            }
            (Language::English, CheckError::RecipientOptedOut) => {
                "The recipient opted out of this dealer's messages.".to_owned()
            }
            (_, CheckError::Store(_)) => self.unavailable_why().to_owned(),
        }
    }

    /// How to mend a setting.
    pub(crate) fn setting_fault(self, fault: Fault) -> String {
        let english = self.0 == Language::English;
        match fault {
            Fault::NotWhole if english => "Write a whole number.".to_owned(),
            Fault::NotWhole => "Tulis bilangan bulat.".to_owned(),
            Fault::TooSmall { min } if english => format!("At least {min}."),
            Fault::TooSmall { min } => format!("Paling sedikit {min}."),
            Fault::TooLarge { max } if english => format!("At most {max}."),
            Fault::TooLarge { max } => format!("Paling banyak {max}."),
            Fault::NotATimeOfDay | Fault::Missing if english => {
                "Write a time like 21:00.".to_owned()
            }
            Fault::NotATimeOfDay | Fault::Missing => "Tulis jam seperti 21:00.".to_owned(),
            Fault::SameTimes if english => "Quiet hours begin when they end.".to_owned(),
            Fault::SameTimes => "Jam tenang mulai dan berakhir pada saat yang sama.".to_owned(),
            Fault::NotAKey if english => "This is no key of a Fonnte device.".to_owned(),
            Fault::NotAKey => "Ini bukan kunci perangkat Fonnte.".to_owned(),
            Fault::AddressNotAllowed => self
                .account_error(AccountError::AddressNotAllowed)
                .to_owned(),
            Fault::UnknownTemplate if english => "There is no template of that name.".to_owned(),
            Fault::UnknownTemplate => "Tidak ada templat dengan nama itu.".to_owned(),
            Fault::NoSecretsKey if english => {
                "Secrets can be kept only where the service has a SECRETS_KEY.".to_owned()
            }
            Fault::NoSecretsKey => {
                "Rahasia hanya bisa disimpan jika layanan punya SECRETS_KEY.".to_owned()
            }
            Fault::NotVisible if english => "Only visible ASCII characters.".to_owned(),
            Fault::NotVisible => "Hanya huruf, angka, dan tanda ASCII.".to_owned(),
            other => self.text_fault(&other),
        }
    }
}
