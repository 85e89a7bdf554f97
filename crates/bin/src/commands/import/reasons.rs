//! Why rows were rejected, in Indonesian, for those who mend the file.

use api_types::{BulkItem, FaultBody, Place};

/// Why a row was rejected.
pub(super) fn of_item(item: &BulkItem) -> String {
    if let Some(faults) = &item.errors {
        return of_faults(faults);
    }
    match item.kind.as_deref() {
        Some("IdempotencyKeyReused") => {
            "kunci idempotency sudah dipakai untuk data yang berbeda".to_owned()
        }
        Some(BulkItem::NOT_STORABLE) => "database tidak dapat menyimpan data ini".to_owned(),
        Some("ForeignDealer") => "kunci API bukan untuk dealer ini".to_owned(),
        _ => item.error.as_deref().unwrap_or("ditolak").to_owned(),
    }
}

/// All that is wrong with the fields of a row.
pub(super) fn of_faults(faults: &[FaultBody]) -> String {
    let all: Vec<String> = faults.iter().map(of_fault).collect();
    all.join("; ")
}

fn of_fault(fault: &FaultBody) -> String {
    let limit = |name: &str| {
        let limit = fault.ctx.as_ref().and_then(|ctx| ctx.get(name));
        limit.map(ToString::to_string).unwrap_or_default()
    };
    let words = match &*fault.kind {
        "missing" => "wajib diisi".to_owned(),
        "string_type" => "harus berupa teks".to_owned(),
        "string_too_short" => format!("minimal {} karakter", limit("min_length")),
        "string_too_long" => format!("maksimal {} karakter", limit("max_length")),
        "too_long" => format!("maksimal {} isian", limit("max_length")),
        "template_not_found" => "template tidak ditemukan".to_owned(),
        "extra_forbidden" => "template tidak memiliki variabel ini".to_owned(),
        "json_invalid" => "baris ini bukan JSON yang benar".to_owned(),
        "model_attributes_type" => "harus berupa objek JSON".to_owned(),
        "string_unicode" => "ada byte yang bukan teks (simpan berkas sebagai UTF-8)".to_owned(),
        _ => of_value(&fault.msg),
    };
    let names = fault.loc.iter().skip(1).filter_map(|place| match place {
        Place::Name(name) => Some(&**name),
        Place::At(_) => None,
    });
    let names: Vec<&str> = names.collect();
    match names.is_empty() {
        true => words,
        false => format!("{}: {words}", names.join(".")),
    }
}

/// What is wrong with a value, by the sentence that callers know.
fn of_value(sentence: &str) -> String {
    let sentence = sentence.strip_prefix("Value error, ").unwrap_or(sentence);
    let known = [
        (
            "Invalid Indonesian phone",
            "bukan nomor HP Indonesia (08…, 10 sampai 13 angka)",
        ),
        (
            "Invalid datetime format. Expected DD",
            "bukan waktu DD/MM/YYYY HH:mm:ss",
        ),
        (
            "Invalid datetime format. Expected RFC",
            "bukan waktu seperti 2026-11-22T15:40:50+07:00",
        ),
        ("Send time must be", "paling lama 30 hari ke depan"),
        (
            "Control characters",
            "ada karakter kontrol, misalnya ganti baris",
        ),
        ("Text must not be blank", "tidak boleh kosong"),
        (
            "Expected 1 to 255 visible",
            "harus 1 sampai 255 karakter ASCII tanpa spasi",
        ),
        (
            "The cell holds an error",
            "sel berisi galat rumus, misalnya #N/A",
        ),
        (
            "A number is no time",
            "angka bukan waktu; beri sel format tanggal",
        ),
    ];
    let found = known.iter().find(|(begin, _)| sentence.starts_with(begin));
    found.map_or(sentence, |(_, words)| words).to_owned()
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use domain::ports::{Accepted, BoxError, MockRequestStore, StoreError};
    use serde_json::{Value, json};

    use super::super::SOME_REJECTED;
    use super::super::case::{Case, rows};
    use super::*;

    fn fault(kind: &str, name: &str, msg: &str) -> FaultBody {
        serde_json::from_value(serde_json::json!({
            "type": kind, "loc": ["body", name], "msg": msg, "input": null, "ctx": {"min_length": 8}
        }))
        .expect("a fault")
    }

    #[test]
    fn reasons_name_the_column_in_indonesian() {
        let faults = [
            fault("missing", "namaPembawa", "Field required"),
            fault("string_too_short", "noTelp", "…"),
            fault(
                "value_error",
                "createdTime",
                "Value error, Invalid datetime format. Expected DD/MM/YYYY HH:mm:ss",
            ),
        ];
        assert_eq!(
            of_faults(&faults),
            "namaPembawa: wajib diisi; noTelp: minimal 8 karakter; createdTime: bukan waktu DD/MM/YYYY HH:mm:ss"
        );
        let refused = BulkItem::refused(1, "Dealer tidak ditemukan atau tidak aktif".into(), None);
        assert_eq!(of_item(&refused), "Dealer tidak ditemukan atau tidak aktif");
    }

    /// Words of the sentences that callers of the API know, and of no Indonesian one.
    const ENGLISH: [&str; 32] = [
        "the",
        "should",
        "must",
        "not",
        "is",
        "be",
        "expected",
        "invalid",
        "input",
        "field",
        "required",
        "value",
        "error",
        "characters",
        "least",
        "most",
        "allowed",
        "extra",
        "permitted",
        "number",
        "cell",
        "holds",
        "with",
        "of",
        "this",
        "used",
        "for",
        "still",
        "entries",
        "service",
        "there",
        "decode",
    ];

    fn assert_indonesian(reasons: &[String]) {
        for reason in reasons {
            let mut words = reason.split(|c: char| !c.is_alphabetic());
            let found = words.find(|word| ENGLISH.contains(&word.to_lowercase().as_str()));
            assert_eq!(found, None, "{reason}");
        }
    }

    /// Rows of JSON, each of which is rejected for another reason.
    fn odd_rows() -> Vec<String> {
        let many: serde_json::Map<String, Value> =
            (0..21).map(|n| (format!("x{n}"), json!("y"))).collect();
        let odd = [
            ("namaPembawa", json!(7)),
            ("namaPembawa", json!("a".repeat(300))),
            ("namaPembawa", json!("a\nb")),
            ("namaPembawa", json!(" ")),
            ("namaPembawa", json!("a".repeat(70_000))),
            ("noTelp", json!("1")),
            ("noTelp", json!("0712345678")),
            ("createdTime", json!("x")),
            ("sendAt", json!("x")),
            ("sendAt", json!("2099-01-01T00:00:00Z")),
            ("variables", json!(7)),
            ("variables", json!({"x": "y"})),
            ("variables", json!({"x": 7})),
            ("variables", json!({"x": "a\nb"})),
            ("variables", json!({"x": "y".repeat(501)})),
            ("variables", Value::Object(many)),
            ("template", json!("tidakada")),
            ("template", json!("")),
            ("dealerId", json!("0000001")),
            ("dealerId", json!("0010001")),
            ("dealerId", json!("1")),
            ("idempotencyKey", json!("a b")),
            ("idempotencyKey", json!(7)),
        ];
        let with = |(name, value): (&str, Value)| {
            let mut row = json!({
                "namaPembawa": "Adit", "noTelp": "081200000001", "tipeUnit": "BeAT", "noPol": "D 1 A",
                "createdTime": "31/12/2019 15:40:50", "modifiedTime": "31/12/2019 15:40:50",
                "dealerId": "0009999",
            });
            row[name] = value;
            row.to_string()
        };
        let broken = ["{}", "7", "null", "{\"namaPembawa\": x}"].map(str::to_owned);
        odd.into_iter().map(with).chain(broken).collect()
    }

    /// A store in which no key was used, and to which no row may come.
    fn unused() -> MockRequestStore {
        let mut store = MockRequestStore::new();
        store
            .expect_key_uses()
            .returning(|uses| Ok(vec![None; uses.len()]));
        store
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_is_wrong_with_a_row_is_told_in_indonesian() {
        let odd = odd_rows();
        let case = Case::named("rows.ndjson", odd.join("\n"));
        let status = case.through(unused()).await;
        assert_eq!(status.expect("its end"), ExitCode::from(SOME_REJECTED));
        let reasons = case.reasons();
        assert_eq!(reasons.len(), odd.len());
        assert_indonesian(&reasons);

        let mut table = b"namaPembawa,noTelp,tipeUnit,noPol,dealerId,createdTime,var.km\n".to_vec();
        let odd: [&[u8]; 6] = [
            b"#N/A,081200000001,BeAT,D 1 A,0009999,,",
            b"Adit,\"8,21E+11\",BeAT,D 1 A,0009999,,",
            b"Adit,81200000001.0,BeAT,D 1 A,0009999,,",
            b"Adit,081200000001,BeAT,D 1 A,0009999,45000,",
            b"Adit,081200000001,BeAT,D 1 A,0009999,,#REF!",
            b"Ad\xffit,081200000001,BeAT,D 1 A,0009999,,",
        ];
        table.extend(odd.join(&b'\n'));
        let case = Case::named("rows.csv", table);
        case.through(unused()).await.expect("its end");
        let reasons = case.reasons();
        assert_eq!(reasons.len(), odd.len());
        assert_indonesian(&reasons);

        // What the store says of a row.
        let mut store = MockRequestStore::new();
        store.expect_accept_all().returning(|_| {
            let never = StoreError::Rejected(BoxError::from("too long"));
            vec![Ok(Accepted::KeyReused), Err(never)]
        });
        let case = Case::of(&rows(&["Adit", "Budi"]));
        case.through(store).await.expect("its end");
        let reasons = case.reasons();
        assert_eq!(reasons.len(), 2);
        assert_indonesian(&reasons);
    }
}
