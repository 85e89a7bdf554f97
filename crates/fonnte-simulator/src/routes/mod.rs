//! The routes: the simulated API, the controls and the page.

mod api;
mod control;
mod device;
mod send;
mod state;

use std::sync::Arc;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use crate::reply::{AnswerBody, Dropped, Reply};
use crate::shared::Shared;

/// The largest body in bytes: more than the largest attachment.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

const PAGE: &str = include_str!("../page.html");

pub(crate) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Dropped> {
    let path = request.uri().path();
    let is_control = path == "/" || path.starts_with("/_simulator/");
    if !is_control {
        return api::answer(shared, request).await;
    }
    if !control::comes_from_here(&request) {
        return Ok(Reply::text(StatusCode::FORBIDDEN, "Forbidden").whole());
    }
    if path != "/" {
        return control::answer(shared, request).await.map(Reply::whole);
    }
    let reply = match *request.method() {
        Method::GET | Method::HEAD => Reply::html(StatusCode::OK, PAGE)
            .with(header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        _ => method_not_allowed("GET"),
    };
    Ok(reply.whole())
}

fn method_not_allowed(allowed: &'static str) -> Reply {
    Reply::text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        .with(header::ALLOW, HeaderValue::from_static(allowed))
}

/// Why a body was not read.
enum Unread {
    TooLarge,
    ClientLeft,
}

async fn read_body(body: Incoming) -> Result<Bytes, Unread> {
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Err(_) => Err(Unread::ClientLeft),
    }
}
