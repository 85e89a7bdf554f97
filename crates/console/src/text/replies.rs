//! What the pages of replies and opt-outs say.

use domain::replies::{OptOutOrigin, Wish};

use super::{Text, texts};
use crate::look::Language;

texts! {
    // -- replies
    replies: "Balasan", "Replies";
    replies_lead: "Yang ditulis pelanggan sebagai jawaban, terbaru dahulu. Hanya pesan pribadi yang disimpan.",
        "What customers wrote back, newest first. Only private messages are kept.";
    no_replies: "Belum ada balasan. Balasan masuk jika alamat webhook pesan masuk dari halaman dealer sudah diisi di Fonnte.",
        "No reply yet. Replies come in once the webhook address for incoming messages, on the dealer's page, is entered at Fonnte.";
    reply_from: "Dari", "From";
    reply_text: "Isi", "Text";
    reply_about: "Tentang", "About";
    reply_without_text: "(gambar atau berkas tanpa teks)", "(a picture or file without text)";
    replied: "membalas", "replied";
    somebody: "Pelanggan", "The customer";
    its_message: "lihat pesannya", "see the message";
    choose_dealer: "Nomor dealer", "Dealer number";
    choose_dealer_help: "Balasan dan daftar berhenti adalah milik satu dealer.",
        "Replies and opt-outs belong to one dealer.";
    earlier_replies: "Balasan yang lebih lama ada di halaman Balasan.", "Earlier replies are on the page Replies.";

    // -- opt-outs
    opt_outs: "Berhenti berlangganan", "Opt-outs";
    opt_outs_lead: "Nomor di daftar ini tidak menerima pesan apa pun dari dealer ini. Pelanggan masuk ke sini dengan membalas STOP, dan keluar dengan MULAI.",
        "These numbers get no message of this dealer. Customers enter the list by replying STOP, and leave it with MULAI.";
    no_opt_outs: "Belum ada yang berhenti.", "Nobody opted out yet.";
    opted_out_since: "Sejak", "Since";
    opted_out_by: "Cara", "How";
    note: "Catatan", "Note";
    erased_person: "data orang ini sudah dihapus", "this person was erased";
    opt_out_new: "Tambah nomor", "Add a number";
    opt_out_phone: "Nomor ponsel", "Mobile number";
    opt_out_note: "Catatan (boleh kosong)", "Note (may be empty)";
    opt_out_note_help: "Misalnya: diminta di kasir. Terlihat oleh semua yang membuka daftar ini.",
        "For example: asked at the counter. Whoever opens this list can read it.";
    opt_out_question: "Hentikan pesan ke nomor ini?", "Send no more messages to this number?";
    opt_out_order: "Hentikan pesan", "Stop messages";
    opt_out_added: "Nomor ini tidak dikirimi pesan lagi.", "No more messages are sent to this number.";
    opt_out_was_there: "Nomor ini sudah ada di daftar. Tidak ada yang berubah.",
        "This number is on the list already. Nothing was changed.";
    opt_in_question: "Kirim pesan lagi ke nomor ini?", "Send messages to this number again?";
    opt_in_warning: "Pesan baru akan dikirim lagi. Yang sudah dibatalkan tetap batal. Lakukan hanya jika pelanggan memintanya.",
        "New messages will be sent again. What was cancelled stays cancelled. Do it only where the customer asks for it.";
    opt_in_order: "Kirim pesan lagi", "Send messages again";
    opt_in: "Keluarkan", "Remove";
    opted_in: "Nomor ini dikirimi pesan lagi.", "Messages are sent to this number again.";
    opt_in_gone: "Nomor ini sudah tidak ada di daftar. Tidak ada yang berubah.",
        "This number is not on the list any more. Nothing was changed.";

    // -- on the dealer's page
    webhook_message: "Webhook pesan masuk", "Webhook for incoming messages";
    opt_out_reply: "Beri konfirmasi kepada pelanggan yang membalas STOP atau MULAI",
        "Confirm to customers who reply STOP or MULAI";
    to_replies: "Lihat balasannya", "See its replies";
    to_opt_outs: "Lihat yang berhenti", "See its opt-outs";
}

impl Text {
    /// What a reply changed, in a word.
    pub(crate) fn wish(self, wish: Wish) -> &'static str {
        match (self.0, wish) {
            (Language::Indonesian, Wish::OptOut) => "minta berhenti",
            (Language::Indonesian, Wish::OptIn) => "minta mulai lagi",
            (Language::English, Wish::OptOut) => "asks to stop",
            (Language::English, Wish::OptIn) => "asks to start again",
        }
    }

    /// How a number came to be on the list.
    pub(crate) fn opt_out_origin(self, origin: OptOutOrigin) -> &'static str {
        match (self.0, origin) {
            (Language::Indonesian, OptOutOrigin::Reply) => "membalas STOP",
            (Language::Indonesian, OptOutOrigin::Manual) => "dimasukkan di sini",
            (Language::English, OptOutOrigin::Reply) => "replied STOP",
            (Language::English, OptOutOrigin::Manual) => "added by hand",
        }
    }

    /// What opting a number out does at once.
    pub(crate) fn opt_out_warning(self, waiting: u64) -> String {
        let counted = self.messages_counted(waiting);
        let (now, from_now_on) = match self.0 {
            Language::Indonesian => (
                format!("{counted} yang menunggu untuk nomor ini dibatalkan. "),
                "Pesan baru tidak dikirim sampai nomor ini dikeluarkan dari daftar atau membalas MULAI.",
            ),
            Language::English => (
                format!("{counted} waiting for this number will be cancelled. "),
                "New ones are not sent until it is removed from the list or replies MULAI.",
            ),
        };
        match waiting {
            0 => from_now_on.to_owned(),
            _ => now + from_now_on,
        }
    }
}
