use std::time::{Duration, Instant};

use crate::fault::AttemptError;
use reqwest::header::{HeaderMap, HeaderName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::receiver::{
    BODY, OK, Receiver, SECRET, answered_with, client, client_where, header, options, post, request,
};
use crate::client::{Answered, EventClient, EventClientOptions};

async fn status_of(answer: &str) -> u16 {
    answered_with(answer).await.unwrap().status
}

#[tokio::test]
async fn an_attempt_is_a_signed_post_that_the_specifications_library_accepts() {
    let receiver = Receiver::start().await;
    let (client, url) = (client(), receiver.here());
    let (ended, request) = tokio::join!(post(&client, &url), receiver.answer(OK));
    assert_eq!(ended.unwrap().status, 204);
    assert!(
        request.starts_with("POST /hook?token=1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(header(&request, "content-type"), "application/json");
    assert!(header(&request, "user-agent").starts_with("customer-service/"));
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, BODY);
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let value = header(&request, name).parse().unwrap();
        headers.insert(HeaderName::from_static(name), value);
    }
    assert_eq!(headers["webhook-id"], "evt_01939e2c");
    let verifier = standardwebhooks::Webhook::new(SECRET).unwrap();
    verifier.verify(body.as_bytes(), &headers).unwrap();
    assert!(verifier.verify(b"{}", &headers).is_err());
}

#[tokio::test]
async fn every_status_is_told_as_it_came() {
    assert_eq!(
        status_of("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await,
        200
    );
    assert_eq!(
        status_of("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await,
        410
    );
    assert_eq!(
        status_of("HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno").await,
        500
    );
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_told() {
    let answer = "HTTP/1.1 429 Too Many\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n";
    let expected = Answered {
        status: 429,
        retry_after: Some(Duration::from_secs(120)),
    };
    assert_eq!(answered_with(answer).await, Ok(expected));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Receiver::start().await;
    for status in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            other.here()
        );
        assert_eq!(status_of(&answer).await, status);
    }
    assert!(!other.was_called().await);
}

#[tokio::test]
async fn an_endless_body_is_not_read() {
    let receiver = Receiver::start().await;
    let (client, url) = (client(), receiver.here());
    let endless = async {
        let mut peer = receiver.accept().await;
        request(&mut peer).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n";
        peer.write_all(head).await.unwrap();
        // Until the client closes the connection.
        let (mut reading, mut writing) = peer.split();
        let (mut sent, mut rest) = (0, Vec::new());
        let writing = async {
            while writing.write_all(&[b'x'; 1024]).await.is_ok() {
                sent += 1024;
            }
        };
        tokio::join!(writing, async {
            drop(reading.read_to_end(&mut rest).await)
        });
        sent
    };
    let (ended, sent) = tokio::join!(post(&client, &url), endless);
    assert_eq!(ended.unwrap().status, 200);
    // Most of it filled the buffers of the two sockets.
    assert!(sent < 50_000_000, "{sent}");
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let receiver = Receiver::start().await;
    let (client, url) = (client(), receiver.here());
    let silent = async {
        let mut peer = receiver.accept().await;
        request(&mut peer).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        peer.write_all(head).await.unwrap();
        drop(peer.read_to_end(&mut Vec::new()).await);
    };
    let began = Instant::now();
    let (ended, ()) = tokio::join!(post(&client, &url), silent);
    assert_eq!(ended.unwrap().status, 200);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_receiver_that_hangs_is_left_in_time() {
    let receiver = Receiver::start().await;
    let client = EventClient::new(EventClientOptions {
        timeout: Duration::from_millis(200),
        ..options()
    });
    let (client, url) = (client.unwrap(), receiver.here());
    let hang = async {
        let mut peer = receiver.accept().await;
        request(&mut peer).await;
        // Answers that are none, for ever.
        while peer
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .is_ok()
        {
            tokio::task::yield_now().await;
        }
    };
    let (ended, ()) = tokio::join!(post(&client, &url), hang);
    assert_eq!(ended, Err(AttemptError::Timeout));
}

#[tokio::test]
async fn what_goes_wrong_is_one_short_word() {
    let gone = Receiver::start().await.here();
    assert_eq!(
        post(&client(), &gone).await,
        Err(AttemptError::ConnectionFailed)
    );
    assert_eq!(answered_with("").await, Err(AttemptError::ConnectionFailed));
    let half = answered_with("HTTP/1.1 200 OK\r\ncontent-le").await;
    assert_eq!(half, Err(AttemptError::ConnectionFailed));
    let ssh = answered_with("SSH-2.0-OpenSSH_9.6\r\n").await;
    assert_eq!(ssh, Err(AttemptError::InvalidAnswer));
    let (nameless, _) = client_where(options(), None, &[]);
    let url = "https://hooks.example/";
    assert_eq!(post(&nameless, url).await, Err(AttemptError::NameNotFound));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let receiver = Receiver::start().await;
    let (client, url) = (client(), receiver.here());
    let twice = async {
        let mut peer = receiver.accept().await;
        for _ in 0..2 {
            request(&mut peer).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            peer.write_all(answer).await.unwrap();
        }
    };
    let posts = async {
        post(&client, &url).await.unwrap();
        post(&client, &url).await.unwrap();
    };
    tokio::join!(posts, twice);
    assert!(!receiver.was_called().await);
}
