//! Variables that could reach the loader of a dynamic build.

use std::fs;
use std::path::Path;

use crate::machine::{Machine, give, reports, sentences};

/// A machine whose login shell has a loader.
fn dynamic() -> Machine {
    let machine = Machine::new();
    let program = machine.path("usr/bin/signstar");
    // What matters is how it is linked.
    let linked = Path::new(env!("CARGO_BIN_EXE_signstar-admin"));
    fs::copy(linked, &program).unwrap();
    give(&program, 0, 0, 0o755);
    machine
}

/// The same, with an sshd that asks PAM.
fn with_pam(service: &str) -> Machine {
    let machine = dynamic();
    machine.sshd("UsePAM no", "UsePAM yes");
    machine.write("etc/pam.d/sshd", service);
    machine.write(
        "etc/environment",
        "PATH=/usr/bin\nexport LC_TIME=C\n# LD_AUDIT=no\n",
    );
    machine
}

#[test]
fn clients_may_set_variables() {
    let machine = Machine::new();
    machine.sshd("UsePAM no", "UsePAM no\nAcceptEnv LANG LC_*");
    reports(clients_may_set_variables, machine.check_sshd());
}

#[test]
fn variables_of_clients_reach_a_loader() {
    let machine = dynamic();
    machine.sshd("UsePAM no", "UsePAM no\nAcceptEnv LANG LC_*");
    reports(variables_of_clients_reach_a_loader, machine.check_sshd());
}

#[test]
fn variables_of_sshd_s_configuration_reach_a_loader() {
    let machine = dynamic();
    machine.sshd("UsePAM no", "UsePAM no\nSetEnv GLIBC_TUNABLES=a");
    reports(
        variables_of_sshd_s_configuration_reach_a_loader,
        machine.check_sshd(),
    );
}

#[test]
fn variables_of_pam_s_reach_a_loader() {
    let machine = with_pam("@include common-session\n");
    machine.write("etc/pam.d/common-session", "session required pam_env.so\n");
    machine.change("etc/environment", "# LD_AUDIT", "LD_AUDIT");
    reports(variables_of_pam_s_reach_a_loader, machine.check_sshd());
}

#[test]
fn every_file_that_pam_env_reads_is_looked_at() {
    let machine = with_pam(
        "session required pam_env.so conffile=/etc/signstar/conf\n\
         session required pam_env.so user_readenv=1 envfile=/etc/signstar/env\n\
         session substack sshd\n",
    );
    let found = || sentences(&machine.check_sshd().1).len();
    assert_eq!(found(), 0);
    for (path, line) in [
        ("etc/signstar/conf", "LD_PRELOAD DEFAULT=/lib/a.so\n"),
        ("etc/signstar/env", "MALLOC_ARENA_MAX=1\n"),
    ] {
        machine.write(path, line);
        assert_eq!(found(), 1, "{path}");
        fs::remove_file(machine.path(path)).unwrap();
    }
    // Without PAM nobody reads them.
    machine.write("etc/signstar/env", "LD_PRELOAD=/lib/a.so\n");
    machine.sshd("UsePAM yes", "UsePAM no");
    assert_eq!(found(), 0);
}

#[test]
fn a_dynamic_build_to_which_no_variable_passes_is_well() {
    assert_eq!(dynamic().check_sshd().0, 0);
    let machine = with_pam("session required pam_env.so\n");
    let (status, found) = machine.check_sshd();
    assert_eq!((status, sentences(&found)), (0, vec![]));
}
