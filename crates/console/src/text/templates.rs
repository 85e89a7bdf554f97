//! What the pages of templates say.

use domain::template::{
    MAX_DEFAULT_CHARACTERS, MAX_TEMPLATE_CHARACTERS, MAX_VARIABLES, TemplateFault, TemplateOrigin,
    TemplateWarning, WHATSAPP_CHARACTERS,
};

use super::{Text, texts};
use crate::look::Language;

texts! {
    templates: "Templat", "Templates";
    templates_lead: "Teks pesan yang dikirim. Yang bawaan dipakai jika kiriman tidak menyebut templat.",
        "The texts that are sent. The default one is used where a submission names none.";
    template_choose_dealer: "Templat dealer", "Templates of dealer";
    template_choose_help: "Kosong untuk templat kantor pusat, yang berlaku bagi semua dealer.",
        "Empty for those of head office, which count for all dealers.";
    template_new: "Buat templat", "New template";
    template_name: "Nama templat", "Name of the template";
    template_name_help: "1 sampai 50 huruf kecil, angka, - atau _. Contoh: ulang-tahun",
        "1 to 50 lower-case letters, digits, - or _. For example: birthday";
    template_name_fault: "Pakai hanya huruf kecil a sampai z, angka, - dan _, paling banyak 50.",
        "Use only lower-case letters a to z, digits, - and _, at most 50.";
    template_name_taken: "Sudah ada templat dengan nama ini. Pilih nama lain, atau ubah templat itu.",
        "There is a template of this name. Choose another name, or change that one.";
    template_origin: "Asal", "Origin";
    template_author: "Ditulis oleh", "Written by";
    template_variables: "Variabel", "Variables";
    template_is_default: "bawaan dealer", "default";
    template_text: "Teks pesan", "Text of the message";
    template_draft: "Draf", "Draft";
    template_places: "Yang bisa disisipkan", "What can be inserted";
    template_places_help: "{var.nama} adalah variabel dari kiriman, {var.nama|teks} punya isi cadangan. Kurung kurawal biasa ditulis dua kali: {{ dan }}.",
        "{var.name} is a variable of the submission, {var.name|text} has a fallback. A literal brace is written twice: {{ and }}.";
    template_look: "Lihat hasil", "Preview";
    template_save: "Simpan versi baru", "Save a new version";
    template_saved: "Versi baru disimpan, berlaku dalam 5 detik.", "A new version was saved, in force within 5 seconds.";
    template_same: "Teksnya sama dengan versi terbaru: tidak ada versi baru.",
        "The text is that of the newest version: there is no new one.";
    template_removed: "Templat dihapus.", "The template was removed.";
    template_made_default: "Templat ini sekarang bawaan dealer.", "This template is the dealer's default now.";
    template_becomes_own: "Menyimpan membuat templat sendiri dengan nama ini; yang lama tetap ada di belakangnya.",
        "Saving makes an own template of this name; the other one stays behind it.";
    template_too_many: "Sudah ada 100 templat. Hapus satu dahulu.", "There are 100 templates already. Remove one first.";
    template_overtaken: "Sementara itu ada yang mengubah templat ini. Tulisan Anda masih ada di bawah dan belum disimpan.",
        "Somebody changed this template in the meantime. What you wrote is still below, and is not saved.";
    template_overtaken_next: "Bandingkan dengan versi yang sekarang berlaku. Menyimpan lagi akan menggantinya.",
        "Compare it with the version that is in force now. Saving again replaces that one.";
    template_in_force_now: "Yang berlaku sekarang", "In force now";
    template_gone_now: "Templat ini sudah dihapus. Menyimpan membuatnya lagi.",
        "The template was removed. Saving makes it again.";
    template_versions: "Versi", "Versions";
    template_no_versions: "Templat ini bagian dari program dan belum pernah diubah.",
        "This template is part of the program and was never changed.";
    template_as_draft: "Jadikan draf", "Use as draft";
    template_from_version: "Draf ini berisi versi lama. Belum ada yang disimpan.",
        "This draft holds an older version. Nothing is saved yet.";
    template_remove: "Hapus templat", "Remove the template";
    template_remove_question: "Hapus templat ini?", "Remove this template?";
    template_remove_to_shared: "Nama ini lalu berarti templat kantor pusat atau bawaan program, jika ada. Pesan yang sudah dibuat tidak berubah.",
        "The name then means head office's template or the built-in one, where there is one. Messages that exist do not change.";
    template_make_default: "Jadikan bawaan dealer", "Make it the dealer's default";
    template_sample: "Contoh", "Example";
    template_newest: "Pada kiriman terbaru", "On the newest requests";
    template_newest_none: "Dealer ini belum punya kiriman.", "This dealer has no request yet.";
    template_newest_office: "Pilih dealer untuk melihatnya pada kiriman terbaru.",
        "Choose a dealer to see it on its newest requests.";
    template_alike: "sama seperti yang terkirim", "as it was sent";
    template_differs: "berbeda dari yang terkirim", "differs from what was sent";
    template_never_sent: "belum pernah ada pesan", "there was no message";
    template_to_request: "Buka kiriman ini", "Open this request";
    template_no_preview: "Perbaiki dahulu teksnya.", "Mend the text first.";
    template_own_only: "Kunci Anda hanya boleh melihat templat ini.", "Your key may only look at this template.";
    template_marks: "Dicoret: yang dulu terkirim. Digarisbawahi: yang baru.",
        "Struck out: what was sent. Underlined: what is new.";
}

impl Text {
    pub(crate) fn template_origin_of(self, origin: TemplateOrigin) -> &'static str {
        match (self.0, origin) {
            (Language::Indonesian, TemplateOrigin::Dealer) => "dealer",
            (Language::Indonesian, TemplateOrigin::Shared) => "kantor pusat",
            (Language::Indonesian, TemplateOrigin::BuiltIn) => "program",
            (Language::English, TemplateOrigin::Dealer) => "dealer",
            (Language::English, TemplateOrigin::Shared) => "head office",
            (Language::English, TemplateOrigin::BuiltIn) => "program",
        }
    }

    pub(crate) fn template_version(self, version: u32) -> String {
        match self.0 {
            Language::Indonesian => format!("Versi {version}"),
            Language::English => format!("Version {version}"),
        }
    }

    /// How long a text is.
    pub(crate) fn template_characters(self, count: usize) -> String {
        let number = self.number(count as u64);
        match self.0 {
            Language::Indonesian => format!("{number} karakter"),
            Language::English if count == 1 => "1 character".to_owned(),
            Language::English => format!("{number} characters"),
        }
    }

    /// What is wrong with a text, where, and how to mend it.
    pub(crate) fn template_fault(self, fault: &TemplateFault, body: &str) -> String {
        let english = self.0 == Language::English;
        let words = match fault {
            TemplateFault::Empty | TemplateFault::Blank if english => {
                return "Write a text.".to_owned();
            }
            TemplateFault::Empty | TemplateFault::Blank => return "Tulis teksnya.".to_owned(),
            TemplateFault::TooLong if english => {
                return format!(
                    "Write at most {} characters.",
                    self.counted(MAX_TEMPLATE_CHARACTERS)
                );
            }
            TemplateFault::TooLong => {
                let most = self.counted(MAX_TEMPLATE_CHARACTERS);
                return format!("Tulis paling banyak {most} karakter.");
            }
            TemplateFault::MessageTooLong if english => {
                return "With long values the message would be longer than Fonnte takes."
                    .to_owned();
            }
            TemplateFault::MessageTooLong => {
                return "Dengan isi yang panjang, pesan melebihi batas Fonnte.".to_owned();
            }
            TemplateFault::ControlCharacter { .. } if english => {
                "there is a character that cannot be used".to_owned()
            }
            TemplateFault::ControlCharacter { .. } => {
                "ada karakter yang tidak bisa dipakai".to_owned()
            }
            TemplateFault::UnknownPlace { name, .. } if english => {
                format!("{{{name}}} cannot be inserted; the list below says what can")
            }
            TemplateFault::UnknownPlace { name, .. } => {
                format!("{{{name}}} tidak bisa disisipkan; lihat daftar di bawah")
            }
            TemplateFault::DefaultTooLong { .. } if english => {
                format!("the fallback has more than {MAX_DEFAULT_CHARACTERS} characters")
            }
            TemplateFault::DefaultTooLong { .. } => {
                format!("isi cadangan lebih dari {MAX_DEFAULT_CHARACTERS} karakter")
            }
            TemplateFault::TooManyVariables { .. } if english => {
                format!("there are more than {MAX_VARIABLES} variables")
            }
            TemplateFault::TooManyVariables { .. } => {
                format!("variabel lebih dari {MAX_VARIABLES}")
            }
            TemplateFault::SingleBrace { .. } if english => {
                "a single brace; a literal brace is written twice".to_owned()
            }
            TemplateFault::SingleBrace { .. } => {
                "kurung kurawal sendirian; tulis dua kali jika memang dimaksud".to_owned()
            }
        };
        let (line, column) = place_in(body, fault.position());
        match self.0 {
            Language::Indonesian => format!("Baris {line}, huruf {column}: {words}."),
            Language::English => format!("Line {line}, character {column}: {words}."),
        }
    }

    fn counted(self, number: usize) -> String {
        self.number(number as u64)
    }

    /// What an author should know.
    pub(crate) fn template_warning(self, warning: TemplateWarning) -> String {
        match (self.0, warning) {
            (Language::Indonesian, TemplateWarning::LongMessage { characters }) => format!(
                "Pesan terpanjang bisa {} karakter; WhatsApp menampilkan {}.",
                self.counted(characters),
                self.counted(WHATSAPP_CHARACTERS)
            ),
            (Language::English, TemplateWarning::LongMessage { characters }) => format!(
                "The longest possible message has {} characters; WhatsApp shows {}.",
                self.counted(characters),
                self.counted(WHATSAPP_CHARACTERS)
            ),
            (Language::Indonesian, TemplateWarning::BeginsWithPlace) => {
                "Pesan dimulai dengan isian. Lebih aman dimulai dengan kata.".to_owned()
            }
            (Language::English, TemplateWarning::BeginsWithPlace) => {
                "The message begins with a value. Beginning with a word is safer.".to_owned()
            }
            (Language::Indonesian, TemplateWarning::EndsWithPlace) => {
                "Pesan berakhir dengan isian. Lebih aman berakhir dengan kata.".to_owned()
            }
            (Language::English, TemplateWarning::EndsWithPlace) => {
                "The message ends with a value. Ending with a word is safer.".to_owned()
            }
        }
    }
}

/// Line and character of a position, both from 1, as an editor counts them.
fn place_in(body: &str, position: usize) -> (usize, usize) {
    let before = body.chars().take(position);
    before.fold((1, 1), |(line, column), c| match c {
        '\n' => (line + 1, 1),
        _ => (line, column + 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_by_line_and_character() {
        let body = "Halo é\n{nama}";
        let fault = TemplateFault::UnknownPlace {
            name: "nama".to_owned(),
            position: 7,
        };
        let said = Text(Language::Indonesian).template_fault(&fault, body);
        assert!(
            said.starts_with("Baris 2, huruf 1: {nama} tidak bisa"),
            "{said}"
        );
        let said = Text(Language::English).template_fault(&TemplateFault::TooLong, body);
        assert_eq!(said, "Write at most 4,000 characters.");
    }
}
