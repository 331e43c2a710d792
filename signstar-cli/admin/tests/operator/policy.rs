//! `policy explain` and `policy try`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::json;
use crate::place::Place;

/// The inspector of the staged tree, or the one that was built last.
fn inspector() -> PathBuf {
    let name = "signstar-inspector";
    let found = match std::env::var_os("SIGNSTAR_STAGE") {
        Some(stage) => PathBuf::from(stage).join("usr/lib/signstar").join(name),
        None => Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("../x86_64-unknown-linux-musl/release")
            .join(name),
    };
    assert!(
        found.is_file(),
        "there is no inspector: run `cargo xtask test --part stage`"
    );
    found
}

/// A place with the inspector installed, and an empty database by repo-add.
fn place() -> (Place, String) {
    let place = Place::new();
    fs::create_dir_all(place.path("lib/signstar")).unwrap();
    fs::copy(inspector(), place.path("lib/signstar/signstar-inspector")).unwrap();
    let database = place.path("trial.db.tar.gz");
    let done = Command::new("repo-add")
        .arg("--nocolor")
        .arg(&database)
        .output()
        .expect("repo-add is needed for this test");
    assert!(database.is_file(), "{done:?}");
    let database = database.to_str().unwrap().to_owned();
    (place, database)
}

#[test]
fn explains_every_number_and_lists_them() {
    let place = Place::new();
    let text = place.admin(&["policy", "explain", "4021"]).done();
    assert!(
        text.starts_with("4021: .PKGINFO names a version that .BUILDINFO does not\n"),
        "{text}"
    );
    let all = place.admin(&["policy", "explain"]).done();
    for line in all.lines() {
        let number = line.split(' ').next().unwrap();
        let text = place.admin(&["policy", "explain", number]).done();
        let (sentence, meaning) = text.split_once('\n').unwrap();
        assert_eq!(sentence, line.replace("  ", ": "));
        assert!(meaning.len() > 40, "{text}");
    }
    assert!(all.lines().count() > 40);
    let text = place.admin(&["policy", "explain", "4999"]).refused(64);
    assert_eq!(text, "4999: no such number; `policy explain` lists them");
    let arguments = ["policy", "explain", "4060", "--output", "json"];
    let explained = json(&place.admin(&arguments).done());
    assert_eq!(explained["number"], 4060);
}

#[test]
fn tries_a_file_as_a_kind() {
    let (place, database) = place();
    let run = |kind: &str| place.admin(&["policy", "try", "--kind", kind, &database]);
    let text = run("pacman-database").done();
    assert!(text.starts_with("accepted\n"), "{text}");
    assert!(text.contains("kind  pacman-database\n"), "{text}");
    let text = run("pacman-package").found(65);
    assert!(text.starts_with("refused 4020: "), "{text}");
    let text = run("iso").found(65);
    assert!(text.starts_with("refused 405"), "{text}");
    let json_of = |kind: &str, status| {
        let arguments = ["policy", "try", "--kind", kind, &database];
        let end = place.admin(&[&arguments[..], &["--output", "json"]].concat());
        json(&match status {
            0 => end.done(),
            _ => end.found(status),
        })
    };
    let accepted = json_of("pacman-database", 0);
    assert_eq!(accepted["accepted"], true);
    assert_eq!(accepted["entries"], 0);
    let refused = json_of("pacman-package", 65);
    assert_eq!(
        (&refused["accepted"], &refused["number"]),
        (&false.into(), &4020.into())
    );
    let missing = place.path("missing").display().to_string();
    let text = place
        .admin(&["policy", "try", "--kind", "iso", &missing])
        .refused(73);
    assert!(text.starts_with(&missing), "{text}");
}

#[test]
fn tries_a_file_with_the_rules_of_key_and_account() {
    let (place, database) = place();
    let plain = fs::read_to_string(place.path("signstar.toml")).unwrap();
    let run = |more: &[&str]| {
        place.admin(&[&["policy", "try", "--key", "packages", &database], more].concat())
    };
    let text = run(&[]).refused(64);
    assert_eq!(text, "[key.packages] signs anything: its input is `any`");

    let inspected = plain.replace("input = \"any\"", "input = \"pacman-database\"");
    place.write("signstar.toml", &inspected);
    run(&[]).done();
    let user = "[user.signer]\nrules = { unpacked-bytes-max = 1 }";
    place.write("signstar.toml", &inspected.replace("[user.signer]", user));
    run(&[]).done();
    let text = run(&["--user", "signer"]).found(65);
    assert!(text.starts_with("refused 4067: "), "{text}");
    assert!(text.contains("kind  pacman-database\n"), "{text}");
    let text = run(&["--user", "nobody"]).refused(64);
    assert_eq!(text, "no [user.nobody] in the configuration");

    // A key with a list.
    let list = place.path("allowed").display().to_string();
    let listed = plain
        .replace("input = \"any\"", "input = \"digest-list\"")
        .replace(
            "[key.packages.software]",
            &format!("[key.packages.digest-list]\nfile = \"{list}\"\n[key.packages.software]"),
        );
    place.write("signstar.toml", &listed);
    let sums = Command::new("sha512sum").arg(&database).output().unwrap();
    let sums = String::from_utf8(sums.stdout).unwrap();
    place.write("allowed", &sums);
    assert!(run(&[]).done().starts_with("accepted: sha512:"));
    place.write("allowed", &sums.replace(['0', '1', '2'], "3"));
    assert!(run(&[]).found(65).starts_with("refused: sha512:"));
}
