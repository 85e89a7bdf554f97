use async_trait::async_trait;

/// Whether one part of the service works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, such as `database`.
    pub name: &'static str,
    /// What was found, for people: `healthy`, `unhealthy`, or a plain word that says more. Never a
    /// driver's text, a host name or a secret.
    pub finding: String,
    /// Whether that is good enough to serve.
    pub passed: bool,
}

/// The health of what the service stands on.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Health: Send + Sync {
    /// Looks at everything, within a second.
    async fn checks(&self) -> Vec<Check>;
}
