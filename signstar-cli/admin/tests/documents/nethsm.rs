//! docs/nethsm.md: two simulated devices from the factory, to a package that a reader verifies.

use std::fs;

use signstar_core::{Event, Field};

use crate::deploy;
use crate::page;
use crate::site::{At, Site};

const SECTIONS: [(&str, At); 9] = [
    ("Passphrases", At::Enclave),
    ("The first device", At::Enclave),
    ("Key, users and a backup", At::Enclave),
    ("The second device", At::Enclave),
    ("Configure the machine that signs", At::Enclave),
    (
        "The passphrase, where systemd keeps it",
        At::Parsed("it needs systemd as first process"),
    ),
    ("Network", At::Enclave),
    ("Certificate", At::Enclave),
    ("Before the stick goes back", At::Enclave),
];

/// What the unit for credentials does, in place of systemd.
const CREDENTIAL: &str = "\
install -m 0440 -o root -g signer /media/safe/nethsm/signer /run/signstar/packages.nethsm
";

/// The sections of docs/deploy.md whose place the page takes.
const REPLACED: [&str; 2] = ["Configure it", "Make key and certificate"];

/// Two fresh devices in the network of the site.
fn devices(site: &Site) {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("nethsm-simulator");
    assert!(
        program.is_file(),
        "no nethsm-simulator: run `cargo xtask test --part build`"
    );
    fs::copy(program, site.stick("nethsm-simulator")).unwrap();
    for address in ["192.0.2.11", "192.0.2.12"] {
        // They end with the machine.
        site.done(
            At::Enclave,
            &format!(
                "ip address add {address}/24 dev lo\n\
                 setsid /media/stick/nethsm-simulator --listen {address}:443 \
                 < /dev/null > /tmp/{address} 2>&1 &\n\
                 tries=0\nuntil grep -q sha256 /tmp/{address}; do\n\
                 tries=$((tries + 1)); [ $tries -lt 600 ]; sleep 0.1\ndone\n"
            ),
        );
    }
}

/// Follows a part of docs/deploy.md.
fn deploy(site: &Site, wanted: impl Fn(usize) -> bool) {
    let found = page::sections(&page::text("docs/deploy.md"));
    for (index, (section, (title, at))) in found.iter().zip(&deploy::SECTIONS).enumerate() {
        assert_eq!(section.title, *title);
        if wanted(index) && !REPLACED.contains(title) && !matches!(at, At::Parsed(_)) {
            site.done(*at, &section.script);
        }
    }
}

#[test]
fn two_devices_from_the_factory_lead_to_an_installed_package() {
    let position = |title: &str| {
        let mut titles = deploy::SECTIONS.iter();
        titles.position(|(known, _)| *known == title).unwrap()
    };
    let [first, last] = REPLACED.map(position);
    let site = Site::new();
    devices(&site);
    deploy(&site, |index| index < first);
    let before = |title: &str| {
        if title == "Certificate" {
            CREDENTIAL
        } else {
            ""
        }
    };
    site.follow_with("docs/nethsm.md", &SECTIONS, before, |title, said| {
        if title == "The second device" {
            assert!(said.contains("one: packages\ntwo: packages"), "{said}");
        }
        if title == "Certificate" {
            assert!(said.contains("[key.packages] nethsm ed25519"), "{said}");
        }
    });
    deploy(&site, |index| index > last);
    let greeting = site.done(At::Reader, "cat /usr/share/hello-signstar/greeting");
    assert_eq!(greeting, "hello\n");
    let records = site.records();
    let events: Vec<Event> = records.iter().map(|record| record.event).collect();
    assert_eq!(events, [Event::Intent, Event::Release]);
    assert_eq!(records[1].get(Field::BackEnd), Some("nethsm"));

    // One device is away: the other one signs.
    let again = "cd ~/hello\nssh signstar < hello-signstar-1-1-any.pkg.tar.zst > again.sig\n\
                 test -s again.sig\n";
    site.done(At::Enclave, "ip address del 192.0.2.11/24 dev lo");
    site.done(At::Builder, again);
    assert_eq!(site.records().len(), 4);
    // What the page says of devices that lost their power.
    site.done(At::Enclave, "ip address add 192.0.2.11/24 dev lo");
    for device in ["one", "two"] {
        let ask = "nethsm-cli --user admin --passphrase-file /media/safe/nethsm/admin";
        site.done(At::Enclave, &format!("{ask} -d {device} lock"));
    }
    let refused = site.run(At::Builder, again);
    assert_eq!(refused.status.code(), Some(69), "{}", refused.said);
    let unlock = "nethsm-cli -d two unlock --unlock-passphrase-from file:/media/safe/nethsm/unlock";
    site.done(At::Enclave, unlock);
    site.done(At::Builder, again);
}
