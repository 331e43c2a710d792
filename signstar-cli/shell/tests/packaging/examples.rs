//! The example configurations.

use std::collections::BTreeSet;
use std::fs;

use signstar::back_ends::COMPILED;
use signstar::config::{Config, ConfigError};

use crate::place::{packaging, text};

/// One for each back end.
const EXAMPLES: [&str; 5] = ["nethsm", "pkcs11", "smartcard", "software", "tpm"];

fn example(name: &str) -> String {
    text(&format!("examples/{name}.toml"))
}

#[test]
fn there_is_one_for_each_back_end() {
    let folder = fs::read_dir(packaging().join("examples")).unwrap();
    let found: BTreeSet<String> = folder
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = EXAMPLES.map(|name| format!("{name}.toml"));
    assert_eq!(found, BTreeSet::from(expected));
    let compiled: BTreeSet<&str> = COMPILED.iter().map(|back_end| back_end.name).collect();
    assert!(compiled.is_subset(&BTreeSet::from(EXAMPLES)));
}

#[test]
fn a_build_that_has_the_back_end_takes_its_example_and_another_names_the_feature() {
    for name in EXAMPLES {
        let has = COMPILED.iter().any(|back_end| back_end.name == name);
        match Config::parse(&example(name)) {
            Ok(config) => {
                assert!(has, "{name}");
                assert_eq!(config.keys["packages"].back_end.name, name);
                println!("{name}: taken");
            }
            Err(ConfigError::Problems(problems)) if !has => {
                // Its name and its table are the only things that this build does not know.
                let expected = [
                    format!("with the feature `{name}`"),
                    format!("unknown key \"{name}\""),
                ];
                assert_eq!(problems.len(), expected.len(), "{problems:?}");
                for (problem, expected) in problems.iter().zip(&expected) {
                    assert!(problem.text.contains(expected), "{name}: {problem}");
                }
                println!("{name}: not in this build");
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

/// What the other files of the package make is what the examples name.
#[test]
fn accounts_and_credentials_are_those_of_the_other_files() {
    let sysusers = text("sysusers.d/signstar.conf");
    for name in EXAMPLES {
        let Ok(config) = Config::parse(&example(name)) else {
            continue;
        };
        for user in config.users.keys() {
            assert!(sysusers.contains(&format!("\nu {user} ")), "{name}: {user}");
        }
        for key in config.keys.values() {
            let secrets = key.device.secrets();
            assert!(!secrets.is_empty(), "{name}");
            for secret in secrets {
                let written = secret.parent().unwrap().ends_with("run/signstar");
                let kept = secret.ends_with("etc/signstar/packages.secret.pgp");
                assert!(written || kept, "{name}: {}", secret.display());
            }
        }
    }
}
