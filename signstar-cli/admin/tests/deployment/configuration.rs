//! `config check`: one thing wrong each time.

use std::fs;

use crate::machine::{Machine, OTHER, SIGNER, give, reports, sentences};

const TOML: &str = "etc/signstar/signstar.toml";
const SECRET: &str = "etc/signstar/packages.secret.pgp";

/// With something changed on a machine that could sign.
#[track_caller]
fn mistake<T>(test: T, plant: impl FnOnce(&Machine)) {
    let machine = Machine::equipped();
    plant(&machine);
    reports(test, machine.check_configuration());
}

/// With a line added to the account's table.
fn limits(machine: &Machine, lines: &str) {
    machine.change(
        TOML,
        "[user.signer]\n",
        &format!("[user.signer]\n{lines}\n"),
    );
}

#[test]
fn another_account_has_the_same_number() {
    mistake(another_account_has_the_same_number, |machine| {
        let [own, same] = [OTHER, SIGNER].map(|number| format!("other:x:{number}:"));
        machine.change("etc/passwd", &own, &same);
    });
}

#[test]
fn its_login_shell_is_bin_bash() {
    mistake(its_login_shell_is_bin_bash, |machine| {
        machine.change("etc/passwd", "/usr/bin/signstar", "/bin/bash");
    });
}

#[test]
fn the_account_cannot_read_etc_signstar_packages_pgp() {
    mistake(
        the_account_cannot_read_etc_signstar_packages_pgp,
        |machine| {
            machine.mode("etc/signstar/packages.pgp", 0o600);
        },
    );
}

#[test]
fn the_account_cannot_read_etc_signstar_signstar_toml() {
    mistake(
        the_account_cannot_read_etc_signstar_signstar_toml,
        |machine| {
            machine.mode(TOML, 0o640);
        },
    );
}

#[test]
fn the_folder_etc_signstar_is_closed_to_the_account() {
    mistake(
        the_folder_etc_signstar_is_closed_to_the_account,
        |machine| {
            machine.mode("etc/signstar", 0o700);
        },
    );
}

#[test]
fn the_account_cannot_write_to_var_log_audit_log() {
    mistake(the_account_cannot_write_to_var_log_audit_log, |machine| {
        machine.mode("var/log/audit.log", 0o640);
    });
}

#[test]
fn the_account_cannot_read_var_log_audit_log() {
    mistake(the_account_cannot_read_var_log_audit_log, |machine| {
        machine.mode("var/log/audit.log", 0o620);
    });
}

#[test]
fn the_file_of_records_is_not_root_s() {
    mistake(the_file_of_records_is_not_root_s, |machine| {
        machine.own("var/log/audit.log", SIGNER);
    });
}

#[test]
fn only_callers_see_the_records() {
    mistake(only_callers_see_the_records, |machine| {
        machine.change(TOML, "sink = \"file\"", "sink = \"stderr\"");
    });
}

#[test]
fn nobody_may_ask_for_signatures() {
    mistake(nobody_may_ask_for_signatures, |machine| {
        machine.change(TOML, "[user.signer]\nkey = \"packages\"\n", "");
        machine.mode(SECRET, 0o400);
    });
}

#[test]
fn no_account_signs_with_it() {
    mistake(no_account_signs_with_it, |machine| {
        let text = machine.read(TOML);
        let (_, table) = text.split_once("[key.packages]").unwrap();
        let table = table.replace("[key.packages.", "[key.spare.");
        let table = table.replace("packages.secret.pgp", "spare.secret.pgp");
        let secret = machine.path("etc/signstar/spare.secret.pgp");
        fs::copy(machine.path(SECRET), &secret).unwrap();
        give(&secret, 0, 0, 0o400);
        machine.write(TOML, &format!("{text}\n[key.spare]{table}"));
    });
}

#[test]
fn the_pace_of_an_upload_is_never_judged() {
    mistake(the_pace_of_an_upload_is_never_judged, |machine| {
        limits(
            machine,
            "deadline-seconds = 30\nprogress-seconds = 60\ninput-bytes-max = 1_000_000",
        );
    });
}

#[test]
fn the_largest_artifact_cannot_arrive_in_time() {
    mistake(the_largest_artifact_cannot_arrive_in_time, |machine| {
        limits(
            machine,
            "deadline-seconds = 2\nprogress-seconds = 1\ninput-bytes-max = 4_000_000_000",
        );
    });
}

#[test]
fn its_certificate_expires_within_30_days() {
    mistake(its_certificate_expires_within_30_days, |machine| {
        machine.done(&["cert", "extend", "--key", "packages", "--expires", "29d"]);
    });
}

#[test]
fn an_account_that_does_not_sign_with_it_can_read_its_secret() {
    mistake(
        an_account_that_does_not_sign_with_it_can_read_its_secret,
        |machine| {
            let group = format!("signer:x:{SIGNER}:");
            machine.change("etc/group", &group, &format!("{group}other"));
        },
    );
}

/// What the login shell refuses itself is named by the file.
#[test]
fn what_the_login_shell_would_refuse_is_found() {
    let machine = Machine::equipped();
    let found = |plant: &dyn Fn(), mend: &dyn Fn()| {
        plant();
        let (status, found) = machine.check_configuration();
        mend();
        assert_eq!(status, 78, "{found:#}");
        sentences(&found).join("\n")
    };
    let text = found(&|| machine.mode(SECRET, 0o400), &|| {
        machine.mode(SECRET, 0o440)
    });
    assert!(
        text.contains("must be readable by the account's group"),
        "{text}"
    );
    let slots = "run/signstar/sessions/signer";
    let text = found(&|| machine.mode(slots, 0o600), &|| {
        machine.mode(slots, 0o660)
    });
    assert!(
        text.contains("must be writable by the account's group"),
        "{text}"
    );
    let log = "var/log/audit.log";
    let text = found(&|| machine.mode(log, 0o662), &|| machine.mode(log, 0o660));
    assert!(text.contains("audit"), "{text}");
    let certificate = "etc/signstar/packages.pgp";
    let text = found(&|| machine.mode(certificate, 0o664), &|| {
        machine.mode(certificate, 0o644);
    });
    assert!(text.contains("packages.pgp"), "{text}");
    fs::create_dir_all(machine.path("etc/signstar/keys/1")).unwrap();
    let moved = machine.path("etc/signstar/keys/1/packages.secret.pgp");
    fs::rename(machine.path(SECRET), &moved).unwrap();
    give(&moved, 0, SIGNER, 0o440);
    machine.change(TOML, "/packages.secret.pgp", "/keys/1/packages.secret.pgp");
    let folder = "etc/signstar/keys";
    let text = found(&|| machine.own(folder, SIGNER), &|| machine.own(folder, 0));
    assert!(text.contains("/etc/signstar/keys"), "{text}");
    assert_eq!(machine.check_configuration().0, 0);
}
