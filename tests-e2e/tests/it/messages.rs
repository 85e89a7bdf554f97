use reqwest::Method;
use serde_json::{Value, json};
use tests_e2e::{Service, Story, submission};
use tokio::task::JoinSet;

const SUBMIT: &str = "/api/v1/customer/validate-customer";

async fn call(service: &Service, method: Method, path: &str) -> (u16, Value) {
    let reply = service.client().send(method, path, None, &[]).await;
    let reply = reply.expect("the service answers");
    (reply.status, reply.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_posts_with_one_key_send_one_message() {
    let story = Story::begin().await;
    let service = story.serve();
    service.get("/api/v1/health/").await.unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let client = service.client();
        callers.spawn(async move {
            let headers = [("Idempotency-Key", "one-and-only")];
            let body = submission(1);
            let reply = client
                .send(Method::POST, SUBMIT, Some(&body), &headers)
                .await
                .unwrap();
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.header("location").unwrap().to_owned()
        });
    }
    let mut paths = callers.join_all().await;
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 1, "{paths:?}");
    story.status(&service, &paths[0], "SENT").await;
    let rows = "SELECT count(*) FROM customer.customer_validation_request";
    assert_eq!(story.count(rows).await, 1);
    assert_eq!(
        story.count("SELECT count(*) FROM customer.message").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_message_is_cancelled_and_sent_by_hand() {
    let story = Story::begin().await;
    let service = story.serve();
    service.get("/api/v1/health/").await.unwrap();
    let mut body = submission(1);
    body["sendAt"] = json!((chrono::Utc::now() + chrono::TimeDelta::days(1)).to_rfc3339());
    let reply = service.post(SUBMIT, &body).await.unwrap();
    let path = reply.header("location").expect("it is stored").to_owned();
    let cancel = format!("{path}/cancel");
    assert_eq!(call(&service, Method::POST, &cancel).await.0, 200);
    assert_eq!(call(&service, Method::POST, &cancel).await.0, 409);
    story.status(&service, &path, "FAILED").await;
    let (status, _) = call(&service, Method::POST, &format!("{path}/resend")).await;
    assert_eq!(status, 202);
    story.status(&service, &path, "SENT").await;
    let (_, timeline) = call(&service, Method::GET, &format!("{path}/messages")).await;
    assert_eq!(timeline["data"][0]["state"], "CANCELLED");
    assert_eq!(timeline["data"][1]["state"], "SENT");
    assert_eq!(timeline["data"][1]["attempts"][0]["outcome"], "accepted");
}
