//! Making keys on PKCS#11 tokens, of every kind on both.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use signstar_testkit::key::TestKey;
use signstar_testkit::token::{KINDS, LABEL, PIN, Software};

use crate::token::Machine;
use crate::typing::{Asking, at_terminal};
use crate::{Shape, certify, configure, done, found, refused, signing};

/// Does `key generate`.
fn generate(machine: &Machine, more: &[&str]) -> serde_json::Value {
    let all = machine.generate(more);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    done(&machine.place, &all)
}

fn not_generated(machine: &Machine, more: &[&str], status: i32, words: &str) {
    let all = machine.generate(more);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    refused(machine.place.admin(&all), status, words);
}

fn makes_every_kind(software: Software) {
    for (index, (kind, _)) in KINDS.into_iter().enumerate() {
        let machine = Machine::new(software);
        let place = &machine.place;
        machine.configure("object=signing;id=%2A", "");
        let planned = generate(&machine, &["--kind", kind, "--dry-run"]);
        assert_eq!(planned["dry_run"], true);
        assert!(!machine.objects().contains("signing"));
        let made = generate(&machine, &["--kind", kind, "--yes"]);
        assert_eq!(
            (&made["kind"], &made["device"]),
            (&kind.into(), &planned["device"])
        );
        let device = made["device"].as_str().unwrap();
        assert!(device.starts_with("PKCS#11 token pkcs11:token=Package%20signing;serial="));
        assert!(device.ends_with(", object=signing;id=%2A"), "{device}");
        machine.check_owner();

        // Another program says that it is there once, and that it cannot leave.
        let objects = machine.objects();
        assert_eq!(
            objects.matches("Private Key Object").count(),
            1,
            "{objects}"
        );
        assert_eq!(objects.matches("Public Key Object").count(), 1, "{objects}");
        assert_eq!(
            objects.matches("label:      signing\n").count(),
            2,
            "{objects}"
        );
        assert_eq!(objects.matches("ID:         2a\n").count(), 2, "{objects}");
        let private = objects.split("Private Key Object").nth(1).unwrap();
        let private = private.split("Public Key Object").next().unwrap();
        assert!(private.contains("Usage:      sign\n"), "{objects}");
        let access = "Access:     sensitive, always sensitive, never extractable, local\n";
        assert!(private.contains(access), "{objects}");

        let listed = done(place, &["key", "list"]);
        assert_eq!(listed["keys"][0]["kind"], kind);
        let shape = match index % 2 {
            0 => Shape::Alone,
            _ => Shape::BelowPrimary,
        };
        let fingerprint = certify(place, shape);
        let mut signer = machine.signer("object=signing;id=%2A");
        signing::check(place, &mut signer, &fingerprint);
        let on = software.name();
        println!(
            "ran: pkcs11 {kind} ({on}): made and certified by the tool, {shape:?}, taken by gpgv"
        );
    }
}

#[test]
fn keys_of_every_kind_are_made_on_softhsm() {
    makes_every_kind(Software::SoftHsm);
}

#[test]
fn keys_of_every_kind_are_made_on_kryoptic() {
    makes_every_kind(Software::Kryoptic);
}

fn imports_every_kind(software: Software) {
    for (kind, _) in KINDS {
        let machine = Machine::new(software);
        let place = &machine.place;
        machine.configure("object=signing;id=%2A", "");
        let outside = TestKey::named(kind);
        let file = place.path("outside.secret.pgp");
        std::fs::write(&file, outside.secret).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
        let all = machine.generate(&["--yes", "--from", file.to_str().unwrap()]);
        let mut all: Vec<&str> = all.iter().map(String::as_str).collect();
        all[1] = "import";
        // What is asked for has to be said.
        assert_eq!(place.admin(&all).status, 64);
        all.push("--has-been-outside");
        let made = done(place, &all);
        assert_eq!(made["kind"], kind);
        machine.check_owner();
        let objects = machine.objects();
        let private = objects.split("Private Key Object").nth(1).unwrap();
        let private = private.split("Public Key Object").next().unwrap();
        assert!(private.contains("Access:     sensitive\n"), "{objects}");
        assert!(private.contains("Usage:      sign\n"), "{objects}");
        let created = made["created"].as_str().unwrap();
        let more = ["--user-id", "A <a@example.org>", "--created", created];
        let create = [&["cert", "create", "--key", "packages"], &more[..]].concat();
        let made = done(place, &create);
        assert_eq!(made["signing_key"], outside.signing_key().fingerprint());
        let mut signer = machine.signer("object=signing;id=%2A");
        signing::check(place, &mut signer, &outside.signing_key().fingerprint());
        refused(place.admin(&all), 73, "has that label");
        println!(
            "ran: pkcs11 {kind} ({}): imported by the tool, taken by gpgv",
            software.name()
        );
    }
}

#[test]
fn keys_of_every_kind_are_imported_on_softhsm() {
    imports_every_kind(Software::SoftHsm);
}

#[test]
fn keys_of_every_kind_are_imported_on_kryoptic() {
    imports_every_kind(Software::Kryoptic);
}

/// A key that cannot be found is none that signs, and it would take the name of the next one.
#[test]
fn a_key_that_is_not_found_again_does_not_stay_unsaid() {
    for (attack, words, stays) in [
        ("lose-what-is-made", "the module refused", 0),
        ("keep-what-is-made", "a part of it stays", 1),
    ] {
        let machine = Machine::new(Software::SoftHsm);
        let module = signstar_testkit::hostile::module(&machine.place.path("lib/signstar"));
        let environment = format!("ATTACK = {attack:?}, ");
        let more = ["--yes", "--kind", "p256"];
        // What finds its keys makes one.
        machine.configure_with(&module, "", "object=first", "");
        generate(&machine, &more);
        machine.configure_with(&module, &environment, "object=second", "");
        not_generated(&machine, &more, 70, words);
        let outside = TestKey::named("p256");
        let file = machine.place.path("outside.secret.pgp");
        std::fs::write(&file, outside.secret).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
        machine.configure_with(&module, &environment, "object=third", "");
        let all = machine.generate(&["--yes", "--has-been-outside", "--from"]);
        let mut all: Vec<&str> = all.iter().map(String::as_str).collect();
        all[1] = "import";
        all.push(file.to_str().unwrap());
        refused(machine.place.admin(&all), 70, words);
        let objects = machine.objects();
        for (label, keys) in [("first", 1), ("second", stays), ("third", stays)] {
            let line = format!("label:      {label}\n");
            assert_eq!(
                objects.matches(&line).count(),
                2 * keys,
                "{attack}: {objects}"
            );
        }
    }
}

#[test]
fn no_object_gets_a_second_one_of_its_name() {
    for software in [Software::SoftHsm, Software::Kryoptic] {
        let machine = Machine::new(software);
        machine.configure("object=signing;id=%01", "");
        generate(&machine, &["--yes"]);
        let before = machine.objects();
        not_generated(&machine, &["--yes"], 73, "has that label");
        not_generated(&machine, &["--dry-run"], 73, "has that label");
        not_generated(&machine, &["--yes", "--force"], 73, "has that label");
        machine.configure("object=other;id=%01", "");
        not_generated(&machine, &["--yes"], 73, "has that id");
        assert_eq!(machine.objects(), before);
        // A name that is not said is the key's own, an identifier random.
        machine.configure("id=%02", "");
        let made = generate(&machine, &["--yes", "--kind", "p256"]);
        let device = made["device"].as_str().unwrap();
        assert!(device.ends_with(", object=packages;id=%02"), "{device}");
        machine.configure("object=third", "");
        let made = generate(&machine, &["--yes", "--kind", "p256"]);
        let device = made["device"].as_str().unwrap();
        let id = device.rsplit_once("object=third;id=").unwrap().1;
        let digits = id.replace('%', "").len();
        assert!((8..=16).contains(&digits), "{device}");
    }
}

/// Private objects are seen only after the login, so the name is looked for again then.
#[test]
fn a_private_object_of_the_name_is_found_after_the_login() {
    let machine = Machine::new(Software::SoftHsm);
    machine.configure("object=signing;id=%01", "");
    let file = machine.place.path("data");
    std::fs::write(&file, "data").unwrap();
    let mut tool = machine.software.tool(&machine.module_configuration());
    tool.args(["--login", "--pin", PIN, "--write-object"])
        .arg(file);
    tool.args(["--type", "data", "--label", "signing", "--private"]);
    signstar_testkit::token::run(&mut tool);
    machine.give();
    generate(&machine, &["--dry-run"]);
    not_generated(&machine, &["--yes"], 73, "has that label");
}

#[test]
fn says_what_it_cannot_do_before_it_asks_for_the_pin() {
    let machine = Machine::new(Software::SoftHsm);
    let half = "uri-ed25519 = \"pkcs11:token=Package%20signing;object=half\"\n";
    machine.configure("object=signing", half);
    not_generated(&machine, &["--yes"], 64, "makes no keys of this kind");
    not_generated(&machine, &["--kind", "p256"], 64, "with `uri-ed25519`");
    machine.configure("object=signing", "");
    not_generated(
        &machine,
        &[],
        64,
        "nobody is there to confirm this: give --yes",
    );
    not_generated(&machine, &["--touch", "on"], 64, "--touch means nothing");
    not_generated(
        &machine,
        &["--account", "nobody-here"],
        78,
        "there is no account",
    );
    let place = &machine.place;
    let alone = ["key", "generate", "--key", "packages", "--yes"];
    refused(
        place.admin(&alone),
        70,
        "look at what the module may change",
    );
    std::fs::remove_file(place.path("packages.pin")).unwrap();
    not_generated(&machine, &["--yes"], 64, "or give --pin-file");
    let wrong = "4711-wrong-pin";
    place.write_secret("other.pin", wrong);
    let other = place.path("other.pin");
    let other = ["--yes", "--pin-file", other.to_str().unwrap()];
    let all = machine.generate(&other);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let text = place.admin(&all).refused(65);
    assert!(
        text.contains("refused the PIN, which is not tried again"),
        "{text}"
    );
    assert!(!text.contains(wrong));
    assert!(!machine.objects().contains("Key Object"));
    std::fs::remove_file(place.path("lib/signstar/signstar-pkcs11-provisioner")).unwrap();
    not_generated(
        &machine,
        &["--yes"],
        69,
        "starting /usr/lib/signstar/signstar-pkcs11-provisioner",
    );
}

#[test]
fn names_the_token_and_asks_before_it_makes_a_key() {
    let machine = Machine::new(Software::Kryoptic);
    let place = &machine.place;
    machine.configure("object=signing;id=%01", "");
    std::fs::remove_file(place.path("packages.pin")).unwrap();
    let all = machine.generate(&[]);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let question = "Write yes to go on: ";
    let (status, asked, _) = at_terminal(place, &all, question, "no\n");
    assert_eq!(status, 64, "{asked}");
    assert!(
        asked.starts_with("PKCS#11 token pkcs11:token=Package%20signing;serial="),
        "{asked}"
    );
    assert!(
        asked.contains(
            "object=signing;id=%01: it makes a key of the kind ed25519, which cannot be taken out"
        ),
        "{asked}"
    );
    let typed = format!("{PIN}\n");
    let asking = [&all[..], &["--yes"]].concat();
    let until = format!("User's PIN of the PKCS#11 token {}: ", machine.uri());
    let (status, asked, shown) = at_terminal(place, &asking, &until, &typed);
    assert_eq!((status, shown.as_str()), (0, ""), "{asked}");
    assert!(
        asked.contains("it makes a key of the kind ed25519"),
        "{asked}"
    );
    assert!(!asked.contains(PIN));
    assert!(machine.objects().contains("Private Key Object"));
}

/// kryoptic counts to ten. Tokens do not say how far they are, and this one says that it is low with three left.
#[test]
fn health_warns_of_a_pin_that_was_wrong_and_of_the_last_try() {
    let machine = Machine::new(Software::Kryoptic);
    let place = &machine.place;
    machine.configure("object=signing;id=%01", "");
    generate(&machine, &["--yes"]);
    certify(place, Shape::Alone);
    let device = |status: i32| {
        let health = found(place, status, &["health"]);
        let checks = health["checks"].as_array().unwrap().iter();
        let mut device = checks.filter(|check| check["check"] == "device");
        let check = device.next().unwrap();
        let text = |name: &str| check[name].as_str().unwrap().to_owned();
        (text("state"), text("text"))
    };
    assert_eq!(device(1).0, "ok");
    let guess = || {
        let mut tool = machine.software.tool(&machine.module_configuration());
        tool.args(["--login", "--pin", "4711-wrong", "--list-objects"]);
        assert!(!tool.output().unwrap().status.success());
    };
    for _ in 0..7 {
        guess();
    }
    let (state, text) = device(1);
    assert_eq!(state, "warning");
    assert!(text.contains("PIN was wrong"), "{text}");
    let listed = done(place, &["key", "list"]);
    assert_eq!(listed["keys"][0]["state"]["pin"], "was wrong");
    guess();
    guess();
    let (state, text) = device(2);
    assert_eq!(state, "critical");
    assert!(text.contains("one try is left"), "{text}");
    not_generated(&machine, &["--yes"], 65, "one try is left");
}

/// Where the vendor's code is while the operator is asked: in a process of the account that signs, which has no
/// rights, is filtered, shows nothing, and ends with the tool.
#[test]
fn the_module_is_confined_before_the_pin_is_asked_for_and_ends_with_the_tool() {
    let machine = Machine::new(Software::SoftHsm);
    machine.configure("object=signing;id=%01", "");
    std::fs::remove_file(machine.place.path("packages.pin")).unwrap();
    let all = machine.generate(&["--yes"]);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let question = format!("User's PIN of the PKCS#11 token {}: ", machine.uri());
    let asking = Asking::start(&machine.place, &all, &question);
    let tool = asking.id();
    let children = std::fs::read_to_string(format!("/proc/{tool}/task/{tool}/children")).unwrap();
    let child: u32 = children.trim().parse().unwrap();
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{child}/{file}"));
    let status = read("status").unwrap();
    let line = |name: &str| {
        let found = status.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap().trim().to_owned()
    };
    if nix::unistd::geteuid().is_root() {
        assert_eq!(line("Uid:"), "6001\t6001\t6001\t6001");
        assert_eq!(line("Gid:"), "6000\t6000\t6000\t6000");
        assert_eq!(line("Groups:"), "6000");
        assert_eq!(line("CapEff:"), "0000000000000000");
        assert_eq!(line("CapPrm:"), "0000000000000000");
    }
    assert_eq!(
        (line("Seccomp:"), line("NoNewPrivs:")),
        ("2".to_owned(), "1".to_owned())
    );
    // One before the module was loaded, one after it.
    assert_eq!(line("Seccomp_filters:"), line_of_own("Seccomp_filters:", 2));
    assert_ne!(line("VmLck:"), "0 kB");
    // The tool has no module in it, and the process has.
    let module = machine.software.module();
    let module = std::fs::canonicalize(module).unwrap();
    let has = |id: u32| {
        let maps = std::fs::read_to_string(format!("/proc/{id}/maps")).unwrap();
        maps.contains(module.to_str().unwrap())
    };
    assert!(has(child) && !has(tool));
    asking.kill();
    let start = std::time::Instant::now();
    while read("status").is_ok_and(|status| !status.contains("State:\tZ")) {
        assert!(
            start.elapsed() < std::time::Duration::from_secs(20),
            "it stays"
        );
    }
    assert!(!machine.objects().contains("Key Object"));
}

/// As many as this test has, and so many more.
fn line_of_own(name: &str, more: u32) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let found = status.lines().find_map(|line| line.strip_prefix(name));
    let own: u32 = found.unwrap().trim().parse().unwrap();
    (own + more).to_string()
}

#[test]
fn lists_tokens_with_and_without_a_configuration() {
    for software in [Software::SoftHsm, Software::Kryoptic] {
        let machine = Machine::new(software);
        let place = &machine.place;
        machine.configure("object=signing;id=%01", "");
        generate(&machine, &["--yes", "--kind", "p384"]);
        let module = software.module();
        let conf = machine.module_configuration();
        let variable = format!("{}={}", software.variable(), conf.display());
        let (conf, tokens) = (conf.to_str().unwrap(), machine.tokens());
        let tokens = tokens.to_str().unwrap();
        let given = [
            &[
                "--module",
                module.to_str().unwrap(),
                "--module-environment",
                &variable,
            ][..],
            &["--module-read", conf, "--module-read", tokens],
        ]
        .concat();
        let list = ["device", "list", "--tpm", "/dev/none"];
        let configured = found(place, 69, &list);
        configure(place, "software", "secret-key = \"/none\"\n");
        let without = found(place, 69, &[&list[..], &given].concat());
        for listed in [configured, without] {
            // There is no pcscd here.
            let problems = listed["problems"].as_array().unwrap();
            assert_eq!(problems.len(), 1, "{listed}");
            assert_eq!(problems[0]["back_end"], "smartcard");
            let devices = listed["devices"].as_array().unwrap();
            assert_eq!(devices.len(), 2, "{listed}");
            let text = |index: usize| devices[index]["device"].as_str().unwrap().to_owned();
            assert_eq!(text(0), format!("PKCS#11 token {}", machine.uri()));
            assert_eq!(devices[0]["state"]["pin"], "fine");
            assert_eq!(devices[0]["state"]["module"], module.to_str().unwrap());
            let key = format!("PKCS#11 key {};object=signing;id=%01", machine.uri());
            assert_eq!((text(1), &devices[1]["kind"]), (key, &"p384".into()));
        }
        let nothing = ["--module", "/usr/lib/none.so"];
        let listed = found(place, 69, &[&list[..], &nothing].concat());
        let text = listed["problems"].as_array().unwrap().last().unwrap();
        let all = listed["problems"].as_array().unwrap();
        assert!(all.iter().any(|one| one["back_end"] == "pkcs11"), "{text}");
        assert!(machine.uri().contains(&LABEL.replace(' ', "%20")));
    }
}
