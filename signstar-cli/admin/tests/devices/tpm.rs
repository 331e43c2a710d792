//! Keys in a TPM: swtpm.

use std::fs;

use signstar_core::Opened;
use signstar_testkit::tpm::{Device, Tpm};
use signstar_tpm::{KeyPlace, Parent, Settings};
use zeroize::Zeroizing;

use crate::place::Place;
use crate::{Shape, certify, configure, done, found, refused, signing};

const PARENT: &str = "0x81000001";
const HANDLE: &str = "0x81000100";
const GENERATE: [&str; 4] = ["key", "generate", "--key", "packages"];

/// A machine with a TPM that has a storage key.
struct Machine {
    place: Place,
    tpm: Tpm,
    device: Device,
    name: String,
}

impl Machine {
    fn new() -> Self {
        let (place, tpm) = (Place::new(), Tpm::start());
        let device = tpm.device();
        let path = device.path().to_str().unwrap();
        let make = ["device", "storage-key", "--tpm", path];
        let planned = done(&place, &[&make[..], &["--dry-run"]].concat());
        assert_eq!(planned["parent_name"], serde_json::Value::Null);
        let made = done(&place, &make);
        assert_eq!(
            (&made["parent"], &made["existed"]),
            (&PARENT.into(), &false.into())
        );
        let name = made["parent_name"].as_str().unwrap().to_owned();
        let again = done(&place, &make);
        assert_eq!(
            (&again["parent_name"], &again["existed"]),
            (&made["parent_name"], &true.into())
        );
        Self {
            place,
            tpm,
            device,
            name,
        }
    }

    /// `lines` say where the key is and what it wants.
    fn configure(&self, lines: &str) {
        let device = self.device.path().display();
        let name = &self.name;
        let parent = format!("device = \"{device}\"\nparent = \"{PARENT}\"\n");
        let parent = format!("{parent}parent-name = \"{name}\"\n{lines}");
        configure(&self.place, "tpm", &parent);
    }

    fn auth_line(&self) -> String {
        format!("auth = \"{}\"\n", self.place.path("auth").display())
    }

    /// Opens the key as the login shell does.
    fn open(&self, key: KeyPlace, registers: Option<&str>) -> Opened {
        let auth = fs::read(self.place.path("auth")).ok();
        let settings = Settings {
            device: self.device.path().to_owned(),
            parent: Parent {
                handle: PARENT.parse().unwrap(),
                name: self.name.parse().unwrap(),
            },
            key,
            registers: registers.map(|numbers| numbers.parse().unwrap()),
        };
        signstar_tpm::open(&settings, auth.map(Zeroizing::new)).unwrap()
    }
}

#[test]
fn a_key_in_the_tpm_goes_from_making_to_a_signature_in_both_shapes() {
    for (kind, shape) in [
        (None, Shape::Alone),
        (Some("p384"), Shape::BelowPrimary),
        (Some("rsa2048"), Shape::Alone),
    ] {
        let machine = Machine::new();
        let place = &machine.place;
        machine.configure(&format!("handle = \"{HANDLE}\"\n{}", machine.auth_line()));
        let more = kind.map(|kind| ["--kind", kind]);
        let generate = [&GENERATE[..], more.as_ref().map_or(&[], |more| &more[..])].concat();
        let planned = done(place, &[&generate[..], &["--dry-run"]].concat());
        assert_eq!(planned["dry_run"], true);
        assert!(!place.path("auth").exists());
        let made = done(place, &generate);
        assert_eq!(made["kind"], kind.unwrap_or("p256"));
        assert_eq!(made["device"], planned["device"]);
        assert_eq!(place.rights("auth"), (0o440, 0, place.group()));
        assert_eq!(fs::read(place.path("auth")).unwrap().len(), 32);
        let fingerprint = certify(place, shape);
        let key = KeyPlace::Persistent(HANDLE.parse().unwrap());
        let mut opened = machine.open(key, None);
        signing::check(place, opened.signer.as_mut(), &fingerprint);
        assert_eq!(machine.tpm.lockout_counter(), 0);
    }
}

#[test]
fn a_key_in_files_signs_as_long_as_the_registers_are_as_they_were() {
    let machine = Machine::new();
    let place = &machine.place;
    let [public, private] = ["key.pub", "key.priv"].map(|name| place.path(name));
    let lines = format!("public = {public:?}\nprivate = {private:?}\npcrs = \"16,23\"\n");
    machine.configure(&lines);
    let made = done(place, &GENERATE);
    assert_eq!(made["secret_key"], private.to_str().unwrap());
    assert_eq!(place.rights("key.priv"), (0o440, 0, place.group()));
    assert_eq!(place.rights("key.pub"), (0o644, 0, 0));
    let fingerprint = certify(place, Shape::BelowPrimary);
    let files = KeyPlace::Files {
        public: fs::read(&public).unwrap(),
        private: fs::read(&private).unwrap(),
    };
    let mut opened = machine.open(files, Some("16,23"));
    signing::check(place, opened.signer.as_mut(), &fingerprint);
    drop(opened);

    machine.tpm.extend(23);
    let create = [
        "cert",
        "create",
        "--key",
        "packages",
        "--user-id",
        "A",
        "--force",
    ];
    refused(place.admin(&create), 65, "the registers have other values");
    refused(
        place.admin(&GENERATE),
        73,
        "exists already; --force replaces it",
    );
}

#[test]
fn a_key_is_removed_only_when_the_operator_says_so_twice() {
    let machine = Machine::new();
    let place = &machine.place;
    machine.configure(&format!("handle = \"{HANDLE}\"\n{}", machine.auth_line()));
    done(place, &GENERATE);
    let first = certify(place, Shape::Alone);
    let text = "a key of the kind p256; --force replaces it";
    refused(place.admin(&GENERATE), 73, text);
    let forced = [&GENERATE[..], &["--force"]].concat();
    refused(
        place.admin(&forced),
        64,
        "nobody is there to confirm this: give --yes",
    );
    assert_eq!(place.admin(&["config", "check"]).status, 0);
    done(place, &[&forced[..], &["--yes"]].concat());
    let problems = place.admin(&["config", "check"]).found(78);
    assert!(problems.contains("[key.packages] "), "{problems}");
    assert_ne!(certify(place, Shape::Alone), first);
}

#[test]
fn wrong_values_count_unless_nobody_can_guess_the_right_one() {
    for (auth, wrong, counted) in [
        ("OPEN-SESAME", "OPEN-RYE", 1),
        (
            "0123456789abcdef0123456789abcdef",
            "1123456789abcdef0123456789abcdef",
            0,
        ),
    ] {
        let machine = Machine::new();
        let place = &machine.place;
        machine.configure(&format!("handle = \"{HANDLE}\"\n{}", machine.auth_line()));
        place.write_secret("auth", &format!("{auth}\n"));
        let made = done(place, &GENERATE);
        assert_eq!(made["protected"], true);
        place.write_secret("auth", &format!("{wrong}\n"));
        let create = ["cert", "create", "--key", "packages", "--user-id", "A"];
        let text = place.admin(&create).refused(65);
        assert!(text.contains("the auth value is wrong"), "{text}");
        assert!(!text.contains(wrong));
        let listed = done(place, &["key", "list"]);
        assert_eq!(listed["keys"][0]["kind"], "p256");
        let state = &listed["keys"][0]["state"];
        assert_eq!(state["failed_attempts"], counted);
        assert!(state["failed_attempts_max"].as_u64().unwrap() > 1);
    }
}

#[test]
fn lists_what_is_in_the_tpm_and_says_what_it_cannot_make() {
    let machine = Machine::new();
    let place = &machine.place;
    let path = machine.device.path().to_str().unwrap();
    machine.configure(&format!("handle = \"{HANDLE}\"\n"));
    done(place, &[&GENERATE[..], &["--kind", "p384"]].concat());
    // There is no pcscd here.
    let listed = found(place, 69, &["device", "list", "--tpm", path]);
    assert_eq!(listed["problems"][0]["back_end"], "smartcard");
    let devices = listed["devices"].as_array().unwrap();
    let at = |handle: &str| {
        let text = format!("TPM {path}, handle {handle}");
        let mut all = devices.iter();
        all.find(|device| device["device"] == text).unwrap()
    };
    assert_eq!(at(PARENT)["state"]["name"], machine.name);
    assert_eq!(at(HANDLE)["kind"], "p384");
    assert_eq!(devices[0]["state"]["failed_attempts"], 0);

    let ask = |more: &[&str]| place.admin(&[&GENERATE[..], more].concat());
    refused(
        ask(&["--kind", "ed25519"]),
        64,
        "must be one of: p256, p384",
    );
    refused(
        ask(&["--touch", "on"]),
        64,
        "--touch means nothing for the back end `tpm`",
    );
    let storage = ["device", "storage-key", "--tpm", path, "--handle", HANDLE];
    refused(place.admin(&storage), 73, "a signing key of the kind p384");
    let import = [
        "key",
        "import",
        "--key",
        "packages",
        "--from",
        "/none",
        "--has-been-outside",
    ];
    refused(
        place.admin(&import),
        64,
        "keys are imported on cards and tokens only",
    );
    machine.configure(&format!("handle = \"{PARENT}\"\n"));
    refused(
        place.admin(&GENERATE),
        78,
        "this is where the storage key is",
    );
}
