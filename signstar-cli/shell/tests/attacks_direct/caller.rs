//! Who SSH_USER_AUTH and SSH_CONNECTION say that it is, and for which account.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use signstar_core::Field;

use crate::support::shell::CLIENT_KEY;
use crate::support::world::{give, SECOND, SIGNER};
use crate::support::{Configuration, Judge, World};

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
    let text = Configuration::new()
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
