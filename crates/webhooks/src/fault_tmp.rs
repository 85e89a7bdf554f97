domain::named! {
    /// Why an attempt has no status.
    pub enum AttemptError {
        AddressNotAllowed = "address_not_allowed",
        NameNotFound = "name_not_found",
        ConnectionFailed = "connection_failed",
        Tls = "tls",
        Timeout = "timeout",
        InvalidAnswer = "invalid_answer",
        SecretUnusable = "secret_unusable",
    }
}
