use serde_json::{Value, json};
use tests_e2e::{Service, Story, submission};

const PATH: &str = "/api/v1/customer/validate-customer";
const UNKNOWN: &str =
    r#"{"status":0,"message":{"error":"Dealer tidak ditemukan atau tidak aktif"},"data":null}"#;
const NOT_CONFIGURED: &str = r#"{"status":0,"message":{"error":"Konfigurasi WhatsApp tidak tersedia untuk dealer ini"},"data":null}"#;

async fn refused(service: &Service, dealer: &str) -> String {
    let mut body = submission(1);
    body["dealerId"] = dealer.into();
    let reply = service.post(PATH, &body).await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("location"), None);
    reply.text
}

async fn assert_nothing_stored(story: &Story) {
    for table in ["customer_validation_request", "message"] {
        assert_eq!(
            story
                .count(&format!("SELECT count(*) FROM customer.{table}"))
                .await,
            0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dealers_that_cannot_send_store_nothing() {
    let story = Story::begin().await;
    let insert = "INSERT INTO dealer_integration.dealers
        (dealer_id, dealer_name, fonnte_api_key, fonnte_api_url, is_active) VALUES ($1, 'D', $2, $3, $4)";
    type Case = (
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
        Option<bool>,
        &'static str,
    );
    let cases: [Case; 8] = [
        ("inactive", Some("key"), None, Some(false), UNKNOWN),
        ("undecided", Some("key"), None, None, UNKNOWN),
        ("nokey", None, None, Some(true), NOT_CONFIGURED),
        ("emptykey", Some(""), None, Some(true), NOT_CONFIGURED),
        ("blankkey", Some(" \t "), None, Some(true), NOT_CONFIGURED),
        ("commakey", Some("a,b"), None, Some(true), NOT_CONFIGURED),
        (
            "evilhost",
            Some("key"),
            Some("https://evil.example/send"),
            Some(true),
            NOT_CONFIGURED,
        ),
        (
            "plainhttp",
            Some("key"),
            Some("http://api.fonnte.com/send"),
            Some(true),
            NOT_CONFIGURED,
        ),
    ];
    for (dealer, key, url, active, _) in &cases {
        story.execute(insert, &[dealer, key, url, active]).await;
    }
    let service = story.serve();
    assert_eq!(refused(&service, "nobody").await, UNKNOWN);
    for (dealer, .., expected) in cases {
        assert_eq!(refused(&service, dealer).await, expected, "{dealer}");
    }
    assert_nothing_stored(&story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_submissions_store_nothing() {
    let story = Story::begin().await;
    let service = story.serve();
    let mut bodies: Vec<Value> = [
        "namaPembawa",
        "noTelp",
        "tipeUnit",
        "noPol",
        "createdTime",
        "modifiedTime",
        "dealerId",
    ]
    .into_iter()
    .flat_map(|field| {
        [
            json!(null),
            json!(7),
            json!(""),
            json!("  "),
            json!("a\u{0}b"),
            json!("x".repeat(256)),
        ]
        .map(|value| {
            let mut body = submission(1);
            body[field] = value;
            body
        })
    })
    .collect();
    bodies.extend([json!([]), json!("text"), json!(null), json!({})]);
    for body in bodies {
        let reply = service.post(PATH, &body).await.unwrap();
        assert_eq!(reply.status, 422, "{body}: {}", reply.text);
        assert!(!reply.json()["detail"].as_array().unwrap().is_empty());
    }
    assert_nothing_stored(&story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dealer_that_is_configured_with_plain_sql_is_served_without_a_restart() {
    let story = Story::begin().await;
    story.add_dealer("0001111", None).await;
    let service = story.serve();
    assert_eq!(refused(&service, "0001111").await, NOT_CONFIGURED);
    story
        .execute(
            "UPDATE dealer_integration.dealers SET fonnte_api_key = $1 WHERE dealer_id = '0001111'",
            &[&tests_e2e::KEY],
        )
        .await;
    tests_e2e::eventually("the new key counts", async || {
        let mut body = submission(1);
        body["dealerId"] = "0001111".into();
        let reply = service.post(PATH, &body).await.ok()?;
        (reply.json()["status"] == 1).then_some(())
    })
    .await;
}
