//! What the documentation promises is what the code does.

use signstar_core::{Event, Field, Refusal, LINE_BYTES_MAX};

const AUDIT: &str = include_str!("../../../docs/audit.md");
const CODES: &str = include_str!("../../../docs/exit-and-refusal-codes.md");

/// The cells of every row of the tables in `section`, without their backquotes.
fn rows(page: &str, section: &str) -> Vec<Vec<String>> {
    let section = page.split(section).nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    let cells = |row: &str| -> Vec<String> {
        row.trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().replace('`', ""))
            .collect()
    };
    rows.skip(1).map(cells).collect()
}

#[test]
fn every_refusal_is_documented_with_its_status_and_sentence() {
    let documented = rows(CODES, "# Exit statuses");
    let documented: Vec<[&str; 3]> = documented
        .iter()
        .map(|row| [row[0].as_str(), row[1].as_str(), row[2].as_str()])
        .collect();
    let statuses = Refusal::ALL.map(|refusal| refusal.exit_status().to_string());
    let known: Vec<[&str; 3]> = Refusal::ALL
        .iter()
        .zip(&statuses)
        .map(|(refusal, status)| [status.as_str(), refusal.code(), refusal.sentence()])
        .collect();
    assert_eq!(documented, known);
}

#[test]
fn every_event_is_documented() {
    let documented: Vec<String> = rows(AUDIT, "\n## Events\n")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(documented, Event::ALL.map(Event::name));
}

#[test]
fn every_field_is_documented_in_its_order_with_its_cap() {
    let documented: Vec<(String, String)> = rows(AUDIT, "\n## Fields\n")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let known = Field::ALL.map(|field| (field.name().to_owned(), field.bytes_max().to_string()));
    assert_eq!(documented, known);
    assert!(AUDIT.contains(&format!("at most {LINE_BYTES_MAX} bytes")));
}

#[test]
fn the_sample_line_is_a_record() {
    let line = AUDIT
        .lines()
        .find(|line| line.starts_with("signstar-audit "))
        .unwrap();
    assert!(signstar_core::Record::from_line(line).is_ok());
}
