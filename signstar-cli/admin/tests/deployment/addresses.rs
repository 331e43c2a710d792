//! Addresses of NetHSMs: one thing wrong each time with what holds them.

use crate::machine::{Machine, SSHD, reports, sentences};

const TOML: &str = "etc/signstar/signstar.toml";
const UNIT: &str = "etc/systemd/system/signstar-sshd@.service";
const NETWORK: &str = "etc/systemd/system/signstar-sshd@.service.d/network.conf";
const NFTABLES: &str = "etc/nftables.conf";

/// As the packages' examples leave it, with the NetHSMs of the example of a configuration.
fn sound() -> Machine {
    let machine = Machine::new();
    let example = include_str!("../../../../packaging/examples/nethsm.toml");
    machine.write(TOML, example);
    machine.write(
        UNIT,
        include_str!("../../../../packaging/systemd/signstar-sshd@.service"),
    );
    let network = include_str!("../../../../packaging/systemd/examples/signstar-sshd-network.conf");
    machine.write(
        NETWORK,
        &network.replace("198.51.100.7", "192.0.2.11 192.0.2.12"),
    );
    let rules = include_str!("../../../../packaging/nftables/signstar.nft");
    machine.write(
        NFTABLES,
        &rules.replace("198.51.100.7", "192.0.2.11, 192.0.2.12"),
    );
    machine
}

#[track_caller]
fn mistake<T>(test: T, plant: impl FnOnce(&Machine)) {
    let machine = sound();
    plant(&machine);
    reports(test, machine.check_sshd());
}

#[test]
fn the_checks_are_silent_where_unit_and_rules_hold_each_address() {
    let found = sound().check_sshd();
    assert_eq!((found.0, sentences(&found.1)), (0, vec![]), "{:#}", found.1);
    // The same addresses in other words.
    let machine = sound();
    machine.change(
        NETWORK,
        "IPAddressAllow=192.0.2.11 192.0.2.12",
        "IPAddressAllow=10.0.0.0/8\nIPAddressAllow=\nIPAddressAllow=192.0.2.11/32 \\\n  192.0.2.12",
    );
    machine.change(
        NFTABLES,
        "ip daddr @hsms4 tcp dport 443",
        "ip daddr { 192.0.2.11, 192.0.2.12/32 } tcp dport 443",
    );
    let found = machine.check_sshd();
    assert_eq!((found.0, sentences(&found.1)), (0, vec![]), "{:#}", found.1);
}

#[test]
fn one_of_both_is_enough_and_files_can_be_named() {
    let machine = sound();
    // What a distribution brings is not about accounts.
    machine.write(NFTABLES, "table inet filter { }\n");
    let found = machine.check_sshd();
    assert_eq!((found.0, sentences(&found.1)), (0, vec![]), "{:#}", found.1);
    let machine = sound();
    std::fs::remove_dir_all(machine.path("etc/systemd")).unwrap();
    let found = machine.check_sshd();
    assert_eq!((found.0, sentences(&found.1)), (0, vec![]), "{:#}", found.1);
    let machine = sound();
    machine.write("etc/own.service", &machine.read(UNIT));
    machine.write("etc/own.conf", &machine.read(NETWORK));
    machine.write("etc/own.nft", &machine.read(NFTABLES));
    machine.change(NETWORK, "192.0.2.11 ", "");
    machine.write(NFTABLES, "");
    let named = [
        "--unit",
        "/etc/own.service",
        "--unit",
        "/etc/own.conf",
        "--nftables",
        "/etc/own.nft",
    ];
    let check = ["sshd", "check", "--sshd-config", SSHD];
    let (status, found) = machine.json(&[&check[..], &named].concat());
    assert_eq!((status, sentences(&found)), (0, vec![]), "{found:#}");
    let absent = machine.admin(&[&check[..], &["--nftables", "/etc/absent.nft"]].concat());
    assert_eq!(absent.status.code(), Some(73), "{absent:?}");
}

#[test]
fn addresses_say_nothing_where_no_key_is_in_a_nethsm() {
    let machine = Machine::new();
    machine.write(NFTABLES, "");
    let found = machine.check_sshd();
    assert_eq!((found.0, sentences(&found.1)), (0, vec![]), "{:#}", found.1);
}

#[test]
fn nothing_holds_the_addresses_of_nethsms() {
    mistake(nothing_holds_the_addresses_of_nethsms, |machine| {
        machine.write(NFTABLES, "table inet filter { }\n");
        std::fs::remove_dir_all(machine.path("etc/systemd")).unwrap();
    });
}

#[test]
fn the_unit_has_no_network_and_a_key_is_in_a_nethsm() {
    mistake(
        the_unit_has_no_network_and_a_key_is_in_a_nethsm,
        |machine| {
            machine.change(NETWORK, "PrivateNetwork=no\n", "");
        },
    );
}

#[test]
fn the_unit_lets_its_processes_connect_to_any_address() {
    mistake(
        the_unit_lets_its_processes_connect_to_any_address,
        |machine| {
            machine.change(UNIT, "IPAddressDeny=any\n", "");
        },
    );
    // In another part of the file it says nothing.
    mistake(
        the_unit_lets_its_processes_connect_to_any_address,
        |machine| {
            machine.change(
                UNIT,
                "IPAddressDeny=any\n",
                "[Install]\nIPAddressDeny=any\n[Service]\n",
            );
        },
    );
    // It is taken back.
    mistake(
        the_unit_lets_its_processes_connect_to_any_address,
        |machine| {
            machine.change(
                NETWORK,
                "PrivateNetwork=no\n",
                "PrivateNetwork=no\nIPAddressDeny=\n",
            );
        },
    );
}

#[test]
fn the_unit_does_not_allow_the_address_of_a_nethsm() {
    mistake(the_unit_does_not_allow_the_address_of_a_nethsm, |machine| {
        machine.change(NETWORK, " 192.0.2.12", "");
    });
    // A neighbour's is not enough, and a commented line is none.
    let machine = sound();
    machine.change(
        NETWORK,
        "IPAddressAllow=192.0.2.11 192.0.2.12",
        "IPAddressAllow=192.0.2.11\n#IPAddressAllow=192.0.2.12",
    );
    let (status, found) = machine.check_sshd();
    assert_eq!(status, 78);
    let text = found["problems"][0]["text"].as_str().unwrap();
    assert!(
        text.ends_with("write `IPAddressAllow=192.0.2.12` for second"),
        "{text}"
    );
}

#[test]
fn the_unit_allows_more_addresses_than_those_of_nethsms() {
    mistake(
        the_unit_allows_more_addresses_than_those_of_nethsms,
        |machine| {
            machine.change(NETWORK, " 192.0.2.12", " 192.0.2.12 198.51.100.0/24");
        },
    );
    mistake(
        the_unit_allows_more_addresses_than_those_of_nethsms,
        |machine| {
            machine.change(NETWORK, "192.0.2.11 192.0.2.12", "192.0.2.0/24");
        },
    );
}

#[test]
fn nftables_lets_the_account_connect_to_any_address() {
    mistake(
        nftables_lets_the_account_connect_to_any_address,
        |machine| {
            machine.change(NFTABLES, "meta skuid \"signer\" counter drop", "");
        },
    );
    // Of another account, or in another chain.
    mistake(
        nftables_lets_the_account_connect_to_any_address,
        |machine| {
            machine.change(
                NFTABLES,
                "meta skuid \"signer\" counter drop",
                "meta skuid \"other\" counter drop",
            );
        },
    );
    mistake(
        nftables_lets_the_account_connect_to_any_address,
        |machine| {
            machine.change(NFTABLES, "hook output", "hook input");
        },
    );
    // Before it is dropped, it is accepted.
    mistake(
        nftables_lets_the_account_connect_to_any_address,
        |machine| {
            machine.change(
                NFTABLES,
                "meta skuid \"signer\" counter drop",
                "meta skuid \"signer\" accept\nmeta skuid \"signer\" counter drop",
            );
        },
    );
}

#[test]
fn nftables_does_not_let_the_account_reach_a_nethsm() {
    mistake(
        nftables_does_not_let_the_account_reach_a_nethsm,
        |machine| {
            machine.change(NFTABLES, ", 192.0.2.12", "");
        },
    );
    // The port is another one.
    mistake(
        nftables_does_not_let_the_account_reach_a_nethsm,
        |machine| {
            machine.change(
                TOML,
                "address = \"192.0.2.12\"",
                "address = \"192.0.2.12:8443\"",
            );
        },
    );
}

#[test]
fn nftables_lets_the_account_reach_more_than_its_nethsms() {
    mistake(
        nftables_lets_the_account_reach_more_than_its_nethsms,
        |machine| {
            machine.change(NFTABLES, ", 192.0.2.12", ", 192.0.2.12, 203.0.113.0/24");
        },
    );
}
