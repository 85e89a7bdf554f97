//! The list of messages.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use domain::access::{AuditEntry, Scope, Visibility};
use domain::dealers::Dealer;
use domain::delivery::QueueState;
use domain::ports::{Cancelled, Messages, Resent, StoreError};
use domain::requests::{Message, MessageState, NewMessage, NewRequest, RequestId, Submission};
use domain::values::{DealerId, Phone};
use testkit::contract::Backstage as _;
use testkit::{MemoryStore, sample};

use crate::site::Site;

/// The `n`th request of the sample dealer, with what a test changes.
fn request(n: u32, change: impl FnOnce(&mut Submission)) -> NewRequest {
    let mut submission = Submission {
        customer_name: format!("Pelanggan {n}").into(),
        phone: format!("0812{n:08}").into(),
        ..sample::submission()
    };
    change(&mut submission);
    let mut request = sample::request_for(&sample::dealer_id(), n);
    let created = request.submission.created_time;
    request.submission = submission.validate(sample::now()).unwrap();
    request.submission.created_time = created;
    request
}

/// The names in a page, in its order.
fn names(body: &str) -> Vec<String> {
    let cells = body.split("data-label=\"Nama\"><bdi>").skip(1);
    cells
        .filter_map(|cell| cell.split('<').next())
        .map(str::to_owned)
        .collect()
}

#[actix_web::test]
async fn a_dealer_sees_its_own_messages_alone_newest_first() {
    let site = Site::new();
    for n in 1..=3 {
        site.accept(&request(n, |_| {})).await;
    }
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    site.accept(&sample::request_for(&other.id, 9)).await;
    let cookie = site.dealer(Scope::Read).await;
    let page = site.get("/console/messages", &cookie).await;
    assert_eq!(
        names(&page.body),
        ["Pelanggan 3", "Pelanggan 2", "Pelanggan 1"]
    );
    assert!(page.body.contains("3 pesan ditemukan"));
    assert!(page.body.contains("0812*****001") && !page.body.contains("081200000001"));
    assert!(!page.body.contains("name=\"dealer_id\""));
    // Who only looks has no buttons.
    assert!(!page.body.contains("Kirim ulang") && !page.body.contains("type=\"checkbox\""));
    let foreign = format!("/console/messages?dealer_id={}", other.id);
    assert_eq!(site.get(&foreign, &cookie).await.status, 404);
    let own = site
        .get("/console/messages?dealer_id=0009999", &cookie)
        .await;
    assert_eq!(own.status, 200);
}

#[actix_web::test]
async fn head_office_sees_all_dealers_in_one_list() {
    let site = Site::new();
    let other: Dealer = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    let at = |minutes| sample::morning(2025, 1, 7) + TimeDelta::minutes(minutes);
    site.accept(&sample::request_at(&other.id, 1, at(1))).await;
    site.accept(&sample::request_at(&sample::dealer_id(), 2, at(2)))
        .await;
    site.accept(&sample::request_at(&other.id, 3, at(3))).await;
    let cookie = site.head_office().await;
    let page = site.get("/console/messages", &cookie).await.body;
    assert_eq!(names(&page), ["Pelanggan 3", "Pelanggan 2", "Pelanggan 1"]);
    let one = format!("/console/messages?dealer_id={}", other.id);
    let page = site.get(&one, &cookie).await.body;
    assert_eq!(names(&page), ["Pelanggan 3", "Pelanggan 1"]);
    let unknown = site.get("/console/messages?dealer_id=12345", &cookie).await;
    assert_eq!(unknown.status, 404);
    // What no index knows is looked for in the last days, and the form says so.
    let page = site
        .get("/console/messages?q=pelanggan", &cookie)
        .await
        .body;
    assert!(names(&page).is_empty());
    assert!(page.contains("name=\"date_from\" type=\"date\" value=\"20"));
    let page = site
        .get(
            "/console/messages?q=pelanggan&date_from=2025-01-01",
            &cookie,
        )
        .await
        .body;
    assert_eq!(names(&page).len(), 3);
}

#[actix_web::test]
async fn a_message_is_found_as_people_write_it() {
    let site = Site::new();
    site.accept(&request(1, |it| {
        it.customer_name = "Sri Wahyuni".into();
        it.license_plate = "B 1234 XY".into();
        it.phone = "082148523421".into();
    }))
    .await;
    site.accept(&request(2, |it| it.customer_name = "Budi".into()))
        .await;
    let cookie = site.dealer(Scope::Read).await;
    for (query, found) in [
        ("sri+wah", 1),
        ("WAHYUNI", 1),
        ("b1234xy", 1),
        ("B+1234+XY", 1),
        ("b-1234", 1),
        ("3421", 1),
        ("%2B62+821-4852-3421", 1),
        ("0821+4852+3421", 1),
        ("nobody", 0),
        ("%25%25%25", 0),
        (".*.*", 0),
    ] {
        let page = site
            .get(&format!("/console/messages?q={query}"), &cookie)
            .await;
        assert_eq!(names(&page.body).len(), found, "{query}");
    }
    let none = site.get("/console/messages?q=nobody", &cookie).await.body;
    assert!(none.contains("Tidak ada pesan yang cocok"));
    assert!(none.contains("value=\"nobody\""));
}

#[actix_web::test]
async fn days_and_statuses_are_filtered_by_the_address() {
    let site = Site::new();
    let early = sample::request_at(&sample::dealer_id(), 1, sample::morning(2026, 1, 7));
    let late = sample::request_at(&sample::dealer_id(), 2, sample::morning(2026, 1, 9));
    site.accept(&early).await;
    site.accept(&late).await;
    let read = (Some("PROCESSED"), Some("READ"));
    site.world.store.set_statuses(late.id, read.0, read.1).await;
    let cookie = site.dealer(Scope::Read).await;
    for (query, found) in [
        ("date_from=2026-01-08", vec!["Pelanggan 2"]),
        ("date_to=2026-01-08", vec!["Pelanggan 1"]),
        ("date_from=2026-01-10&date_to=2026-01-01", vec![]),
        ("whatsapp_status=READ", vec!["Pelanggan 2"]),
        (
            "whatsapp_status=READ,NOT_SENT",
            vec!["Pelanggan 2", "Pelanggan 1"],
        ),
        (
            "whatsapp_status=&q=&date_from=&date_to=",
            vec!["Pelanggan 2", "Pelanggan 1"],
        ),
    ] {
        let page = site
            .get(&format!("/console/messages?{query}"), &cookie)
            .await;
        assert_eq!(names(&page.body), found, "{query}");
    }
    let faulty = site
        .get("/console/messages?q=ab&date_from=7+Januari", &cookie)
        .await;
    assert_eq!(faulty.status, 422);
    for words in [
        "Tulis paling sedikit 3",
        "Tulis tanggal seperti",
        "value=\"7 Januari\"",
    ] {
        assert!(faulty.body.contains(words), "{words}");
    }
}

#[actix_web::test]
async fn pages_follow_each_other() {
    let site = Site::new();
    for n in 0..60 {
        site.accept(&request(n, |_| {})).await;
    }
    let cookie = site.dealer(Scope::Read).await;
    let mut path = "/console/messages".to_owned();
    let mut all = Vec::new();
    for rows in [25, 25, 10] {
        let page = site.get(&path, &cookie).await.body;
        let found = names(&page);
        assert_eq!(found.len(), rows);
        all.extend(found);
        let next = page.split("rel=\"next\" href=\"").nth(1);
        path = next.map_or_else(String::new, |rest| {
            rest.split('"')
                .next()
                .unwrap_or_default()
                .replace("&amp;", "&")
        });
    }
    assert_eq!(path, "");
    let expected: Vec<_> = (0..60).rev().map(|n| format!("Pelanggan {n}")).collect();
    assert_eq!(all, expected);
}

#[actix_web::test]
async fn hostile_names_are_only_text() {
    let site = Site::new();
    let hostile = [
        "<script>alert(1)</script>".to_owned(),
        "\" onmouseover=\"alert(1)".to_owned(),
        "\u{202e}gnalab".to_owned(),
        "😀".repeat(100),
        "م".repeat(255),
        "'; DROP TABLE customer; --".to_owned(),
    ];
    for (n, name) in (1..).zip(&hostile) {
        site.accept(&request(n, |it| {
            it.customer_name = name.clone().into();
            it.unit_type = name.chars().take(100).collect::<String>().into();
        }))
        .await;
    }
    let cookie = site.dealer(Scope::Write).await;
    let page = site.get("/console/messages", &cookie).await.body;
    assert!(
        !page.contains("<script>alert") && !page.contains("\" onmouseover"),
        "{page}"
    );
    assert_eq!(names(&page).len(), hostile.len());
    let query = "q=%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%3E";
    let page = site
        .get(&format!("/console/messages?{query}"), &cookie)
        .await
        .body;
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(
        page.contains("value=\"&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;\""),
        "{page}"
    );
}

/// Ids as a form posts them.
fn ticked(ids: &[RequestId]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| format!("id={id}")).collect();
    ids.join("&")
}

#[actix_web::test]
async fn several_are_sent_again_after_asking_once() {
    let site = Site::new();
    let mut ids = Vec::new();
    for n in 1..=3 {
        ids.push(site.accept(&request(n, |_| {})).await);
    }
    // Two are done with, one still waits.
    for id in &ids[..2] {
        let messages = site.world.services().messages;
        let all = domain::access::Visibility::All;
        messages.cancel(*id, &all, &sample::author()).await.unwrap();
    }
    let cookie = site.dealer(Scope::Write).await;
    let form = format!("{}&id={}&q=pelanggan", ticked(&ids), ids[0]);
    let asked = site.post("/console/messages/resend", &cookie, &form).await;
    assert_eq!(asked.status, 200);
    assert!(asked.body.contains("Kirim ulang 2 pesan"), "{}", asked.body);
    assert!(asked.body.contains("1 pesan dilewati"));
    assert_eq!(site.world.store.message_count(), 3);
    let form = format!("{}&confirmed=yes&q=pelanggan", ticked(&ids));
    let done = site.post("/console/messages/resend", &cookie, &form).await;
    assert_eq!(done.status, 303);
    assert_eq!(
        done.location(),
        "/console/messages?q=pelanggan&act=resend&done=2&left_out=1&faulty=0"
    );
    assert_eq!(site.world.store.message_count(), 5);
    let page = site.get(done.location(), &cookie).await.body;
    assert!(page.contains("2 pesan masuk antrean lagi."));
    assert!(page.contains("1 pesan dilewati"));
    let again = site.post("/console/messages/resend", &cookie, &form).await;
    assert!(again.location().contains("done=0&left_out=3"));
}

#[actix_web::test]
async fn several_are_cancelled_after_asking_once() {
    let site = Site::new();
    let one = site.accept(&request(1, |_| {})).await;
    let two = site.accept(&request(2, |_| {})).await;
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    let foreign = site.accept(&sample::request_for(&other.id, 9)).await;
    let cookie = site.dealer(Scope::Write).await;
    let form = ticked(&[one, two, foreign]);
    let asked = site
        .post("/console/messages/cancel", &cookie, &form)
        .await
        .body;
    assert!(asked.contains("Batalkan 2 pesan") && asked.contains("1 pesan dilewati"));
    assert!(!asked.contains(&foreign.to_string()));
    let done = site
        .post(
            "/console/messages/cancel",
            &cookie,
            &format!("{form}&confirmed=yes"),
        )
        .await;
    assert!(
        done.location()
            .ends_with("act=cancel&done=2&left_out=1&faulty=0")
    );
    let state = |id| site.world.store.message_state(id);
    assert_eq!(state(one), Some(MessageState::Cancelled));
    assert_eq!(state(foreign), Some(MessageState::Queued));
}

#[actix_web::test]
async fn nothing_and_too_much_cannot_be_chosen() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let nothing = site
        .post("/console/messages/resend", &cookie, "q=abc")
        .await;
    assert_eq!(nothing.status, 422);
    assert!(nothing.body.contains("Tidak ada pesan yang dipilih"));
    assert!(nothing.body.contains("href=\"/console/messages?q=abc\""));
    let garbage = site.post("/console/messages/resend", &cookie, "id=x").await;
    assert_eq!(garbage.status, 400);
    let many: Vec<_> = (0..26)
        .map(|n| RequestId(uuid::Uuid::from_u128(n)))
        .collect();
    let many = site
        .post("/console/messages/cancel", &cookie, &ticked(&many))
        .await;
    assert_eq!(many.status, 400);
}

#[actix_web::test]
async fn an_empty_list_says_how_to_begin() {
    let site = Site::new();
    let page = site
        .get("/console/messages", &site.dealer(Scope::Read).await)
        .await
        .body;
    let call = "curl -X POST http://customer.example/api/v1/customer/validate-customer";
    assert!(page.contains(call), "{page}");
    assert!(
        page.contains("X-API-Key") && page.contains("&quot;dealerId&quot;: &quot;0009999&quot;")
    );
}

#[actix_web::test]
async fn an_inactive_dealer_has_no_list_and_is_told_why() {
    let site = Site::new();
    let mut dealer = sample::dealer();
    dealer.active = false;
    site.world.store.put_dealer(dealer);
    let (own, office) = (site.dealer(Scope::Write).await, site.head_office().await);
    for cookie in [&own, &office] {
        for path in ["messages", "analytics"] {
            let path = format!("/console/{path}?dealer_id=0009999");
            let page = site.get(&path, cookie).await;
            assert_eq!(page.status, 404, "{path}");
            assert!(page.body.contains("Dealer ini tidak aktif"), "{path}");
        }
        let account = site.get("/console/dealers/0009999", cookie).await;
        assert_eq!(account.status, 200);
        for nowhere in [
            "/console/messages?dealer_id",
            "/console/dealers/0009999/test",
        ] {
            assert!(!account.body.contains(nowhere), "{nowhere}");
        }
    }
    let unknown = site.get("/console/messages?dealer_id=12345", &office).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("Halaman tidak ditemukan"));
}

/// Messages whose next resends end like this.
struct Failing {
    store: Arc<MemoryStore>,
    ends: Mutex<VecDeque<Option<StoreError>>>,
}

#[async_trait::async_trait]
impl Messages for Failing {
    async fn timeline(
        &self,
        request: RequestId,
        seen: &Visibility,
    ) -> Result<Vec<Message>, StoreError> {
        self.store.timeline(request, seen).await
    }

    async fn resend(
        &self,
        request: RequestId,
        seen: &Visibility,
        message: &NewMessage,
        target: &Phone,
        entry: &AuditEntry,
    ) -> Result<Resent, StoreError> {
        if let Some(error) = self.ends.lock().unwrap().pop_front().flatten() {
            return Err(error);
        }
        self.store
            .resend(request, seen, message, target, entry)
            .await
    }

    async fn cancel(
        &self,
        request: RequestId,
        seen: &Visibility,
        entry: &AuditEntry,
    ) -> Result<Cancelled, StoreError> {
        self.store.cancel(request, seen, entry).await
    }

    async fn queue(&self, dealer: &DealerId) -> Result<QueueState, StoreError> {
        Messages::queue(&*self.store, dealer).await
    }
}

/// So many requests that can be sent again.
async fn done_with(site: &Site, count: u32) -> Vec<RequestId> {
    let mut ids = Vec::new();
    for n in 1..=count {
        let id = site.accept(&request(n, |_| {})).await;
        finish(site, &[id]).await;
        ids.push(id);
    }
    ids
}

#[actix_web::test]
async fn when_the_store_goes_away_the_rest_can_be_tried_again() {
    let mut site = Site::new();
    let ids = done_with(&site, 4).await;
    let away = StoreError::Unavailable("away".into());
    site.ports.messages = Arc::new(Failing {
        store: site.world.store.clone(),
        ends: Mutex::new([None, Some(away)].into()),
    });
    let cookie = site.dealer(Scope::Write).await;
    let form = format!("{}&confirmed=yes&q=pelanggan", ticked(&ids));
    let stopped = site.post("/console/messages/resend", &cookie, &form).await;
    assert_eq!(stopped.status, 503);
    assert_eq!(stopped.header("retry-after"), Some("5"));
    let chosen = |id: RequestId| format!("name=\"id\" value=\"{id}\"");
    let are_chosen = ids.iter().map(|id| stopped.body.contains(&chosen(*id)));
    assert_eq!(are_chosen.collect::<Vec<_>>(), [false, false, true, true]);
    for words in [
        "1 pesan masuk antrean lagi.",
        "tidak diketahui apakah berhasil",
        &format!("href=\"/console/messages/{}\"", ids[1]),
        "Kirim ulang 2 pesan",
        "name=\"q\" value=\"pelanggan\"",
    ] {
        assert!(stopped.body.contains(words), "{words}: {}", stopped.body);
    }
    let form = format!("{}&confirmed=yes", ticked(&ids[2..]));
    let rest = site.post("/console/messages/resend", &cookie, &form).await;
    assert!(rest.location().contains("done=2&left_out=0"));
}

#[actix_web::test]
async fn what_the_store_refuses_is_told_apart_from_what_is_left_out() {
    let mut site = Site::new();
    let ids = done_with(&site, 3).await;
    let refused = || Some(StoreError::Rejected("a narrow column".into()));
    let corrupt = || Some(StoreError::Corrupt("a row".into()));
    site.ports.messages = Arc::new(Failing {
        store: site.world.store.clone(),
        ends: Mutex::new([refused(), corrupt()].into()),
    });
    let cookie = site.dealer(Scope::Write).await;
    let form = format!("{}&confirmed=yes", ticked(&ids));
    let done = site.post("/console/messages/resend", &cookie, &form).await;
    assert_eq!(
        done.location(),
        "/console/messages?act=resend&done=1&left_out=0&faulty=2"
    );
    let page = site.get(done.location(), &cookie).await.body;
    assert!(page.contains("2 pesan gagal diproses") && !page.contains("dilewati"));
}

/// The hidden fields of a page's form about these requests.
fn hidden(page: &str) -> String {
    let inputs = page.split("<input type=\"hidden\" name=\"").skip(1);
    let fields = inputs.filter_map(|input| {
        let (name, rest) = input.split_once("\" value=\"")?;
        let (value, _) = rest.split_once('"')?;
        let wanted = matches!(name, "id" | "confirmed") || name.starts_with("newest");
        wanted.then(|| format!("{name}={value}"))
    });
    fields.collect::<Vec<_>>().join("&")
}

/// Takes what waits out of the queue, so that another message may follow.
async fn finish(site: &Site, ids: &[RequestId]) {
    let (messages, author) = (site.world.services().messages, sample::author());
    for id in ids {
        let cancelled = messages.cancel(*id, &Visibility::All, &author);
        cancelled.await.unwrap();
    }
}

#[actix_web::test]
async fn a_second_click_sends_nothing_more() {
    let site = Site::new();
    let ids = done_with(&site, 2).await;
    let cookie = site.dealer(Scope::Write).await;
    let path = "/console/messages/resend";
    let asked = site.post(path, &cookie, &ticked(&ids)).await.body;
    let form = hidden(&asked);
    for round in 0..3 {
        let done = site.post(path, &cookie, &form).await;
        assert!(done.location().contains("done=2&left_out=0"), "{round}");
        assert_eq!(site.world.store.message_count(), 4, "{round}");
        if round == 1 {
            finish(&site, &ids).await;
        }
    }
    let one = format!("/console/messages/{}", ids[0]);
    let form = hidden(&site.get(&one, &cookie).await.body);
    for round in 0..3 {
        let done = site.post(&format!("{one}/resend"), &cookie, &form).await;
        assert_eq!(done.location(), format!("{one}?done=resend"), "{round}");
        assert_eq!(site.world.store.message_count(), 5, "{round}");
        if round == 1 {
            finish(&site, &ids[..1]).await;
        }
    }
    // Whoever has not seen a newer one is not told that it was done.
    assert_eq!(
        site.post(&format!("{one}/resend"), &cookie, "")
            .await
            .status,
        303
    );
    assert_eq!(
        site.post(&format!("{one}/resend"), &cookie, "")
            .await
            .status,
        409
    );
}

#[actix_web::test]
async fn a_search_of_all_dealers_up_to_a_day_begins_a_week_before() {
    let site = Site::new();
    let at = |day| sample::request_at(&sample::dealer_id(), day, sample::morning(2025, 1, day));
    site.accept(&at(1)).await;
    site.accept(&at(9)).await;
    let cookie = site.head_office().await;
    let path = "/console/messages?q=pelanggan&date_to=2025-01-10";
    let page = site.get(path, &cookie).await.body;
    assert_eq!(names(&page), ["Pelanggan 9"]);
    assert!(page.contains("value=\"2025-01-03\"") && page.contains("value=\"2025-01-10\""));
    let first = "/console/messages?q=pelanggan&date_to=0001-01-03";
    assert_eq!(site.get(first, &cookie).await.status, 200);
}

#[actix_web::test]
async fn days_and_places_are_those_of_the_api() {
    let site = Site::new();
    for n in 0..30 {
        site.accept(&request(n, |_| {})).await;
    }
    let cookie = site.dealer(Scope::Read).await;
    for day in [
        "%2B2026-01-01",
        "-0001-01-01",
        "%2B99999-01-01",
        "0000-01-01",
        "2026-1-1",
    ] {
        for path in ["messages", "analytics"] {
            let path = format!("/console/{path}?date_from={day}");
            assert_eq!(site.get(&path, &cookie).await.status, 422, "{path}");
        }
    }
    let office = site.head_office().await;
    let form = "name=Kasir&scope=read&expires=%2B99999-01-01";
    assert_eq!(site.post("/console/keys", &office, form).await.status, 422);
    let page = site
        .get("/console/messages?q=pelanggan", &cookie)
        .await
        .body;
    let next = page.split("rel=\"next\" href=\"").nth(1).unwrap();
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    assert_eq!(names(&site.get(&next, &cookie).await.body).len(), 5);
    // In another list it is no place.
    let other = next.replace("q=pelanggan", "q=pelanggan+1");
    assert!(
        !site
            .get(&other, &cookie)
            .await
            .body
            .contains("Ke yang terbaru")
    );
    let altered = "/console/messages?cursor=2147483646_0_23f16411-6eb2-4829-a964-9ad1f0e0cc22";
    assert!(
        !site
            .get(altered, &cookie)
            .await
            .body
            .contains("Ke yang terbaru")
    );
}
