//! What the pages of endpoints say.

use domain::endpoints::{AddressFault, DeliveryState, EndpointFault, EventError, EventType};
use domain::requests::Fault;

use super::{Text, texts};
use crate::look::Language;

texts! {
    endpoints: "Endpoint", "Endpoints";
    endpoints_lead: "Alamat sistem lain yang diberi tahu begitu sesuatu terjadi, supaya tidak perlu bertanya. Isinya hanya nomor dan keadaan, tanpa nama, teks, atau telepon.",
        "Addresses of other systems that are told as soon as something happens, so that they need not ask. They hold ids and states, no names, texts or phones.";
    no_endpoints: "Belum ada endpoint.", "No endpoint yet.";
    endpoint_choose_help: "Kosong untuk endpoint kantor pusat, yang diberi tahu tentang semua dealer.",
        "Empty for those of head office, which are told about all dealers.";
    endpoint_new: "Buat endpoint", "Add an endpoint";
    endpoint_url: "Alamat", "Address";
    endpoint_url_help: "Alamat https yang terbuka di internet, misalnya https://bengkel.example/kejadian.",
        "A public https address, for example https://workshop.example/events.";
    endpoint_events: "Kejadian", "Events";
    endpoint_made: "Endpoint dibuat. Salin rahasianya sekarang: tidak bisa ditampilkan lagi.",
        "The endpoint was made. Copy its secret now: nobody can show it again.";
    endpoint_secret_help: "Penerima memeriksa tanda tangan setiap panggilan dengan rahasia ini (Standard Webhooks).",
        "The receiver checks the signature of every call with this secret (Standard Webhooks).";
    copy_secret: "Salin rahasia", "Copy the secret";
    go_on: "Lanjut", "Go on";
    endpoints_too_many: "Jumlah endpoint sudah penuh. Hapus salah satu dahulu.", "There are as many endpoints as there may be. Remove one first.";
    endpoint_no_secrets: "Rahasianya belum bisa disimpan dengan aman, jadi tidak ada yang dibuat. Minta kantor pusat mengatur SECRETS_KEY di layanan ini, lalu ulangi.",
        "Its secret cannot be stored safely yet, so nothing was made. Ask head office to set SECRETS_KEY for this service, then repeat it.";
    endpoint_enabled: "Aktif", "Enabled";
    endpoint_disabled: "Dimatikan", "Disabled";
    endpoint_disabled_why: "Selain kejadian uji dan yang Anda kirim lagi, tidak ada yang dikirim ke alamat ini: dimatikan oleh orang, oleh jawaban 410, atau karena lima hari tidak berhasil. Perbaiki penerimanya, lalu hidupkan.",
        "Nothing but tests and what you deliver again is sent to this address: a person disabled it, it answered 410, or nothing succeeded for five days. Mend the receiver, then enable it.";
    endpoint_enable: "Hidupkan", "Enable";
    endpoint_disable: "Matikan", "Disable";
    endpoint_change: "Ubah", "Change";
    endpoint_saved: "Endpoint disimpan.", "The endpoint was saved.";
    endpoint_sure: "Ya, ganti alamatnya: yang masih menunggu pun dikirim ke alamat baru, dengan rahasia yang sama.",
        "Yes, change the address: what still waits goes to the new one, too, with the same secret.";
    endpoint_sure_fault: "Alamatnya berubah: centang untuk memastikan.", "The address changes: tick this to be sure.";
    endpoint_overtaken: "Endpoint ini diubah orang lain setelah halaman dibuka, jadi tidak ada yang disimpan. Yang Anda ketik masih ada di bawah; menyimpannya lagi menggantikan yang berlaku sekarang.",
        "Somebody else changed this endpoint after the page was opened, so nothing was saved. What you typed is kept below; saving it again replaces what is in force now.";
    endpoint_test: "Kirim kejadian uji", "Send a test event";
    endpoint_test_help: "Mengirim endpoint.test ke alamat ini; hasilnya muncul di daftar di bawah.",
        "Sends endpoint.test to this address; what came of it appears in the list below.";
    endpoint_tested: "Kejadian uji masuk antrean. Muat ulang halaman untuk melihat hasilnya.",
        "The test event was queued. Load the page again to see what came of it.";
    endpoint_remove: "Hapus endpoint", "Remove the endpoint";
    endpoint_remove_question: "Hapus endpoint ini?", "Remove this endpoint?";
    endpoint_remove_warning: "Yang belum terkirim tidak akan dikirim, dan daftar kirimannya ikut terhapus. Rahasianya tidak berlaku lagi.",
        "What was not delivered will not be, and its deliveries are removed, too. Its secret is worth nothing then.";
    endpoint_removed: "Endpoint dihapus.", "The endpoint was removed.";
    to_endpoints: "Lihat endpointnya", "See its endpoints";
    deliveries: "Kiriman", "Deliveries";
    no_deliveries: "Belum ada kiriman. Coba dengan kejadian uji.", "No delivery yet. Try it with a test event.";
    delivery_event: "Kejadian", "Event";
    delivery_attempts: "Percobaan", "Attempts";
    delivery_due: "dicoba lagi", "tried again";
    delivery_retry: "Kirim lagi", "Deliver again";
    delivery_retried: "Kiriman masuk antrean lagi.", "The delivery was queued again.";
}

impl Text {
    /// An event as people call it.
    pub(crate) fn event_name(self, event: EventType) -> &'static str {
        let (indonesian, english) = match event {
            EventType::MessageSent => ("Pesan terkirim", "Message sent"),
            EventType::MessageDelivered => ("Pesan sampai", "Message delivered"),
            EventType::MessageRead => ("Pesan dibaca", "Message read"),
            EventType::MessageFailed => ("Pesan gagal", "Message failed"),
            EventType::MessageUnknown => ("Nasib pesan tidak diketahui", "Message unknown"),
            EventType::MessageExpired => ("Pesan kedaluwarsa", "Message expired"),
            EventType::MessageCancelled => ("Pesan dibatalkan", "Message cancelled"),
            EventType::AccountBlocked => ("Akun terblokir", "Account blocked"),
            EventType::AccountRecovered => ("Akun pulih", "Account recovered"),
            EventType::AccountQuotaLow => ("Kuota hampir habis", "Quota low"),
            EventType::AccountExpiring => ("Paket segera berakhir", "Package ends soon"),
            EventType::ReplyReceived => ("Balasan masuk", "Reply received"),
            EventType::OptOutChanged => ("Berhenti atau mulai lagi", "Opted out or in"),
            EventType::EndpointDisabled => ("Endpoint dimatikan", "Endpoint disabled"),
            EventType::EndpointTest => ("Kejadian uji", "Test event"),
        };
        match self.0 {
            Language::Indonesian => indonesian,
            Language::English => english,
        }
    }

    /// What became of a delivery.
    pub(crate) fn delivery_state(self, state: DeliveryState) -> &'static str {
        match (self.0, state) {
            (Language::Indonesian, DeliveryState::Pending) => "Menunggu",
            (Language::Indonesian, DeliveryState::Delivered) => "Terkirim",
            (Language::Indonesian, DeliveryState::GivenUp) => "Menyerah",
            (Language::English, DeliveryState::Pending) => "Waiting",
            (Language::English, DeliveryState::Delivered) => "Delivered",
            (Language::English, DeliveryState::GivenUp) => "Given up",
        }
    }

    /// What came of an attempt.
    pub(crate) fn attempt(self, status: Option<u16>, error: Option<&str>) -> String {
        if let Some(status) = status {
            return format!("HTTP {status}");
        }
        let error = error.unwrap_or_default();
        let Some(known) = EventError::parse(error) else {
            return error.to_owned();
        };
        let (indonesian, english) = match known {
            EventError::AddressNotAllowed => {
                ("alamat tidak diizinkan", "the address is not allowed")
            }
            EventError::NotResolved => ("nama tidak ditemukan", "the name was not found"),
            EventError::Connection => ("tidak tersambung", "no connection"),
            EventError::Tls => (
                "sertifikat tidak dipercaya",
                "the certificate is not trusted",
            ),
            EventError::Timeout => (
                "tidak menjawab dalam 10 detik",
                "no answer within 10 seconds",
            ),
            EventError::BadAnswer => ("jawabannya bukan HTTP", "the answer is not HTTP"),
            EventError::SecretUnreadable => (
                "rahasianya tidak bisa dibuka",
                "its secret cannot be opened",
            ),
        };
        match self.0 {
            Language::Indonesian => indonesian.to_owned(),
            Language::English => english.to_owned(),
        }
    }

    pub(crate) fn earlier_attempts(self, count: u64) -> String {
        let number = self.number(count);
        match self.0 {
            Language::Indonesian => format!("{number} sebelumnya"),
            Language::English => format!("{number} earlier"),
        }
    }

    /// How to mend a field of an endpoint.
    pub(crate) fn endpoint_fault(self, fault: EndpointFault) -> String {
        let (indonesian, english) = match fault {
            EndpointFault::Field(Fault::Blank | Fault::Missing) => {
                ("Isi alamatnya.", "Fill in the address.")
            }
            EndpointFault::Field(other) => return self.text_fault(&other),
            EndpointFault::Address(AddressFault::NotAUrl) => {
                ("Ini bukan alamat web.", "This is no web address.")
            }
            EndpointFault::Address(AddressFault::NotHttps) => {
                ("Alamatnya harus https.", "The address must be https.")
            }
            EndpointFault::Address(AddressFault::HasUser) => (
                "Alamatnya tidak boleh memuat nama pengguna atau sandi.",
                "The address must not have a user name or a password.",
            ),
            EndpointFault::Address(AddressFault::PortZero) => {
                ("Port 0 tidak bisa dipakai.", "Port 0 cannot be used.")
            }
            EndpointFault::Address(AddressFault::HasFragment) => (
                "Hapus bagian setelah tanda #: bagian itu tidak pernah dikirim.",
                "Remove what stands after the #: it is never sent.",
            ),
            EndpointFault::Address(AddressFault::NotPublic) => (
                "Alamat ini tidak terbuka di internet.",
                "This address is not public.",
            ),
            EndpointFault::NotAList | EndpointFault::NoEvents => (
                "Pilih paling sedikit satu kejadian.",
                "Choose at least one event.",
            ),
            EndpointFault::UnknownEvent => (
                "Ada kejadian yang tidak dikenal.",
                "There is an unknown event.",
            ),
        };
        match self.0 {
            Language::Indonesian => indonesian.to_owned(),
            Language::English => english.to_owned(),
        }
    }
}
