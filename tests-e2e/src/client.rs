use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// A caller of the API.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// A caller of the service at `base`, such as `http://127.0.0.1:8300`.
    ///
    /// # Panics
    /// When there is no memory for it.
    #[must_use]
    pub fn new(base: &str) -> Self {
        // Only plain HTTP is spoken here, but reqwest insists on a provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(20))
            .build()
            .expect("an HTTP client can be made");
        Self {
            http,
            base: base.to_owned(),
        }
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// GET of a path.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> reqwest::Result<Reply> {
        self.send(Method::GET, path, None, &[]).await
    }

    /// POST of a JSON body to a path.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, body: &Value) -> reqwest::Result<Reply> {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    /// Reads a long answer to its end and keeps nothing of it. Returns the status and how many lines it had.
    ///
    /// # Errors
    /// When there is no answer, or it ends too soon.
    pub async fn read_away(&self, path: &str) -> reqwest::Result<(u16, u64)> {
        let request = self.http.get(format!("{}{path}", self.base));
        let mut response = request.timeout(Duration::from_secs(300)).send().await?;
        let mut lines = 0;
        while let Some(chunk) = response.chunk().await? {
            lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        Ok((response.status().as_u16(), lines))
    }

    /// Any request.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Reply> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        Ok(Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }
}
