//! A console over a world in memory, and short words for visiting it.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::App;
use actix_web::body::to_bytes;
use actix_web::test::{TestRequest, call_service, init_service};
use callers::{Keys, Limits, RateLimit, TrustedProxies};
use console::{Console, ConsoleParts};
use domain::access::{Access, KeyName, Scope};
use domain::ports::{RequestStore as _, TestLine};
use domain::requests::{NewRequest, RequestId};
use domain::usecases::{KeyOrder, Ports};
use domain::values::{DealerId, PublicBaseUrl};
use exports::Exports;
use secrecy::ExposeSecret as _;
use testkit::{TestsInPlace, World, sample};
use tokio_util::sync::CancellationToken;

/// Where the browser is.
pub(crate) const PEER: &str = "203.0.113.7:4711";

/// A console. What is public can be replaced before it is visited.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) keys: Keys,
    pub(crate) limits: Arc<Limits>,
    pub(crate) base: &'static str,
    pub(crate) peer: SocketAddr,
    pub(crate) ports: Ports,
    pub(crate) tests: Option<Arc<dyn TestLine>>,
    pub(crate) stop: CancellationToken,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Where it leads.
    pub(crate) fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    /// The cookie that it sets, as a browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        let set = self.header("set-cookie").unwrap_or_default();
        set.split(';').next().unwrap_or_default().to_owned()
    }
}

impl Site {
    /// A console that asks for keys, with the sample dealer.
    pub(crate) fn new() -> Self {
        let world = World::new();
        Self {
            ports: world.ports(),
            world,
            tests: None,
            stop: CancellationToken::new(),
            keys: Keys::Required,
            limits: Arc::default(),
            base: "http://customer.example",
            peer: PEER.parse().unwrap(),
        }
    }

    /// The same, with a rate.
    pub(crate) fn limited(per_minute: u32) -> Self {
        let rate = RateLimit::per_minute(per_minute);
        let proxies = TrustedProxies::parse("10.0.0.0/8").unwrap();
        Self {
            limits: Arc::new(Limits::new(rate, proxies)),
            ..Self::new()
        }
    }

    pub(crate) fn console(&self) -> Console {
        let services = self.world.services_over(&self.ports);
        let parts = ConsoleParts {
            tests: self
                .tests
                .clone()
                .unwrap_or_else(|| Arc::new(TestsInPlace(services.checks.clone()))),
            accounts: self.world.accounts.clone(),
            health: self.world.store.clone(),
            audit: self.world.store.clone(),
            clock: self.world.clock.clone(),
            keys: self.keys,
            limits: self.limits.clone(),
            exports: Arc::new(Exports::new(services.lookups.clone())),
            public_base_url: PublicBaseUrl::parse(self.base).unwrap(),
            stop: self.stop.clone(),
            version: "1.2.3",
        };
        Console::new(services, parts)
    }

    pub(crate) async fn send(&self, request: TestRequest) -> Reply {
        let configure = self.console().configure();
        let app = init_service(App::new().configure(|config| configure(config))).await;
        let request = request.peer_addr(self.peer).to_request();
        let response = call_service(&app, request).await;
        let status = response.status().as_u16();
        let headers = response.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        let headers = headers.collect();
        let body = to_bytes(response.into_body())
            .await
            .ok()
            .unwrap_or_default();
        Reply {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// A page, as the browser of whoever has this cookie asks for it.
    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Reply {
        self.send(browser(TestRequest::get().uri(path), cookie))
            .await
    }

    /// A form of ours.
    pub(crate) async fn post(&self, path: &str, cookie: &str, form: &str) -> Reply {
        let request = browser(TestRequest::post().uri(path), cookie)
            .insert_header(("Sec-Fetch-Site", "same-origin"))
            .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
            .set_payload(form.to_owned());
        self.send(request).await
    }

    /// A key that may look and do this, as its holder has it.
    pub(crate) async fn key(&self, dealer: Option<DealerId>, scope: Scope) -> String {
        let order = KeyOrder {
            name: KeyName::parse("Bengkel Uji").unwrap(),
            access: Access::new(dealer, [Scope::Read, scope].into_iter().collect()).unwrap(),
            expires_at: None,
        };
        let keys = self.world.services().keys;
        let made = keys.create(order, &sample::author()).await.unwrap();
        made.secret.expose_secret().to_owned()
    }

    /// The cookie of a session with this key.
    pub(crate) async fn log_in(&self, key: &str) -> String {
        let reply = self.post("/console/login", "", &format!("key={key}")).await;
        assert_eq!(reply.status, 303, "{}", reply.body);
        reply.cookie()
    }

    /// The cookie of the sample dealer, who may do this.
    pub(crate) async fn dealer(&self, scope: Scope) -> String {
        let key = self.key(Some(sample::dealer_id()), scope).await;
        self.log_in(&key).await
    }

    /// The cookie of head office.
    pub(crate) async fn head_office(&self) -> String {
        let key = self.key(None, Scope::Admin).await;
        self.log_in(&key).await
    }

    /// Stores a request.
    pub(crate) async fn accept(&self, request: &NewRequest) -> RequestId {
        self.world.store.accept(request).await.unwrap();
        request.id
    }
}

/// What a browser sends along.
fn browser(request: TestRequest, cookie: &str) -> TestRequest {
    let request = request.insert_header(("Host", "customer.example"));
    match cookie {
        "" => request,
        cookie => request.insert_header(("Cookie", cookie.to_owned())),
    }
}
