use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn record() -> Record {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_760_000_000_123);
    Record::new(Event::Intent, RequestId::from_bytes([0xab; 16]), time)
}

#[test]
fn is_one_readable_line() {
    let mut record = record();
    record.set(Field::User, "signer");
    record.set(Field::Bytes, 1024);
    assert_eq!(
        record.to_line(),
        "signstar-audit v=1 event=intent id=abababababababababababababababab \
         time=2025-10-09T08:53:20.123Z user=signer bytes=1024"
    );
}

#[test]
fn fits_syslog_when_every_value_is_hostile_and_of_full_length() {
    let mut record = record();
    for field in Field::ALL {
        record.set(field, "\n".repeat(field.bytes_max() + 1));
    }
    let line = record.to_line();
    assert!(line.len() <= LINE_BYTES_MAX, "{}", line.len());
    assert_eq!(Record::from_line(&line), Ok(record));
}

#[test]
fn hostile_values_add_no_line_and_no_field() {
    let mut record = record();
    record.set(
        Field::SshCertificate,
        "ci\nsignstar-audit v=1 event=release user=root \u{1b}[2J%00",
    );
    let line = record.to_line();
    assert!(
        line.bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ')
    );
    assert_eq!(line.split(' ').count(), 6);
    assert_eq!(Record::from_line(&line), Ok(record));
}

#[test]
fn refuses_lines_that_were_not_written_so() {
    let mut record = record();
    record.set(Field::User, "a b");
    record.set(Field::Key, "core");
    let line = record.to_line();
    assert!(Record::from_line(&line).is_ok());
    for (from, to) in [
        ("v=1", "v=2"),
        ("%20", "%2g"),
        ("%20", "\u{20}"),
        ("%20", "%61"),
        ("user=a%20b key=core", "key=core user=a%20b"),
        ("key=core", "key=core key=core"),
        ("key=core", "kee=core"),
        ("key=core", "key=core "),
        ("key=core", "key"),
        (" time=", "  time="),
        ("id=ab", "id=AB"),
        ("id=ab", "id="),
        (".123Z", "Z"),
        ("event=intent", "event=Intent"),
        ("signstar-audit", "signstar"),
    ] {
        let changed = line.replacen(from, to, 1);
        assert_ne!(changed, line, "{from}");
        assert!(Record::from_line(&changed).is_err(), "{changed}");
    }
}

proptest! {
    #[test]
    fn every_record_is_read_back_exactly(values in prop::collection::vec(any::<String>(), 17), event in 0..5_usize) {
        let mut record = record();
        record.event = Event::ALL[event];
        for (field, value) in Field::ALL.into_iter().zip(values) {
            record.set(field, value);
        }
        prop_assert_eq!(Record::from_line(&record.to_line()), Ok(record));
    }

    #[test]
    fn no_line_panics(line in any::<String>()) {
        let _ = Record::from_line(&line);
        let _ = Record::from_line(&format!("signstar-audit v=1 event=intent {line}"));
    }
}
