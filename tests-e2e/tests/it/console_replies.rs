//! In the console: what customers write back, and who wants no more messages.

use tests_e2e::{DEALER, eventually};

use crate::console::{Scene, click, fill, has, is_accessible, is_well, path, picture, width};

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_opts_out_is_seen_and_taken_back() {
    let scene = Scene::begin(2).await;
    scene
        .customers_write(&[(2, "Terima kasih"), (2, "stop")])
        .await;
    let page = scene.logged_in(&scene.dealer_key).await;
    width(&page, 360).await;
    let request = scene.requests.last().expect("there are some");
    page.go(&scene.at(&format!("/console/messages/{request}")))
        .await;
    for words in ["Terima kasih", "Adit membalas (minta berhenti)"] {
        assert!(has(&page, words).await, "{words}");
    }
    click(&page, "nav a[href='/console/replies']").await;
    assert!(has(&page, "minta berhenti").await);
    click(&page, "main a[href='/console/opt-outs']").await;
    assert!(has(&page, "membalas STOP").await);

    // Nothing is sent to that number, and nobody has to know it to take it from the list.
    let refused = scene.submit(DEALER, 2).await;
    page.go(&scene.at(&format!("/console/messages/{refused}")))
        .await;
    eventually("it is cancelled", async || {
        page.go(&scene.at(&format!("/console/messages/{refused}")))
            .await;
        has(&page, "CANCELLED").await.then_some(())
    })
    .await;
    page.go(&scene.at("/console/opt-outs")).await;
    click(&page, "td form button").await;
    assert!(has(&page, "Kirim pesan lagi ke nomor ini?").await);
    for wide in [360, 1440] {
        width(&page, wide).await;
        let what = format!("opt-in-question-{wide}");
        is_well(&page, &what).await;
        is_accessible(&page, &what).await;
        picture(&page, &what).await;
    }
    click(&page, "main form button").await;
    assert_eq!(path(&page).await, "/console/opt-outs?done=remove");
    assert!(has(&page, "Belum ada yang berhenti.").await);
    let sent = scene.submit(DEALER, 2).await;
    let sent = format!(
        "SELECT count(*) FROM customer.message WHERE state = 'SENT' AND request_id = '{sent}'"
    );
    eventually("it is sent", async || {
        (scene.story.count(&sent).await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_opted_out_by_hand_after_one_question() {
    let scene = Scene::begin(1).await;
    let page = scene.logged_in(&scene.dealer_key).await;
    width(&page, 360).await;
    page.go(&scene.at("/console/opt-outs")).await;
    fill(&page, "#phone", "021 555").await;
    click(&page, "section form button").await;
    assert!(has(&page, "bukan nomor ponsel").await);
    is_accessible(&page, "opt-out-faulty").await;
    picture(&page, "opt-out-faulty-360").await;
    fill(&page, "#phone", "+62 812-0000-0001").await;
    fill(&page, "#note", "diminta di kasir").await;
    click(&page, "section form button").await;
    assert!(has(&page, "Hentikan pesan ke nomor ini?").await);
    for wide in [360, 1440] {
        width(&page, wide).await;
        let what = format!("opt-out-question-{wide}");
        is_well(&page, &what).await;
        is_accessible(&page, &what).await;
        picture(&page, &what).await;
    }
    click(&page, "main form button").await;
    for words in [
        "tidak dikirimi pesan lagi",
        "0812*****001",
        "diminta di kasir",
    ] {
        assert!(has(&page, words).await, "{words}");
    }
    let audit = "SELECT count(*) FROM customer.audit WHERE action = 'opt_out.add' AND actor = 'Bengkel Demo'";
    assert_eq!(scene.story.count(audit).await, 1);
}
