//! How long a signature with a device takes: the whole login shell, as it is released, beside bare
//! loops over the device's library in this process. In turns, so that all see the same machine.
//!
//! The first argument that is a number says how many rounds; then each round is a line on standard
//! output: device, kind of key, nanoseconds of the shell, of all that it has
//! the device do, and of a signature alone.
//! `cargo xtask bench --part devices` starts this and makes a table of it.
//!
//! Deliberately absent: any judgement of the numbers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "this measures, with what the tests have"
)]

#[path = "../../tests/support/lib.rs"]
#[allow(unused_imports, reason = "each program uses a part of it")]
mod support;

#[path = "../../tests/smartcard/machine.rs"]
#[allow(dead_code, reason = "each program uses a part of it")]
mod machine;
#[path = "../../tests/nethsm/scene.rs"]
#[allow(dead_code, reason = "each program uses a part of it")]
mod nethsm_scene;
#[path = "../../tests/faults/scene.rs"]
#[allow(dead_code, reason = "each program uses a part of it")]
mod scene;
#[path = "../../tests/pkcs11/scene.rs"]
#[allow(dead_code, reason = "each program uses a part of it")]
mod token_scene;
#[path = "../../tests/tpm/scene.rs"]
#[allow(dead_code, reason = "each program uses a part of it")]
mod tpm_scene;

mod card;
mod contest;
mod nethsm;
mod token;
mod tpm;

fn main() {
    // The library of TPMs complains on standard error otherwise.
    std::env::set_var("TSS2_LOG", "all+none");
    let rounds = std::env::args().find_map(|argument| argument.parse().ok());
    let rounds: u32 = rounds.expect("the number of rounds as an argument");
    for kind in nethsm::KINDS {
        nethsm::measure(kind, rounds);
    }
    for kind in token::KINDS {
        token::measure(kind, rounds);
    }
    for kind in card::KINDS {
        card::measure(kind, rounds);
    }
    for kind in tpm::KINDS {
        tpm::measure(kind, rounds);
    }
}
