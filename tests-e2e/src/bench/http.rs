//! Requests as bytes made beforehand, and answers read with as little work as can be: what the
//! generator spends is missing to the service, for they share the machine.

use std::ops::Range;

/// The most that a head or a body of an answer may have.
const MOST: usize = 4 << 20;

/// Requests that are sent in turn, and what every answer to them must hold.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    /// Whole requests, ready to be written.
    pub bytes: Vec<Vec<u8>>,
    /// A part of every good answer's body.
    pub sign: &'static str,
}

impl Requests {
    /// Submissions, each with a phone of its own, over these dealers in turn.
    #[must_use]
    pub(super) fn submissions(dealers: &[String], count: usize, send_at: Option<&str>) -> Self {
        let send_at = send_at.map_or_else(String::new, |at| format!(r#","sendAt":"{at}""#));
        let bytes = dealers
            .iter()
            .cycle()
            .take(count)
            .enumerate()
            .map(|(n, dealer)| {
                let body = format!(
                    r#"{{"namaPembawa":"Adit","noTelp":"0812{n:08}","tipeUnit":"BeAT Street","noPol":"D {} AD","createdTime":"22/11/2026 15:40:50","modifiedTime":"22/11/2026 15:40:50","dealerId":"{dealer}"{send_at}}}"#,
                    n % 9_000 + 1_000
                );
                format!(
                    "POST /api/v1/customer/validate-customer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .into_bytes()
            })
            .collect();
        Self {
            bytes,
            sign: r#""status":1,"#,
        }
    }

    /// Reads of these paths.
    #[must_use]
    pub(super) fn reads(paths: impl IntoIterator<Item = String>) -> Self {
        let bytes = paths
            .into_iter()
            .map(|path| format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes())
            .collect();
        Self {
            bytes,
            sign: r#""success":true,"#,
        }
    }

    /// Whether an answer is what was asked for.
    #[must_use]
    pub(super) fn is_answered_by(&self, status: u16, body: &[u8]) -> bool {
        status == 200
            // It stands at the beginning.
            && body
                .windows(self.sign.len())
                .take(64)
                .any(|window| window == self.sign.as_bytes())
    }
}

/// A whole answer at the beginning of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Where the body stands.
    pub body: Range<usize>,
}

/// What is no answer that this client could read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Reads an answer with a `Content-Length`; `None` when it is not complete yet.
///
/// # Errors
/// When it is no such answer, or too long.
pub(super) fn read_answer(buffer: &[u8]) -> Result<Option<Answer>, Unreadable> {
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if buffer.len() > MOST {
            Err(Unreadable)
        } else {
            Ok(None)
        };
    };
    let head = std::str::from_utf8(&buffer[..end]).map_err(|_| Unreadable)?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok())
        .ok_or(Unreadable)?;
    let length: usize = lines
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().ok())?
        })
        .filter(|length| *length <= MOST)
        .ok_or(Unreadable)?;
    let body = end + 4..end + 4 + length;
    Ok((buffer.len() >= body.end).then_some(Answer { status, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] =
        b"HTTP/1.1 200 OK\r\nlocation: /x\r\nContent-length: 12\r\n\r\n{\"status\":1}";

    #[test]
    fn an_answer_is_read_when_it_is_whole() {
        let answer = read_answer(WHOLE).unwrap().unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(&WHOLE[answer.body], b"{\"status\":1}");
        for end in 0..WHOLE.len() {
            assert_eq!(read_answer(&WHOLE[..end]), Ok(None));
        }
    }

    #[test]
    fn what_is_not_an_answer_is_refused() {
        for text in [
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1 abc\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
        ] {
            assert_eq!(read_answer(text.as_bytes()), Err(Unreadable), "{text}");
        }
    }

    #[test]
    fn only_a_stored_submission_counts_as_answered() {
        let dealers = ["0009999".to_owned()];
        let requests = Requests::submissions(&dealers, 2, None);
        assert!(requests.is_answered_by(200, br#"{"status":1,"message":{}}"#));
        assert!(!requests.is_answered_by(200, br#"{"status":0,"message":{}}"#));
        assert!(!requests.is_answered_by(503, br#"{"status":1,"message":{}}"#));
        assert_ne!(requests.bytes[0], requests.bytes[1]);
    }
}
