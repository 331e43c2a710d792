//! Everything else that a client can ask sshd for as a command.
//!
//! sshd is as careless as it can be outside of the block that design asks for, so that what is
//! refused is refused by that block and by the login shell.

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

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use support::sshd::{CARELESS, MATCH};
use support::{Judge, Sshd, World};

const HEX: &str = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                   47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

/// Every command is refused as a command, with status 64.
fn all_refused(commands: &[Vec<u8>]) {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    // One connection for all of them, which is quicker. sshd's file about it appears with its
    // first session and goes with the connection.
    let _connection = client.share("signer");
    assert_eq!(client.sign(b"").code(), 65);
    world.forget();
    let judge = Judge::new(&world);
    for command in commands {
        let start = &command[..command.len().min(80)];
        let what = format!("`{}`", start.escape_ascii());
        let arguments = [
            OsStr::new("--"),
            OsStr::new("signer"),
            OsStr::from_bytes(command),
        ];
        let outcome = client.run(&mut client.ssh(&arguments), b"artifact");
        judge.refused(&what, &outcome, "command", 64);
        assert!(!outcome.stderr.contains("artifact"), "{what} comes back");
    }
}

/// What the near misses miss is taken, and then checked.
#[test]
fn the_right_spelling_of_a_declaration_is_taken() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let judge = Judge::new(&world);
    let right = format!("sign v1 size=8 sha512={HEX}");
    let outcome = client.run(&mut client.ssh(&["signer", &right]), b"artifact");
    judge.refused("a wrong digest", &outcome, "digest-mismatch", 65);
}

/// The same commands have their effect on an ordinary account.
#[test]
fn commands_run_where_the_account_has_an_ordinary_shell() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    for command in [
        "echo pwned",
        "sh -c 'echo pwned'",
        "$(echo echo) pwned",
        "false\necho pwned",
    ] {
        let outcome = client.run(&mut client.ssh(&["control", command]), b"");
        assert_eq!(outcome.success(), b"pwned\n", "{command}");
    }
}

#[test]
fn programs_do_not_run() {
    let commands = [
        "id",
        "sh",
        "/bin/sh -i",
        "bash -c id",
        "exec /bin/sh",
        "-sh",
        "/usr/bin/signstar",
        "signstar",
        "/usr/bin/signstar -c id",
        "-c id",
        "-signstar",
        "--help",
        "--version",
        "-h",
        "true",
        ":",
        "echo pwned > /tmp/pwned",
        "cat /etc/signstar/packages.secret.pgp",
        "kill -9 -1",
        "sign",
        "sign artifact",
        "help",
        "?",
    ];
    all_refused(&commands.map(|command| command.as_bytes().to_vec()));
}

#[test]
fn services_of_file_transfer_and_version_control_do_not_run() {
    let commands = [
        "internal-sftp",
        "sftp-server",
        "/usr/lib/openssh/sftp-server",
        "scp -t /tmp",
        "scp -f /etc/passwd",
        "scp -r -p -t -- /home/signer",
        "rsync --server --sender -logDtpre.iLsfxC . /etc/passwd",
        "rsync --server -logDtpre.iLsfxC . /tmp/x",
        "git-upload-pack '/tmp/x.git'",
        "git-receive-pack '/tmp/x.git'",
        "git-upload-archive '/tmp/x.git'",
        "git-shell",
        "git upload-pack /",
        "svnserve -t",
        "cvs server",
        "hg -R / serve --stdio",
        "borg serve",
        "mosh-server new",
        "tmux",
        "unison -server",
    ];
    all_refused(&commands.map(|command| command.as_bytes().to_vec()));
}

#[test]
fn metacharacters_and_garbage_do_nothing() {
    let right = format!("sign v1 size=8 sha512={HEX}");
    let mut commands: Vec<Vec<u8>> = [
        ";id",
        "$(id)",
        "`id`",
        "|id",
        "&&id",
        "\nid",
        "\rid",
        "id\n",
        "\t",
        " ",
        "\"",
        "'",
        "\\",
        "*",
        "~",
        "!!",
        "#",
        "${IFS}id",
        "<(id)",
        ">/tmp/x",
        "%s%s%s%n",
        "%n%n%n%n%x%p",
        "{}{0}{name}",
        "\x1b[2J\x1b]0;owned\x07",
        "\x08\x08\x08",
        "\u{202e}\u{feff}",
        "../../../bin/sh",
        "x=1 id",
        "verdict=approved code=none",
        "a\nsignstar-audit v=1 event=release",
    ]
    .map(|command| command.as_bytes().to_vec())
    .into();
    commands.push(b"\xff\xfe\x80\xc0\xaf".to_vec());
    commands.push((1..=255).collect());
    commands.push([right.as_bytes(), b"; id"].concat());
    commands.push([right.as_bytes(), b"\nid"].concat());
    // As long as the kernel lets an environment variable be.
    commands.push(vec![b'A'; 130_000]);
    commands.push(right.as_bytes().repeat(800));
    all_refused(&commands);
}

#[test]
fn only_one_spelling_of_a_declaration_is_taken() {
    let right = format!("sign v1 size=8 sha512={HEX}");
    let near: Vec<Vec<u8>> = [
        right.to_uppercase(),
        right.replace("sign", "Sign"),
        right.replace("v1", "v2"),
        right.replace("v1", "v01"),
        right.replace("v1 ", ""),
        right.replace("size", "bytes"),
        right.replace("sha512", "sha256"),
        right.replace("sha512", "SHA512"),
        right.replace("size=8", "size=08"),
        right.replace("size=8", "size=+8"),
        right.replace("size=8", "size=-8"),
        right.replace("size=8", "size=8.0"),
        right.replace("size=8", "size=8e0"),
        right.replace("size=8", "size=0x8"),
        right.replace("size=8", "size= 8"),
        right.replace("size=8", "size="),
        right.replace("size=8", "size=٨"),
        right.replace("size=8", "size=18446744073709551616"),
        right.replace("size=8", "size=8 size=8"),
        right.replace("sign v1", "sign  v1"),
        right.replace(' ', "\t"),
        format!(" {right}"),
        format!("{right} "),
        format!("{right}\n"),
        format!("{right}0"),
        format!("{right} extra=1"),
        format!("'{right}'"),
        format!("/usr/bin/signstar {right}"),
        format!("sign v1 sha512={HEX} size=8"),
        right[..right.len() - 1].to_owned(),
        right[..right.len() - 1].to_owned() + "g",
        right.replace(HEX, &HEX.to_uppercase()),
        right.replace(HEX, ""),
        "sign v1 size=8".to_owned(),
    ]
    .map(String::into_bytes)
    .into();
    all_refused(&near);
}

#[test]
fn a_command_that_is_too_long_to_be_passed_on_starts_nothing() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let judge = Judge::new(&world);
    // More than an environment variable can hold, but less than the protocol takes: sshd itself
    // fails to start the login shell.
    let long = "A".repeat(200_000);
    // Too long for one argument of the client as well, so it asks for it by its configuration.
    let config = client.path("long");
    let known = std::fs::read_to_string(client.path("config")).unwrap();
    std::fs::write(&config, format!("RemoteCommand {long}\n{known}")).unwrap();
    let mut ssh = client.program("ssh");
    ssh.arg("-F").arg(&config).arg("signer");
    let outcome = client.run(&mut ssh, b"artifact");
    assert!(
        !outcome.status.success() && outcome.stdout.is_empty(),
        "{outcome:?}"
    );
    judge.nothing("a long command");
}
