//! `audit check`: each defect that can be found is, and nothing is found where there is none.

use std::time::Duration;

use signstar_core::{Event, Field};

use crate::place::Place;
use crate::written::{Written, found, id, intent, release, subject, time};

/// What is found when `plant` has changed a log of some requests.
#[track_caller]
fn assert_found(plant: impl FnOnce(&mut Vec<String>), expected: &[(&str, u64)]) {
    let place = Place::new();
    let mut written = Written::new(50);
    assert_eq!(found(&place, &written.text(), 0, &[]), []);
    plant(&mut written.lines);
    let status = if expected.is_empty() { 0 } else { 65 };
    let found = found(&place, &written.text(), status, &[]);
    let found: Vec<(&str, u64)> = found
        .iter()
        .map(|(kind, line)| (kind.as_str(), *line))
        .collect();
    assert_eq!(found, expected);
}

/// The line of request 20's intent, as an index.
const AT: usize = 40;
/// Its number in the log.
const LINE: u64 = 41;

#[test]
fn a_missing_outcome() {
    assert_found(
        |lines| _ = lines.remove(AT + 1),
        // The signature that is not released accounts for the gap in the counter.
        &[("intent-without-outcome", LINE)],
    );
}

#[test]
fn a_removed_intent() {
    assert_found(
        |lines| _ = lines.remove(AT),
        &[("outcome-without-intent", LINE)],
    );
}

#[test]
fn a_refusal_after_the_intent_may_have_cost_a_signature() {
    // The device has signed, and what it answered did not verify.
    let mut refused = subject(Event::Refusal, 20);
    refused.set(Field::Verdict, "refused");
    refused.set(Field::Code, "self-check");
    refused.time = release(20).time;
    assert_found(|lines| lines[AT + 1] = refused.to_line(), &[]);
    // It accounts for no more than one.
    assert_found(
        |lines| {
            lines[AT + 1] = refused.to_line();
            lines.drain(AT + 2..AT + 4);
        },
        &[("counter-gap", LINE + 3)],
    );
}

#[test]
fn a_whole_request_removed_where_the_device_counts() {
    assert_found(
        |lines| _ = lines.drain(AT..AT + 2),
        &[("counter-gap", LINE + 1)],
    );
}

#[test]
fn an_altered_field_in_one_record_of_a_request() {
    for (field, value) in [
        (Field::User, "root"),
        (Field::Address, "192.0.2.8"),
        (Field::SshKey, "SHA256:other"),
        (Field::Key, "images"),
        (
            Field::Fingerprint,
            "1123456789ABCDEF0123456789ABCDEF01234567",
        ),
        (
            Field::Certificate,
            "1123456789ABCDEF0123456789ABCDEF01234567",
        ),
        (Field::BackEnd, "software"),
        (Field::Input, &format!("sha512:{:0128x}", 7)),
        (Field::Bytes, "1"),
        (Field::SshCertificate, "added"),
    ] {
        let mut altered = intent(20);
        altered.set(field, value);
        assert_found(
            |lines| lines[AT] = altered.to_line(),
            &[("disagreement", LINE + 1)],
        );
    }
}

#[test]
fn an_undelivered_that_does_not_belong_to_its_release() {
    let mut undelivered = subject(Event::Undelivered, 20);
    undelivered.set(Field::Code, "output");
    undelivered.time = release(20).time;
    let line = undelivered.to_line();
    assert_found(|lines| lines.insert(AT + 2, line.clone()), &[]);
    undelivered.set(Field::User, "root");
    assert_found(
        |lines| lines.insert(AT + 2, undelivered.to_line()),
        &[("disagreement", LINE + 2)],
    );
    assert_found(
        |lines| {
            lines[AT + 1] = line;
        },
        // It was never released, as far as the log says.
        &[("intent-without-outcome", LINE), ("duplicate", LINE + 1)],
    );
}

#[test]
fn attempts_at_other_addresses_belong_between_intent_and_outcome() {
    let mut attempt = intent(20);
    attempt.event = Event::Attempt;
    let again = {
        let mut again = attempt.clone();
        again.time += Duration::from_millis(1);
        again
    };
    assert_found(
        |lines| {
            lines.insert(AT + 1, again.to_line());
            lines.insert(AT + 1, attempt.to_line());
        },
        &[],
    );
    assert_found(
        |lines| lines.insert(AT + 2, again.to_line()),
        &[("duplicate", LINE + 2)],
    );
    let mut alone = attempt.clone();
    alone.id = id(100);
    assert_found(
        |lines| lines.insert(AT + 1, alone.to_line()),
        &[("outcome-without-intent", LINE + 1)],
    );
    attempt.set(Field::Key, "images");
    assert_found(
        |lines| lines.insert(AT + 1, attempt.to_line()),
        &[("disagreement", LINE + 1)],
    );
}

#[test]
fn an_altered_counter() {
    let mut altered = release(20);
    altered.set(Field::Counter, 2000);
    assert_found(
        |lines| lines[AT + 1] = altered.to_line(),
        &[("counter-gap", LINE + 1), ("counter-back", LINE + 3)],
    );
}

#[test]
fn a_line_that_was_changed_in_any_other_way() {
    for change in [
        |line: &str| line.replace("user=signer", "user=sign%65r"),
        |line: &str| line.replace("signstar-audit", "signstar-audlt"),
        |line: &str| line.replace("v=1", "v=2"),
        |line: &str| line[..line.len() - 9].to_owned() + " x=",
        |line: &str| format!("{line} "),
        |line: &str| format!("{line}?"),
        |line: &str| line.replace("time=2026-01", "time=2026-21"),
    ] {
        assert_found(
            |lines| lines[AT] = change(&lines[AT]),
            &[("damaged", LINE), ("outcome-without-intent", LINE + 1)],
        );
    }
}

#[test]
fn a_record_without_what_every_such_record_has() {
    let mut bare = subject(Event::Release, 20);
    bare.time = time(20);
    bare.set(Field::Counter, 1021);
    assert_found(
        |lines| lines[AT + 1] = bare.to_line(),
        &[("incomplete", LINE + 1)],
    );
    let mut other = release(20);
    other.set(Field::Signature, "sha256:00");
    assert_found(
        |lines| lines[AT + 1] = other.to_line(),
        &[("incomplete", LINE + 1)],
    );
    let mut refused = release(20);
    refused.set(Field::Verdict, "refused");
    assert_found(
        |lines| lines[AT + 1] = refused.to_line(),
        &[("incomplete", LINE + 1)],
    );
}

#[test]
fn an_id_that_is_used_twice() {
    let mut again = intent(20);
    again.time += Duration::from_millis(1);
    assert_found(
        |lines| lines.insert(AT + 1, again.to_line()),
        &[("duplicate", LINE + 1)],
    );
    let mut again = release(20);
    again.time += Duration::from_millis(1);
    assert_found(
        |lines| lines.insert(AT + 2, again.to_line()),
        &[("duplicate", LINE + 2)],
    );
    // Of another request.
    let mut second = intent(40);
    second.id = id(20);
    assert_found(
        |lines| lines[80] = second.to_line(),
        &[("duplicate", 81), ("outcome-without-intent", 82)],
    );
}

#[test]
fn a_record_that_is_there_twice() {
    assert_found(
        |lines| lines.insert(AT + 6, lines[AT].clone()),
        &[("repeated", LINE + 6)],
    );
    assert_found(
        |lines| lines.insert(AT + 6, lines[AT + 1].clone()),
        &[("repeated", LINE + 6)],
    );
}

#[test]
fn an_outcome_before_its_intent() {
    assert_found(|lines| lines.swap(AT, AT + 1), &[("order", LINE + 1)]);
}

#[test]
fn steps_of_the_clock() {
    let hour = Duration::from_secs(3600);
    let shifted = |lines: &mut Vec<String>, forward: bool| {
        for (number, pair) in lines.chunks_mut(2).enumerate().skip(20) {
            let number = u64::try_from(number).unwrap();
            for (line, mut record) in pair.iter_mut().zip([intent(number), release(number)]) {
                record.time = match forward {
                    true => record.time + hour,
                    false => record.time - hour,
                };
                *line = record.to_line();
            }
        }
    };
    assert_found(|lines| shifted(lines, false), &[("clock-backwards", LINE)]);
    // A pause looks the same, unless there are none.
    assert_found(|lines| shifted(lines, true), &[]);
    let place = Place::new();
    let mut written = Written::new(50);
    shifted(&mut written.lines, true);
    let found = found(&place, &written.text(), 65, &["--forwards", "5m"]);
    assert_eq!(found, [("clock-forwards".to_owned(), LINE)]);
    // Within a request there is no tolerance: one process has looked twice.
    let mut early = release(20);
    early.time = time(20) - Duration::from_millis(1);
    assert_found(
        |lines| lines[AT + 1] = early.to_line(),
        &[("clock-backwards", LINE + 1)],
    );
}

#[test]
fn a_torn_last_line() {
    let place = Place::new();
    let text = Written::new(50).text();
    let cut = text.len() - 20;
    assert_eq!(
        found(&place, &text[..cut], 65, &[]),
        [
            ("intent-without-outcome".to_owned(), 99),
            ("damaged".to_owned(), 100)
        ]
    );
}

/// A disk was full, and others went on.
#[test]
fn a_torn_line_before_a_record_harms_only_the_torn_one() {
    let place = Place::new();
    let mut written = Written::new(50);
    // The release of one request, of which half has stood before the next intent.
    let torn = written.lines.remove(AT + 1);
    written.lines[AT + 1].insert_str(0, &torn[..torn.len() - 20]);
    assert_eq!(
        found(&place, &written.text(), 65, &[]),
        [
            ("intent-without-outcome".to_owned(), LINE),
            ("damaged".to_owned(), LINE + 1)
        ]
    );
}

#[test]
fn what_is_well_is_not_reported() {
    // Refusals, an undelivered, what runs at the same time, and what is under way.
    let refused = |number: u64| {
        let mut record = subject(Event::Refusal, number);
        record.set(Field::Verdict, "refused");
        record.set(Field::Code, "input-empty");
        record
    };
    let mut undelivered = subject(Event::Undelivered, 20);
    undelivered.set(Field::Code, "output");
    undelivered.set(Field::Detail, "broken pipe");
    let mut after = refused(100);
    after.set(Field::Code, "device-failed");
    let mut failed = intent(100);
    failed.time = time(20);
    after.time = time(20);
    let mut alone = refused(101);
    alone.time = time(20);
    undelivered.time = time(20);
    assert_found(
        |lines| {
            let more = [&undelivered, &failed, &after, &alone];
            let more = more.map(|record| record.to_line());
            lines.splice(AT + 2..AT + 2, more);
        },
        &[],
    );
    let mut running = intent(100);
    running.time = std::time::SystemTime::now();
    assert_found(|lines| lines.push(running.to_line()), &[]);
    // Two at the same time, whose records come crosswise.
    let (mut first, mut second) = (release(20), release(21));
    first.set(Field::Counter, 1022);
    second.set(Field::Counter, 1021);
    second.time = first.time;
    let mut early = intent(21);
    early.time = intent(20).time;
    assert_found(
        |lines| {
            lines[AT + 1] = early.to_line();
            lines[AT + 2] = first.to_line();
            lines[AT + 3] = second.to_line();
        },
        &[],
    );
}

#[test]
fn each_planted_defect_is_found_in_a_log_of_100_000_records() {
    let place = Place::new();
    let mut written = Written::new(50_000);
    assert_eq!(written.lines.len(), 100_000);
    assert_eq!(found(&place, &written.text(), 0, &[]), []);

    let lines = &mut written.lines;
    // From the end, so that no line moves before the next is planted.
    let mut late = intent(45_000);
    late.time -= Duration::from_secs(100);
    lines[90_000] = late.to_line(); // clock step, and the next one is right again
    let mut again = intent(40_000);
    again.set(Field::User, "other");
    lines.insert(80_001, again.to_line()); // duplicated id
    let mut altered = release(35_000);
    altered.set(Field::Address, "192.0.2.8");
    lines[70_001] = altered.to_line(); // altered field
    lines.drain(60_000..60_002); // removed request
    lines.remove(50_000); // removed record
    lines.remove(40_001); // missing outcome
    lines[20_000] = lines[20_000].replace("event=intent", "event=lntent"); // altered record
    let expected = [
        ("damaged", 20_001),
        ("outcome-without-intent", 20_002),
        ("intent-without-outcome", 40_001),
        ("outcome-without-intent", 50_000),
        ("counter-gap", 60_000),
        ("disagreement", 69_998),
        ("duplicate", 79_998),
        ("clock-backwards", 89_998),
    ];
    let expected = expected.map(|(kind, line)| (kind.to_owned(), line));
    assert_eq!(found(&place, &written.text(), 65, &[]), expected);
}
