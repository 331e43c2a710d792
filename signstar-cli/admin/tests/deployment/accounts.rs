//! Accounts and the login shell's file, one thing wrong each time.

use std::fs;

use crate::machine::{Machine, OTHER, SIGNER, reports};

/// With a line of a file replaced.
#[track_caller]
fn file<T>(test: T, path: &str, from: &str, to: &str) {
    let machine = Machine::new();
    machine.change(path, from, to);
    reports(test, machine.check_sshd());
}

#[test]
fn there_is_no_such_account() {
    file(
        there_is_no_such_account,
        "etc/signstar/signstar.toml",
        "[user.signer]",
        "[user.signer]\nkey = \"packages\"\n[user.absent]",
    );
}

#[test]
fn signstar_is_not_the_login_shell() {
    file(
        signstar_is_not_the_login_shell,
        "etc/passwd",
        "/usr/bin/signstar",
        "/bin/bash",
    );
}

#[test]
fn the_account_is_root() {
    let machine = Machine::new();
    machine.change(
        "etc/passwd",
        &format!(":{SIGNER}:{SIGNER}:"),
        &format!(":0:{SIGNER}:"),
    );
    machine.change("etc/passwd", "root:x:0:0::/root:/bin/sh\n", "");
    reports(the_account_is_root, machine.check_sshd());
}

#[test]
fn another_account_has_the_same_number() {
    file(
        another_account_has_the_same_number,
        "etc/passwd",
        &format!("other:x:{OTHER}:"),
        &format!("other:x:{SIGNER}:"),
    );
}

#[test]
fn others_than_root_can_change_the_home_folder() {
    let machine = Machine::new();
    machine.change("etc/passwd", "packages:/:", "packages:/var/log/signer:");
    fs::create_dir(machine.path("var/log/signer")).unwrap();
    machine.own("var/log/signer", SIGNER);
    reports(
        others_than_root_can_change_the_home_folder,
        machine.check_sshd(),
    );
}

#[test]
fn the_home_folder_nowhere_is_missing_of_which_sshd_tells_each_client() {
    file(
        the_home_folder_nowhere_is_missing_of_which_sshd_tells_each_client,
        "etc/passwd",
        "packages:/:",
        "packages:/nowhere:",
    );
}

#[test]
fn the_account_is_a_member_of_a_powerful_group() {
    file(
        the_account_is_a_member_of_a_powerful_group,
        "etc/group",
        "sudo:x:27:",
        "sudo:x:27:other,signer",
    );
}

#[test]
fn the_account_is_locked_and_sshd_without_pam_lets_nobody_in() {
    file(
        the_account_is_locked_and_sshd_without_pam_lets_nobody_in,
        "etc/shadow",
        "signer:*:",
        "signer:!*:",
    );
}

#[test]
fn the_account_has_a_password() {
    file(
        the_account_has_a_password,
        "etc/shadow",
        "signer:*:",
        "signer:$y$j9T$abc:",
    );
}

#[test]
fn the_account_has_expired() {
    file(
        the_account_has_expired,
        "etc/shadow",
        "signer:*:1::::::",
        "signer:*:1:::::10:",
    );
}

#[test]
fn an_account_has_the_login_shell_and_no_table_in_the_configuration() {
    file(
        an_account_has_the_login_shell_and_no_table_in_the_configuration,
        "etc/passwd",
        "/:/bin/sh",
        "/:/usr/bin/signstar",
    );
}

#[test]
fn signstar_is_not_installed() {
    let machine = Machine::new();
    fs::remove_file(machine.path("usr/bin/signstar")).unwrap();
    reports(signstar_is_not_installed, machine.check_sshd());
}

#[test]
fn usr_bin_signstar_is_not_a_program() {
    let machine = Machine::new();
    machine.write(
        "usr/bin/signstar",
        "#!/bin/sh\nexec signstar-real\n".repeat(4).as_str(),
    );
    machine.mode("usr/bin/signstar", 0o755);
    reports(usr_bin_signstar_is_not_a_program, machine.check_sshd());
}

#[test]
fn others_than_root_can_change_signstar() {
    let machine = Machine::new();
    machine.own("usr/bin/signstar", SIGNER);
    reports(others_than_root_can_change_signstar, machine.check_sshd());
}

#[test]
fn signstar_runs_with_the_rights_of_its_file() {
    let machine = Machine::new();
    machine.mode("usr/bin/signstar", 0o4755);
    reports(
        signstar_runs_with_the_rights_of_its_file,
        machine.check_sshd(),
    );
}

#[test]
fn the_accounts_cannot_start_signstar() {
    let machine = Machine::new();
    machine.mode("usr/bin/signstar", 0o750);
    reports(the_accounts_cannot_start_signstar, machine.check_sshd());
}
