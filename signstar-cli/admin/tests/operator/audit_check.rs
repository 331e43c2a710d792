//! The command line of `audit check`: what it reads, and what it is asked for.

use std::io::Write as _;
use std::process::Stdio;

use crate::place::{End, Place};
use crate::written::{Written, found};

#[test]
fn only_what_is_asked_for_is_reported() {
    let place = Place::new();
    let mut written = Written::new(50);
    written.lines.remove(43); // of `other`
    written.lines.remove(41); // of `signer`
    let text = written.text();
    let count = |more: &[&str], status| found(&place, &text, status, more).len();
    assert_eq!(count(&[], 65), 2);
    assert_eq!(count(&["--user", "signer"], 65), 1);
    assert_eq!(count(&["--user", "nobody"], 0), 0);
    assert_eq!(count(&["--key", "packages"], 65), 2);
    assert_eq!(count(&["--since", "2026-01-01T00:03:25Z"], 65), 1);
    assert_eq!(count(&["--until", "2026-01-01T00:03:20Z"], 0), 0);
    assert_eq!(count(&["--input", &format!("{:0128x}", 20)], 65), 1);
}

/// Runs it with `text` on standard input.
fn piped(place: &Place, arguments: &[&str], text: &[u8]) -> End {
    let mut command = place.command(arguments);
    let mut child = command
        .env("RUST_LOG", "warn")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&text));
    let end = End::from(child.wait_with_output().unwrap());
    writer.join().unwrap().unwrap();
    end
}

#[test]
fn reads_standard_input_several_logs_and_the_configured_file() {
    let place = Place::new();
    let written = Written::new(50);
    let end = piped(&place, &["audit", "check", "-"], written.text().as_bytes());
    let text = end.done();
    assert!(
        text.contains("100 records: 50 released, 0 refused"),
        "{text}"
    );
    assert!(text.ends_with("no problem\n"), "{text}");

    place.write("audit.log.1", &(written.lines[..51].join("\n") + "\n"));
    place.write("audit.log", &(written.lines[51..].join("\n") + "\n"));
    let [old, new] = ["audit.log.1", "audit.log"].map(|name| place.path(name));
    let [old, new] = [&old, &new].map(|path| path.to_str().unwrap());
    place.admin(&["audit", "check", old, new]).done();
    let wrong = place.admin(&["audit", "check", new, old]).found(65);
    assert!(wrong.contains("the clock was set back"), "{wrong}");
    assert!(wrong.contains("stands before it"), "{wrong}");

    // The configured sink is standard error there.
    let refused = place.admin(&["audit", "check"]).refused(64);
    assert!(refused.contains("say which log to read"), "{refused}");
    let text = std::fs::read_to_string(place.path("signstar.toml")).unwrap();
    let file = format!("sink = \"file\"\n[audit.file]\npath = {new:?}\n");
    place.write("signstar.toml", &text.replace("sink = \"stderr\"\n", &file));
    place.admin(&["audit", "check"]).found(65);
    place.write("audit.log", &written.text());
    place.admin(&["audit", "check"]).done();
    let refused = place.admin(&["audit", "check", "/no/such/log"]).refused(74);
    assert!(refused.contains("/no/such/log: no such file"), "{refused}");
}

/// As a syslog server writes it, among lines of others.
fn headed(lines: &[String], header: &str) -> String {
    let others = "Nov 22 10:00:00 host sshd[9]: Accepted publickey for signer\n";
    lines
        .iter()
        .map(|line| format!("{others}{header}{line}\n"))
        .collect()
}

#[test]
fn a_syslog_servers_file_is_checked_alike() {
    let place = Place::new();
    let mut written = Written::new(50);
    for header in [
        "Nov 22 10:00:00 host signstar[17]: ",
        "<85>1 - host signstar 17 intent - ",
    ] {
        let text = headed(&written.lines, header);
        let end = piped(&place, &["audit", "check", "-"], text.as_bytes());
        assert!(end.done().contains("100 records"));
    }
    written.lines.remove(40);
    let text = headed(&written.lines, "Nov 22 10:00:00 host signstar[17]: ");
    let found = piped(&place, &["audit", "check", "-"], text.as_bytes()).found(65);
    assert!(found.contains("standard input:82: "), "{found}");
    // Received long after it says.
    let text = headed(
        &written.lines[..2],
        "2026-02-01T00:00:00+00:00 host signstar[17]: ",
    );
    let found = piped(&place, &["audit", "check", "-"], text.as_bytes()).found(65);
    assert!(
        found.contains("the log has noted it at 2026-02-01"),
        "{found}"
    );
}
