//! The real server on a port of its own, over the memory adapters.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

use actix_web::dev::ServerHandle;
use api::{
    Api, ApiAuth, ApiOptions, ApiParts, Limits, Observer, Origins, RateLimit, TrustedProxies,
};
use domain::access::{Action, AuditEntry};
use domain::dealers::Dealer;
use domain::endpoints::{EndpointId, EndpointInput, EndpointSecret, RawEvents};
use domain::ports::{BoxError, Endpoints, Health, Precondition, StoreError};
use domain::template::TemplateName;
use domain::values::{Owner, Phone, PublicBaseUrl};
use serde_json::{Map, Value, json};
use testkit::{TestsInPlace, World, sample};

use crate::client::{Call, Connection, Reply};

pub(crate) const SUBMIT: &str = "/api/v1/customer/validate-customer";

/// The version that the service under test says it has.
pub(crate) const VERSION: &str = "1.2.3";

/// An origin that may call.
pub(crate) const LISTED: &str = "http://localhost:3000";

/// No keys, by default, on a loopback address.
pub(crate) const OFF: ApiAuth = ApiAuth::Off {
    host: IpAddr::V4(Ipv4Addr::LOCALHOST),
    said: false,
};

/// No keys, as the operator wanted it, on a loopback address.
pub(crate) const OFF_HERE: ApiAuth = ApiAuth::Off {
    host: IpAddr::V4(Ipv4Addr::LOCALHOST),
    said: true,
};

/// No keys, as the operator wanted it, on an address that others reach.
pub(crate) const OFF_ELSEWHERE: ApiAuth = ApiAuth::Off {
    host: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
    said: true,
};

/// What a driver might say; none of it may be seen by callers. None of it can be part of a UUID.
pub(crate) const DRIVER_TEXT: &str =
    "pg-7.internal:5432 password=hunter2 SELECT nama_pembawa FROM customer.secret /var/lib/pg";

/// Every path that exists, filled with values, and the methods it has.
pub(crate) static PATHS: LazyLock<Vec<(Vec<&'static str>, String)>> = LazyLock::new(|| {
    api::routes()
        .chunk_by(|one, next| one.path == next.path)
        .map(|routes| {
            let methods = routes.iter().flat_map(|route| match route.method.as_str() {
                "GET" => vec!["GET", "HEAD"],
                other => vec![other],
            });
            (methods.collect(), filled(routes[0].path, "0009999"))
        })
        .collect()
});

/// The endpoint of [`PATHS`].
pub(crate) const ENDPOINT: &str = "5b0f6a0e-6f52-4c7e-8a52-0f3a7c1d9b21";

/// The path of a pattern, with values in place of its parameters.
pub(crate) fn filled(pattern: &str, dealer: &str) -> String {
    pattern
        .replace("{request_id}", "23f16411-6eb2-4829-a964-9ad1f0e0cc22")
        .replace("{dealer_id}", dealer)
        .replace("{token}", sample::webhook_token(1).as_str())
        .replace("{key_id}", "0707070707070707")
        .replace("{name}", "servis")
        .replace("{phone}", "082148523421")
        .replace("{endpoint_id}", ENDPOINT)
        .replace("{delivery_id}", "0b9d4b0e-8d0f-4f0b-9f59-3a51a5d6c1f7")
        .replace("{file}", "swagger-ui.css")
}

/// What is behind the service; a test replaces the port that must fail.
pub(crate) struct Ports {
    domain: domain::usecases::Ports,
    pub(crate) health: Arc<dyn Health>,
    pub(crate) auth: ApiAuth,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) rate: RateLimit,
    pub(crate) proxies: TrustedProxies,
}

impl Ports {
    /// Those of a world, where nothing fails and no keys are asked for.
    pub(crate) fn of(world: &World) -> Self {
        Self {
            domain: world.ports(),
            health: world.store.clone(),
            auth: OFF,
            observer: None,
            rate: RateLimit::none(),
            proxies: TrustedProxies::default(),
        }
    }
}

impl Deref for Ports {
    type Target = domain::usecases::Ports;

    fn deref(&self) -> &domain::usecases::Ports {
        &self.domain
    }
}

impl DerefMut for Ports {
    fn deref_mut(&mut self) -> &mut domain::usecases::Ports {
        &mut self.domain
    }
}

/// A running service and the world behind it.
pub(crate) struct Service {
    pub(crate) world: World,
    address: SocketAddr,
    handle: ServerHandle,
}

impl Service {
    /// A service over memory, with the sample dealer.
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// A service some of whose ports are replaced.
    pub(crate) fn with(replace: impl FnOnce(&mut Ports)) -> Self {
        let world = World::new();
        world
            .store
            .put_webhook(&sample::dealer_id(), &sample::webhook_token(1));
        let mut ports = Ports::of(&world);
        replace(&mut ports);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = api::serve(api(&world, &ports), &options(), listener).expect("serve");
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            world,
            address,
            handle,
        }
    }

    /// Sends a call on a connection of its own and checks what holds for every answer.
    pub(crate) async fn send(&self, call: Call) -> Reply {
        let reply = self.connect().await.send(call).await;
        assert_conventions(&reply);
        reply
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.send(Call::get(target)).await
    }

    /// The text of an item, as the look-up of its request answers it.
    pub(crate) async fn item(&self, id: impl Display) -> String {
        let reply = self.get(&format!("/api/v1/customer/request/{id}")).await;
        let begun = reply
            .body
            .strip_prefix(r#"{"success":true,"message":"Request found","data":"#);
        let item = begun.and_then(|begun| begun.strip_suffix('}'));
        item.expect("a request is found").to_owned()
    }

    /// Posts a submission.
    pub(crate) async fn submit(&self, body: impl Into<Vec<u8>>) -> Reply {
        self.send(Call::post(SUBMIT, body)).await
    }

    /// Posts a submission with these fields.
    pub(crate) async fn submit_fields(&self, fields: &Map<String, Value>) -> Reply {
        self.submit(Value::from(fields.clone()).to_string()).await
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.address).await
    }

    /// Saves the templates of [`PATHS`], of the sample dealer and of head office.
    pub(crate) async fn save_templates(&self) {
        let desk = self.world.services().templates;
        let name = TemplateName::parse("servis").expect("a name");
        let own = Owner::Dealer(sample::dealer_id());
        for owner in [own, Owner::HeadOffice] {
            let over = Precondition::Unconditional;
            let saving = desk
                .save(&owner, &name, "Halo", &over, &sample::author())
                .await;
            saving.expect("save");
        }
    }

    /// Makes the endpoint of [`PATHS`], of the sample dealer.
    pub(crate) async fn make_endpoint(&self) {
        let new = EndpointInput {
            url: "https://workshop.example/".into(),
            events: RawEvents::List(vec!["message.sent".into()]),
            ..EndpointInput::default()
        };
        let new = new.validate_new(&self.world.endpoints).expect("valid");
        let id = EndpointId::parse(ENDPOINT).expect("an id");
        let owner = Owner::Dealer(sample::dealer_id());
        let (action, author) = (Action::AddEndpoint, sample::author());
        let entry = AuditEntry::endpoint(&author, action, &owner, id, &[]);
        let secret = EndpointSecret::new([7; 32]);
        let store = &self.world.store;
        let making = Endpoints::create(&**store, &owner, id, &new, &secret, &entry);
        making.await.expect("create");
    }

    /// Opts the phone of [`PATHS`] out of the sample dealer's messages.
    pub(crate) async fn opt_out(&self) {
        let phone = Phone::parse("082148523421").expect("a phone");
        let conversations = self.world.services().conversations;
        let (dealer, author) = (sample::dealer_id(), sample::author());
        let doing = conversations.opt_out(&dealer, &phone, None, &author);
        doing.await.expect("opt_out");
    }

    /// Adds a dealer that is the sample one but for this change.
    pub(crate) fn put_dealer(&self, change: impl FnOnce(&mut Dealer)) {
        let mut dealer = sample::dealer();
        change(&mut dealer);
        self.world.store.put_dealer(dealer);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The command is given at once; nobody waits for the end.
        drop(self.handle.stop(false));
    }
}

/// How the service is served, with one thread.
pub(crate) fn options() -> ApiOptions {
    ApiOptions {
        origins: Origins::parse(&format!("{LISTED},https://dealer.example")).expect("origins"),
        workers: 1,
        shutdown_seconds: 1,
        public_base_url: PublicBaseUrl::parse("https://customer.example/").expect("an address"),
    }
}

/// The API over these ports.
pub(crate) fn api(world: &World, ports: &Ports) -> Api {
    let services = world.services_over(ports);
    let parts = ApiParts {
        tests: Arc::new(TestsInPlace(services.checks.clone())),
        accounts: world.accounts.clone(),
        health: ports.health.clone(),
        audit: ports.audit.clone(),
        auth: ports.auth,
        limits: Arc::new(Limits::new(ports.rate, ports.proxies.clone())),
        exports: Arc::new(exports::Exports::new(services.lookups.clone())),
        version: VERSION,
    };
    let api = Api::new(services, parts);
    match &ports.observer {
        Some(observer) => api.observed(observer.clone()),
        None => api,
    }
}

/// What holds for every answer, whatever was asked.
fn assert_conventions(reply: &Reply) {
    let id = reply.header("x-request-id").expect("a request id");
    assert!((1..=128).contains(&id.len()), "{reply:?}");
    assert_eq!(
        reply.header("x-content-type-options"),
        Some("nosniff"),
        "{reply:?}"
    );
    if reply.status >= 400 {
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{reply:?}"
        );
    }
    if reply.status == 503 {
        assert_eq!(reply.header("retry-after"), Some("5"), "{reply:?}");
    }
    if reply.status == 429 {
        let seconds = reply.header("retry-after").expect("when to try again");
        assert!(seconds.parse::<u32>().unwrap() > 0, "{reply:?}");
    }
    assert!(!(300..400).contains(&reply.status), "{reply:?}");
    if reply.header("content-type") != Some("application/json") {
        return;
    }
    for told in [
        "hunter2",
        "SELECT",
        "pg-7",
        "/var/lib",
        "invented panic",
        sample::API_KEY,
    ] {
        assert!(!reply.body.contains(told), "{reply:?}");
    }
}

/// The sample submission as the fields of a JSON object.
pub(crate) fn fields() -> Map<String, Value> {
    let Value::Object(fields) = json!({
        "namaPembawa": "Adit",
        "noTelp": "082148523421",
        "tipeUnit": "BeAT Street",
        "noPol": "D 123 AD",
        "createdTime": "31/12/2019 15:40:50",
        "modifiedTime": "31/12/2019 15:40:50",
        "dealerId": "0009999"
    }) else {
        unreachable!("it is an object")
    };
    fields
}

/// The sample submission with one field changed.
pub(crate) fn fields_with(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    let mut fields = fields();
    fields.insert(name.to_owned(), value.into());
    fields
}

/// The sample submission as text.
pub(crate) fn body() -> String {
    Value::from(fields()).to_string()
}

/// The store is away, in the words of a talkative driver.
pub(crate) fn unavailable() -> StoreError {
    StoreError::Unavailable(BoxError::from(DRIVER_TEXT))
}

/// The store holds something that cannot be read, in the words of a talkative driver.
pub(crate) fn corrupt() -> StoreError {
    StoreError::Corrupt(BoxError::from(DRIVER_TEXT))
}

/// The store refuses it for good, in the words of a talkative driver.
pub(crate) fn rejected() -> StoreError {
    StoreError::Rejected(BoxError::from(DRIVER_TEXT))
}
