use crate::PATH;

/// The most bytes of an address that is come back to.
const LONGEST: usize = 2_000;

/// A path of the console, with its query: where somebody goes after logging in. Nothing else is one, so that
/// nobody can be sent anywhere else by a link to the log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next(String);

impl Next {
    /// The path that was asked for, or the first page where it is none.
    pub(crate) fn or_first(raw: Option<&str>) -> Self {
        let path = raw.filter(|raw| is_ours(raw)).unwrap_or(PATH);
        Self(path.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_ours(raw: &str) -> bool {
    let (path, _) = raw.split_once('?').unwrap_or((raw, ""));
    let Some(below) = path.strip_prefix(PATH) else {
        return false;
    };
    let is_plain = raw.len() <= LONGEST
        && raw
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#'));
    // A dot segment, however it is written, may lead out of the console.
    let mut parts = below.split('/');
    is_plain
        && parts.next() == Some("")
        && parts.all(|part| {
            let part = part.to_ascii_lowercase().replace("%2e", ".");
            !matches!(part.as_str(), "" | "." | "..")
        })
        && !matches!(below, "/login" | "/logout" | "/preferences")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_console_are_gone_to() {
        for path in [
            "/console",
            "/console?a=b",
            "/console/messages",
            "/console/messages?q=D%20123&dealer_id=0009999",
            "/console/messages/23f16411-6eb2-4829-a964-9ad1f0e0cc22",
            "/console/messages?next=//evil.example",
        ] {
            assert_eq!(Next::or_first(Some(path)).as_str(), path);
        }
        for path in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/console",
            "javascript:alert(1)",
            "/consoles",
            "/console@evil.example",
            "/console/",
            "/console//evil.example",
            "/console/../docs",
            "/console/%2e%2E/docs",
            "/console/.%2e/docs",
            "/console/./x",
            "/console\\evil.example",
            "/console/\\evil.example",
            "/console/messages#x",
            "/console/me ssages",
            "/console/messages\r\nSet-Cookie: a=b",
            "/console/login",
            "/console/login?next=/console/login",
            "/console/logout",
            "console",
        ] {
            assert_eq!(Next::or_first(Some(path)).as_str(), "/console", "{path}");
        }
        assert_eq!(Next::or_first(None).as_str(), "/console");
    }
}
