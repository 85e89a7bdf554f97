//! A walk along every route of the table: none is open that should not be, and to a dealer's key
//! what is another dealer's looks exactly like what does not exist.

use std::sync::LazyLock;

use api::{ApiAuth, Route};
use domain::access::{Access, KeyName, Principal, Scope};
use domain::ports::RequestStore as _;
use domain::requests::RequestId;
use domain::usecases::KeyOrder;
use domain::values::DealerId;
use secrecy::ExposeSecret as _;
use testkit::sample;

use crate::client::Call;
use crate::service::{Service, fields_with, filled};

/// What belongs to the dealer of the path, or of the body, of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Nobody's: no key is needed.
    Nobodys,
    /// The dealer's in the path.
    DealerOfPath,
    /// The dealer's whose request it is.
    DealerOfRequest,
    /// The dealer's in the body.
    DealerOfBody,
    /// The dealer's in each row of the body: a row is refused, not the call.
    DealerOfRow,
    /// Head office's.
    HeadOffices,
}

use Whose::{DealerOfBody, DealerOfPath, DealerOfRequest, DealerOfRow, HeadOffices, Nobodys};

fn whose(route: &Route) -> Whose {
    match route.access {
        api::Access::Public | api::Access::Webhook => Nobodys,
        api::Access::Local | api::Access::Scope(Scope::Admin) => HeadOffices,
        api::Access::Scope(_) if route.path.contains("{dealer_id}") => DealerOfPath,
        api::Access::Scope(_) if route.path.contains("{request_id}") => DealerOfRequest,
        api::Access::Scope(_) if route.path.ends_with("/validate-customers") => DealerOfRow,
        api::Access::Scope(_) => DealerOfBody,
    }
}

/// Every route, as method, pattern and what a stranger may expect of it.
static ROUTES: LazyLock<Vec<(&str, &str, Whose)>> = LazyLock::new(|| {
    let all = api::routes().iter();
    all.map(|route| (route.method.as_str(), route.path, whose(route)))
        .collect()
});

const OWN: &str = "0009999";
const OTHER: &str = "0010001";
const NOBODY: &str = "0000001";

/// A service that wants keys, with two dealers and a request of the first one.
struct Walk(Service);

/// An answer.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    challenge: bool,
    body: String,
}

impl Walk {
    async fn begin() -> Self {
        let service = Service::with(|ports| ports.auth = ApiAuth::Required);
        let store = &service.world.store;
        store.put_dealer(sample::dealer_numbered(1));
        assert_eq!(sample::dealer_id_numbered(1).as_str(), OTHER);
        let mut request = sample::new_request();
        let id = filled("{request_id}", OWN);
        request.id = RequestId(id.parse().unwrap());
        store.accept(&request).await.unwrap();
        service.save_templates().await;
        service.make_endpoint().await;
        service.opt_out().await;
        Self(service)
    }

    async fn key(&self, dealer: Option<&str>, scopes: &[Scope]) -> String {
        let dealer = dealer.map(|dealer| DealerId::parse(dealer).unwrap());
        let order = KeyOrder {
            name: KeyName::parse("walker").unwrap(),
            access: Access::new(dealer, scopes.iter().copied().collect()).unwrap(),
            expires_at: None,
        };
        let author = Principal::operator().author(None);
        let keys = self.0.world.services().keys;
        let made = keys.create(order, &author).await.unwrap();
        made.secret.expose_secret().to_owned()
    }

    /// Calls from another machine, as a proxy on this one says.
    async fn call(
        &self,
        method: &'static str,
        path: &str,
        dealer: &str,
        key: Option<&str>,
    ) -> Answer {
        let mut call = Call::new(method, path).header("X-Forwarded-For", "203.0.113.7");
        if matches!(method, "POST" | "PUT" | "PATCH") {
            call = call.body(body(path, dealer));
        }
        if let Some(key) = key {
            call = call.header("X-API-Key", key);
        }
        let reply = self.0.send(call).await;
        Answer {
            status: reply.status,
            challenge: reply.header("www-authenticate").is_some(),
            body: reply.body,
        }
    }
}

/// A body that each route takes.
fn body(path: &str, dealer: &str) -> String {
    if path.contains("/templates") {
        return r#"{"body":"Halo"}"#.to_owned();
    }
    if path.contains("/endpoints") {
        return r#"{"url":"https://workshop.example/","events":["message.sent"]}"#.to_owned();
    }
    if path.contains("/settings") || path.contains("/webhooks/") {
        return "{}".to_owned();
    }
    if path.contains("/admin/") {
        return r#"{"name":"x","scopes":["read"],"phone":"082148523421"}"#.to_owned();
    }
    if path.contains("/test-whatsapp") {
        return String::new();
    }
    let fields = serde_json::Value::from(fields_with("dealerId", dealer));
    if path.contains("/validate-customers") {
        return format!("[{fields}]");
    }
    fields.to_string()
}

#[tokio::test]
async fn without_a_key_nothing_is_open_that_should_not_be() {
    let walk = Walk::begin().await;
    for &(method, pattern, whose) in ROUTES.iter() {
        let path = filled(pattern, OWN);
        let answer = walk.call(method, &path, OWN, None).await;
        if whose == Nobodys {
            assert_eq!(answer.status, 200, "{method} {pattern}: {answer:?}");
            continue;
        }
        let expected = walk.call("GET", "/api/v1/admin/audit", OWN, None).await;
        assert_eq!(expected.status, 401);
        assert!(expected.challenge);
        assert_eq!(answer, expected, "{method} {pattern}");
        for other in ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"] {
            let answer = walk.call(other, &path, OWN, None).await;
            assert_eq!(answer.status, 401, "{other} {pattern}");
        }
        let slashed = walk.call(method, &format!("{path}//"), OWN, None).await;
        assert_eq!(slashed.status, 401, "{method} {path}//");
    }
    assert_eq!(walk.0.world.store.request_count(), 1);
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_past_the_gate() {
    let walk = Walk::begin().await;
    for &(method, pattern, whose) in ROUTES.iter() {
        if whose == Nobodys {
            continue;
        }
        let path = filled(pattern, OWN);
        for (at, letter) in path.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
            let mut spelt = path.clone();
            spelt.replace_range(at..=at, &format!("%{:02x}", letter as u32));
            let answer = walk.call(method, &spelt, OWN, None).await;
            assert_eq!(answer.status, 401, "{method} {spelt}: {answer:?}");
        }
        for spelt in [
            format!("/docs/..{path}"),
            format!("/docs/%2e%2e{path}"),
            format!("/api/v1/health/..{path}"),
            format!("/api/v1/webhooks/..{path}"),
            format!("/{path}"),
            path.replace("/api/", "/API/"),
        ] {
            let answer = walk.call(method, &spelt, OWN, None).await;
            assert!(matches!(answer.status, 401 | 404), "{spelt}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn what_is_another_dealers_looks_like_what_does_not_exist() {
    let walk = Walk::begin().await;
    let own = walk.key(Some(OWN), &[Scope::Read, Scope::Write]).await;
    let other = walk.key(Some(OTHER), &[Scope::Read, Scope::Write]).await;
    for &(method, pattern, whose) in ROUTES.iter() {
        let path = filled(pattern, OWN);
        let foreign = walk.call(method, &path, OWN, Some(&other)).await;
        let absent = match whose {
            Nobodys => continue,
            HeadOffices => {
                assert_eq!(foreign.status, 403, "{method} {pattern}: {foreign:?}");
                assert!(foreign.body.contains("ScopeMissing"), "{foreign:?}");
                continue;
            }
            DealerOfPath => {
                let path = filled(pattern, NOBODY);
                walk.call(method, &path, NOBODY, Some(&other)).await
            }
            DealerOfRequest => {
                let unknown = "01234567-89ab-7cde-8f01-23456789abcd";
                let path = pattern.replace("{request_id}", unknown);
                walk.call(method, &path, OWN, Some(&other)).await
            }
            DealerOfBody | DealerOfRow => walk.call(method, &path, NOBODY, Some(&other)).await,
        };
        assert_eq!(foreign, absent, "{method} {pattern}");
        let expected = match whose {
            DealerOfBody => 403,
            DealerOfRow => 200,
            _ => 404,
        };
        assert_eq!(foreign.status, expected, "{method} {pattern}: {foreign:?}");
        // Or this would prove nothing.
        let seen = walk.call(method, &path, OWN, Some(&own)).await;
        // Only the store makes deliveries, with ids of its own.
        let reached = seen.body.contains("DeliveryNotFound");
        let refused = matches!(seen.status, 401 | 403 | 404) && !reached;
        assert!(!refused, "{method} {pattern}: {seen:?}");
    }
    // That of the walk and those that its own dealer posted.
    assert_eq!(walk.0.world.store.request_count(), 3);
}

#[tokio::test]
async fn every_route_wants_its_scope_however_the_path_is_spelt() {
    let walk = Walk::begin().await;
    let head_office = walk.key(None, &[Scope::Admin]).await;
    for route in api::routes() {
        let needed = match route.access {
            api::Access::Public | api::Access::Webhook => continue,
            api::Access::Scope(scope) => scope,
            api::Access::Local => Scope::Admin,
        };
        let (method, pattern) = (route.method.as_str(), route.path);
        let path = filled(pattern, OWN);
        let last = path.len() - 1;
        let spelt = format!("{}%{:02x}", &path[..last], path.as_bytes()[last]);
        for scope in [Scope::Read, Scope::Write] {
            let key = walk.key(None, &[scope]).await;
            for path in [&path, &spelt] {
                let answer = walk.call(method, path, OWN, Some(&key)).await;
                let refused = answer.status == 403 && answer.body.contains("ScopeMissing");
                assert_eq!(refused, scope != needed, "{method} {path}: {answer:?}");
            }
        }
        let answer = walk.call(method, &path, OWN, Some(&head_office)).await;
        assert!(!matches!(answer.status, 401 | 403), "{method} {pattern}");
    }
}
