//! NetHSMs that are named by the operator's device profiles.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use signstar_testkit::nethsm::{ADMIN, NetHsm, PASSPHRASE};

use crate::nethsm::GENERATE;
use crate::place::{End, Place};
use crate::{configure, done, refused, signing};

const CREATE: [&str; 6] = [
    "cert",
    "create",
    "--key",
    "packages",
    "--user-id",
    "A <a@example.org>",
];
const RACK: [&str; 2] = ["--profile", "rack"];

/// A place whose configuration names a device that is not there and a passphrase that nobody has; the
/// device stands in a profile, with `users`.
fn place(device: &NetHsm, users: &str) -> (Place, [String; 2]) {
    let place = Place::new();
    configure(
        &place,
        "nethsm",
        &format!(
            "key = \"packages\"\nuser = \"{}\"\npassphrase = {:?}\n\
             [key.packages.nethsm.device.first]\naddress = \"127.0.0.1:1\"\ntrust = \"pin:{}\"\n",
            device.operator,
            place.path("absent"),
            "0".repeat(64),
        ),
    );
    let text = format!(
        "version = 1\n[device.rack]\nurl = \"{}\"\npin = \"{}\"\n{users}",
        device.address(),
        device.fingerprint()
    );
    place.write("profiles.toml", &text);
    let file = place.path("profiles.toml").display().to_string();
    (place, ["--profiles".to_owned(), file])
}

fn user(place: &Place, name: &str, role: &str, passphrase: &str) -> String {
    let file = format!("{role}.passphrase");
    place.write_secret(&file, passphrase);
    let path = place.path(&file).display().to_string();
    format!("[device.rack.user.\"{name}\"]\nrole = \"{role}\"\npassphrase = \"file:{path}\"\n")
}

/// The profile with both users.
fn both(device: &NetHsm) -> (Place, [String; 2]) {
    let (place, profiles) = place(device, "");
    let administrator = user(&place, ADMIN.0, "Administrator", ADMIN.1);
    let operator = user(&place, &device.operator, "Operator", PASSPHRASE);
    let text = fs::read_to_string(place.path("profiles.toml")).unwrap();
    place.write("profiles.toml", &format!("{text}{administrator}{operator}"));
    (place, profiles)
}

fn at<'a>(first: &[&'a str], profiles: &'a [String; 2], last: &[&'a str]) -> Vec<&'a str> {
    let profiles = profiles.each_ref().map(String::as_str);
    [first, &RACK, &profiles, last].concat()
}

#[test]
fn a_device_is_taken_by_its_profile_with_the_users_that_stand_there() {
    let device = NetHsm::simulated();
    let (place, profiles) = both(&device);
    // What the configuration names is not there.
    refused(place.admin(&GENERATE), 64, "--admin-passphrase-file");
    let made = done(&place, &at(&GENERATE, &profiles, &["--kind", "p256"]));
    assert_eq!(made["kind"], "p256");
    assert!(made["device"].as_str().unwrap().contains("NetHSM rack at"));
    let listed = done(&place, &at(&["key", "list"], &profiles, &[]));
    assert_eq!(listed["keys"][0]["kind"], "p256");
    let made = done(&place, &at(&CREATE, &profiles, &["--store"]));
    assert_eq!(made["devices"][0]["done"], "added");
    let fingerprint = made["signing_key"].as_str().unwrap();
    let show = ["cert", "show", "--key", "packages", "--from-device"];
    let shown = done(&place, &at(&show, &profiles, &[]));
    assert_eq!(shown["signing_key"], fingerprint);
    let extend = ["cert", "extend", "--key", "packages", "--expires", "2years"];
    done(&place, &at(&extend, &profiles, &[]));
    let store = ["cert", "store", "--key", "packages"];
    let stored = done(&place, &at(&store, &profiles, &[]));
    assert_eq!(stored["devices"][0]["done"], "renewed");
    let mut opened = signstar_nethsm::open(&device.settings("packages")).unwrap();
    signing::check(&place, opened.signer.as_mut(), fingerprint);
}

#[test]
fn the_profiles_are_those_of_nethsm_cli_unless_others_are_named() {
    let device = NetHsm::simulated();
    let (place, _) = both(&device);
    let folder = place.path("settings/nethsm-cli");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(place.path("profiles.toml"), folder.join("config.toml")).unwrap();
    let mut command = place.command(&[&GENERATE[..], &RACK].concat());
    command.env("XDG_CONFIG_HOME", place.path("settings"));
    End::from(command.output().unwrap()).done();
    let mut command = place.command(&[&GENERATE[..], &RACK].concat());
    command.env("XDG_CONFIG_HOME", place.path("elsewhere"));
    refused(
        End::from(command.output().unwrap()),
        64,
        "no device of that name",
    );
}

#[test]
fn whoever_does_not_stand_in_the_profile_is_asked_for_the_passphrase() {
    let device = NetHsm::simulated();
    let (place, profiles) = place(&device, "");
    refused(
        place.admin(&at(&GENERATE, &profiles, &[])),
        64,
        "nobody is there to ask for the Administrator's passphrase",
    );
    place.write_for_signers("admin.passphrase", &format!("{}\n", ADMIN.1));
    let file = place.path("admin.passphrase").display().to_string();
    done(
        &place,
        &at(&GENERATE, &profiles, &["--admin-passphrase-file", &file]),
    );
    let text = place.admin(&at(&CREATE, &profiles, &[])).refused(64);
    let asked = format!(
        "Passphrase of {} on the NetHSM rack is needed",
        device.operator
    );
    assert!(text.contains(&asked), "{text}");
}

#[test]
fn an_administrator_alone_sees_keys_and_two_must_be_told_apart() {
    let device = NetHsm::simulated();
    let (place, profiles) = place(&device, "");
    let one = user(&place, ADMIN.0, "Administrator", ADMIN.1);
    let other = one.replace("\"admin\"", "\"other\"");
    let text = fs::read_to_string(place.path("profiles.toml")).unwrap();
    place.write("profiles.toml", &format!("{text}{one}"));
    done(&place, &at(&GENERATE, &profiles, &[]));
    let listed = done(&place, &at(&["key", "list"], &profiles, &[]));
    assert_eq!(listed["keys"][0]["kind"], "ed25519");
    place.write("profiles.toml", &format!("{text}{one}{other}"));
    refused(
        place.admin(&at(&GENERATE, &profiles, &[])),
        64,
        "has several users",
    );
    refused(
        place.admin(&at(&GENERATE, &profiles, &["--admin-user", "admin"])),
        73,
        "it stays",
    );
}

#[test]
fn profiles_that_somebody_else_can_have_written_are_refused() {
    let device = NetHsm::simulated();
    let (place, profiles) = both(&device);
    let file = place.path("profiles.toml");
    let list = at(&["key", "list"], &profiles, &[]);
    fs::set_permissions(&file, Permissions::from_mode(0o664)).unwrap();
    refused(place.admin(&list), 64, "others may write to it");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(&file, Some(6001), None).unwrap();
        refused(place.admin(&list), 64, "belongs to somebody else");
    }
}

#[test]
fn a_profile_means_nothing_to_other_back_ends() {
    let device = NetHsm::simulated();
    let (_other, profiles) = both(&device);
    let software = Place::new();
    let generate = at(&["key", "generate", "--key", "packages"], &profiles, &[]);
    refused(software.admin(&generate), 64, "--profile means nothing");
    let listed = done(&software, &at(&["key", "list"], &profiles, &[]));
    assert_eq!(listed["keys"].as_array().unwrap().len(), 0);
}
