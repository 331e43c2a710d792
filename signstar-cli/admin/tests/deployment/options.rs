//! Options of sshd, one of them wrong each time.

use crate::machine::{Machine, reports};

/// With `from` in sshd's configuration replaced.
#[track_caller]
fn sshd<T>(test: T, from: &str, to: &str) {
    let machine = Machine::new();
    machine.sshd(from, to);
    reports(test, machine.check_sshd());
}

#[test]
fn signstar_is_not_the_forced_command() {
    sshd(
        signstar_is_not_the_forced_command,
        "ForceCommand /usr/bin/signstar",
        "ForceCommand /usr/bin/signstar -v",
    );
}

#[test]
fn connections_may_be_forwarded() {
    sshd(connections_may_be_forwarded, "DisableForwarding yes", "");
}

#[test]
fn a_client_may_have_a_terminal() {
    sshd(a_client_may_have_a_terminal, "PermitTTY no", "");
}

#[test]
fn a_file_of_the_account_is_run_by_a_shell() {
    sshd(
        a_file_of_the_account_is_run_by_a_shell,
        "PermitUserRC no",
        "",
    );
}

#[test]
fn other_methods_than_a_public_key_authenticate() {
    sshd(
        other_methods_than_a_public_key_authenticate,
        "AuthenticationMethods publickey",
        "AuthenticationMethods any",
    );
}

#[test]
fn sshd_does_not_say_which_key_has_authenticated() {
    sshd(
        sshd_does_not_say_which_key_has_authenticated,
        "ExposeAuthInfo yes",
        "",
    );
}

#[test]
fn a_program_decides_who_may_ask() {
    sshd(
        a_program_decides_who_may_ask,
        "UsePAM no",
        "UsePAM no\nAuthorizedKeysCommand /bin/echo\nAuthorizedKeysCommandUser nobody",
    );
}

#[test]
fn a_program_decides_which_certificates_may_ask() {
    sshd(
        a_program_decides_which_certificates_may_ask,
        "UsePAM no",
        "UsePAM no\nAuthorizedPrincipalsCommand /bin/echo\nAuthorizedPrincipalsCommandUser nobody",
    );
}

#[test]
fn sessions_have_another_root_folder() {
    sshd(
        sessions_have_another_root_folder,
        "UsePAM no",
        "UsePAM no\nChrootDirectory /srv",
    );
}

#[test]
fn one_connection_carries_several_sessions() {
    sshd(one_connection_carries_several_sessions, "MaxSessions 1", "");
}

#[test]
fn a_client_that_has_vanished_is_not_noticed() {
    sshd(
        a_client_that_has_vanished_is_not_noticed,
        "ClientAliveInterval 15",
        "",
    );
}

#[test]
fn files_of_the_account_set_variables() {
    sshd(
        files_of_the_account_set_variables,
        "PermitUserEnvironment no",
        "PermitUserEnvironment LANG",
    );
}

#[test]
fn sshd_offers_subsystems() {
    sshd(
        sshd_offers_subsystems,
        "UsePAM no",
        "UsePAM no\nSubsystem sftp internal-sftp",
    );
}

#[test]
fn sshd_does_not_mind_who_can_change_its_files_of_keys() {
    sshd(
        sshd_does_not_mind_who_can_change_its_files_of_keys,
        "StrictModes yes",
        "StrictModes no",
    );
}

#[test]
fn sshd_does_not_log_who_has_come() {
    sshd(
        sshd_does_not_log_who_has_come,
        "LogLevel VERBOSE",
        "LogLevel ERROR",
    );
}

#[test]
fn clients_have_all_the_time_that_they_like_to_authenticate() {
    sshd(
        clients_have_all_the_time_that_they_like_to_authenticate,
        "LoginGraceTime 20",
        "LoginGraceTime 0",
    );
}

#[test]
fn sshd_does_not_let_the_account_in() {
    sshd(
        sshd_does_not_let_the_account_in,
        "AllowUsers signer",
        "AllowUsers s?gn admin@*",
    );
}

#[test]
fn sshd_does_not_take_its_configuration() {
    sshd(
        sshd_does_not_take_its_configuration,
        "PermitTTY no",
        "PermitTTY sometimes",
    );
}

#[test]
fn others_than_root_can_change_the_configuration_of_sshd() {
    let machine = Machine::new();
    machine.mode("etc/signstar/sshd_config", 0o664);
    reports(
        others_than_root_can_change_the_configuration_of_sshd,
        machine.check_sshd(),
    );
}

#[test]
fn a_shell_runs_etc_ssh_sshrc_for_every_session() {
    let machine = Machine::new();
    machine.write("etc/ssh/sshrc", "echo welcome\n");
    reports(
        a_shell_runs_etc_ssh_sshrc_for_every_session,
        machine.check_sshd(),
    );
}

/// What holds for somebody else does not hold for the account.
#[test]
fn an_option_in_a_match_block_of_another_address_counts_for_that_address() {
    let machine = Machine::new();
    let block = "\nMatch Address 198.51.100.0/24 LocalPort 2222\n    ForceCommand none\n";
    // What comes first counts.
    machine.sshd("ForceCommand /usr/bin/signstar\n", "");
    let all = "Match all\n    ForceCommand /usr/bin/signstar\n";
    machine.sshd("Include ", &format!("{block}{all}#Include "));
    let check = |more: &[&str]| {
        let check = ["sshd", "check", "--sshd-config", crate::machine::SSHD];
        machine.json(&[&check[..], more].concat()).0
    };
    assert_eq!(check(&[]), 0);
    assert_eq!(check(&["--address", "198.51.100.7"]), 0);
    assert_eq!(check(&["--address", "198.51.100.7", "--port", "2222"]), 78);
}
