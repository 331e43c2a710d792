//! Keys in a NetHSM: made by an Administrator, certified by an Operator.

use signstar_testkit::nethsm::{ADMIN, NetHsm, PASSPHRASE};

use crate::place::Place;
use crate::{Shape, certify, configure, done, refused, signing};

pub(crate) const GENERATE: [&str; 4] = ["key", "generate", "--key", "packages"];

/// A place whose configuration names a key of the device that nobody has made yet.
pub(crate) fn place(device: &NetHsm) -> Place {
    let place = Place::new();
    place.write_for_signers("packages.nethsm", &format!("{PASSPHRASE}\n"));
    place.write_for_signers("admin.passphrase", &format!("{}\n", ADMIN.1));
    configure(
        &place,
        "nethsm",
        &format!(
            "key = \"packages\"\nuser = \"{}\"\npassphrase = {:?}\n\
             [key.packages.nethsm.device.first]\naddress = \"{}\"\ntrust = \"pin:{}\"\n",
            device.operator,
            place.path("packages.nethsm"),
            device.address(),
            device.fingerprint()
        ),
    );
    place
}

#[test]
fn a_key_that_a_nethsm_makes_goes_to_a_signature_in_both_shapes() {
    for (kind, shape) in [("ed25519", Shape::Alone), ("p384", Shape::BelowPrimary)] {
        let device = NetHsm::simulated();
        let place = place(&device);
        let file = place.path("admin.passphrase").display().to_string();
        let generate = [
            &GENERATE[..],
            &["--admin-passphrase-file", &file, "--kind", kind],
        ]
        .concat();
        let made = done(&place, &[&generate[..], &["--dry-run"]].concat());
        assert_eq!(made["dry_run"], true);
        assert_eq!(device.simulator().requests("keys_generate_post"), 0);
        let made = done(&place, &generate);
        assert_eq!(made["kind"], kind);
        refused(place.admin(&generate), 73, "and it stays");
        assert_eq!(device.simulator().requests("keys_generate_post"), 1);
        let listed = done(&place, &["key", "list"]);
        assert_eq!(listed["keys"][0]["kind"], kind);
        let fingerprint = certify(&place, shape);
        let mut opened = signstar_nethsm::open(&device.settings("packages")).unwrap();
        signing::check(&place, opened.signer.as_mut(), &fingerprint);
    }
}

#[test]
fn what_the_device_refuses_is_said_and_no_passphrase_is() {
    let device = NetHsm::simulated();
    let place = place(&device);
    refused(place.admin(&GENERATE), 64, "--admin-passphrase-file");
    place.write_for_signers("admin.passphrase", "Not-The-Passphrase\n");
    let file = place.path("admin.passphrase").display().to_string();
    let generate = [&GENERATE[..], &["--admin-passphrase-file", &file]].concat();
    let text = place.admin(&generate).refused(65);
    assert!(text.contains("refuses user and passphrase"), "{text}");
    assert!(!text.contains("Not-The-Passphrase"), "{text}");
    // An Operator makes no keys.
    place.write_for_signers("admin.passphrase", &format!("{PASSPHRASE}\n"));
    let operator = ["--admin-user", device.operator.as_str()];
    refused(
        place.admin(&[&generate[..], &operator].concat()),
        65,
        "role",
    );
    refused(
        place.admin(&[&generate[..], &["--touch", "on"]].concat()),
        64,
        "--touch",
    );
}
