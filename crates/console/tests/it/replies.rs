//! What customers write back, and who gets no messages any more.

use domain::access::{Scope, Visibility};
use domain::events::EventContent;
use domain::ports::EventStore as _;
use domain::replies::IncomingReply;
use domain::requests::MessageState;
use domain::values::Phone;
use testkit::sample;

use crate::site::Site;

const REPLIES: &str = "/console/replies";
const OPT_OUTS: &str = "/console/opt-outs";

/// What the person of the sample request writes back.
async fn says(site: &Site, text: Option<&str>, id: &str) {
    let reply = IncomingReply {
        phone: Phone::parse("082148523421").unwrap(),
        name: Some("Adit <b> 082148523421".to_owned()),
        text: text.map(str::to_owned),
        inbox_id: Some(id.to_owned()),
        written_at: None,
    };
    let event = sample::event(EventContent::Reply(reply));
    let dealer = sample::dealer_id();
    site.world.store.keep(&dealer, &event).await.unwrap();
}

#[actix_web::test]
async fn replies_are_listed_and_stand_in_the_story_of_their_message() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Read).await;
    let none = site.get(REPLIES, &cookie).await;
    assert_eq!(none.status, 200);
    assert!(none.body.contains("Belum ada balasan."), "{}", none.body);
    let id = site.accept(&sample::new_request()).await;
    says(&site, Some("Terima kasih, hubungi 081200001234"), "1").await;
    says(&site, None, "2").await;
    says(&site, Some(" stop. "), "3").await;
    let list = site.get(REPLIES, &cookie).await.body;
    let story = site.get(&format!("/console/messages/{id}"), &cookie).await;
    for page in [&list, &story.body] {
        for words in [
            "Terima kasih, hubungi 0812*****234",
            "(gambar atau berkas tanpa teks)",
            "minta berhenti",
            "Adit &lt;b&gt; 0821*****421",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains("082148523421") && !page.contains("081200001234"));
    }
    assert!(list.contains(&format!("/console/messages/{id}")));
    let newest = list.find("minta berhenti").unwrap();
    assert!(newest < list.find("Terima kasih").unwrap(), "newest first");
    let english = site.head_office().await;
    let other = site
        .get(&format!("{REPLIES}?dealer_id=0009999"), &english)
        .await;
    assert!(other.body.contains("Terima kasih"));
}

#[actix_web::test]
async fn a_long_list_has_pages() {
    let site = Site::new();
    for n in 0..51 {
        says(&site, Some(&format!("Kata {n}.")), &n.to_string()).await;
    }
    let cookie = site.dealer(Scope::Read).await;
    let first = site.get(REPLIES, &cookie).await.body;
    assert!(first.contains("Kata 50.") && !first.contains("Kata 0."));
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap();
    let next = next.split('"').next().unwrap();
    let second = site.get(next, &cookie).await.body;
    assert!(
        second.contains("Kata 0.") && !second.contains("Kata 50."),
        "{second}"
    );
    assert!(!second.contains("rel=\"next\""));
    let broken = site.get(&format!("{REPLIES}?cursor=x"), &cookie).await.body;
    assert!(broken.contains("Kata 50."));
}

#[actix_web::test]
async fn head_office_chooses_a_dealer_and_a_dealer_sees_its_own() {
    let site = Site::new();
    site.world.store.put_dealer(sample::dealer_numbered(1));
    let office = site.head_office().await;
    for path in [REPLIES, OPT_OUTS] {
        let page = site.get(path, &office).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("name=\"dealer_id\""));
        assert!(!page.body.contains("name=\"phone\""));
        for wrong in ["0000001", "x", "%3Cscript%3E"] {
            let page = site
                .get(&format!("{path}?dealer_id={wrong}"), &office)
                .await;
            assert_eq!(page.status, 404, "{path} {wrong}");
            assert!(page.body.contains("Tidak ada dealer dengan nomor ini."));
            assert!(!page.body.contains("<script>"));
        }
        let own = site.dealer(Scope::Write).await;
        let other = format!("{path}?dealer_id={}", sample::dealer_numbered(1).id);
        assert_eq!(site.get(&other, &own).await.status, 404);
        assert_eq!(
            site.get(&format!("{path}?dealer_id=x"), &own).await.status,
            404
        );
        let page = site.get(path, &own).await.body;
        assert!(!page.contains("name=\"dealer_id\""), "{page}");
    }
}

#[actix_web::test]
async fn a_number_is_opted_out_after_one_question_with_what_it_stops() {
    let site = Site::new();
    let id = site.accept(&sample::new_request()).await;
    let cookie = site.dealer(Scope::Write).await;
    let form = "phone=%2B62+821-4852-3421&note=di+kasir+%3Cb%3E";
    let asked = site.post(OPT_OUTS, &cookie, form).await;
    assert_eq!(asked.status, 200);
    for words in [
        "1 pesan yang menunggu",
        "di kasir &lt;b&gt;",
        "name=\"confirmed\"",
    ] {
        assert!(asked.body.contains(words), "{words}: {}", asked.body);
    }
    assert!(
        site.get(OPT_OUTS, &cookie)
            .await
            .body
            .contains("Belum ada yang berhenti.")
    );
    let sure = format!("{form}&confirmed=yes");
    let done = site.post(OPT_OUTS, &cookie, &sure).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/console/opt-outs?done=add")
    );
    let list = site.get(done.location(), &cookie).await.body;
    for words in [
        "Nomor ini tidak dikirimi pesan lagi.",
        "0821*****421",
        "dimasukkan di sini",
        "di kasir &lt;b&gt;",
    ] {
        assert!(list.contains(words), "{words}: {list}");
    }
    assert!(!list.contains("082148523421"));
    let messages = site.world.services().messages;
    let messages = messages.timeline(id, &Visibility::All).await.unwrap();
    assert_eq!(messages[0].message.state, MessageState::Cancelled);
    let again = site.post(OPT_OUTS, &cookie, &sure).await;
    assert_eq!(again.location(), "/console/opt-outs?done=same");
}

#[actix_web::test]
async fn a_number_is_taken_from_the_list_after_one_question() {
    let site = Site::new();
    says(&site, Some("STOP"), "1").await;
    let office = site.head_office().await;
    let path = format!("{OPT_OUTS}?dealer_id=0009999");
    let list = site.get(&path, &office).await.body;
    assert!(list.contains("membalas STOP"), "{list}");
    let place = list.split("name=\"place\" value=\"").nth(1).unwrap();
    let place = place.split('"').next().unwrap();
    let form = format!("dealer_id=0009999&place={place}");
    let remove = format!("{OPT_OUTS}/remove");
    let asked = site.post(&remove, &office, &form).await;
    assert!(
        asked.body.contains("Kirim pesan lagi ke nomor ini?"),
        "{}",
        asked.body
    );
    assert!(asked.body.contains("0821*****421"));
    assert!(
        site.get(&path, &office)
            .await
            .body
            .contains("membalas STOP")
    );
    let sure = format!("{form}&confirmed=yes");
    let done = site.post(&remove, &office, &sure).await;
    let back = "/console/opt-outs?dealer_id=0009999&done=remove";
    assert_eq!((done.status, done.location()), (303, back));
    let list = site.get(back, &office).await.body;
    assert!(list.contains("dikirimi pesan lagi") && list.contains("Belum ada yang berhenti."));
    let again = site.post(&remove, &office, &sure).await;
    assert!(
        again.location().ends_with("done=gone"),
        "{}",
        again.location()
    );
    let audit = site.get("/console/audit", &office).await.body;
    assert!(
        audit.contains("mengirim pesan lagi ke satu nomor"),
        "{audit}"
    );
}

#[actix_web::test]
async fn what_was_typed_wrong_stands_at_its_field_and_changes_nothing() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let before = site.world.store.everything();
    let long = "x".repeat(256);
    for (form, words) in [
        (
            "phone=021+555&confirmed=yes".to_owned(),
            "bukan nomor ponsel",
        ),
        ("confirmed=yes".to_owned(), "bukan nomor ponsel"),
        (
            format!("phone=081200000001&note={long}&confirmed=yes"),
            "paling banyak 255",
        ),
        (
            "phone=081200000001&note=a%07b&confirmed=yes".to_owned(),
            "tidak bisa dipakai",
        ),
    ] {
        let page = site.post(OPT_OUTS, &cookie, &form).await;
        assert_eq!(page.status, 422, "{form}");
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let remove = format!("{OPT_OUTS}/remove");
    assert_eq!(
        site.post(&remove, &cookie, "place=x&confirmed=yes")
            .await
            .status,
        400
    );
    let gone = site.post(&remove, &cookie, "place=7&confirmed=yes").await;
    assert!(gone.location().ends_with("done=gone"));
    let reader = site.dealer(Scope::Read).await;
    let form = "phone=081200000001&confirmed=yes";
    assert_eq!(site.post(OPT_OUTS, &reader, form).await.status, 403);
    let list = site.get(OPT_OUTS, &reader).await.body;
    assert!(!list.contains("name=\"phone\""));
    // The session of the reader is all that came.
    let after = site.world.store.everything();
    assert!(before.contains("opt_outs") == after.contains("opt_outs"));
    let opt_outs = site.world.services().conversations;
    let opt_outs = opt_outs
        .opt_outs(&sample::dealer_id(), None, 10)
        .await
        .unwrap();
    assert!(opt_outs.is_empty());
}

#[actix_web::test]
async fn the_confirmation_of_an_opt_out_is_a_setting() {
    let site = Site::new();
    let office = site.head_office().await;
    let path = "/console/dealers/0009999";
    let ticked = "name=\"opt_out_reply\" value=\"yes\" checked";
    let page = site.get(path, &office).await.body;
    assert!(page.contains(ticked), "{page}");
    assert!(page.contains("webhook-message") && page.contains("/message\""));
    let settings = format!("{path}/settings");
    // A form that does not tell leaves it.
    let saved = site.post(&settings, &office, "daily_limit=5").await;
    assert_eq!(saved.status, 303);
    assert!(site.get(path, &office).await.body.contains(ticked));
    let saved = site
        .post(&settings, &office, "daily_limit=5&opt_out_reply=no")
        .await;
    assert!(
        saved.location().ends_with("done=save"),
        "{}",
        saved.location()
    );
    assert!(!site.get(path, &office).await.body.contains(ticked));
    let saved = site
        .post(
            &settings,
            &office,
            "daily_limit=5&opt_out_reply=no&opt_out_reply=yes",
        )
        .await;
    assert!(saved.location().ends_with("done=save"));
    assert!(site.get(path, &office).await.body.contains(ticked));
}
