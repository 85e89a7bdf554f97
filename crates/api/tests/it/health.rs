//! 1.6: health and root.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Check, MockHealth};

use crate::service::{Service, body};

const HEALTHY: &str = r#"{"status":"healthy","service":"customer-service","version":"1.2.3"}"#;

fn check(name: &'static str, finding: &str, passed: bool) -> Check {
    Check {
        name,
        finding: finding.to_owned(),
        passed,
    }
}

fn with_checks(checks: Vec<Check>) -> Service {
    let mut health = MockHealth::new();
    health.expect_checks().returning(move || checks.clone());
    health.expect_backlog().returning(|| None);
    Service::with(|ports| ports.health = Arc::new(health))
}

#[tokio::test]
async fn health_is_answered_and_touches_nothing() {
    // A mock without expectations panics when it is touched.
    let service = Service::with(|ports| ports.health = Arc::new(MockHealth::new()));
    for path in [
        "/api/v1/health/",
        "/api/v1/health",
        "/api/v1/health/live",
        "/api/v1/health/live/",
    ] {
        let reply = service.get(path).await;
        reply.is(200, HEALTHY);
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn every_part_is_named_with_what_was_found() {
    let service = with_checks(vec![
        check("database", "healthy", true),
        check("database_schema", "customer", true),
        check("migrations", "healthy", true),
    ]);
    for path in [
        "/api/v1/health/detailed",
        "/api/v1/health/detailed/",
        "/api/v1/health/ready",
    ] {
        service.get(path).await.is(
            200,
            concat!(
                r#"{"status":"healthy","service":"customer-service","version":"1.2.3","#,
                r#""checks":{"database":"healthy","database_schema":"customer","migrations":"healthy"}}"#
            ),
        );
    }
}

#[tokio::test]
async fn one_part_that_fails_makes_the_service_unhealthy() {
    let service = with_checks(vec![
        check("database", "unhealthy", false),
        check("database_schema", "customer", true),
    ]);
    for path in ["/api/v1/health/detailed", "/api/v1/health/ready"] {
        let reply = service.get(path).await;
        reply.is(
            503,
            concat!(
                r#"{"status":"unhealthy","service":"customer-service","version":"1.2.3","#,
                r#""checks":{"database":"unhealthy","database_schema":"customer"}}"#
            ),
        );
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("retry-after"), Some("5"));
    }
    service.get("/api/v1/health").await.is(200, HEALTHY);
}

#[tokio::test]
async fn unfinished_messages_are_counted_by_state() {
    let service = Service::start();
    assert_eq!(service.submit(body()).await.status, 200);
    service.world.pass(Duration::from_millis(12_345));
    service.get("/api/v1/health/detailed").await.is(
        200,
        concat!(
            r#"{"status":"healthy","service":"customer-service","version":"1.2.3","#,
            r#""checks":{"database":"healthy","database_schema":"customer"},"#,
            r#""messages":{"QUEUED":{"count":1,"oldest_past_due_seconds":12.345},"#,
            r#""SENDING":{"count":0,"oldest_past_due_seconds":null},"#,
            r#""UNKNOWN":{"count":0,"oldest_past_due_seconds":null}}}"#
        ),
    );
}

#[tokio::test]
async fn the_root_tells_what_this_is() {
    let service = Service::start();
    service.get("/").await.is(
        200,
        r#"{"service":"customer-service","version":"1.2.3","status":"running","docs":"/docs"}"#,
    );
}

#[tokio::test]
async fn a_check_that_panics_is_a_500() {
    let mut health = MockHealth::new();
    health
        .expect_checks()
        .returning(|| panic!("an invented panic"));
    health.expect_backlog().returning(|| None);
    let service = Service::with(|ports| ports.health = Arc::new(health));
    let reply = service.get("/api/v1/health/detailed").await;
    reply.is_error(500, "InternalServerError", "Internal server error");
}
