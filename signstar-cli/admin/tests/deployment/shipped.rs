//! What is shipped has nothing that the checks complain about.

use crate::machine::{Machine, SSHD, sentences};

#[test]
fn the_checks_are_silent_on_the_shipped_configuration() {
    let machine = Machine::equipped();
    for found in [machine.check_sshd(), machine.check_configuration()] {
        assert_eq!((found.0, sentences(&found.1)), (0, vec![]), "{:#}", found.1);
    }
    let text = machine.done(&["sshd", "check", "--sshd-config", SSHD]);
    assert_eq!(text, format!("{SSHD}: no problem\n"));
}

/// Beside an sshd for administrators, as Debian configures it.
#[test]
fn of_the_shipped_drop_in_only_what_it_cannot_change_is_reported() {
    let machine = Machine::equipped();
    let drop_in = include_str!("../../../../packaging/sshd/50-signstar.conf");
    machine.write("etc/ssh/sshd_config.d/50-signstar.conf", drop_in);
    machine.write(
        "etc/ssh/sshd_config",
        "Include /etc/ssh/sshd_config.d/*.conf\nHostKey /etc/signstar/ssh_host_ed25519_key\n\
         KbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\nPrintMotd no\n\
         AcceptEnv LANG LC_*\nSubsystem sftp /usr/lib/openssh/sftp-server\n",
    );
    let (status, found) = machine.json(&["sshd", "check"]);
    assert_eq!(
        (status, sentences(&found)),
        (
            0,
            vec![
                "sshd offers subsystems".to_owned(),
                "clients may set variables".to_owned()
            ]
        ),
        "{found:#}"
    );
}

#[test]
fn the_check_says_in_text_what_is_wrong_for_whom() {
    let machine = Machine::new();
    machine.sshd("PermitTTY no", "");
    machine.sshd("MaxSessions 1", "");
    let output = machine.admin(&["sshd", "check", "--sshd-config", SSHD]);
    assert_eq!(output.status.code(), Some(78));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!(
            "{SSHD}: [user.signer] a client may have a terminal: write `PermitTTY no`\n\
             {SSHD}: advice: [user.signer] one connection carries several sessions: write \
             `MaxSessions 1`, or note why there are more\n\
             {SSHD}: 1 problem, 1 piece of advice\n"
        )
    );
}
