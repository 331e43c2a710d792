use super::*;

const RECORD: &str = "signstar-audit v=1 event=intent id=00000000000000000000000000000000 \
                      time=2026-11-22T10:00:00.000Z";

fn at(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

#[test]
fn records_stand_behind_the_headers_of_syslog_servers() {
    let received = at("2026-11-22T10:00:01.250Z");
    for (header, received) in [
        ("Nov 22 10:00:01 host signstar[17]: ", None),
        ("Nov  2 10:00:01 host signstar[17]:  ", None),
        ("Nov 22 10:00:01 host signstar[17] ", None),
        ("<85>Nov 22 10:00:01 host signstar[17]: ", None),
        ("2026-11-22T10:00:01.250Z host signstar[17]: ", received),
        (
            "2026-11-22T11:30:01.250+01:30 host signstar[17]: ",
            received,
        ),
        ("2026-11-22T08:00:01.250000-02:00 host signstar: ", received),
        (
            "<85>1 2026-11-22T10:00:01.250Z host signstar 17 intent - ",
            received,
        ),
        (
            "1 2026-11-22T10:00:01.250Z - signstar 17 intent [a b=\"c\"] ",
            received,
        ),
    ] {
        let line = format!("{header}{RECORD}");
        assert_eq!(split(&line), Split::Headed(received, RECORD), "{line}");
    }
    assert_eq!(split(RECORD), Split::Bare(RECORD));
}

#[test]
fn a_record_behind_one_that_was_cut_off_is_found() {
    for length in 0..RECORD.len() {
        let torn = &RECORD[..length];
        assert_eq!(cut_off(&format!("{torn}{RECORD}")), (torn, RECORD));
    }
    let named = format!("{RECORD} user=signstar-audit key=signstar-audit");
    assert_eq!(cut_off(&named), ("", named.as_str()));
    let torn = format!("{RECORD} user=");
    assert_eq!(cut_off(&format!("{torn}{RECORD}")), (torn.as_str(), RECORD));
    // What is no record stays whole.
    assert_eq!(cut_off("signstar-audit x"), ("", "signstar-audit x"));
}

#[test]
fn a_record_in_the_line_of_another_program_is_not_taken_for_one() {
    for header in [
        "Nov 22 10:00:01 host logger[17]: ",
        "Nov 22 10:00:01 host logger: signstar[17]: ",
        "<85>1 2026-11-22T10:00:01.250Z host logger 17 intent - ",
        "x",
        "garbage ",
    ] {
        let line = format!("{header}{RECORD}");
        let expected = if header == "x" {
            Split::Other
        } else {
            Split::OtherProgram
        };
        assert_eq!(split(&line), expected, "{line}");
    }
}

#[test]
fn lines_of_others_are_none_of_ours() {
    for line in [
        "Nov 22 10:00:01 host sshd[17]: Accepted publickey for signer",
        "<85>1 2026-11-22T10:00:01.250Z host sshd 17 - - Accepted",
        "-- No entries --",
        "é",
    ] {
        assert_eq!(split(line), Split::Other, "{line}");
    }
    let ours = "Nov 22 10:00:01 host signstar[17]: something else";
    assert_eq!(split(ours), Split::Headed(None, "something else"));
}
