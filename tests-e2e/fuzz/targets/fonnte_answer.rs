#![no_main]

// The HTTP status, the header Retry-After, and the body, a line each.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let (status, rest) = text.split_once('\n').unwrap_or(("200", text));
    let (retry_after, body) = rest.split_once('\n').unwrap_or(("", rest));
    whatsapp_fonnte::laws::retry_after(retry_after);
    whatsapp_fonnte::laws::fonnte_answer(status.parse().unwrap_or(200), body);
});
