//! The table of pages: what there is, who may, what is called. The door reads it, and so do the tests.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use domain::access::Scope;

use crate::mistake::Mistake;
use crate::pages::{
    analytics, dealers, downloads, endpoints, import, keys, live, login, message, messages,
    operation, opt_outs, preferences, replies, templates, today,
};
use crate::right::Right;
use crate::{PATH, assets};

/// A line of the table.
pub struct Route {
    method: Method,
    path: &'static str,
    right: Right,
    handler: fn() -> actix_web::Route,
}

impl Route {
    /// The method; `HEAD` goes with `GET`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The path below [`PATH`], with its parameters in braces.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Who may have it.
    #[must_use]
    pub const fn right(&self) -> Right {
        self.right
    }
}

const READ: Right = Right::Scope(Scope::Read);
const WRITE: Right = Right::Scope(Scope::Write);
const ADMIN: Right = Right::Scope(Scope::Admin);

/// Makes the table; a macro, so that a page is one line of it.
macro_rules! routes {
    ($($method:ident $path:literal $right:expr, $handler:path;)*) => {
        /// Every page there is. Those of one path stand together.
        static ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            right: $right,
            handler: || web::method(Method::$method).to($handler),
        }),*];
    };
}

use Right::{Account, Open, Static};

routes! {
    GET  "/static/{file}"               Static, assets::file;
    GET  "/login"                       Open,   login::show;
    POST "/login"                       Open,   login::log_in;
    POST "/logout"                      Open,   login::log_out;
    POST "/preferences"                 Open,   preferences::choose;
    GET  ""                             READ,   today::show;
    GET  "/live"                        READ,   live::tell;
    GET  "/messages"                    READ,   messages::list;
    GET  "/messages.csv"                READ,   downloads::messages_csv;
    GET  "/messages.xlsx"               READ,   downloads::messages_workbook;
    POST "/messages/resend"             WRITE,  messages::resend;
    POST "/messages/cancel"             WRITE,  messages::cancel;
    GET  "/messages/{request_id}"       READ,   message::show;
    POST "/messages/{request_id}/phone"  READ,   message::show_phone;
    POST "/messages/{request_id}/resend" WRITE,  message::resend;
    POST "/messages/{request_id}/cancel" WRITE,  message::cancel;
    GET  "/replies"                      READ,   replies::list;
    GET  "/opt-outs"                     READ,   opt_outs::list;
    POST "/opt-outs"                     WRITE,  opt_outs::add;
    POST "/opt-outs/remove"              WRITE,  opt_outs::remove;
    GET  "/dealers"                      Account(Scope::Read),  dealers::list;
    GET  "/dealers/{dealer_id}"          Account(Scope::Read),  dealers::show;
    POST "/dealers/{dealer_id}/test"     Account(Scope::Write), dealers::test;
    POST "/dealers/{dealer_id}/settings" ADMIN,  dealers::change;
    GET  "/templates"                    READ,   templates::list;
    POST "/templates"                    WRITE,  templates::make;
    GET  "/templates/{name}"             READ,   templates::show;
    POST "/templates/{name}"             WRITE,  templates::save;
    POST "/templates/{name}/remove"      WRITE,  templates::remove;
    POST "/templates/{name}/default"     ADMIN,  templates::make_default;
    GET  "/import"                       WRITE,  import::show;
    POST "/import"                       WRITE,  import::check;
    POST "/import/store"                 WRITE,  import::store;
    POST "/import/faulty"                WRITE,  import::faulty;
    GET  "/analytics"                    READ,   analytics::show;
    GET  "/analytics.csv"                READ,   downloads::series_csv;
    GET  "/endpoints"                    Account(Scope::Read),  endpoints::list;
    POST "/endpoints"                    Account(Scope::Write), endpoints::make;
    GET  "/endpoints/{endpoint_id}"      Account(Scope::Read),  endpoints::show;
    POST "/endpoints/{endpoint_id}"      Account(Scope::Write), endpoints::change;
    POST "/endpoints/{endpoint_id}/test"   Account(Scope::Write), endpoints::test;
    POST "/endpoints/{endpoint_id}/retry"  Account(Scope::Write), endpoints::retry;
    POST "/endpoints/{endpoint_id}/remove" Account(Scope::Write), endpoints::remove;
    GET  "/keys"                         ADMIN,  keys::list;
    POST "/keys"                         ADMIN,  keys::make;
    POST "/keys/{key_id}/revoke"         ADMIN,  keys::revoke;
    GET  "/audit"                        ADMIN,  operation::audit;
    GET  "/system"                       ADMIN,  operation::system;
}

/// Every page, for those who want to know what there is.
#[must_use]
pub fn routes() -> &'static [Route] {
    ROUTES
}

/// Where a path leads.
pub(crate) enum Target {
    /// To this page.
    Page(&'static Route),
    /// To one that has other methods.
    OtherMethod(&'static [Route]),
    /// Nowhere.
    Nowhere,
}

/// Finds the page of a path below [`PATH`], as the router sees it.
pub(crate) fn find(method: &Method, path: &str) -> Target {
    let below = path.strip_prefix(PATH).unwrap_or(path);
    // What is named wins over a parameter, as it does for the router, which takes the first.
    let Some(first) = ROUTES.iter().position(|route| leads_to(route.path, below)) else {
        return Target::Nowhere;
    };
    let rest = &ROUTES[first..];
    let end = rest.iter().position(|route| route.path != rest[0].path);
    let same = &rest[..end.unwrap_or(rest.len())];
    match same.iter().find(|route| route.method == *method) {
        Some(route) => Target::Page(route),
        None => Target::OtherMethod(same),
    }
}

/// The nearest page that can be looked at: the path itself, or what is above it.
pub(crate) fn page_above(path: &str) -> &str {
    let mut above = path;
    while above.starts_with(PATH) {
        match find(&Method::GET, above) {
            Target::Page(_) => return above,
            Target::OtherMethod(_) | Target::Nowhere => {}
        }
        above = above.rsplit_once('/').map_or(PATH, |(rest, _)| rest);
    }
    PATH
}

/// The right to a page, by its path below [`PATH`].
pub(crate) fn right_to(path: &str) -> Right {
    match find(&Method::GET, path) {
        Target::Page(route) => route.right(),
        Target::OtherMethod(_) | Target::Nowhere => Right::Scope(Scope::Admin),
    }
}

/// Whether a path is one of a pattern; a parameter stands for one part that is not empty.
fn leads_to(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(want), Some(part)) if want == part => {}
            (Some(want), Some(part)) if want.starts_with('{') && !part.is_empty() => {}
            _ => return false,
        }
    }
}

/// The methods of a path, as `Allow` lists them.
pub(crate) fn allowed(routes: &[Route]) -> &'static str {
    let has = |method: &Method| routes.iter().any(|route| route.method == *method);
    match (has(&Method::GET), has(&Method::POST)) {
        (true, true) => "GET, HEAD, POST",
        (true, false) => "GET, HEAD",
        (false, _) => "POST",
    }
}

/// Tells actix about the pages.
pub(crate) fn configure(config: &mut ServiceConfig) {
    for routes in ROUTES.chunk_by(|one, next| one.path == next.path) {
        let methods = allowed(routes);
        let refuse = move || async move { Err::<&str, _>(Mistake::MethodNotAllowed(methods)) };
        let resource = web::resource(routes[0].path);
        let resource = routes
            .iter()
            .fold(resource, |all, route| all.route((route.handler)()));
        config.service(resource.default_service(web::to(refuse)));
    }
}

/// The answer to any other path.
pub(crate) async fn unknown_path() -> Result<&'static str, Mistake> {
    Err(Mistake::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_method_and_path() {
        let found = |method: &Method, path: &str| match find(method, path) {
            Target::Page(route) => Some(route.path()),
            Target::OtherMethod(_) | Target::Nowhere => None,
        };
        assert_eq!(found(&Method::GET, "/console"), Some(""));
        assert_eq!(
            found(&Method::POST, "/console/messages/resend"),
            Some("/messages/resend")
        );
        assert_eq!(
            found(&Method::GET, "/console/messages/x"),
            Some("/messages/{request_id}")
        );
        assert_eq!(found(&Method::GET, "/console/nothing"), None);
        assert!(matches!(
            find(&Method::PUT, "/console/login"),
            Target::OtherMethod(_)
        ));
    }

    #[test]
    fn what_is_looked_at_is_above_what_is_done() {
        for (path, above) in [
            ("/console", "/console"),
            ("/console/keys", "/console/keys"),
            ("/console/messages/resend", "/console/messages"),
            ("/console/messages/x/phone", "/console/messages/x"),
            ("/console/keys/x/revoke", "/console/keys"),
            ("/console/login", "/console/login"),
            ("/console/logout", "/console"),
            ("/console/nothing/at/all", "/console"),
            ("x", "/console"),
        ] {
            assert_eq!(page_above(path), above, "{path}");
        }
    }
}
