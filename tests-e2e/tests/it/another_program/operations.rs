//! The operations beside submissions, each against the real program.

use customer_service_client::Error;
use customer_service_client::types::{
    AnalyticsQuery, DeviceReportBody, ErasureBody, ExportBody, ListQuery, MessageReportBody,
    NewKeyBody, OptOutBody, PageQuery, PreviewBody, RangeQuery, ReplyListQuery, ScopeName,
    SettingsBody, StatusReportBody, TemplateBody, TestBody,
};
use tests_e2e::{DEALER, eventually};

use super::{head_office, stored};

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_saved_over_the_version_that_was_read_and_no_other() {
    let (_story, _service, client) = head_office().await;
    let text = |body: &str| TemplateBody {
        body: body.to_owned(),
    };
    let saved = client
        .save_dealer_template(DEALER, "servis", &text("Halo {customer_name}"), None)
        .await
        .expect("saved");
    let read = client
        .get_dealer_template(DEALER, "servis")
        .await
        .expect("found");
    assert_eq!(read.etag, saved.etag);
    let over = read.etag.as_deref();
    client
        .save_dealer_template(DEALER, "servis", &text("Hai {customer_name}"), over)
        .await
        .expect("saved");
    let late = client
        .save_dealer_template(DEALER, "servis", &text("Hey {customer_name}"), over)
        .await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    let left = client.remove_dealer_template(DEALER, "servis", None).await;
    assert!(left.expect("removed").is_none());
    let shared = client
        .save_shared_template("servis", &text("Halo"), None)
        .await;
    let tag = shared.expect("saved").etag;
    assert_eq!(
        client
            .list_dealer_templates(DEALER)
            .await
            .expect("a list")
            .len(),
        2
    );
    assert_eq!(
        client.list_shared_templates().await.expect("a list").len(),
        2
    );
    let read = client.get_shared_template("servis").await.expect("found");
    assert_eq!(read.etag, tag);
    client
        .remove_shared_template("servis", tag.as_deref())
        .await
        .expect("removed");
    let preview = PreviewBody {
        body: "Halo {nama}".to_owned(),
        sample: None,
        recent: Some(1),
    };
    let shown = client.preview_dealer_template(DEALER, &preview).await;
    assert_eq!(shown.expect("shown").faults.len(), 1);
    let shown = client.preview_shared_template(&preview).await;
    assert_eq!(shown.expect("shown").faults.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_back_is_listed_and_opted_out_and_in() {
    let (_story, _service, client) = head_office().await;
    let made = stored(&client, 1).await;
    let dealer = client.get_dealer(DEALER).await.expect("found");
    let address = dealer.webhooks.message.expect("an address");
    let token = address.rsplit('/').nth(1).expect("a token");
    let said = |text: &str| MessageReportBody {
        sender: Some("6281200000001".to_owned()),
        message: Some(text.to_owned()),
        ..MessageReportBody::default()
    };
    client
        .report_message(token, &said("Terima kasih"))
        .await
        .expect("taken");
    client
        .report_message(token, &said("stop"))
        .await
        .expect("taken");
    let status = StatusReportBody::default();
    client
        .report_message_status(token, &status)
        .await
        .expect("taken");
    let device = DeviceReportBody::default();
    client
        .report_device_status(token, &device)
        .await
        .expect("taken");
    let mut replies = client.dealer_replies(DEALER);
    assert_eq!(
        replies
            .next()
            .await
            .expect("one")
            .expect("no error")
            .text
            .as_deref(),
        Some("stop")
    );
    let mut of_request = client.request_replies(&made.request_id);
    assert!(of_request.next().await.expect("one").is_ok());
    let page = client
        .list_request_replies(&made.request_id, &ReplyListQuery::default())
        .await;
    assert_eq!(page.expect("a page").items.len(), 2);
    let mut opt_outs = client.dealer_opt_outs(DEALER);
    let first = opt_outs.next().await.expect("one").expect("no error");
    assert_eq!(
        (first.phone.as_deref(), &*first.origin),
        (Some("081200000001"), "reply")
    );
    client
        .opt_in_phone(DEALER, "0812-0000-0001")
        .await
        .expect("it was opted out");
    let absent = client.opt_in_phone(DEALER, "081200000001").await;
    assert!(matches!(absent, Err(Error::NotFound(_))), "{absent:?}");
    let by_hand = OptOutBody {
        phone: "+62 812-0000-0002".to_owned(),
        note: Some("di kasir".to_owned()),
    };
    let out = client
        .opt_out_phone(DEALER, &by_hand)
        .await
        .expect("opted out");
    assert_eq!(out.phone.as_deref(), Some("081200000002"));
    let mut person = client.person("081200000001");
    let page = person.next().await.expect("a page").expect("no error");
    assert_eq!((page.items.len(), page.replies.len()), (1, 2));
    let export = ExportBody {
        phone: "081200000001".to_owned(),
        cursor: None,
    };
    assert!(client.export_person(&export).await.is_ok());
    let erasure = ErasureBody {
        phone: "081200000001".to_owned(),
    };
    let erased = client.erase_person(&erasure).await.expect("erased");
    assert_eq!((erased.requests, erased.replies), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn dealers_keys_and_figures_are_read_and_changed() {
    let (_story, _service, client) = head_office().await;
    let settings = SettingsBody {
        daily_limit: Some(Some(7)),
        ..SettingsBody::default()
    };
    let changed = client.change_dealer_settings(DEALER, &settings).await;
    assert_eq!(changed.expect("changed").settings.daily_limit, Some(7));
    let mut dealers = client.dealers();
    assert_eq!(
        dealers
            .next()
            .await
            .expect("one")
            .expect("no error")
            .dealer_id,
        DEALER
    );
    assert!(dealers.next().await.is_none());
    assert_eq!(
        client
            .list_dealers(&PageQuery::default())
            .await
            .expect("a page")
            .total,
        1
    );
    let order = NewKeyBody {
        name: "Bengkel".to_owned(),
        dealer_id: Some(DEALER.to_owned()),
        scopes: vec![ScopeName("read".into())],
        expires_at: None,
    };
    let made = client.create_api_key(&order).await.expect("made");
    assert!(!format!("{made:?}").contains(&made.key));
    assert_eq!(client.list_api_keys().await.expect("a list").len(), 2);
    for _ in 0..2 {
        let revoked = client.revoke_api_key(&made.id).await.expect("revoked");
        assert_eq!(revoked.status, "revoked");
    }
    let mut audit = client.audit();
    let last = audit.next().await.expect("one").expect("no error");
    assert_eq!(last.action, "api_key.revoke");
    stored(&client, 1).await;
    let stats = client
        .get_dealer_stats(DEALER, &RangeQuery::default())
        .await;
    assert_eq!(stats.expect("counts").total_requests, 1);
    let query = AnalyticsQuery {
        date_from: Some("2019-12-31".to_owned()),
        date_to: Some("2019-12-31".to_owned()),
        bucket: Some("hour".to_owned()),
    };
    let figures = client
        .get_dealer_analytics(DEALER, &query)
        .await
        .expect("figures");
    assert_eq!((figures.series.len(), figures.totals.requests), (24, 1));
    let all = client.get_analytics(&query).await.expect("figures");
    assert_eq!(all.dealers.expect("by dealer").len(), 1);
    assert_eq!(
        client
            .get_dealer_queue(DEALER)
            .await
            .expect("a queue")
            .scheduled,
        0
    );
    let page = client
        .list_dealer_requests(DEALER, &ListQuery::default())
        .await;
    assert_eq!(page.expect("a page").total, 1);
    let tested = client
        .test_dealer_whatsapp(DEALER, &TestBody::default())
        .await;
    assert!(tested.expect("tested").success);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_tells_about_itself_is_read() {
    let (_story, _service, client) = head_office().await;
    let ready = async || {
        let ready = client.get_readiness().await.ok()?;
        (ready.status == "healthy").then_some(())
    };
    eventually("it is ready", ready).await;
    assert_eq!(
        client.get_health().await.expect("it lives").status,
        "healthy"
    );
    assert!(client.get_liveness().await.is_ok());
    let health = client.get_detailed_health().await.expect("an answer");
    assert!(health.checks.contains_key("database"));
    assert_eq!(client.get_root().await.expect("an answer").docs, "/docs");
    assert!(client.get_metrics().await.expect("text").contains("# TYPE"));
    assert!(client.get_docs().await.expect("text").contains("swagger"));
    let document = client.get_openapi().await.expect("JSON");
    assert_eq!(document["openapi"].as_str().map(|it| &it[..2]), Some("3."));
}
