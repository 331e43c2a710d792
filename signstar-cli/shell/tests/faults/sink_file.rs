//! The audit file: absent, wrong, full, at its limit, torn, and full in the middle of a request.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;

use signstar_core::{Event, Record, Refusal};

use crate::scene::{assert_refused, assert_signed, events, run_unread, INPUT};
use crate::support::world::{give, SIGNER, SIGNERS};
use crate::support::{Configuration, Shell, World};

const LOG: &str = "/run/signstar/audit.log";

#[track_caller]
fn assert_no_sink(world: &World) {
    assert_refused(&run_unread(world.shell()), Refusal::Audit);
}

#[test]
fn nothing_is_read_when_the_audit_file_is_absent_or_not_fit() {
    let world = World::new();
    let path = world.path(LOG);
    give(&path, (0, 0), 0o600);
    assert_no_sink(&world);
    give(&path, (0, SIGNERS), 0o662);
    assert_no_sink(&world);
    fs::remove_file(&path).unwrap();
    assert_no_sink(&world);
    assert!(!path.exists(), "it is never created");
    fs::create_dir(&path).unwrap();
    assert_no_sink(&world);
    fs::remove_dir(&path).unwrap();
    world.write("/run/signstar/other.log", "", (0, SIGNERS), 0o660);
    std::os::unix::fs::symlink("other.log", &path).unwrap();
    assert_no_sink(&world);
    assert_eq!(
        fs::read(world.path("/run/signstar/other.log")).unwrap(),
        b""
    );
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o660)).unwrap();
    give(&path, (0, SIGNERS), 0o660);
    assert_no_sink(&world);
}

/// Room that the requests of one moment may need: lines of 8 KiB with their ends.
const RESERVE: u64 = 64 * (8192 + 2);
const LEAST: u64 = 1 << 20;

#[test]
fn the_audit_file_grows_to_its_limit_and_then_nothing_is_read() {
    let text = format!("sink = \"file\"\n[audit.file]\npath = \"{LOG}\"\nbytes-max = {LEAST}");
    let world = World::configured(&Configuration::new().audit(&text));
    let filled = |length: u64| {
        let mut line = vec![b'x'; usize::try_from(length).unwrap()];
        *line.last_mut().unwrap() = b'\n';
        world.write(LOG, line, (0, SIGNERS), 0o660);
    };
    filled(LEAST - RESERVE);
    assert_signed(&world.shell().run(INPUT));
    let length = |world: &World| fs::metadata(world.path(LOG)).unwrap().len();
    assert!(length(&world) > LEAST - RESERVE);
    filled(LEAST - RESERVE + 1);
    assert_no_sink(&world);
    assert_eq!(length(&world), LEAST - RESERVE + 1);
    filled(2 * LEAST);
    assert_no_sink(&world);
}

/// A file system of two pages in the world; its log belongs there.
fn small(world: &World) -> std::path::PathBuf {
    fs::create_dir(world.path("/run/small")).unwrap();
    let mounted = world.run(Command::new("mount").args([
        "-t",
        "tmpfs",
        "-o",
        "size=8192,mode=755",
        "tmpfs",
        "/run/small",
    ]));
    mounted.success();
    let log = world.any_path("/run/small/audit.log");
    fs::write(&log, "").unwrap();
    give(&log, (0, SIGNERS), 0o660);
    log
}

fn with_small_log() -> Configuration {
    Configuration::new().audit("sink = \"file\"\n[audit.file]\npath = \"/run/small/audit.log\"")
}

#[test]
fn no_signature_when_the_disk_is_full_before_the_intent() {
    let world = World::configured(&with_small_log());
    let log = small(&world);
    fs::write(world.any_path("/run/small/filler"), [0; 8192]).unwrap();
    let outcome = world.shell().run(INPUT);
    assert_refused(&outcome, Refusal::Audit);
    assert_eq!(fs::read(&log).unwrap(), b"");
}

#[test]
fn no_signature_when_the_disk_fills_between_intent_and_release() {
    let world = World::configured(&with_small_log());
    let log = small(&world);
    fs::write(world.any_path("/run/small/filler"), [0; 4096]).unwrap();
    // One line of a signed request, to know how long an intent is.
    assert_signed(&world.shell().run(INPUT));
    let text = fs::read_to_string(&log).unwrap();
    let intent = text.lines().next().unwrap().len() + 1;
    // What is left of the last page takes the intent and ten bytes of the release.
    let mut before = vec![b'#'; 4096 - intent - 10];
    *before.last_mut().unwrap() = b'\n';
    fs::write(&log, &before).unwrap();
    let outcome = world.shell().run(INPUT);
    assert_refused(&outcome, Refusal::Audit);
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let [whole, torn] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(Record::from_line(whole).unwrap().event, Event::Intent);
    assert_eq!((torn.len(), Record::from_line(torn).is_err()), (10, true));

    // Once there is room again, the next record stands behind what was cut off, and is whole.
    fs::remove_file(world.any_path("/run/small/filler")).unwrap();
    assert_signed(&world.shell().run(INPUT));
    let text = fs::read_to_string(&log).unwrap();
    let later: Vec<&str> = text.lines().skip(2).collect();
    let [intent, release] = later.as_slice() else {
        panic!("{later:?}");
    };
    assert!(Record::from_line(intent).is_err());
    assert_eq!(
        Record::from_line(&intent[10..]).unwrap().event,
        Event::Intent
    );
    assert_eq!(Record::from_line(release).unwrap().event, Event::Release);
}

#[test]
fn a_limit_of_the_process_below_the_configured_one_means_no_signature() {
    let world = World::new();
    for limit in ["0", "1"] {
        let script =
            format!("ulimit -f {limit}; exec -a signstar /usr/bin/signstar -c /usr/bin/signstar");
        let shell = world
            .shell()
            .through("/bin/bash", &["-c".as_ref(), script.as_ref()]);
        // It ends before the sink is open, and before it reads.
        assert_refused(&run_unread(shell), Refusal::Confinement);
        assert_eq!(fs::read_to_string(world.path(LOG)).unwrap(), "");
    }
}

#[test]
fn a_torn_line_of_another_writer_is_no_record_and_the_next_one_is_whole() {
    let world = World::new();
    assert_signed(&world.shell().run(INPUT));
    let whole = world.audit_lines().pop().unwrap();
    // Half a digest still reads like a record.
    let torn = &whole[..whole.len() - 20];
    assert!(Record::from_line(torn).is_ok());
    // It is torn before this session looks, and again while it waits for input.
    world.write(LOG, torn, (0, SIGNERS), 0o660);
    let mut running = world.shell().start();
    running.stdin.as_mut().unwrap().write_all(INPUT).unwrap();
    crate::scene::until_waiting_in(&running, crate::scene::POLL);
    let mut other = fs::OpenOptions::new()
        .append(true)
        .open(world.path(LOG))
        .unwrap();
    other.write_all(torn.as_bytes()).unwrap();
    assert_signed(&running.finish());
    let lines = world.audit_lines();
    assert_eq!(lines.len(), 2);
    assert!(Record::from_line(&lines[0]).is_err(), "{}", lines[0]);
    let intent = lines[0].strip_prefix(&format!("{torn}{torn}")).unwrap();
    assert_eq!(Record::from_line(intent).unwrap().event, Event::Intent);
    assert_eq!(Record::from_line(&lines[1]).unwrap().event, Event::Release);
}

/// The same shell, in which strace changes system calls as `rule` says. Who traces must be root.
fn slowed_by<'w>(shell: Shell<'w>, rule: &str) -> Shell<'w> {
    let script = "exec -a signstar /usr/bin/signstar -c /usr/bin/signstar";
    let arguments = [
        "-f",
        "-qq",
        "-e",
        "trace=write",
        "-e",
        rule,
        "-u",
        SIGNER.name,
        "-o",
        "/dev/null",
        "--",
        "/bin/bash",
        "-c",
        script,
    ];
    let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
    let mut slowed = shell.through("/usr/bin/strace", &arguments);
    slowed.command().uid(0).gid(0);
    slowed
}

/// A disk that answers late cannot be waited for with a limit; but what comes of it can be refused.
#[test]
fn no_signature_when_the_disk_takes_a_record_past_the_time_limit() {
    let audit =
        format!("sink = \"file\"\ntimeout-milliseconds = 500\n[audit.file]\npath = \"{LOG}\"");
    let world = World::configured(&Configuration::new().audit(&audit));
    let run = |late: Option<u32>| {
        let mut slowed = world.shell();
        let delay = late.map(|which| format!("inject=write:delay_enter=900000:when={which}"));
        if let Some(delay) = &delay {
            slowed = slowed_by(slowed, delay);
        }
        slowed.run(INPUT)
    };
    assert_signed(&run(None));
    world.forget();
    for (which, expected) in [
        (1, &[Event::Intent][..]),
        (2, &[Event::Intent, Event::Release]),
    ] {
        assert_refused(&run(Some(which)), Refusal::Audit);
        assert_eq!(events(&world), expected);
        world.forget();
    }
}

#[test]
fn an_audit_file_that_is_moved_away_meanwhile_still_gets_its_records() {
    let world = World::new();
    let mut running = world.shell().start();
    running.stdin.as_mut().unwrap().write_all(INPUT).unwrap();
    crate::scene::until_waiting_in(&running, crate::scene::POLL);
    let moved = world.path("/run/signstar/audit.log.1");
    fs::rename(world.path(LOG), &moved).unwrap();
    assert_signed(&running.finish());
    assert_eq!(fs::read_to_string(&moved).unwrap().lines().count(), 2);
    world.write(LOG, "", (SIGNER.id, SIGNERS), 0o660);
    assert_signed(&world.shell().run(INPUT));
    assert_eq!(events(&world), [Event::Intent, Event::Release]);
}
