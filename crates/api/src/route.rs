//! A route: everything about it besides its handler's code.

use actix_web::http::Method;
use actix_web::{HttpMessage as _, HttpRequest};
use domain::access::Scope;
use paperclip::actix::web;

/// A line of the table of routes.
pub struct Route {
    /// The method; `GET` includes `HEAD`.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Its callers.
    pub access: Access,
    /// How the limits count its calls.
    pub calls: Calls,
    /// The most bytes that its body may have; `None` where no body is read.
    pub body: Option<usize>,
    /// Makes the handler; actix needs one for each thread.
    pub(crate) handler: fn() -> web::Route,
}

/// The callers of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Any caller. Its answers may be cached.
    Public,
    /// Callers with the secret of the path.
    Webhook,
    /// Callers with a key of this scope.
    Scope(Scope),
    /// Callers on this machine, and those with the scope `admin`.
    Local,
}

/// How the limits count calls of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Rate and concurrency are limited.
    Metered,
    /// Only concurrency is limited: the provider's reports cannot be asked for again.
    Unmetered,
    /// Not limited: supervisors must see a busy service as it is.
    Always,
}

impl Access {
    /// Whether no key is needed.
    pub(crate) const fn needs_no_key(self) -> bool {
        matches!(self, Self::Public | Self::Webhook)
    }
}

/// The target of a call.
#[derive(Clone, Copy, Default)]
pub(crate) struct Target {
    /// A route of the path; `None` for an unknown path.
    of_path: Option<&'static Route>,
    /// The route of path and method.
    route: Option<&'static Route>,
    /// Whether the path is below `/api/v1/admin`, known or not.
    is_admin: bool,
    /// Whether another adapter answers.
    is_beside: bool,
}

impl Target {
    /// Finds the route of a call. The path must be the router's own, so that both agree. Routes of one path
    /// stand together.
    pub(crate) fn find(routes: &'static [Route], method: &Method, path: &str) -> Self {
        let below = path.strip_prefix(ADMIN);
        let is_admin = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some(first) = routes.iter().position(|route| leads_to(route.path, path)) else {
            return Self {
                is_admin,
                ..Self::default()
            };
        };
        let of_path = &routes[first];
        let mut same = routes[first..]
            .iter()
            .take_while(|route| route.path == of_path.path);
        Self {
            of_path: Some(of_path),
            route: same.find(|route| route.method == *method),
            is_admin,
            is_beside: false,
        }
    }

    /// A path that another adapter answers.
    pub(crate) fn beside() -> Self {
        Self {
            is_beside: true,
            ..Self::default()
        }
    }

    /// Whether another adapter answers, and lets callers in by its own rules.
    pub(crate) fn is_beside(self) -> bool {
        self.is_beside
    }

    /// The target that the frame has set.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        request.extensions().get().copied().unwrap_or_default()
    }

    /// The path's pattern; `None` for an unknown path.
    pub(crate) fn pattern(self) -> Option<&'static str> {
        self.of_path.map(|route| route.path)
    }

    /// The callers of the path, for any method.
    pub(crate) fn path_access(self) -> Option<Access> {
        self.of_path.map(|route| route.access)
    }

    /// The callers of the route; `None` for an unknown path or method.
    pub(crate) fn access(self) -> Option<Access> {
        self.route.map(|route| route.access)
    }

    /// How the call is counted; an unknown path counts like any other.
    pub(crate) fn calls(self) -> Calls {
        self.of_path.map_or(Calls::Metered, |route| route.calls)
    }

    /// The most bytes that a body may have.
    pub(crate) fn body(self) -> usize {
        self.route.and_then(|route| route.body).unwrap_or_default()
    }

    /// Whether the call submits: errors have the submitters' form.
    pub(crate) fn submits(self) -> bool {
        self.of_path.is_some_and(|route| route.path == SUBMIT)
    }

    /// Whether the path is below `/api/v1/admin`, known or not: its host is checked first.
    pub(crate) fn is_admin(self) -> bool {
        self.is_admin
    }
}

/// The prefix of the admin routes.
pub(crate) const ADMIN: &str = "/api/v1/admin";

/// The path of submissions.
pub(crate) const SUBMIT: &str = "/api/v1/customer/validate-customer";

/// Whether a path matches a pattern; a parameter matches one non-empty segment.
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
pub(crate) fn allowed(routes: &[Route]) -> String {
    let methods = routes.iter().map(|route| match route.method.as_str() {
        "GET" => "GET, HEAD",
        other => other,
    });
    methods.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_for_one_part() {
        for (pattern, path, leads) in [
            ("/", "/", true),
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a", "/A", false),
            ("/a", "/ab", false),
            ("/a", "/", false),
            ("/a/{b}", "/a/x", true),
            ("/a/{b}", "/a/", false),
            ("/a/{b}", "/a", false),
            ("/a/{b}", "/a/x/y", false),
            ("/a/{b}/c", "/a/x/c", true),
            ("/a/{b}/c", "/a/%2F/c", true),
            ("/a/{b}/c", "/a/x/d", false),
        ] {
            assert_eq!(leads_to(pattern, path), leads, "{pattern} {path}");
        }
    }
}
