use signstar_core::SshCertificate;

use super::*;
use crate::config::{Config, ConfigError};

const KEY: &str = "SHA256:MHmSHkLFbROhvZ6eCFZDEjJXyDHMsMo2oYR2IXgcYL4";
const AUTHORITY: &str = "SHA256:gxLcSX4kKuKZ7DK4RdqHrBjCVTpPgqoYWe2T4nMVEBg";

fn parse(user: &str, key: &str) -> Result<Config, Vec<String>> {
    let text = format!(
        "version = 1\n[audit]\nsink = \"stderr\"\n[key.a]\nback-end = \"software\"\n\
         certificate = \"/c\"\n{key}\n[key.a.software]\nsecret-key = \"/s\"\n\
         [user.u]\nkey = \"a\"\n{user}\n"
    );
    Config::parse(&text).map_err(|error| match error {
        ConfigError::Problems(problems) => problems.into_iter().map(|found| found.text).collect(),
        ConfigError::File(error) => panic!("{error}"),
    })
}

#[track_caller]
fn assert_problem(user: &str, key: &str, expected: &str) {
    match parse(user, key) {
        Ok(_) => panic!("taken: {user} {key}"),
        Err(found) => assert_eq!(found, [expected]),
    }
}

#[test]
fn an_input_must_be_written_out() {
    assert_problem("", "", "[key.a] `input` is missing");
    let kinds = "pacman-package, pacman-database, iso, digest-list, any";
    let expected = format!("[key.a] `input` must be one of: {kinds}");
    assert_problem("", "input = \"package\"", &expected);
    assert!(matches!(
        parse("", "input = \"any\"").unwrap().keys["a"].input,
        Input::Any
    ));
}

#[test]
fn rules_need_something_that_is_inspected() {
    let rules = "[key.a.rules]\nname = [\"linux\"]";
    for input in ["any", "digest-list"] {
        let list = "[key.a.digest-list]\nfile = \"/l\"";
        let key = format!("input = \"{input}\"\n{list}\n{rules}");
        assert_problem("", &key, "[key.a] `rules` need an input that is inspected");
        let key = format!("input = \"{input}\"\n{list}");
        for user in ["[user.u.rules]\nname = [\"x\"]", &caller("name = [\"x\"]")] {
            let expected = "[user.u] rules need a key whose input is inspected";
            assert_problem(user, &key, expected);
        }
    }
    assert!(parse(
        "[user.u.rules]\nname = [\"x\"]",
        &format!("input = \"pacman-package\"\n{rules}")
    )
    .is_ok());
}

#[test]
fn wrong_rules_and_lists_are_told() {
    let key = |lines: &str| {
        let kind = match lines.contains("volume") {
            true => "iso",
            false => "pacman-package",
        };
        format!("input = \"{kind}\"\n{lines}")
    };
    for (lines, expected) in [
        (
            "[key.a.rules]\nname = []",
            "[key.a.rules] `name` must be a list of texts, and not an empty one",
        ),
        (
            "[key.a.rules]\nname = \"linux\"",
            "[key.a.rules] `name` must be a list of texts, and not an empty one",
        ),
        (
            "[key.a.rules]\nvolume = [1]",
            "[key.a.rules] `volume` must be a list of texts, and not an empty one",
        ),
        (
            "[key.a.rules]\nbuild-age-days-max = 0",
            "[key.a.rules] `build-age-days-max` must be a whole number from 1 to 36500",
        ),
        (
            "artifact-notation = \"artifact\"",
            "[key.a] `artifact-notation` must be NAME@DOMAIN of at most 50 of a-z 0-9 . -",
        ),
        (
            "inspection-seconds = 0",
            "[key.a] `inspection-seconds` must be a whole number from 1 to 3600",
        ),
        (
            "inspection-seconds = 3601",
            "[key.a] `inspection-seconds` must be a whole number from 1 to 3600",
        ),
        (
            "[key.a.rules]\nbuild-age-days-max = 36501",
            "[key.a.rules] `build-age-days-max` must be a whole number from 1 to 36500",
        ),
        (
            "[key.a.rules]\nunpacked-bytes-max = 1099511627777",
            "[key.a.rules] `unpacked-bytes-max` must be a whole number from 1 to 1099511627776",
        ),
        (
            "[key.a.digest-list]\nfile = \"/l\"\nsignature = \"/l.sig\"",
            "[key.a.digest-list] `signature` and `certificate` go together",
        ),
        (
            "[key.a.digest-list]\nfile = \"/l\"\ncertificate = \"/c\"",
            "[key.a.digest-list] `signature` and `certificate` go together",
        ),
    ] {
        assert_problem("", &key(lines), expected);
    }
    let expected = "[key.a] its table `digest-list` is missing";
    assert_problem("", "input = \"digest-list\"", expected);
    let expected = "[user.u] `input-bytes-min` is more than `input-bytes-max`";
    let user = "input-bytes-min = 8\ninput-bytes-max = 7";
    assert_problem(user, "input = \"any\"", expected);
}

/// Such a rule would never refuse anything, and an operator would think that it does.
#[test]
fn a_rule_that_the_kind_does_not_have_is_told_in_every_table() {
    let of_packages = "name, base, architecture, packager";
    for (kind, known) in [
        (
            "pacman-package",
            format!("{of_packages}, build-tool, build-age-days-max, unpacked-bytes-max"),
        ),
        (
            "pacman-database",
            format!("{of_packages}, unpacked-bytes-max"),
        ),
        ("iso", "volume, unpacked-bytes-max".to_owned()),
    ] {
        for name in PATTERNS.into_iter().chain(BOUNDS) {
            let value = match BOUNDS.contains(&name) {
                true => "9",
                false => "[\"x\"]",
            };
            let (rule, input) = (format!("{name} = {value}"), format!("input = \"{kind}\""));
            for (user, key, place) in [
                (
                    String::new(),
                    format!("{input}\n[key.a.rules]\n{rule}"),
                    "key.a.rules",
                ),
                (
                    format!("[user.u.rules]\n{rule}"),
                    input.clone(),
                    "user.u.rules",
                ),
                (caller(&rule), input.clone(), "user.u.callers.x"),
            ] {
                let expected = format!("[{place}] `{name}` is no rule for {kind}, only: {known}");
                match known.split(", ").any(|rule| rule == name) {
                    true => drop(parse(&user, &key).unwrap()),
                    false => assert_problem(&user, &key, &expected),
                }
            }
        }
    }
}

fn caller(lines: &str) -> String {
    format!("[user.u.callers.x]\nssh-key = \"{KEY}\"\n{lines}")
}

#[test]
fn a_caller_is_named_by_what_sshd_can_know() {
    // Without the last one the account would be everybody's.
    let empty = "[user.u] `callers` must not be empty";
    assert_problem("[user.u.callers]\n", "input = \"any\"", empty);
    let nobody = "[user.u.callers.x] needs `ssh-key` or `ssh-authority`";
    assert_problem("[user.u.callers.x]\n", "input = \"any\"", nobody);
    for text in [
        "MD5:00",
        &KEY[..49],
        &format!("{KEY}x"),
        &KEY.replace("SHA256", "SHA512"),
    ] {
        for key in ["ssh-key", "ssh-authority"] {
            let user = format!("[user.u.callers.x]\n{key} = \"{text}\"");
            let expected = format!(
                "[user.u.callers.x] `{key}` must be a fingerprint as `ssh-keygen -l` prints it"
            );
            assert_problem(&user, "input = \"any\"", &expected);
        }
    }
    let expected = "[user.u.callers.x] `ssh-certificate` needs `ssh-authority`: \
                    anybody can write a key id";
    assert_problem(
        &caller("ssh-certificate = \"ci-*\""),
        "input = \"any\"",
        expected,
    );
}

fn identity(key: &str, certificate: Option<(&str, &str)>) -> SshIdentity {
    SshIdentity {
        key_fingerprint: key.to_owned(),
        certificate: certificate.map(|(authority, id)| SshCertificate {
            key_id: id.to_owned(),
            serial: 1,
            authority_fingerprint: authority.to_owned(),
        }),
    }
}

#[test]
fn an_account_with_callers_is_for_them_alone_and_their_rules_add_up() {
    let user = format!(
        "[user.u.rules]\nname = [\"of-user\"]\n\
         [user.u.callers.key]\nssh-key = \"{KEY}\"\nname = [\"of-key\"]\n\
         [user.u.callers.ci]\nssh-authority = \"{AUTHORITY}\"\nssh-certificate = \"ci-*\"\n\
         name = [\"of-ci\"]\n"
    );
    let config = parse(&user, "input = \"pacman-package\"").unwrap();
    let allowed = |identity: &SshIdentity| {
        let rules = config.users["u"].rules_for(identity).ok()?;
        let names = rules.into_iter().flat_map(|rules| rules.patterns.clone());
        Some(names.map(|(_, pattern)| pattern).collect::<Vec<_>>())
    };
    let other = KEY.replace("MHm", "xxx");
    for (key, certificate, expected) in [
        (KEY, None, Some(vec!["of-user", "of-key"])),
        (
            KEY,
            Some((AUTHORITY, "ci-7")),
            Some(vec!["of-user", "of-ci", "of-key"]),
        ),
        (
            &other,
            Some((AUTHORITY, "ci-7")),
            Some(vec!["of-user", "of-ci"]),
        ),
        (&other, Some((AUTHORITY, "person")), None),
        (&other, Some((KEY, "ci-7")), None),
        (AUTHORITY, None, None),
        (&other, None, None),
    ] {
        let found = allowed(&identity(key, certificate));
        let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
        assert_eq!(found, expected, "{key} {certificate:?}");
    }
    let anybody = parse("", "input = \"iso\"").unwrap();
    assert!(anybody.users["u"]
        .rules_for(&identity(&other, None))
        .is_ok());
}

#[test]
fn the_inspector_gets_every_set_of_rules_and_times_without_a_clock() {
    let key = "input = \"pacman-package\"\n[key.a.rules]\nname = [\"a*\", \"b\"]\n\
               packager = [\"x=y z\"]\nbuild-age-days-max = 2\nunpacked-bytes-max = 9";
    let config = parse("[user.u.rules]\nbase = [\"c\"]", key).unwrap();
    let Input::Inspected(inspected) = &config.keys["a"].input else {
        panic!("not inspected");
    };
    assert_eq!(inspected.patience_seconds, 60);
    let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
    assert_eq!(
        inspected.arguments(&[&config.users["u"].rules, &Rules::default()], now),
        [
            "pacman-package",
            "--",
            "name=a*",
            "name=b",
            "packager=x=y z",
            "built-from=827200",
            "built-to=1000600",
            "unpacked-bytes-max=9",
            "--",
            "base=c",
            "--",
        ]
    );
}

/// At the limit of every number, too: an age may reach back before the beginning of time.
#[test]
fn every_rule_of_the_documentation_reaches_the_inspector() {
    let of_packages = ["name", "base", "architecture", "packager", "build-tool"];
    let built = [
        "built-from=0",
        "built-to=1800000600",
        "unpacked-bytes-max=1099511627776",
    ];
    for (kind, names, age, last) in [
        (
            "pacman-package",
            &of_packages[..],
            "build-age-days-max = 36500\n",
            &built[..],
        ),
        ("pacman-database", &of_packages[..4], "", &built[2..]),
        ("iso", &["volume"], "", &built[2..]),
    ] {
        let patterns: String = names
            .iter()
            .map(|name| format!("{name} = [\"{name}-*\"]\n"))
            .collect();
        let key = format!(
            "input = \"{kind}\"\ninspection-seconds = 3600\n[key.a.rules]\n{patterns}{age}\
             unpacked-bytes-max = 1099511627776"
        );
        let config = parse("", &key).unwrap();
        let Input::Inspected(inspected) = &config.keys["a"].input else {
            panic!("not inspected");
        };
        assert_eq!(inspected.patience_seconds, 3600);
        let arguments = inspected.arguments(&[], UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let mut expected = vec![kind.to_owned(), "--".to_owned()];
        expected.extend(names.iter().map(|name| format!("{name}={name}-*")));
        expected.extend(last.iter().map(|&text| text.to_owned()));
        assert_eq!(arguments, expected);
    }
}

#[test]
fn a_caller_with_key_and_authority_has_both() {
    let both = AllowedCaller {
        ssh_key: Some(KEY.to_owned()),
        ssh_authority: Some(AUTHORITY.to_owned()),
        ssh_certificate: None,
        rules: Rules::default(),
    };
    let other = KEY.replace("MHm", "xxx");
    for (key, certificate, expected) in [
        (KEY, Some((AUTHORITY, "anything")), true),
        (KEY, None, false),
        (KEY, Some((&*other, "anything")), false),
        (&other, Some((AUTHORITY, "anything")), false),
    ] {
        let found = both.is(&identity(key, certificate));
        assert_eq!(found, expected, "{key} {certificate:?}");
    }
}

/// The configuration takes neither; they would be for anybody.
#[test]
fn a_caller_of_whom_nothing_is_known_is_nobody() {
    let caller = |ssh_key: Option<&str>, ssh_certificate: Option<&str>| AllowedCaller {
        ssh_key: ssh_key.map(str::to_owned),
        ssh_authority: None,
        ssh_certificate: ssh_certificate.map(str::to_owned),
        rules: Rules::default(),
    };
    let known = identity(KEY, None);
    assert!(caller(Some(KEY), None).is(&known));
    assert!(!caller(None, None).is(&known));
    assert!(!caller(Some(KEY), Some("*")).is(&known));
}

#[test]
fn core_judges_what_is_written() {
    let policy = |input: &str| {
        let config = parse("", &format!("input = \"{input}\"")).unwrap();
        config.keys["a"].input.policy().unwrap()
    };
    assert_eq!(policy("any"), InputPolicy::Any);
    for kind in ArtifactKind::ALL {
        assert_eq!(policy(kind.name()), InputPolicy::Inspected(kind));
    }
}

#[test]
fn what_nobody_knows_is_told_in_every_table() {
    let list = "input = \"digest-list\"\n[key.a.digest-list]\nfile = \"/l\"\nwhat = 1";
    for (user, key, place) in [
        (
            "",
            "input = \"iso\"\n[key.a.rules]\nwhat = 1",
            "key.a.rules",
        ),
        ("", list, "key.a.digest-list"),
        (
            "[user.u.rules]\nwhat = 1",
            "input = \"iso\"",
            "user.u.rules",
        ),
        (&caller("what = 1"), "input = \"iso\"", "user.u.callers.x"),
    ] {
        let Err(found) = parse(user, key) else {
            panic!("taken: {place}");
        };
        let [problem] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert!(problem.starts_with(&format!("[{place}] ")), "{problem}");
        assert!(problem.contains("unknown key \"what\""), "{problem}");
    }
}
