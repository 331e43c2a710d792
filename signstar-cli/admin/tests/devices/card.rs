//! Keys on an OpenPGP card, in a reader behind a real pcscd.

use std::fs;
use std::time::Duration;

use signstar_smartcard::provision;
use signstar_smartcard::{Ident, Location};
use signstar_virtual_card::reader::{Inserted, Pcscd};
use signstar_virtual_card::{ADMIN_PIN, MANUFACTURER, USER_PIN};
use zeroize::Zeroizing;

use crate::inside::{insert, inside, pcscd};
use crate::place::Place;
use crate::typing::at_terminal;
use crate::{Shape, certify, configure, done, refused, signing};

const SERIAL: u32 = 0x0a0b_0c0d;
const GENERATE: [&str; 4] = ["key", "generate", "--key", "packages"];
const SECRET: &str = "outside.secret.pgp";

/// A machine with a card in its reader. In this order: the card goes before pcscd does.
pub(crate) struct Machine {
    pub(crate) place: Place,
    _card: Inserted,
    _pcscd: Pcscd,
    /// `--admin-pin-file` and the file.
    pin: [String; 2],
}

impl Machine {
    /// To be made in namespaces of the test's own.
    pub(crate) fn new() -> Self {
        let pcscd = pcscd();
        let card = insert(SERIAL, 0);
        let place = Place::new();
        // Where the socket of the other one is to be seen.
        fs::create_dir(place.path("run/pcscd")).unwrap();
        place.write_secret("admin.pin", &format!("{ADMIN_PIN}\n"));
        place.write_for_signers("packages.pin", &format!("{USER_PIN}\n"));
        let pin = place.path("packages.pin");
        let lines = format!("card = \"{}\"\npin = {pin:?}\n", location().card);
        configure(&place, "smartcard", &lines);
        let file = place.path("admin.pin").to_str().unwrap().to_owned();
        let machine = Self {
            place,
            _card: card,
            _pcscd: pcscd,
            pin: ["--admin-pin-file".to_owned(), file],
        };
        for _ in 0..1000 {
            if provision::status(&location()).is_ok() {
                return machine;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the card is not seen");
    }

    /// `verb` with the administrator's PIN.
    pub(crate) fn with_pin<'a>(&'a self, verb: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
        [verb, more, &[self.pin[0].as_str(), self.pin[1].as_str()]].concat()
    }

    /// What GnuPG takes for good, of the key on the card.
    pub(crate) fn sign(&self, fingerprint: &str) {
        let pin = Zeroizing::new(USER_PIN.as_bytes().to_vec());
        let mut opened = signstar_smartcard::open(&location(), pin).unwrap();
        signing::check(&self.place, opened.signer.as_mut(), fingerprint);
    }

    /// A secret key file of the back end `software`, whose key has a passphrase, and its fingerprint.
    fn outside(&self) -> String {
        let place = &self.place;
        let card = fs::read_to_string(place.path("signstar.toml")).unwrap();
        place.write_secret("passphrase", "correct horse battery staple\n");
        let [secret, passphrase] = [SECRET, "passphrase"].map(|name| place.path(name));
        let lines = format!("secret-key = {secret:?}\npassphrase = {passphrase:?}\n");
        configure(place, "software", &lines);
        let made = done(place, &GENERATE);
        place.write("signstar.toml", &card);
        made["fingerprint"].as_str().unwrap().to_owned()
    }
}

fn location() -> Location {
    Location {
        card: Ident::new(MANUFACTURER, SERIAL),
        wait: Duration::from_secs(20),
    }
}

fn hexadecimal(octets: [u8; 20]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

#[test]
fn a_key_that_the_card_makes_goes_to_a_signature_in_both_shapes() {
    inside(
        "card::a_key_that_the_card_makes_goes_to_a_signature_in_both_shapes",
        || {
            let machine = Machine::new();
            let place = &machine.place;
            for (kind, shape) in [("ed25519", Shape::Alone), ("p256", Shape::BelowPrimary)] {
                let more = ["--kind", kind, "--force", "--yes"];
                let made = done(place, &machine.with_pin(&GENERATE, &more));
                assert_eq!(made["kind"], kind);
                let fingerprint = certify(place, shape);
                // What the card has noted is what became of it.
                assert_eq!(made["fingerprint"], fingerprint);
                let status = provision::status(&location()).unwrap();
                assert_eq!(status.fingerprint.map(hexadecimal).unwrap(), fingerprint);
                machine.sign(&fingerprint);
            }
            let listed = done(place, &["key", "list"]);
            let (key, state) = (&listed["keys"][0], &listed["keys"][0]["state"]);
            assert_eq!(key["kind"], "p256");
            assert_eq!(
                (&state["tries"], &state["touch"]),
                (&3.into(), &"off".into())
            );
            // The back-signature, and the one above.
            assert_eq!(state["signatures"], 2);
            let devices = place
                .admin(&["device", "list", "--tpm", "/dev/none"])
                .done();
            let shown = format!("smartcard p256 {}", key["fingerprint"].as_str().unwrap());
            assert!(devices.starts_with(&shown), "{devices}");
            assert!(
                devices.contains("signatures 2, touch off, tries 3, tries admin 3"),
                "{devices}"
            );
        },
    );
}

#[test]
fn a_key_of_version_6_takes_the_creation_time_of_the_card() {
    inside(
        "card::a_key_of_version_6_takes_the_creation_time_of_the_card",
        || {
            let machine = Machine::new();
            let place = &machine.place;
            let made = done(place, &machine.with_pin(&GENERATE, &["--v6"]));
            assert_eq!(made["fingerprint"], serde_json::Value::Null);
            assert_eq!(provision::status(&location()).unwrap().fingerprint, None);
            let user = ["--user-id", "A <a@example.org>", "--v6"];
            let create = [&["cert", "create", "--key", "packages"], &user[..]].concat();
            let other = [&create[..], &["--created", "2024-01-01"]].concat();
            refused(place.admin(&other), 64, "leave it out");
            let made = done(place, &create);
            assert_eq!(made["fingerprint"].as_str().unwrap().len(), 64);
            let checked = done(place, &["config", "check"]);
            assert_eq!(checked["keys"][0]["fingerprint"], made["fingerprint"]);
        },
    );
}

#[test]
fn a_key_is_overwritten_only_when_the_operator_says_so_twice() {
    inside(
        "card::a_key_is_overwritten_only_when_the_operator_says_so_twice",
        || {
            let machine = Machine::new();
            let place = &machine.place;
            let first = done(place, &machine.with_pin(&GENERATE, &[]));
            let first = first["fingerprint"].as_str().unwrap();
            let ask = |more: &[&str]| place.admin(&machine.with_pin(&GENERATE, more));
            let text = ask(&[]).refused(73);
            for words in [
                "card 0000:0A0B0C0D",
                "ed25519",
                first,
                "0 signatures",
                "--force",
            ] {
                assert!(text.contains(words), "{words}: {text}");
            }
            refused(
                ask(&["--force"]),
                64,
                "nobody is there to confirm this: give --yes",
            );
            done(
                place,
                &machine.with_pin(&GENERATE, &["--force", "--dry-run"]),
            );
            let status = || provision::status(&location()).unwrap();
            assert_eq!(status().fingerprint.map(hexadecimal).unwrap(), first);

            // A PIN that cannot be one is not sent; a wrong one is, once.
            place.write_secret("admin.pin", "1234567");
            refused(ask(&["--force", "--yes"]), 65, "it was not sent");
            assert_eq!(status().tries_admin, 3);
            place.write_secret("admin.pin", "PLANTED-PIN");
            let text = ask(&["--force", "--yes"]).refused(65);
            assert!(text.contains("refused the administrator's PIN"), "{text}");
            assert!(!text.contains("PLANTED"));
            assert_eq!(status().tries_admin, 2);
            let without = place.admin(&[&GENERATE[..], &["--force", "--yes"]].concat());
            refused(without, 64, "give --admin-pin-file");
            assert_eq!(status().fingerprint.map(hexadecimal).unwrap(), first);
        },
    );
}

#[test]
fn a_key_from_outside_is_imported_with_its_fingerprint_if_the_operator_insists() {
    let name = "card::a_key_from_outside_is_imported_with_its_fingerprint_if_the_operator_insists";
    inside(name, || {
        let machine = Machine::new();
        let place = &machine.place;
        let fingerprint = machine.outside();
        let path = |name| place.path(name).to_str().unwrap().to_owned();
        let (secret, passphrase) = (path(SECRET), path("passphrase"));
        let import = ["key", "import", "--key", "packages", "--from", &secret];
        let protected = machine.with_pin(&import, &["--has-been-outside"]);
        let without = place.admin(&machine.with_pin(&import, &[]));
        assert_eq!(without.status, 64);
        assert!(
            without.stderr.contains("--has-been-outside"),
            "{}",
            without.stderr
        );
        refused(place.admin(&protected), 65, "give --passphrase-file");
        assert_eq!(provision::status(&location()).unwrap().key, None);
        let more = ["--passphrase-file", &passphrase, "--touch", "on"];
        let made = done(place, &[&protected[..], &more].concat());
        assert_eq!(
            (&made["kind"], &made["fingerprint"]),
            (&"ed25519".into(), &fingerprint.clone().into())
        );
        assert_eq!(certify(place, Shape::BelowPrimary), fingerprint);
        // This card is touched whenever it asks for that.
        machine.sign(&fingerprint);
        let listed = done(place, &["key", "list"]);
        assert_eq!(listed["keys"][0]["state"]["touch"], "on");
        assert_eq!(listed["keys"][0]["fingerprint"], fingerprint);
        refused(
            place.admin(&[&protected[..], &more].concat()),
            73,
            "--force replaces it",
        );
    });
}

#[test]
fn asks_for_the_administrators_pin_and_shows_nothing_of_it() {
    inside(
        "card::asks_for_the_administrators_pin_and_shows_nothing_of_it",
        || {
            let machine = Machine::new();
            let typed = format!("{ADMIN_PIN}\n");
            let question = "Administrator's PIN of the card 0000:0A0B0C0D: ";
            let (status, asked, shown) = at_terminal(&machine.place, &GENERATE, question, &typed);
            assert_eq!((status, shown.as_str()), (0, ""), "{asked}");
            assert!(!asked.contains(ADMIN_PIN));
            assert!(provision::status(&location()).unwrap().key.is_some());

            // What is typed here is shown: the test above can fail.
            let forced = [&GENERATE[..], &["--force"]].concat();
            let question = "Write yes to go on: ";
            let (status, asked, shown) = at_terminal(&machine.place, &forced, question, "no\n");
            assert_eq!((status, shown.as_str()), (64, "no\r\n"), "{asked}");
            assert!(asked.contains("It is lost then."), "{asked}");
            assert!(asked.contains("nothing was done"), "{asked}");
        },
    );
}
