//! Clients of other services, and what a client or the account's home can bring along.
//!
//! sshd is as careless as it can be outside of the block that design asks for.

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

use std::fs;
use std::process::Command;

use signstar_core::Field;
use support::sshd::{Client, CARELESS, MATCH, STRICT};
use support::world::{CONTROL, SIGNER};
use support::{Judge, Sshd, World};

/// Tools that use `ssh` underneath, with what they need to reach `host`.
fn transfers(client: &Client<'_>, host: &str) -> Vec<(&'static str, Command)> {
    let [flag, config] = client.config();
    let ssh = format!("ssh {flag} {config}");
    let local = client.path("local").display().to_string();
    fs::write(&local, "content").unwrap();
    let remote = |path: &str| format!("{host}:{path}");
    let tool = |program: &str, arguments: &[&str]| {
        let mut command = client.program(program);
        command
            .env("GIT_SSH_COMMAND", &ssh)
            .env("RSYNC_RSH", &ssh)
            .args(arguments);
        command
    };
    vec![
        ("sftp", tool("sftp", &[&flag, &config, "-b", "-", host])),
        (
            "scp to",
            tool("scp", &[&flag, &config, &local, &remote("/tmp/x")]),
        ),
        (
            "scp from",
            tool("scp", &[&flag, &config, &remote("/etc/passwd"), "got"]),
        ),
        (
            "old scp to",
            tool("scp", &["-O", &flag, &config, &local, &remote("/tmp/x")]),
        ),
        (
            "old scp from",
            tool(
                "scp",
                &["-O", &flag, &config, &remote("/etc/passwd"), "got"],
            ),
        ),
        ("rsync to", tool("rsync", &[&local, &remote("/tmp/x")])),
        (
            "rsync from",
            tool("rsync", &[&remote("/etc/passwd"), "got"]),
        ),
        (
            "git ls-remote",
            tool("git", &["ls-remote", &remote("/tmp/x.git")]),
        ),
        (
            "git clone",
            tool("git", &["clone", &remote("/tmp/x.git"), "cloned"]),
        ),
        (
            "git archive",
            tool(
                "git",
                &["archive", "--remote", &remote("/tmp/x.git"), "HEAD"],
            ),
        ),
        ("ssh -s sftp", client.ssh(&["-s", host, "sftp"])),
    ]
}

#[test]
fn file_transfer_and_version_control_are_refused_as_commands() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let judge = Judge::new(&world);
    for (what, mut command) in transfers(&client, "signer") {
        let outcome = client.run(&mut command, b"ls /\n");
        judge.refused_somehow(what, &outcome, "command");
        assert!(
            !client.path("got").exists() && !client.path("cloned").exists(),
            "{what}"
        );
    }
}

#[test]
fn without_a_subsystem_sshd_itself_refuses_sftp() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let judge = Judge::new(&world);
    let [flag, config] = client.config();
    for mut command in [client.ssh(&["-s", "signer", "sftp"]), {
        let mut sftp = client.program("sftp");
        sftp.args([&flag, &config, "-b", "-", "signer"]);
        sftp
    }] {
        let outcome = client.run(&mut command, b"ls /\n");
        assert!(
            !outcome.status.success() && outcome.stdout.is_empty(),
            "{outcome:?}"
        );
        judge.nothing("sftp without a subsystem");
    }
    assert_eq!(sshd.log().matches("subsystem request for sftp").count(), 2);
}

/// The positive control: where sshd may, it serves.
#[test]
fn file_transfer_works_for_an_ordinary_account() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    for (what, mut command) in transfers(&client, "control") {
        if what.contains("git") || what == "ssh -s sftp" {
            continue;
        }
        let outcome = client.run(&mut command, b"ls /\n");
        assert!(outcome.status.success(), "{what}: {}", outcome.stderr);
    }
    assert!(client.path("got").exists() && world.path("/tmp/x").exists());
}

/// Why a deployment needs ForceCommand as well: without it sshd serves files by itself.
#[test]
fn without_force_command_sshd_serves_files_past_the_login_shell() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let [flag, config] = client.config();
    let mut sftp = client.program("sftp");
    sftp.args([&flag, &config, "-b", "-", "second"]);
    let outcome = client.run(&mut sftp, b"ls /etc/passwd\n");
    assert!(String::from_utf8(outcome.success())
        .unwrap()
        .contains("/etc/passwd"));
    assert_eq!(world.audit(), []);
}

/// Why a deployment with the login shell alone is still no shell.
#[test]
fn without_force_command_a_command_is_refused_by_its_argv() {
    let world = World::new();
    let sshd = Sshd::start(
        &world,
        CARELESS,
        &format!("{MATCH}Match User second\nExposeAuthInfo yes\n"),
    );
    let client = sshd.client();
    let judge = Judge::new(&world);
    let outcome = client.run(&mut client.ssh(&["second", "echo pwned"]), b"artifact");
    judge.refused("a command", &outcome, "invocation", 64);
    let outcome = client.run(&mut client.ssh(&["second"]), b"artifact");
    let records = judge.signed("no command", &outcome);
    assert_eq!(records[1].get(Field::User), Some("second"));
}

/// Why it needs the login shell as well: another one starts the forced command differently.
#[test]
fn with_force_command_alone_nothing_is_signed() {
    let world = World::new();
    let block = MATCH.replace("signer", "control");
    let sshd = Sshd::start(&world, CARELESS, &block);
    let client = sshd.client();
    world.write("/run/signstar/audit.log", "", (0, CONTROL.group), 0o660);
    let judge = Judge::new(&world);
    let outcome = client.run(&mut client.ssh(&["control"]), b"artifact");
    judge.refused("another shell", &outcome, "invocation", 64);
}

/// Files in the account's home that sshd or a shell would run or read.
fn plant(world: &World) {
    for account in [SIGNER, CONTROL] {
        let home = format!("/home/{}", account.name);
        let owner = (account.id, account.group);
        fs::create_dir(world.path(&format!("{home}/.ssh"))).unwrap();
        support::world::give(&world.path(&format!("{home}/.ssh")), owner, 0o700);
        let mark = format!("touch /tmp/{}-$(basename $0); echo pwned\n", account.name);
        for file in [".ssh/rc", ".profile", ".bashrc", ".bash_profile", ".zshenv"] {
            world.write(&format!("{home}/{file}"), &mark, owner, 0o755);
        }
        let environment = "PLANTED=yes\nLD_PRELOAD=/tmp/evil.so\nRUST_BACKTRACE=full\n\
                           SSH_CONNECTION=192.0.2.1 1 192.0.2.2 2\nSSH_USER_AUTH=/tmp/sshauth.1\n";
        world.write(
            &format!("{home}/.ssh/environment"),
            environment,
            owner,
            0o644,
        );
    }
}

#[test]
fn files_in_the_home_of_the_account_change_nothing() {
    let world = World::new();
    plant(&world);
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let judge = Judge::new(&world);
    let records = judge.signed("planted files", &client.sign(b"artifact"));
    assert_eq!(records[0].get(Field::Address), Some("127.0.0.1"));
    assert_eq!(
        records[0].get(Field::SshKey),
        Some(client.fingerprint.as_str())
    );
    // The positive control: an ordinary account runs and reads them.
    let outcome = client.run(&mut client.ssh(&["control", "echo $PLANTED"]), b"");
    let said = String::from_utf8(outcome.success()).unwrap();
    assert!(said.contains("pwned") && said.contains("yes"), "{said}");
}

#[test]
fn variables_that_the_client_sends_change_nothing() {
    const SENT: [(&str, &str); 16] = [
        ("LANG", "de_DE.UTF-8"),
        ("LC_ALL", "../../../tmp/x"),
        ("LD_PRELOAD", "/tmp/evil.so"),
        ("LD_LIBRARY_PATH", "/tmp"),
        ("LD_DEBUG", "all"),
        ("RUST_BACKTRACE", "full"),
        ("RUST_LOG", "trace"),
        ("HOME", "/tmp"),
        ("USER", "root"),
        ("SHELL", "/bin/sh"),
        ("PATH", "/tmp"),
        ("TZ", "/tmp/x"),
        ("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 2"),
        ("SSH_USER_AUTH", "/tmp/sshauth.signer"),
        ("SSH_CLIENT", "192.0.2.1 1 2"),
        ("BASH_ENV", "/tmp/x"),
    ];
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let judge = Judge::new(&world);
    let send = |arguments: &[&str]| {
        let mut ssh = client.ssh::<&str>(&[]);
        let pairs = SENT.map(|(name, value)| format!("{name}=\"{value}\""));
        ssh.arg("-o")
            .arg(format!("SetEnv {}", pairs.join(" ")))
            .args(arguments);
        client.run(&mut ssh, b"artifact")
    };
    for record in judge.signed("variables", &send(&["signer"])) {
        assert_eq!(record.get(Field::User), Some("signer"));
        assert_eq!(record.get(Field::Address), Some("127.0.0.1"));
        assert_eq!(record.get(Field::SshKey), Some(client.fingerprint.as_str()));
    }
    judge.refused(
        "variables and a command",
        &send(&["signer", "id"]),
        "command",
        64,
    );
    // The positive control: an ordinary account gets them.
    let outcome = send(&["control", "echo $RUST_BACKTRACE $LC_ALL"]);
    assert_eq!(outcome.success(), b"full ../../../tmp/x\n");
}

/// Why no deployment may have an sshrc: sshd runs it for every session, forced command or not, and
/// what it says stands before the signature.
#[test]
fn a_system_wide_rc_file_runs_in_front_of_the_login_shell() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    assert!(!world.any_path("/etc/ssh/sshrc").exists());
    let signature = client.sign(b"artifact").success();
    assert_eq!(signature.first(), Some(&0x88));

    let folder = client.path("etc-ssh");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("sshrc"), "echo pwned\n").unwrap();
    let layers = format!("lowerdir={}:/etc/ssh", folder.display());
    let mut mount = Command::new("mount");
    mount.args(["-t", "overlay", "-o", &layers, "overlay", "/etc/ssh"]);
    world.run(&mut mount).success();
    assert!(client.sign(b"artifact").stdout.starts_with(b"pwned\n"));
}
