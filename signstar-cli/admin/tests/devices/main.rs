//! What an operator does with keys that cannot leave their devices: from a device without a key to a
//! signature that GnuPG verifies. The devices are real ones in software.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod card;
mod exported;
#[path = "../operator/gpg.rs"]
#[allow(dead_code, reason = "shared with other tests, which use the rest")]
mod gpg;
#[path = "../../../../signstar-backends/smartcard/tests/support/inside.rs"]
mod inside;
mod kept;
mod nethsm;
#[path = "../operator/place.rs"]
#[allow(dead_code, reason = "shared with other tests, which use the rest")]
mod place;
mod profile;
mod signing;
mod token;
mod token_keys;
mod tpm;
mod typing;

use serde_json::Value;

use place::{End, Place};

/// What the program has done, as a program reads it.
fn done(place: &Place, arguments: &[&str]) -> Value {
    parsed(&place.admin(&as_json(arguments)).done())
}

/// What it has found, where that is something wrong.
fn found(place: &Place, status: i32, arguments: &[&str]) -> Value {
    parsed(&place.admin(&as_json(arguments)).found(status))
}

fn as_json<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--output", "json"]].concat()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The configuration of a key `packages` in a device: `lines` stand in the back end's table.
fn configure(place: &Place, back_end: &str, lines: &str) {
    let folder = place.folder().display();
    let text = format!(
        "version = 1\n[audit]\nsink = \"stderr\"\n[user.signer]\nkey = \"packages\"\n\
         [key.packages]\nback-end = \"{back_end}\"\ninput = \"any\"\ncertificate = \"{folder}/packages.pgp\"\n\
         [key.packages.{back_end}]\n{lines}"
    );
    place.write("signstar.toml", &text);
}

/// Makes a certificate of either shape, has it checked, and says which key signs.
fn certify(place: &Place, shape: Shape) -> String {
    let create = ["cert", "create", "--key", "packages"];
    let made = match shape {
        Shape::Alone => {
            let user = ["--user-id", "A <a@example.org>", "--force"];
            done(place, &[&create[..], &user].concat())
        }
        Shape::BelowPrimary => {
            let primary = place.primary(&[]);
            let primary = [primary[0].as_str(), primary[1].as_str(), "--force"];
            done(place, &[&create[..], &primary].concat())
        }
    };
    let alone = made["fingerprint"] == made["signing_key"];
    assert_eq!(alone, shape == Shape::Alone);
    let checked = done(place, &["config", "check"]);
    assert_eq!(checked["problems"].as_array().unwrap().len(), 0);
    assert_eq!(checked["keys"][0]["fingerprint"], made["signing_key"]);
    // The only thing to remark is that records go to standard error.
    let health = found(place, 1, &["health"]);
    let states = health["checks"].as_array().unwrap().iter();
    let states: Vec<(&str, &str)> = states
        .map(|check| {
            let text = |name: &str| check[name].as_str().unwrap();
            (text("check"), text("state"))
        })
        .collect();
    let well = ["certificate", "credential", "device"].map(|check| (check, "ok"));
    assert_eq!(
        states,
        [&[("sink", "warning")], &well[..]].concat(),
        "{health}"
    );
    made["signing_key"].as_str().unwrap().to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Alone,
    BelowPrimary,
}

/// The one line in which it said why it has done nothing.
fn refused(end: End, status: i32, words: &str) {
    let text = end.refused(status);
    assert!(text.contains(words), "{text}");
}
