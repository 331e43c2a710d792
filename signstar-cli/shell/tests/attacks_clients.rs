//! Clients of other services, and everything but a command that a client can ask sshd for.

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
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use signstar_core::{Event, Field};
use support::sshd::{Client, CARELESS, MATCH, STRICT};
use support::world::{CONTROL, SIGNER};
use support::{until, Judge, Running, Sshd, World};

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

/// A service of the enclave's that nobody outside may reach.
fn service(world: &World) -> TcpListener {
    let listener = world
        .within(|| TcpListener::bind("127.0.0.1:9001"))
        .unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

/// Whether a connection through `port` reaches the service.
fn reaches(world: &World, service: &TcpListener, port: u16, first: &[u8]) -> bool {
    let mut stream = None;
    until("the client listens", || {
        stream = world
            .within(|| TcpStream::connect(("127.0.0.1", port)))
            .ok();
        stream.is_some()
    });
    let mut stream = stream.unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let _ = stream.write_all(first);
    let mut reached = false;
    let mut ended = false;
    stream.set_nonblocking(true).unwrap();
    until("the connection is refused or made", || {
        reached = service.accept().is_ok();
        let mut buffer = [0; 64];
        match stream.read(&mut buffer) {
            Ok(0) => ended = true,
            Ok(_) => {}
            Err(error) => ended = error.kind() != std::io::ErrorKind::WouldBlock,
        }
        reached || ended
    });
    reached
}

/// SOCKS5: no authentication; connect to 127.0.0.1:9001.
const SOCKS: &[u8] = b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x23\x29";

#[test]
fn nothing_behind_sshd_can_be_reached() {
    for (host, expected) in [("control", true), ("signer", false)] {
        let world = World::new();
        let sshd = Sshd::start(&world, CARELESS, MATCH);
        let client = sshd.client();
        let service = service(&world);
        let judge = Judge::new(&world);
        for (option, what, first) in [
            ("-L", "9000:127.0.0.1:9001", &b"hello"[..]),
            ("-D", "9000", SOCKS),
        ] {
            let forwarder = client.start(&mut client.ssh(&["-N", option, what, host]));
            assert_eq!(
                reaches(&world, &service, 9000, first),
                expected,
                "{option} {host}"
            );
            drop(forwarder);
            judge.nothing(option);
        }
        let mut through = client.start(&mut client.ssh(&["-W", "127.0.0.1:9001", host]));
        if expected {
            until("-W is there", || service.accept().is_ok());
            drop(through);
        } else {
            let status = through.wait();
            assert_eq!(status.code(), Some(255), "-W {host}");
            assert!(service.accept().is_err());
        }
        judge.nothing("-W");
        let log = sshd.log();
        let denied = log.matches("refused local port forward").count();
        assert_eq!(denied, if expected { 0 } else { 3 }, "{log}");
    }
}

#[test]
fn nothing_is_opened_on_the_enclave_for_others() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let judge = Judge::new(&world);
    let attempts = [
        ["-R", "9100:127.0.0.1:9001"],
        ["-R", "127.0.0.1:9101:127.0.0.1:9001"],
        ["-R", "9102"],
        ["-R", "/tmp/remote.socket:127.0.0.1:9001"],
        ["-w", "any:any"],
    ];
    for attempt in attempts {
        let what = attempt.join(" ");
        let mut ssh = client.ssh(&["-N", "-o", "ExitOnForwardFailure=yes"]);
        let outcome = client.run(ssh.args(attempt).arg("signer"), b"");
        assert_eq!(outcome.code(), 255, "{what}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, b"", "{what}");
        judge.nothing(&what);
    }
    // The positive control: an ordinary account gets them.
    for (attempt, socket) in [
        (attempts[0], "tcp 0100007F:238C"),
        (attempts[3], "/tmp/remote.socket"),
    ] {
        let mut ssh = client.ssh(&["-N", "-o", "ExitOnForwardFailure=yes"]);
        let _forwarder = client.start(ssh.args(attempt).arg("control"));
        until("the port is open", || {
            support::traces::sockets(&world)
                .iter()
                .any(|s| s.contains(socket))
        });
    }
}

#[test]
fn terminal_agent_and_display_are_refused_and_a_session_is_only_for_signing() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let socket = client.path("agent");
    let mut agent = client.program("ssh-agent");
    let _agent = client.start(agent.arg("-D").arg("-a").arg(&socket));
    until("the agent listens", || socket.exists());
    let judge = Judge::new(&world);
    let attempt = |arguments: &[&str], input: &[u8]| {
        let mut ssh = client.ssh(arguments);
        ssh.env("SSH_AUTH_SOCK", &socket)
            .env("DISPLAY", ":9")
            .env("TERM", "xterm");
        client.run(&mut ssh, input)
    };
    for option in ["-A", "-X", "-Y", "-n", "-C", "-4", "-T", "-t"] {
        let outcome = attempt(&[option, "signer"], b"");
        judge.refused(option, &outcome, "input-empty", 65);
    }
    let outcome = attempt(&["-A", "signer", "id"], b"artifact");
    judge.refused("-A", &outcome, "command", 64);
    // The client gives up when it gets no terminal; what was started may have seen that or not.
    for arguments in [
        &["-tt", "signer"][..],
        &["-tt", "signer", "id"],
        &["-oRequestTTY=force", "signer"],
    ] {
        let outcome = attempt(arguments, b"");
        let refused = outcome.stderr.contains("PTY allocation request failed");
        assert!(refused && outcome.stdout.is_empty(), "{outcome:?}");
        assert_eq!(outcome.code(), 255);
        judge.settled("-tt");
        assert!(world
            .audit()
            .iter()
            .all(|record| record.event == Event::Refusal));
        world.forget();
    }
    // The positive control.
    let outcome = attempt(
        &["-A", "control", "test -S \"$SSH_AUTH_SOCK\" && echo there"],
        b"",
    );
    assert_eq!(outcome.success(), b"there\n");
    let outcome = attempt(&["-tt", "control", "test -t 0 && echo there"], b"");
    assert_eq!(outcome.success(), b"there\r\n");
}

#[test]
fn a_connection_without_a_session_starts_nothing() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let judge = Judge::new(&world);
    let idle = client.start(&mut client.ssh(&["-N", "signer"]));
    until("the client is let in", || {
        sshd.log().contains("Accepted publickey for signer")
    });
    drop(idle);
    judge.nothing("-N");
}

#[test]
fn a_second_session_of_one_connection_waits_for_the_first_to_end() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let _connection = client.share("signer");
    let first = client.start(&mut client.ssh(&["signer"]));
    support::traces::until_process(&world, "signstar");
    // With a shared connection the client falls back to a new one where it may; here it may not.
    let mut second = client.ssh(&["-o", "ProxyCommand=false", "signer"]);
    let outcome = client.run(&mut second, b"artifact");
    assert!(
        !outcome.status.success() && outcome.stdout.is_empty(),
        "{outcome:?}"
    );
    assert!(sshd.log().contains("no more sessions"), "{}", sshd.log());
    assert_eq!(world.audit(), []);
    let outcome = send(first, b"artifact");
    assert_eq!(outcome.stdout.first(), Some(&0x88));
}

fn send(mut running: Running, input: &[u8]) -> support::Outcome {
    running.send(input);
    running.outcome()
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
        let mut ssh = client.ssh(&[] as &[&str]);
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
