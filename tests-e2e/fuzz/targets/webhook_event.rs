#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| whatsapp_fonnte::laws::webhook_event(body));
