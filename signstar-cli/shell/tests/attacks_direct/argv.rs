//! What the login shell is started as.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use crate::support::shell::SHELL;
use crate::support::{Judge, World};

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
