//! What its environment says beside what sshd writes there.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use signstar_core::Field;

use crate::support::world::give;
use crate::support::{Judge, World};

#[test]
fn hostile_variables_change_nothing() {
    let world = World::new();
    let evil = world.path("/tmp/evil");
    fs::write(&evil, "nothing good").unwrap();
    give(&evil, (0, 0), 0o666);
    let judge = Judge::new(&world);
    let plain = judge.signed("nothing", &world.shell().run(b"artifact"));
    for name in [
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "LD_AUDIT",
        "LD_DEBUG",
        "LD_DEBUG_OUTPUT",
        "LD_PROFILE",
        "LD_SHOW_AUXV",
        "GLIBC_TUNABLES",
        "MALLOC_CHECK_",
        "MALLOC_TRACE",
        "MALLOC_PERTURB_",
        "RUST_LOG",
        "RUST_BACKTRACE",
        "RUST_LIB_BACKTRACE",
        "RUST_MIN_STACK",
        "OPENSSL_CONF",
        "SSL_CERT_FILE",
        "SSLKEYLOGFILE",
        "HTTPS_PROXY",
        "PKCS11_PROVIDER",
        "P11_KIT_DEBUG",
        "SOFTHSM2_CONF",
        "OPENSC_CONF",
        "PCSCLITE_CSOCK_NAME",
        "TSS2_LOG",
        "TPM2TOOLS_TCTI",
        "TMPDIR",
        "HOME",
        "XDG_RUNTIME_DIR",
        "TZ",
        "TZDIR",
        "LANG",
        "LC_ALL",
        "LOCPATH",
        "PATH",
        "USER",
        "LOGNAME",
        "SHELL",
        "IFS",
        "ENV",
        "BASH_ENV",
        "SSH_CLIENT",
        "SSH_TTY",
        "SSH_AUTH_SOCK",
        "SIGNSTAR_CONFIG",
        "SEQUOIA_HOME",
        "GNUPGHOME",
        "CARGO",
        "NO_COLOR",
    ] {
        for value in ["/tmp/evil", "full", "%s%n", ""] {
            let outcome = world.shell().env(name, value).run(b"artifact");
            let records = judge.signed(name, &outcome);
            for field in Field::ALL {
                if field != Field::Signature {
                    assert_eq!(
                        records[1].get(field),
                        plain[1].get(field),
                        "{name} {field:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_environment_full_of_garbage_changes_nothing() {
    let world = World::new();
    let judge = Judge::new(&world);
    let mut shell = world
        .shell()
        .env("X", OsStr::from_bytes(b"\xff\xfe\x01\n=\x1b"));
    for number in 0..5_000 {
        shell = shell.env(format!("V{number}"), "x");
    }
    let outcome = shell.env("Y", "A".repeat(130_000)).run(b"artifact");
    judge.signed("much", &outcome);
}
