//! The commands of the documentation do what it says.

use std::fs;

use crate::place::Place;
use crate::{done, json};

const PAGE: &str = include_str!("../../../../docs/certificates.md");

/// The command lines in the section with this title, as words.
fn commands(title: &str) -> Vec<Vec<String>> {
    let (_, rest) = PAGE.split_once(&format!("\n## {title}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let lines = section
        .lines()
        .filter_map(|line| line.strip_prefix("signstar-admin "));
    lines.map(words).collect()
}

/// As the shell splits them: at spaces, but not between quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Runs a command in a place: its folder is where the page says /media/safe and the like, and nobody
/// sits at its terminal.
fn run(place: &Place, words: &[String], subkey: &str) {
    let mut words: Vec<String> = words
        .iter()
        .map(|word| match word.strip_prefix('/') {
            Some(path) => {
                let name = path.rsplit('/').next().unwrap();
                place.path(name).display().to_string()
            }
            None => word.replace("FINGERPRINT", subkey),
        })
        .collect();
    let verb: Vec<&str> = words.iter().take(2).map(String::as_str).collect();
    match verb.as_slice() {
        ["primary", "generate"] => words.push("--no-passphrase".to_owned()),
        ["cert", "revoke"] => words.push("--yes".to_owned()),
        _ => {}
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    place.admin(&words).done();
}

#[test]
fn the_commands_for_a_device_alone_work_in_their_order() {
    let place = Place::new();
    let commands = commands("The device's key alone");
    assert_eq!(commands.len(), 6);
    for words in &commands {
        run(&place, words, "");
    }
    let problems = place.admin(&["config", "check"]).found(78);
    assert!(problems.contains("is revoked"), "{problems}");
}

#[test]
fn the_commands_for_an_offline_primary_work_in_their_order() {
    let place = Place::new();
    place.add_key("packages-2027", "packages-2027.pgp", "");
    let below = commands("Below an offline primary key");
    assert_eq!(below.len(), 8);
    let mut subkey = String::new();
    for words in &below {
        if words[1] == "check" {
            // Only the key that has no certificate yet is missing.
            let checked = place
                .admin(&["config", "check", "--output", "json"])
                .found(78);
            assert_eq!(json(&checked)["keys"].as_array().unwrap().len(), 1);
            continue;
        }
        run(&place, words, &subkey);
        if words[1] == "rotate" {
            let shown = place.admin(&["key", "list", "--output", "json"]).done();
            let listed = json(&shown);
            subkey = listed["keys"][0]["fingerprint"]
                .as_str()
                .unwrap()
                .to_owned();
            let new = listed["keys"][1]["fingerprint"].as_str().unwrap();
            place.choose("packages-2027", new);
            place.admin(&["config", "check"]).done();
        }
    }
    // The old subkey is revoked where the new one goes on.
    let shown = done(&place, &["cert", "show", "--key", "packages-2027"]);
    let keys = shown["keys"].as_array().unwrap();
    let revoked: Vec<&str> = keys
        .iter()
        .filter(|key| key["revoked"] == true)
        .map(|key| key["fingerprint"].as_str().unwrap())
        .collect();
    assert_eq!(revoked, [subkey.as_str()]);

    for folder in ["www", "keyrings"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    let exports = commands("For those who verify");
    assert_eq!(exports.len(), 5);
    for words in &exports {
        // The certificate of the key `packages` has this name here.
        let words: Vec<String> = words
            .iter()
            .map(|word| word.replace("/packages.pgp", "/exported.pgp"))
            .collect();
        run(&place, &words, "");
    }
    for made in [
        "packages.asc",
        "exported.pgp",
        "keyrings/trial.gpg",
        "keyrings/trial-trusted",
        "keyrings/trial-revoked",
        "www/.well-known/openpgpkey/policy",
        "www/.well-known/openpgpkey/example.org/policy",
    ] {
        assert!(place.path(made).is_file(), "{made}");
    }
}
