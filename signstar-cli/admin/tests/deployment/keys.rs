//! Files of keys, authorities and principals, one thing wrong each time.

use std::fs;

use crate::machine::{KEY, Machine, SIGNER, give, reports};

const FROM: &str = "from=\"192.0.2.0/24\"";

/// With other lines in the file of keys.
#[track_caller]
fn keys<T>(test: T, lines: &str) {
    let machine = Machine::new();
    machine.keys(lines);
    reports(test, machine.check_sshd());
}

/// A machine that trusts an authority, by the shipped drop-in.
fn with_authority() -> Machine {
    let machine = Machine::new();
    let drop_in = include_str!("../../../../packaging/sshd/authority.conf");
    machine.write("etc/signstar/sshd_config.d/authority.conf", drop_in);
    machine.write("etc/signstar/authorities", &format!("{KEY} authority\n"));
    machine.write("etc/ssh/authorized_principals/signer", "repository-tool\n");
    fs::remove_file(machine.path("etc/ssh/authorized_keys/signer")).unwrap();
    machine
}

#[test]
fn nobody_may_ask() {
    keys(nobody_may_ask, "# later");
}

#[test]
fn a_key_is_not_restricted() {
    keys(a_key_is_not_restricted, &format!("{FROM} {KEY}"));
}

#[test]
fn a_key_may_be_used_from_everywhere() {
    keys(
        a_key_may_be_used_from_everywhere,
        &format!("restrict {KEY}"),
    );
}

#[test]
fn a_key_may_do_more_than_ask_for_signatures() {
    keys(
        a_key_may_do_more_than_ask_for_signatures,
        &format!("restrict,{FROM},port-forwarding {KEY}"),
    );
}

#[test]
fn a_key_sets_variables() {
    keys(
        a_key_sets_variables,
        &format!("restrict,environment=\"LD_PRELOAD=/tmp/a, b\",{FROM} {KEY}"),
    );
}

#[test]
fn a_key_names_a_command_of_its_own() {
    keys(
        a_key_names_a_command_of_its_own,
        &format!("restrict,command=\"echo \\\"a b\\\"\",{FROM} {KEY}"),
    );
}

#[test]
fn a_line_holds_no_key() {
    let cut = &KEY[..KEY.len() - 4];
    keys(
        a_line_holds_no_key,
        &format!("restrict,{FROM} {KEY} builder 7\nrestrict,{FROM} {cut}"),
    );
}

#[test]
fn an_authority_among_the_keys_names_no_principals() {
    keys(
        an_authority_among_the_keys_names_no_principals,
        &format!("restrict,cert-authority,{FROM} {KEY}"),
    );
}

#[test]
fn others_than_root_decide_who_may_ask() {
    let machine = Machine::new();
    machine.own("etc/ssh/authorized_keys", SIGNER);
    reports(others_than_root_decide_who_may_ask, machine.check_sshd());
}

#[test]
fn two_accounts_have_the_same_file_of_keys() {
    let machine = Machine::new();
    machine.change("etc/passwd", "/:/bin/sh", "/:/usr/bin/signstar");
    machine.change(
        "etc/signstar/signstar.toml",
        "[user.signer]",
        "[user.signer]\nkey = \"packages\"\n[user.other]",
    );
    machine.sshd("AllowUsers signer", "AllowUsers signer other");
    machine.sshd("authorized_keys/%u", "authorized_keys/signer");
    reports(
        two_accounts_have_the_same_file_of_keys,
        machine.check_sshd(),
    );
    // Each with its own, all is well.
    machine.sshd("authorized_keys/signer", "authorized_keys/%u");
    let line = machine.read("etc/ssh/authorized_keys/signer");
    machine.write("etc/ssh/authorized_keys/other", &line);
    assert_eq!(machine.check_sshd().0, 0);
}

#[test]
fn others_than_root_decide_which_authorities_are_trusted() {
    let machine = with_authority();
    machine.mode("etc/signstar/authorities", 0o666);
    reports(
        others_than_root_decide_which_authorities_are_trusted,
        machine.check_sshd(),
    );
}

#[test]
fn the_file_of_trusted_authorities_is_missing() {
    let machine = with_authority();
    fs::remove_file(machine.path("etc/signstar/authorities")).unwrap();
    reports(
        the_file_of_trusted_authorities_is_missing,
        machine.check_sshd(),
    );
}

#[test]
fn a_principal_looks_like_a_pattern() {
    let machine = with_authority();
    machine.write("etc/ssh/authorized_principals/signer", "repository-*\n");
    reports(a_principal_looks_like_a_pattern, machine.check_sshd());
}

#[test]
fn sshd_lets_nobody_in_while_it_cannot_read_the_revoked_keys() {
    let machine = with_authority();
    machine.sshd("UsePAM no", "UsePAM no\nRevokedKeys /etc/signstar/revoked");
    reports(
        sshd_lets_nobody_in_while_it_cannot_read_the_revoked_keys,
        machine.check_sshd(),
    );
}

#[test]
fn the_shipped_drop_in_for_an_authority_is_silent() {
    let machine = with_authority();
    let (status, found) = machine.check_sshd();
    assert_eq!((status, crate::machine::sentences(&found)), (0, vec![]));
    // Without principals there is nobody.
    fs::remove_file(machine.path("etc/ssh/authorized_principals/signer")).unwrap();
    let (_, found) = machine.check_sshd();
    assert_eq!(crate::machine::sentences(&found), ["nobody may ask"]);
    // Somebody else's file.
    machine.write("etc/ssh/authorized_principals/signer", "repository-tool\n");
    give(
        &machine.path("etc/ssh/authorized_principals/signer"),
        SIGNER,
        0,
        0o644,
    );
    let (_, found) = machine.check_sshd();
    assert_eq!(
        crate::machine::sentences(&found),
        ["others than root decide who may ask"]
    );
}
