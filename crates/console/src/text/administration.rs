//! What the pages of head office say: keys, audit, system.

use domain::access::Scope;
use domain::ports::Validity;
use domain::requests::{Fault, MessageState};

use super::{Text, texts};
use crate::look::Language;

texts! {
    administration: "Kelola", "Manage";

    // -- keys
    keys: "Kunci", "Keys";
    keys_lead: "Setiap sistem dan setiap orang sebaiknya punya kunci sendiri. Kunci yang dicabut berhenti berlaku dalam 5 detik.",
        "Give each system and each person a key of its own. A revoked key ends within 5 seconds.";
    new_key: "Buat kunci", "Make a key";
    key_name: "Nama", "Name";
    key_name_help: "Nama ini terlihat di audit dan oleh dealer.", "This name is seen in the audit and by dealers.";
    key_dealer: "Nomor dealer", "Dealer number";
    key_dealer_help: "Kosong untuk kantor pusat.", "Empty for head office.";
    key_scopes: "Izin", "Scopes";
    key_expires: "Berlaku sampai", "Valid until";
    key_expires_help: "Sampai akhir hari itu. Kosong untuk selamanya.", "Until the end of that day. Empty for ever.";
    key_made: "Kunci dibuat. Salin sekarang: kunci ini tidak bisa ditampilkan lagi.",
        "The key was made. Copy it now: nobody can show it again.";
    copy_key: "Salin kunci", "Copy the key";
    made_at: "Dibuat", "Made";
    ends_at: "Berakhir", "Ends";
    never: "tidak pernah", "never";
    scopes: "Izin", "Scopes";
    of_whom: "Milik", "Belongs to";
    validity: "Keadaan", "State";
    revoke: "Cabut", "Revoke";
    revoke_question: "Cabut kunci ini?", "Revoke this key?";
    revoke_warning: "Sistem yang memakainya langsung ditolak, dan semua sesi yang masuk dengan kunci ini berakhir. Ini tidak bisa dibatalkan.",
        "Whatever uses it is refused at once, and all sessions of this key end. This cannot be undone.";
    revoke_own: "Ini kunci Anda sendiri: Anda akan keluar.", "This is your own key: you will be logged out.";
    revoked_notice: "Kunci dicabut.", "The key was revoked.";
    no_keys: "Belum ada kunci.", "No key yet.";
    scope_fault: "Pilih paling sedikit satu izin.", "Choose at least one scope.";
    admin_fault: "Izin admin hanya untuk kantor pusat: kosongkan nomor dealer.",
        "The scope admin is for head office only: leave the dealer number empty.";
    unknown_dealer_fault: "Tidak ada dealer dengan nomor ini.", "No dealer has this number.";
    past_fault: "Tanggal ini sudah lewat.", "This day has passed.";
    nobody_asks: "Layanan ini tidak meminta kunci (API_AUTH=off).", "This service asks for no keys (API_AUTH=off).";

    // -- audit
    audit: "Audit", "Audit";
    audit_lead: "Siapa melakukan apa. Baris tidak pernah diubah.", "Who did what. Lines are never changed.";
    actor: "Oleh", "By";
    action: "Tindakan", "Action";
    detail: "Rincian", "Detail";
    no_audit: "Belum ada yang tercatat.", "Nothing was noted yet.";

    // -- system
    system: "Sistem", "System";
    version: "Versi", "Version";
    checks: "Pemeriksaan", "Checks";
    check: "Bagian", "Part";
    finding: "Temuan", "Finding";
    passed: "Baik", "Well";
    not_passed: "Bermasalah", "Not well";
    backlog: "Belum selesai", "Not finished";
    backlog_unknown: "Belum bisa dihitung.", "Could not be counted.";
    message_state: "Keadaan pesan", "State of messages";
    count: "Jumlah", "Count";
    oldest: "Paling lama menunggu", "Oldest past due";
    api_documentation: "Dokumentasi API", "API documentation";
    links: "Lainnya", "More";
}

impl Text {
    /// Whether a key counts.
    pub(crate) fn key_validity(self, validity: Validity) -> &'static str {
        match (self.0, validity) {
            (Language::Indonesian, Validity::InForce) => "Berlaku",
            (Language::Indonesian, Validity::Expired) => "Habis masanya",
            (Language::Indonesian, Validity::Revoked) => "Dicabut",
            (Language::English, Validity::InForce) => "In force",
            (Language::English, Validity::Expired) => "Expired",
            (Language::English, Validity::Revoked) => "Revoked",
        }
    }

    /// What a scope allows.
    pub(crate) fn scope_explained(self, scope: Scope) -> &'static str {
        match (self.0, scope) {
            (Language::Indonesian, Scope::Read) => "melihat (read)",
            (Language::Indonesian, Scope::Write) => "mengirim dan membatalkan (write)",
            (Language::Indonesian, Scope::Admin) => "segalanya, untuk kantor pusat (admin)",
            (Language::English, Scope::Read) => "look (read)",
            (Language::English, Scope::Write) => "send and cancel (write)",
            (Language::English, Scope::Admin) => "everything, for head office (admin)",
        }
    }

    /// An action of the audit; one that a newer release knows is shown as it is stored.
    pub(crate) fn audit_action(self, stored: &str) -> String {
        let words = match (self.0, stored) {
            (Language::Indonesian, "message.resend") => "mengirim ulang pesan",
            (Language::Indonesian, "message.cancel") => "membatalkan pesan",
            (Language::Indonesian, "api_key.create") => "membuat kunci",
            (Language::Indonesian, "api_key.revoke") => "mencabut kunci",
            (Language::Indonesian, "settings.change") => "mengubah pengaturan",
            (Language::Indonesian, "dealer.add") => "menambah dealer",
            (Language::Indonesian, "dealer.set_key") => "mengganti kunci akun",
            (Language::Indonesian, "secrets.reseal") => "menyegel ulang rahasia",
            (Language::Indonesian, "template.change") => "mengubah templat",
            (Language::Indonesian, "template.remove") => "menghapus templat",
            (Language::Indonesian, "person.erase") => "menghapus data orang",
            (Language::Indonesian, "person.export") => "mengekspor data orang",
            (Language::Indonesian, "person.show_phone") => "menampilkan nomor",
            (Language::Indonesian, "opt_out.add") => "menghentikan pesan ke satu nomor",
            (Language::Indonesian, "opt_out.remove") => "mengirim pesan lagi ke satu nomor",
            (Language::Indonesian, "endpoint.add") => "membuat endpoint",
            (Language::Indonesian, "endpoint.change") => "mengubah endpoint",
            (Language::Indonesian, "endpoint.remove") => "menghapus endpoint",
            (Language::Indonesian, "endpoint.test") => "menguji endpoint",
            (Language::Indonesian, "endpoint.retry") => "mengirim ulang kejadian",
            (Language::English, "message.resend") => "resent a message",
            (Language::English, "message.cancel") => "cancelled a message",
            (Language::English, "api_key.create") => "made a key",
            (Language::English, "api_key.revoke") => "revoked a key",
            (Language::English, "settings.change") => "changed settings",
            (Language::English, "dealer.add") => "added a dealer",
            (Language::English, "dealer.set_key") => "changed an account's key",
            (Language::English, "secrets.reseal") => "sealed secrets anew",
            (Language::English, "template.change") => "changed a template",
            (Language::English, "template.remove") => "removed a template",
            (Language::English, "person.erase") => "erased a person",
            (Language::English, "person.export") => "exported a person",
            (Language::English, "person.show_phone") => "showed a number",
            (Language::English, "opt_out.add") => "opted a number out",
            (Language::English, "opt_out.remove") => "opted a number in",
            (Language::English, "endpoint.add") => "added an endpoint",
            (Language::English, "endpoint.change") => "changed an endpoint",
            (Language::English, "endpoint.remove") => "removed an endpoint",
            (Language::English, "endpoint.test") => "tested an endpoint",
            (Language::English, "endpoint.retry") => "delivered an event again",
            _ => stored,
        };
        words.to_owned()
    }

    /// What a state of messages is called where they are counted.
    pub(crate) fn unfinished(self, state: MessageState) -> &'static str {
        match (self.0, state) {
            (Language::Indonesian, MessageState::Queued) => "Menunggu (QUEUED)",
            (Language::Indonesian, MessageState::Sending) => "Sedang dikirim (SENDING)",
            (Language::Indonesian, MessageState::Unknown) => "Tidak diketahui (UNKNOWN)",
            (Language::English, MessageState::Queued) => "Waiting (QUEUED)",
            (Language::English, MessageState::Sending) => "Being sent (SENDING)",
            (Language::English, MessageState::Unknown) => "Unknown (UNKNOWN)",
            (_, other) => other.as_str(),
        }
    }

    /// What is wrong with a text field, and how to mend it.
    pub(crate) fn text_fault(self, fault: &Fault) -> String {
        match (self.0, fault) {
            (Language::Indonesian, Fault::TooLong { max }) => {
                format!("Tulis paling banyak {max} karakter.")
            }
            (Language::English, Fault::TooLong { max }) => {
                format!("Write at most {max} characters.")
            }
            (Language::Indonesian, Fault::ControlCharacter) => {
                "Ada karakter yang tidak bisa dipakai di sini.".to_owned()
            }
            (Language::English, Fault::ControlCharacter) => {
                "There is a character that cannot be used here.".to_owned()
            }
            (Language::Indonesian, _) => "Isi kolom ini.".to_owned(),
            (Language::English, _) => "Fill this in.".to_owned(),
        }
    }
}
