//! Ways of starting the login shell that sshd would not use: argv, environment, what SSH_USER_AUTH
//! and SSH_CONNECTION say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

#[path = "support/lib.rs"]
#[allow(unused_imports, reason = "each test program uses a part of it")]
mod support;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use signstar_core::Field;
use support::shell::{CLIENT_KEY, SHELL};
use support::world::{give, SECOND, SIGNER};
use support::{Judge, World};

#[test]
fn every_other_argv_is_refused() {
    let world = World::new();
    let judge = Judge::new(&world);
    let long = "A".repeat(100_000);
    let shapes: [&[&str]; 33] = [
        &["signstar"],
        &[SHELL],
        &[""],
        &["-"],
        &["sh"],
        &["-sh"],
        &["bash", "-c", SHELL],
        &["-signstar", "-c", SHELL],
        &["-signstar", ""],
        &["-signstar", "--help"],
        &["-signstar", "--version"],
        &["-signstar", "-c"],
        &["signstar", "-c"],
        &["signstar", "-c", ""],
        &["signstar", "-c", "id"],
        &["signstar", "-c", "signstar"],
        &["signstar", "-c", "/usr/bin/signstar "],
        &["signstar", "-c", " /usr/bin/signstar"],
        &["signstar", "-c", "/usr/bin/signstar\n"],
        &["signstar", "-c", "/usr/bin/../bin/signstar"],
        &["signstar", "-c", "/usr/bin/signstar;id"],
        &["signstar", "-c", SHELL, SHELL],
        &["signstar", "-c", SHELL, ""],
        &["signstar", "-lc", SHELL],
        &["signstar", "-C", SHELL],
        &["signstar", SHELL, "-c"],
        &["signstar", "--", "-c", SHELL],
        &[SHELL, "-c", SHELL],
        &["Signstar", "-c", SHELL],
        &["signstar", "--help"],
        &["signstar", "--version"],
        &["signstar", "-c", "%s%n%x\x1b[2J\u{e9}"],
        &["signstar", "-c", &long],
    ];
    for argv in shapes {
        let outcome = world.shell().argv(argv).run(b"artifact");
        let what = format!("{:.80}", format!("{argv:?}"));
        judge.refused(&what, &outcome, "invocation", 64);
    }
    let garbage = OsString::from_vec(vec![0xff, 0xfe, 0x80]);
    let argv = [OsStr::new("signstar"), OsStr::new("-c"), &garbage];
    judge.refused(
        "not UTF-8",
        &world.shell().argv(&argv).run(b"x"),
        "invocation",
        64,
    );
    let many: Vec<&str> = std::iter::repeat_n("signstar", 10_000).collect();
    judge.refused(
        "many",
        &world.shell().argv(&many).run(b"x"),
        "invocation",
        64,
    );
    // What they come close to.
    judge.signed(
        "-signstar",
        &world.shell().argv(&["-signstar"]).run(b"artifact"),
    );
    judge.signed(
        "-c",
        &world
            .shell()
            .argv(&["signstar", "-c", SHELL])
            .run(b"artifact"),
    );
}

#[test]
fn questions_are_answered_outside_of_ssh_only() {
    let world = World::new();
    let judge = Judge::new(&world);
    for question in ["--help", "--version"] {
        let outcome = world.shell().argv(&["signstar", question]).run(b"");
        judge.refused(question, &outcome, "invocation", 64);
        // One variable of sshd's is enough, even one that says nothing.
        let mut shell = world.shell().argv(&["signstar", question]);
        for name in ["SSH_CONNECTION", "SSH_USER_AUTH", "SSH_CLIENT"] {
            shell = shell.without(name);
        }
        let outcome = shell.env("SSH_X", "").run(b"");
        judge.refused_somehow(question, &outcome, "identity-missing");
    }
}

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

#[test]
fn nobody_signs_whom_sshd_has_not_named() {
    let world = World::new();
    let owner = (SIGNER.id, SIGNER.group);
    let line = format!("publickey {CLIENT_KEY}\n");
    let put = |name: &str, content: &[u8], owner: (u32, u32), mode: u32| {
        world.write(&format!("/tmp/sshauth.{name}"), content, owner, mode);
    };
    let inside = |name: &str| world.path(&format!("/tmp/sshauth.{name}"));
    put("good", line.as_bytes(), owner, 0o600);
    put("other", line.as_bytes(), (SECOND.id, SECOND.group), 0o644);
    put("root", line.as_bytes(), (0, 0), 0o644);
    put("group", line.as_bytes(), owner, 0o640);
    put("world", line.as_bytes(), owner, 0o604);
    put("writable", line.as_bytes(), owner, 0o602);
    put("unreadable", line.as_bytes(), owner, 0o000);
    put("empty", b"", owner, 0o600);
    put("password", b"password\n", owner, 0o600);
    put("indented", format!(" {line}").as_bytes(), owner, 0o600);
    put("notkey", b"publickey ssh-ed25519 AAAA\n", owner, 0o600);
    put(
        "badtype",
        line.replace("ssh-ed25519 ", "ssh-rsa ").as_bytes(),
        owner,
        0o600,
    );
    put("truncated", &line.as_bytes()[..60], owner, 0o600);
    put("binary", &[0xff; 4096], owner, 0o600);
    put("nul", line.replace(' ', "\0").as_bytes(), owner, 0o600);
    put(
        "long",
        &[line.as_bytes(), &vec![b' '; 65 << 10]].concat(),
        owner,
        0o600,
    );
    symlink("/tmp/sshauth.good", inside("link")).unwrap();
    symlink("/etc/passwd", inside("passwd")).unwrap();
    symlink("/dev/zero", inside("zero")).unwrap();
    symlink("/tmp/sshauth.loop", inside("loop")).unwrap();
    symlink("/tmp/sshauth.nowhere", inside("dangling")).unwrap();
    fs::create_dir(inside("folder")).unwrap();
    nix::unistd::mkfifo(&inside("fifo"), Mode::from_bits_truncate(0o600)).unwrap();
    give(&inside("fifo"), owner, 0o600);
    let huge = File::create(inside("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    give(&inside("huge"), owner, 0o600);

    let judge = Judge::new(&world);
    let refused = |value: &OsStr| {
        let outcome = world.shell().env("SSH_USER_AUTH", value).run(b"artifact");
        judge.refused(
            &value.display().to_string(),
            &outcome,
            "identity-missing",
            77,
        );
    };
    for name in [
        "other",
        "root",
        "group",
        "world",
        "writable",
        "unreadable",
        "empty",
        "password",
        "indented",
        "notkey",
        "badtype",
        "truncated",
        "binary",
        "nul",
        "long",
        "link",
        "passwd",
        "zero",
        "loop",
        "dangling",
        "folder",
        "fifo",
        "huge",
        "absent",
        "",
        "good/",
        "../etc/passwd",
        "good\n",
        "good ",
        "%s%n",
        "/../sshauth.good",
    ] {
        refused(OsStr::new(&format!("/tmp/sshauth.{name}")));
    }
    for value in [
        "",
        "/",
        "/etc/passwd",
        "/dev/stdin",
        "/proc/self/fd/0",
        "/proc/self/environ",
        "tmp/sshauth.good",
        "/tmp/../tmp/sshauth.good",
        "//tmp/sshauth.good",
        "sshauth.good",
        "/tmp/./sshauth.good",
        "/var/tmp/sshauth.good",
        "\u{e9}",
    ] {
        refused(OsStr::new(value));
    }
    refused(OsStr::from_bytes(b"/tmp/sshauth.\xff"));
    let outcome = world.shell().without("SSH_USER_AUTH").run(b"artifact");
    judge.refused("no file", &outcome, "identity-missing", 77);
    // What they come close to.
    let outcome = world
        .shell()
        .env("SSH_USER_AUTH", "/tmp/sshauth.good")
        .run(b"artifact");
    judge.signed("sshd's file", &outcome);
}

#[test]
fn nobody_signs_whose_address_sshd_has_not_named() {
    let world = World::new();
    let judge = Judge::new(&world);
    for value in [
        "",
        " ",
        "127.0.0.1",
        "127.0.0.1 1 127.0.0.1",
        "127.0.0.1 1 127.0.0.1 22 ",
        " 127.0.0.1 1 127.0.0.1 22",
        "127.0.0.1  1 127.0.0.1 22",
        "127.0.0.1 1 127.0.0.1 65536",
        "127.0.0.1 -1 127.0.0.1 22",
        "localhost 1 127.0.0.1 22",
        "127.0.0.256 1 127.0.0.1 22",
        "127.0.0.1 1 x 22",
        "127.0.0.1 1 127.0.0.1 22\n",
        "127.0.0.1\n1 127.0.0.1 22",
        "0x7f.1 1 127.0.0.1 22",
        "::1%../../x 1 ::1 22",
        "UNKNOWN 65535 UNKNOWN 65535",
        "127.0.0.1 1 127.0.0.1 22 user=root",
    ] {
        let outcome = world.shell().env("SSH_CONNECTION", value).run(b"artifact");
        judge.refused(value, &outcome, "identity-missing", 77);
    }
    let outcome = world.shell().without("SSH_CONNECTION").run(b"artifact");
    judge.refused("no address", &outcome, "identity-missing", 77);
    for (value, address) in [
        ("192.0.2.1 1 192.0.2.2 22", "192.0.2.1"),
        ("2001:db8::1 1 2001:db8::2 22", "2001:db8::1"),
        ("fe80::1%eth0 1 fe80::2%eth0 22", "fe80::1"),
    ] {
        let outcome = world.shell().env("SSH_CONNECTION", value).run(b"artifact");
        let records = judge.signed(value, &outcome);
        assert_eq!(records[0].get(Field::Address), Some(address));
    }
}

#[test]
fn an_account_without_key_is_refused() {
    let world = World::new();
    let text = support::Configuration::new()
        .text()
        .replace("[user.signer]", "[user.other]");
    world.write("/etc/signstar/signstar.toml", text, (0, 0), 0o644);
    let judge = Judge::new(&world);
    judge.refused(
        "unknown",
        &world.shell().run(b"artifact"),
        "user-unknown",
        77,
    );
    judge.signed("known", &world.shell().account(SECOND).run(b"artifact"));
}
