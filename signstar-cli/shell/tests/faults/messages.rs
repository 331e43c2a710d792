//! What arrives at journald and at syslog servers, read as strictly as they never would.

use signstar_core::{Event, Field, KeyKind, Record};

use crate::scene::{assert_signed, to_socket, LogSocket, INPUT, SOCKET_SINKS};
use crate::support::World;

/// The record in a message to this sink.
pub(crate) fn parse(sink: (&str, &str), message: &[u8]) -> Record {
    match sink {
        ("journald", _) => parse_journald(message),
        (_, table) if table.contains("rfc5424") => parse_rfc5424(message),
        _ => parse_local(message),
    }
}

pub(crate) fn event_of(record: &Record) -> Event {
    record.event
}

/// The priority that belongs to an event: authpriv, notice or warning.
fn priority(event: Event) -> u8 {
    match event {
        Event::Intent | Event::Attempt | Event::Release => 85,
        Event::Refusal | Event::Undelivered => 84,
    }
}

/// Fields of the native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), all in the binary form.
fn journald_fields(mut message: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    while !message.is_empty() {
        let end = message
            .iter()
            .position(|&byte| byte == b'\n')
            .expect("a name");
        let name = std::str::from_utf8(&message[..end]).expect("a name in ASCII");
        let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        assert!(name.bytes().all(plain) && name.as_bytes()[0].is_ascii_uppercase());
        assert!(
            name.len() <= 64 && fields.iter().all(|(other, _)| other != name),
            "{name}"
        );
        let (length, rest) = message[end + 1..].split_at(8);
        let length = u64::from_le_bytes(length.try_into().unwrap());
        let (value, rest) = rest.split_at(usize::try_from(length).unwrap());
        let value = std::str::from_utf8(value).expect("text");
        fields.push((name.to_owned(), value.to_owned()));
        message = rest.strip_prefix(b"\n").expect("a line end");
    }
    fields
}

fn parse_journald(message: &[u8]) -> Record {
    let fields = journald_fields(message);
    let get = |name: &str| {
        let found = fields.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    };
    let record = Record::from_line(get("MESSAGE").expect("MESSAGE")).expect("a record");
    let severity = (priority(record.event) % 8).to_string();
    let id = record.id.to_string();
    let mut expected = vec![
        ("MESSAGE".to_owned(), record.to_line()),
        ("PRIORITY".to_owned(), severity),
        ("SYSLOG_FACILITY".to_owned(), "10".to_owned()),
        ("SYSLOG_IDENTIFIER".to_owned(), "signstar".to_owned()),
        ("SIGNSTAR_EVENT".to_owned(), record.event.name().to_owned()),
        ("SIGNSTAR_ID".to_owned(), id),
    ];
    for (field, value) in record.fields() {
        let name = field.name().to_uppercase().replace('-', "_");
        expected.push((format!("SIGNSTAR_{name}"), value.to_owned()));
    }
    assert_eq!(fields, expected);
    record
}

fn parse_local(message: &[u8]) -> Record {
    let text = std::str::from_utf8(message).expect("text");
    let rest = text.strip_prefix('<').expect("a priority");
    let (number, rest) = rest.split_once(">signstar[").expect("a tag");
    let (pid, line) = rest.split_once("]: ").expect("a process number");
    assert!(pid.parse::<u32>().is_ok_and(|pid| pid > 1));
    let record = Record::from_line(line).expect("a record");
    assert_eq!(number, priority(record.event).to_string());
    record
}

/// `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID SD MSG` (RFC 5424, section 6).
fn parse_rfc5424(message: &[u8]) -> Record {
    let text = std::str::from_utf8(message).expect("text");
    assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    let words: Vec<&str> = text.splitn(8, ' ').collect();
    let [head, time, host, name, pid, kind, data, line] = words.as_slice() else {
        panic!("{text}");
    };
    let record = Record::from_line(line).expect("a record");
    assert_eq!(*head, format!("<{}>1", priority(record.event)));
    // RFC 3339 with at most six digits of a second, in upper case, and the record's own.
    assert!(
        time.len() == 24 && time.as_bytes()[10] == b'T' && time.ends_with('Z'),
        "{time}"
    );
    assert!(line.contains(&format!(" time={time} ")));
    assert_eq!((*host, *name, *data), ("-", "signstar", "-"));
    assert!(pid.parse::<u32>().is_ok_and(|pid| pid > 1));
    assert_eq!(*kind, record.event.name());
    record
}

#[test]
fn every_field_of_a_record_arrives_in_every_form() {
    for sink in SOCKET_SINKS {
        let key = crate::support::SigningKey::new(KeyKind::P256);
        let fingerprint = key.fingerprint.clone();
        let world = World::with(&to_socket(sink, 2000), key);
        let socket = LogSocket::bind(&world);
        let outcome = world.shell().run(INPUT);
        assert_signed(&outcome);
        let messages = socket.received();
        let records: Vec<Record> = messages
            .iter()
            .map(|message| parse(sink, message))
            .collect();
        let [intent, release] = records.as_slice() else {
            panic!("{records:?}");
        };
        assert_eq!(intent.id, release.id);
        for record in [intent, release] {
            assert_eq!(record.get(Field::User), Some("signer"));
            assert_eq!(record.get(Field::Address), Some("127.0.0.1"));
            assert!(record.get(Field::SshKey).unwrap().starts_with("SHA256:"));
            assert_eq!(record.get(Field::Key), Some("packages"));
            assert_eq!(record.get(Field::Fingerprint), Some(fingerprint.as_str()));
            assert_eq!(record.get(Field::Certificate), Some(fingerprint.as_str()));
            assert_eq!(record.get(Field::BackEnd), Some("software"));
            assert_eq!(
                record.get(Field::Bytes),
                Some(INPUT.len().to_string().as_str())
            );
            assert!(record.get(Field::Input).unwrap().starts_with("sha512:"));
            assert_eq!(record.get(Field::Verdict), Some("approved"));
        }
        let context = sequoia_openpgp::types::HashAlgorithm::SHA256.context();
        let mut context = context.unwrap().for_digest();
        context.update(&outcome.stdout);
        let digest = context.into_digest().unwrap();
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            release.get(Field::Signature),
            Some(format!("sha256:{digest}").as_str())
        );
        assert_eq!(intent.get(Field::Signature), None);
    }
}

#[test]
#[should_panic(expected = "a line end")]
fn the_reader_of_the_journals_protocol_notices_a_wrong_length() {
    journald_fields(b"MESSAGE\n\x02\0\0\0\0\0\0\0abc\n");
}
