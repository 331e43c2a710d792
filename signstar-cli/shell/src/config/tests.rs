use signstar_core::{Declaring, HashAlgorithm};

use super::*;
use crate::back_ends::{self, BackEnd};

const COMPLETE: &str = include_str!("../../../../docs/configuration.md");

/// The complete example of docs/configuration.md.
fn example() -> String {
    let after = COMPLETE.split("```toml\n").nth(1).unwrap();
    after.split("```").next().unwrap().to_owned()
}

fn problems(text: &str) -> Vec<String> {
    match Config::parse(text) {
        Ok(_) => Vec::new(),
        Err(ConfigError::Problems(problems)) => problems.iter().map(ToString::to_string).collect(),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn accepts_the_example_of_its_documentation() {
    let config = Config::parse(&example())
        .map_err(|error| error.to_string())
        .unwrap();
    assert_eq!(config.users.len(), 2);
    assert_eq!(config.keys.len(), 3);
    let user = &config.users["signer"];
    assert_eq!(user.key, "packages");
    assert_eq!(user.input_bytes_max, 4_294_967_296);
    assert_eq!(config.keys["packages"].profile.hash, HashAlgorithm::Sha512);
    assert_eq!(config.keys["database"].declaring, Declaring::Required);
}

/// Where this build has the back end.
#[test]
fn accepts_the_example_of_a_tpm() {
    let example = COMPLETE.split("```toml\n").nth(2).unwrap();
    let example = example.split("```").next().unwrap();
    let found = problems(&format!(
        "version = 1\n[audit]\nsink = \"stderr\"\n{example}"
    ));
    match back_ends::named("tpm") {
        Ok(_) => assert_eq!(found, [""; 0]),
        Err(error) => assert!(found[0].contains(&error.to_string()), "{found:?}"),
    }
}

/// Every key that the code knows has a row in the reference, and every row is a key of the code.
#[test]
fn is_documented_key_by_key() {
    let tables = [
        ("", "version = 1\n"),
        ("audit", "[audit]\n"),
        ("audit.journald", "[audit.journald]\n"),
        ("audit.syslog", "[audit.syslog]\n"),
        ("audit.file", "[audit.file]\n"),
        ("user.NAME", "[user.NAME]\n"),
        ("user.NAME.callers.LABEL", "[user.NAME.callers.LABEL]\n"),
        ("key.NAME.rules", "[key.NAME.rules]\n"),
        ("key.NAME.digest-list", "[key.NAME.digest-list]\n"),
    ];
    let tables = tables.map(|(name, head)| (name.to_owned(), head.to_owned()));
    // Tests of one package have the back ends of its default features, those of the workspace all.
    let compiled = back_ends::COMPILED.iter().map(|back_end| {
        let name = back_end.name;
        let head = format!("[key.NAME]\nback-end = \"{name}\"\n[key.NAME.{name}]\n");
        (format!("key.NAME.{name}"), head)
    });
    for (name, head) in tables.into_iter().chain(compiled) {
        let sink = match name.strip_prefix("audit.") {
            Some(sink) => format!("[audit]\nsink = \"{sink}\"\n"),
            None => String::new(),
        };
        documents(&name, &known(&format!("{sink}{head}")));
    }
    // Each back end knows its own table.
    let of = |back_end: &BackEnd| {
        let name = back_end.name;
        known(&format!("[key.NAME]\nback-end = \"{name}\"\n"))
    };
    let mut all: Vec<String> = back_ends::COMPILED.iter().flat_map(of).collect();
    // The reference is for all of them, whatever this build has.
    all.extend(back_ends::NAMES.map(str::to_owned));
    all.sort_unstable();
    all.dedup();
    documents("key.NAME", &all);
}

/// The keys that the table at the end of `head` may have.
fn known(head: &str) -> Vec<String> {
    let found = problems(&format!("{head}nonsense = 1\n"));
    let problem = found
        .iter()
        .find(|text| text.contains("\"nonsense\""))
        .unwrap();
    let known = problem
        .split("(known: ")
        .nth(1)
        .unwrap()
        .trim_end_matches(')');
    known.split(", ").map(str::to_owned).collect()
}

/// Asserts that the reference has a row for each of `known`, and no others.
fn documents(name: &str, known: &[String]) {
    let mut known: Vec<&str> = known.iter().map(String::as_str).collect();
    let title = match name {
        "" => "## The file".to_owned(),
        _ => format!("## `[{name}]`"),
    };
    let section = COMPLETE.split(&format!("\n{title}\n")).nth(1);
    let section = section.unwrap_or_else(|| panic!("no section {title}"));
    let rows = section.split("\n## ").next().unwrap().lines();
    let mut documented: Vec<&str> = rows
        .filter_map(|row| row.strip_prefix("| `")?.split('`').next())
        .collect();
    known.sort_unstable();
    documented.sort_unstable();
    assert_eq!(documented, known, "{title}");
}

#[test]
fn documents_every_back_end() {
    let section = COMPLETE.split("\n## `[key.NAME]`\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    for name in back_ends::NAMES {
        let row = format!("\n| `{name}` | table | | for `back-end = \"{name}\"` |");
        assert!(section.contains(&row), "{name}");
        let title = format!("\n## `[key.NAME.{name}]`\n");
        assert!(COMPLETE.contains(&title), "{name}");
    }
    let names = back_ends::NAMES.map(|name| format!("`{name}`")).join(", ");
    assert!(section.contains(&format!("\n| `back-end` | {names} | must be there |")));
}

#[test]
fn names_every_problem_at_once_with_its_line() {
    let text = "version = 2\n\
        colour = \"red\"\n\
        [audit]\n\
        sink = \"paper\"\n\
        [user.signer]\n\
        key = \"core\"\n\
        deadline-seconds = 0\n\
        [user.\"a b\"]\n\
        disabled = 1\n\
        [key.other]\n\
        back-end = \"software\"\n\
        certificate = \"relative.pgp\"\n\
        hash = \"sha1\"\n\
        [key.other.software]\n\
        secret-key = \"/a/../b\"\n";
    let expected = [
        "line 1: `version` must be a whole number from 1 to 1",
        "line 1: `version` must be there and be 1",
        "line 2: unknown key \"colour\" (known: version, audit, key, user)",
        "line 4: [audit] `sink` must be one of: journald, syslog, file, stderr",
        "line 6: [user.signer] `key` names no [key.NAME] table",
        "line 7: [user.signer] `deadline-seconds` must be a whole number from 1 to 86400",
        "line 8: [user.a b] `key` is missing",
        "line 8: [user.a b] a user's name is 1 to 64 of a-z A-Z 0-9 . _ -",
        "line 9: [user.a b] `disabled` must be true or false",
        "line 10: [key.other] `input` is missing",
        "line 12: [key.other] `certificate` must be an absolute path without `..`",
        "line 13: [key.other] `hash` must be one of: sha256, sha384, sha512",
        "line 15: [key.other.software] `secret-key` must be an absolute path without `..`",
    ];
    assert_eq!(problems(text), expected);
}

#[test]
fn names_the_feature_of_a_back_end_that_is_unknown() {
    let text = "version = 1\n[audit]\nsink = \"stderr\"\n[key.a]\nback-end = \"paper\"\ninput = \"any\"\ncertificate = \"/c\"\n";
    assert_eq!(
        problems(text),
        ["line 5: [key.a] `back-end` must be one of: nethsm, pkcs11, smartcard, software, tpm"]
    );
}

#[test]
fn reports_broken_syntax_and_duplicates_with_their_line() {
    for (text, line) in [
        ("version = 1\nversion = 1\n", "line 2: "),
        ("version = 1\n[audit\n", "line 2: "),
        ("version = 1\n\n\u{0}", "line 3: "),
        ("version = 1\n[audit]\nsink = \"file", "line 3: "),
    ] {
        let found = problems(text);
        assert!(
            found.iter().any(|problem| problem.starts_with(line)),
            "{text:?}: {found:?}"
        );
    }
}

#[test]
fn bounds_hold_at_their_ends() {
    for (key, least, most) in [
        ("input-bytes-max", 1_u64, i64::MAX.unsigned_abs()),
        ("deadline-seconds", 1, 86_400),
        ("progress-seconds", 1, 3600),
        ("progress-bytes", 1, 1 << 30),
        ("memory-bytes-max", 16 << 20, 1 << 30),
        ("sessions-max", 1, 1024),
    ] {
        let with = |value: u128| {
            let text = example().replace(
                "[user.signer]\n",
                &format!("[user.third]\nkey = \"packages\"\n{key} = {value}\n[user.signer]\n"),
            );
            problems(&text).len()
        };
        assert_eq!(with(least.into()), 0, "{key}");
        assert_eq!(with(most.into()), 0, "{key}");
        assert_eq!(with(u128::from(least) - 1), 1, "{key}");
        assert_eq!(with(u128::from(most) + 1), 1, "{key}");
    }
}

/// Both keys of a composite key are on one token, and are two.
#[cfg(feature = "pkcs11")]
#[test]
fn the_halves_of_a_composite_key_are_two_keys_on_one_token() {
    let found = |half: &str| {
        problems(&format!(
            "version = 1\n[audit]\nsink = \"stderr\"\n[key.a]\nback-end = \"pkcs11\"\ninput = \"any\"\n\
             certificate = \"/a\"\n[key.a.pkcs11]\nmodule = \"/m.so\"\npin = \"/pin\"\n\
             uri = \"pkcs11:token=t;object=b\"\nuri-ed25519 = \"{half}\"\n"
        ))
    };
    assert_eq!(found("pkcs11:token=t;object=c"), [""; 0]);
    for (half, said) in [
        ("pkcs11:token=u;object=c", "by the same attributes as `uri`"),
        (
            "pkcs11:token=t;model=m;object=c",
            "by the same attributes as `uri`",
        ),
        (
            "pkcs11:token=t;object=b",
            "must name another key than `uri`",
        ),
        ("pkcs11:token=t", "must name its key by object or id"),
        ("", "must be a text"),
        ("x", "must be a PKCS#11 URI"),
    ] {
        let found = found(half);
        assert!(
            found.len() == 1 && found[0].contains("uri-ed25519") && found[0].contains(said),
            "{half}: {found:?}"
        );
    }
}

/// The lines of a device are judged as strictly as the rest: a name would have to be looked up, and no
/// word switches verification off.
#[cfg(feature = "nethsm")]
#[test]
fn devices_of_a_nethsm_have_addresses_and_a_trust() {
    let pin = format!("pin:{}", "5a".repeat(32));
    let found = |device: &str| {
        problems(&format!(
            "version = 1\n[audit]\nsink = \"stderr\"\n[key.a]\nback-end = \"nethsm\"\ninput = \"any\"\n\
             certificate = \"/a\"\n[key.a.nethsm]\nkey = \"k\"\nuser = \"n~u\"\npassphrase = \"/p\"\n{device}"
        ))
    };
    let with = |address: &str, rest: &str| {
        found(&format!(
            "[key.a.nethsm.device.one]\naddress = \"{address}\"\n{rest}\n"
        ))
    };
    let pinned = format!("trust = \"{pin}\"");
    for address in ["192.0.2.1", "192.0.2.1:8443", "[2001:db8::1]:8443"] {
        assert_eq!(with(address, &pinned), [""; 0], "{address}");
    }
    for address in [
        "hsm.example.org",
        "localhost:443",
        "2001:db8::1",
        "192.0.2.1:0",
    ] {
        let found = with(address, &pinned);
        assert!(
            found.len() == 1 && found[0].contains("not looked up"),
            "{found:?}"
        );
    }
    for trust in ["system", "ca:/a.pem"] {
        let rest = format!("trust = \"{trust}\"\nname = \"hsm.example.org\"");
        assert_eq!(with("192.0.2.1", &rest), [""; 0], "{trust}");
    }
    for trust in [
        "none", "insecure", "pin:", "pin:5a", "ca:a.pem", "ca:", "System",
    ] {
        let found = with("192.0.2.1", &format!("trust = \"{trust}\""));
        assert!(found.len() == 1 && found[0].contains("trust"), "{found:?}");
    }
    let both = with("192.0.2.1", &format!("{pinned}\nname = \"a\""));
    assert!(both.len() == 1 && both[0].contains("pinned"), "{both:?}");
    assert!(found("").concat().contains("1 to 8 tables"));
    let nine: String = (0..9)
        .map(|at| format!("[key.a.nethsm.device.d{at}]\naddress = \"192.0.2.1\"\n{pinned}\n"))
        .collect();
    assert!(found(&nine).concat().contains("1 to 8 tables"));
    assert!(found("order = \"any\"\n").concat().contains("round-robin"));
}
