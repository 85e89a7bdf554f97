use domain::access::Principal;

/// Adds the key's id and name to all log lines of the call, never its secret. The call's span has the fields
/// `key.id` and `key.name`.
pub fn name_in_log(principal: &Principal) {
    let call = tracing::Span::current();
    if let Some(key) = principal.key() {
        call.record("key.id", key.to_string());
    }
    call.record("key.name", principal.name());
}
