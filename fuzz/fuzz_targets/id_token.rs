#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| oauth_wasm_fuzz::id_token(data));
