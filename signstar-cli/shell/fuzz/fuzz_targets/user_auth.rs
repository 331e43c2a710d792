#![no_main]

mod bodies;

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::user_auth(input));
