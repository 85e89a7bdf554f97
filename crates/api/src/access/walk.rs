//! A walk along every route that actix knows: none is open that should not be, and to a dealer's
//! key what is another dealer's looks exactly like what does not exist.
//!
//! A new route fails here until it stands in [`ROUTES`] with what a stranger may expect of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use domain::{
    Access, DealerId, KeyName, KeyOrder, NewRequest, Principal, RequestStore as _, Scope,
};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use testkit::{TestsInPlace, World, sample};

use super::ApiAuth;
use super::gate::needs_no_key;
use crate::limits::Limits;
use crate::server::{Api, ApiOptions, ApiParts, app};

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
    /// Head office's.
    HeadOffices,
}

use Whose::{DealerOfBody, DealerOfPath, DealerOfRequest, HeadOffices, Nobodys};

/// Every route there is.
const ROUTES: [(&str, &str, Whose); 29] = [
    ("POST", "/api/v1/customer/validate-customer", DealerOfBody),
    (
        "GET",
        "/api/v1/customer/request/{request_id}",
        DealerOfRequest,
    ),
    (
        "GET",
        "/api/v1/customer/request/{request_id}/messages",
        DealerOfRequest,
    ),
    (
        "POST",
        "/api/v1/customer/request/{request_id}/resend",
        DealerOfRequest,
    ),
    (
        "POST",
        "/api/v1/customer/request/{request_id}/cancel",
        DealerOfRequest,
    ),
    (
        "GET",
        "/api/v1/customer/dealer/{dealer_id}/requests",
        DealerOfPath,
    ),
    (
        "GET",
        "/api/v1/customer/dealer/{dealer_id}/stats",
        DealerOfPath,
    ),
    (
        "GET",
        "/api/v1/customer/dealer/{dealer_id}/queue",
        DealerOfPath,
    ),
    (
        "POST",
        "/api/v1/customer/dealer/{dealer_id}/test-whatsapp",
        DealerOfPath,
    ),
    ("GET", "/api/v1/admin/dealers", HeadOffices),
    ("GET", "/api/v1/admin/dealers/{dealer_id}", HeadOffices),
    (
        "PATCH",
        "/api/v1/admin/dealers/{dealer_id}/settings",
        HeadOffices,
    ),
    ("GET", "/api/v1/admin/api-keys", HeadOffices),
    ("POST", "/api/v1/admin/api-keys", HeadOffices),
    ("DELETE", "/api/v1/admin/api-keys/{key_id}", HeadOffices),
    ("GET", "/api/v1/admin/audit", HeadOffices),
    ("GET", "/metrics", HeadOffices),
    ("POST", "/api/v1/admin/erasure", HeadOffices),
    ("POST", "/api/v1/admin/export", HeadOffices),
    ("POST", "/api/v1/webhooks/fonnte/{token}/status", Nobodys),
    ("POST", "/api/v1/webhooks/fonnte/{token}/device", Nobodys),
    ("GET", "/api/v1/health", Nobodys),
    ("GET", "/api/v1/health/detailed", Nobodys),
    ("GET", "/api/v1/health/live", Nobodys),
    ("GET", "/api/v1/health/ready", Nobodys),
    ("GET", "/", Nobodys),
    ("GET", "/openapi.json", Nobodys),
    ("GET", "/docs", Nobodys),
    ("GET", "/docs/{file}", Nobodys),
];

/// Not in the document, because it has no operation: the parts of a page.
const UNDOCUMENTED: &str = "/docs/{file}";

const OWN: &str = "0009999";
const OTHER: &str = "0010001";
const NOBODY: &str = "0000001";

/// A service that wants keys, with two dealers and a request of the first one.
struct Walk {
    world: World,
    api: Data<Api>,
    request: NewRequest,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    challenge: bool,
    body: String,
}

impl Walk {
    async fn begin() -> Self {
        let world = World::new();
        world.store.put_dealer(sample::dealer_numbered(1));
        world
            .store
            .put_webhook(&sample::dealer_id(), &sample::webhook_token(1));
        assert_eq!(sample::dealer_id_numbered(1).as_str(), OTHER);
        let request = sample::new_request();
        world.store.accept(&request).await.unwrap();
        let api = Data::new(Self::api(&world));
        Self {
            world,
            api,
            request,
        }
    }

    fn api(world: &World) -> Api {
        let services = world.services();
        let parts = ApiParts {
            tests: Arc::new(TestsInPlace(services.checks.clone())),
            accounts: world.accounts.clone(),
            health: world.store.clone(),
            audit: world.store.clone(),
            auth: ApiAuth::Required,
            limits: Limits::default(),
            version: "1.2.3",
        };
        Api::new(services, parts)
    }

    async fn key(&self, dealer: Option<&str>, scopes: &[Scope]) -> String {
        let dealer = dealer.map(|dealer| DealerId::parse(dealer).unwrap());
        let order = KeyOrder {
            name: KeyName::parse("walker").unwrap(),
            access: Access::new(dealer, scopes.iter().copied().collect()).unwrap(),
            expires_at: None,
        };
        let author = Principal::operator().author(None);
        let made = self
            .world
            .services()
            .keys
            .create(order, &author)
            .await
            .unwrap();
        made.secret.expose_secret().to_owned()
    }

    async fn call(&self, method: &str, path: &str, dealer: &str, key: Option<&str>) -> Answer {
        let service = init_service(app(self.api.clone(), &ApiOptions::sample())).await;
        let mut call = TestRequest::default()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path);
        if matches!(method, "POST" | "PATCH") {
            call = call.set_payload(body(path, dealer));
        }
        if let Some(key) = key {
            call = call.insert_header(("X-API-Key", key));
        }
        let response = call_service(&service, call.to_request()).await;
        let status = response.status().as_u16();
        let challenge = response.headers().contains_key("www-authenticate");
        let body = read_body(response).await;
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer {
            status,
            challenge,
            body,
        }
    }

    /// The path with values in place of its parameters.
    fn filled(&self, pattern: &str, dealer: &str) -> String {
        pattern
            .replace("{request_id}", &self.request.id.to_string())
            .replace("{dealer_id}", dealer)
            .replace("{key_id}", "0123456789abcdef")
            .replace("{token}", sample::webhook_token(1).as_str())
            .replace("{file}", "swagger-ui.css")
    }
}

/// A body that each route takes.
fn body(path: &str, dealer: &str) -> String {
    if path.contains("/settings") || path.contains("/webhooks/") {
        return "{}".to_owned();
    }
    if path.contains("/admin/") {
        return r#"{"name":"x","scopes":["read"],"phone":"082148523421"}"#.to_owned();
    }
    if path.contains("/test-whatsapp") {
        return String::new();
    }
    format!(
        r#"{{"namaPembawa":"Adit","noTelp":"082148523421","tipeUnit":"BeAT Street","noPol":"D 123 AD","createdTime":"31/12/2019 15:40:50","modifiedTime":"31/12/2019 15:40:50","dealerId":"{dealer}"}}"#
    )
}

/// The patterns of all resources, from actix's own table. It shows them to nobody but a debugger,
/// by whose indentation a scope's resources are recognised.
async fn table(walk: &Walk) -> BTreeSet<String> {
    let service = init_service(app(walk.api.clone(), &ApiOptions::sample())).await;
    let response = call_service(&service, TestRequest::default().to_request()).await;
    let shown = format!("{:#?}", response.request().resource_map());
    let mut lines = shown.lines();
    let mut ancestors: Vec<(usize, String)> = Vec::new();
    let mut resources = BTreeSet::new();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        match line.trim() {
            "patterns: Single(" => {
                let text = lines.next().unwrap().trim().trim_end_matches(',');
                let text: String = serde_json::from_str(text).unwrap();
                ancestors.retain(|(depth, _)| *depth < indent);
                ancestors.push((indent, text));
            }
            "patterns: List(" => panic!("several patterns of one resource are not looked at"),
            "nodes: None," => {
                let parts = ancestors.iter().map(|(_, text)| text.as_str());
                resources.insert(parts.collect());
            }
            _ => {}
        }
    }
    resources
}

#[tokio::test]
async fn every_route_is_known_to_this_walk() {
    let walk = Walk::begin().await;
    let walked: BTreeSet<String> = ROUTES.iter().map(|(_, path, _)| (*path).into()).collect();
    assert_eq!(table(&walk).await, walked);
    let document: Value = serde_json::from_str(&crate::openapi::document("1.2.3")).unwrap();
    let documented: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let walked: BTreeSet<(String, String)> = ROUTES
        .iter()
        .filter(|(_, path, _)| *path != UNDOCUMENTED)
        .map(|(method, path, _)| ((*method).into(), (*path).into()))
        .collect();
    assert_eq!(documented, walked);
}

#[tokio::test]
async fn without_a_key_nothing_is_open_that_should_not_be() {
    let walk = Walk::begin().await;
    for (method, pattern, whose) in ROUTES {
        assert_eq!(needs_no_key(pattern), whose == Nobodys, "{pattern}");
        let path = walk.filled(pattern, OWN);
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
    assert_eq!(walk.world.store.request_count(), 1);
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_past_the_gate() {
    let walk = Walk::begin().await;
    for (method, pattern, whose) in ROUTES {
        if whose == Nobodys {
            continue;
        }
        let path = walk.filled(pattern, OWN);
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
    for (method, pattern, whose) in ROUTES {
        let path = walk.filled(pattern, OWN);
        let foreign = walk.call(method, &path, OWN, Some(&other)).await;
        let absent = match whose {
            Nobodys => continue,
            HeadOffices => {
                assert_eq!(foreign.status, 403, "{method} {pattern}: {foreign:?}");
                assert!(foreign.body.contains("ScopeMissing"), "{foreign:?}");
                continue;
            }
            DealerOfPath => {
                let path = walk.filled(pattern, NOBODY);
                walk.call(method, &path, NOBODY, Some(&other)).await
            }
            DealerOfRequest => {
                let unknown = "01234567-89ab-7cde-8f01-23456789abcd";
                let path = pattern.replace("{request_id}", unknown);
                walk.call(method, &path, OWN, Some(&other)).await
            }
            DealerOfBody => walk.call(method, &path, NOBODY, Some(&other)).await,
        };
        assert_eq!(foreign, absent, "{method} {pattern}");
        let expected = if whose == DealerOfBody { 403 } else { 404 };
        assert_eq!(foreign.status, expected, "{method} {pattern}: {foreign:?}");
        // Or this would prove nothing.
        let seen = walk.call(method, &path, OWN, Some(&own)).await;
        let refused = matches!(seen.status, 401 | 403 | 404);
        assert!(!refused, "{method} {pattern}: {seen:?}");
    }
    // That of the walk and the one that its own dealer posted.
    assert_eq!(walk.world.store.request_count(), 2);
}

#[tokio::test]
async fn every_route_wants_the_scope_that_is_documented() {
    let walk = Walk::begin().await;
    let document: Value = serde_json::from_str(&crate::openapi::document("1.2.3")).unwrap();
    let head_office = walk.key(None, &[Scope::Admin]).await;
    for (method, pattern, whose) in ROUTES {
        if whose == Nobodys {
            let operation = &document["paths"][pattern][method.to_lowercase()];
            assert!(operation.get("security").is_none(), "{pattern}");
            continue;
        }
        let operation = &document["paths"][pattern][method.to_lowercase()];
        let words = operation["description"].as_str().unwrap();
        let needed = Scope::ALL
            .into_iter()
            .find(|scope| words.ends_with(&format!("the scope `{}`.", scope.as_str())))
            .unwrap_or_else(|| panic!("{pattern}: {words}"));
        let path = walk.filled(pattern, OWN);
        for scope in [Scope::Read, Scope::Write] {
            let key = walk.key(None, &[scope]).await;
            let answer = walk.call(method, &path, OWN, Some(&key)).await;
            let refused = answer.status == 403 && answer.body.contains("ScopeMissing");
            assert_eq!(refused, scope != needed, "{method} {pattern}: {answer:?}");
        }
        let answer = walk.call(method, &path, OWN, Some(&head_office)).await;
        assert!(!matches!(answer.status, 401 | 403), "{method} {pattern}");
    }
}
