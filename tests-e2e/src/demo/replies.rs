//! What some customers of the demo wrote back.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::history::DemoDealer;
use super::setup::answer;
use crate::Client;

/// What the newest customers wrote; the name in WhatsApp is the one that they gave.
const SAID: [&str; 5] = [
    "Terima kasih, motornya sudah saya ambil 🙏",
    "Baik, saya tunggu kabarnya.",
    "Apakah bisa dijemput besok jam 10?",
    "Sudah bisa diambil hari ini?",
    "Oke",
];

/// Lets some customers of a dealer write back, and opts one out by hand.
pub(super) async fn write(service: &Client, dealer: &DemoDealer) -> anyhow::Result<()> {
    let id = dealer.id;
    let shown = service.get(&format!("/api/v1/admin/dealers/{id}")).await?;
    let shown = answer(&shown)?;
    let address = shown["data"]["webhooks"]["message"].as_str();
    let address = address.context("there is no address for replies")?;
    let path = address.find("/api/").map(|at| &address[at..]);
    let path = path.context("the address has no path")?;
    let list = format!("/api/v1/customer/dealer/{id}/requests?page_size=20&whatsapp_status=READ");
    let list = answer(&service.get(&list).await?)?;
    let Some(items) = list["data"]["items"].as_array() else {
        bail!("the list of dealer {id} has no items");
    };
    let phone = |item: &Value| item["no_telp"].as_str().unwrap_or_default().to_owned();
    for (n, (item, text)) in items.iter().zip(SAID).enumerate() {
        let reply = json!({
            "sender": phone(item).replacen('0', "62", 1),
            "name": item["nama_pembawa"],
            "message": text,
            "inboxid": n + 1,
        });
        answer(&service.post(path, &reply).await?)?;
    }
    if let Some(item) = items.get(SAID.len()) {
        let opt_out = json!({ "phone": phone(item), "note": "diminta di kasir" });
        let path = format!("/api/v1/customer/dealer/{id}/opt-outs");
        answer(&service.post(&path, &opt_out).await?)?;
    }
    Ok(())
}
