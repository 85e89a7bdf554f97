//! Cookies: what is remembered in a browser.

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;
use domain::access::SessionToken;
use domain::usecases::SESSION_LIFETIME;
use secrecy::ExposeSecret as _;

/// The language that was chosen.
pub(crate) const LANGUAGE: &str = "console_language";

/// The theme that was chosen.
pub(crate) const THEME: &str = "console_theme";

/// The session. Under https with a prefix, so that a page that came over http cannot set it.
const SESSION: &str = "console_session";
const SECURE_SESSION: &str = "__Secure-console_session";

/// How long a choice is remembered, in seconds: a year.
const REMEMBERED: u32 = 31_536_000;

/// The value of a cookie; none where two of that name differ, because nobody knows then which one is ours.
pub(crate) fn read<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let lines = request.headers().get_all(COOKIE);
    let mut values = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// The session of a request.
pub(crate) fn session(request: &HttpRequest, https: bool) -> Option<SessionToken> {
    SessionToken::parse(read(request, session_name(https))?).ok()
}

const fn session_name(https: bool) -> &'static str {
    if https { SECURE_SESSION } else { SESSION }
}

/// Hands a session to the browser.
pub(crate) fn begin_session(token: &SessionToken, https: bool) -> String {
    let seconds = SESSION_LIFETIME.as_secs();
    written(
        session_name(https),
        token.reveal().expose_secret(),
        seconds,
        https,
    )
}

/// Takes the session from the browser.
pub(crate) fn end_session(https: bool) -> String {
    written(session_name(https), "", 0, https)
}

/// Remembers a choice.
pub(crate) fn remember(name: &str, value: &str, https: bool) -> String {
    written(name, value, REMEMBERED.into(), https)
}

fn written(name: &str, value: &str, seconds: u64, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{name}={value}; Path=/console; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn value(cookies: &[&str]) -> Option<String> {
        let mut request = TestRequest::default();
        for cookie in cookies {
            request = request.append_header(("Cookie", *cookie));
        }
        read(&request.to_http_request(), THEME).map(str::to_owned)
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        assert_eq!(value(&["a=b; console_theme=dark"]).as_deref(), Some("dark"));
        assert_eq!(
            value(&["a=b", " console_theme=dark"]).as_deref(),
            Some("dark")
        );
        assert_eq!(value(&["console_theme=x=y"]).as_deref(), Some("x=y"));
        assert_eq!(value(&["xconsole_theme=dark; CONSOLE_THEME=dark"]), None);
        assert_eq!(value(&[]), None);
    }

    #[test]
    fn of_two_cookies_that_differ_neither_counts() {
        let twice = ["console_theme=dark; console_theme=dark"];
        assert_eq!(value(&twice).as_deref(), Some("dark"));
        assert_eq!(value(&["console_theme=dark; console_theme=light"]), None);
    }

    #[test]
    fn under_https_a_session_is_secure() {
        let token = SessionToken::new([0xab; 32]);
        let hex = "ab".repeat(32);
        assert_eq!(
            begin_session(&token, true),
            format!(
                "__Secure-console_session={hex}; Path=/console; Max-Age=43200; HttpOnly; \
                 SameSite=Strict; Secure"
            )
        );
        assert_eq!(
            begin_session(&token, false),
            format!(
                "console_session={hex}; Path=/console; Max-Age=43200; HttpOnly; SameSite=Strict"
            )
        );
        let request = TestRequest::default()
            .append_header(("Cookie", format!("console_session={hex}")))
            .to_http_request();
        assert!(session(&request, false).is_some());
        assert!(session(&request, true).is_none());
    }
}
