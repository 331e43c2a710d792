//! A machine with an inspected key, and what is asserted about its answers.

use std::fs;

use signstar_core::{Event, Field, InspectionCode, Record, Refusal};

use crate::support::built::inspector;
use crate::support::{artifacts, Configuration, Outcome, World};

/// A machine whose key signs artifacts of `kind`, with further lines in the key's table.
pub(crate) fn world(kind: &'static str, lines: &str) -> World {
    assert!(
        inspector().is_some(),
        "there is no inspector: run `cargo build --release --target x86_64-unknown-linux-musl \
         -p signstar-inspector`, or `cargo xtask test --part stage`"
    );
    World::configured(&configuration(kind, lines))
}

/// Its configuration.
pub(crate) fn configuration(kind: &'static str, lines: &str) -> Configuration {
    Configuration::new().input(kind).key(lines)
}

/// A package of makepkg's.
pub(crate) fn package(world: &World) -> Vec<u8> {
    fs::read(artifacts::package(world)).unwrap()
}

/// Asserts that nothing came out but one sentence and one record, which is returned.
#[track_caller]
pub(crate) fn refused(world: &World, outcome: &Outcome, refusal: Refusal) -> Record {
    assert_eq!(outcome.stdout, b"", "{outcome:?}");
    assert_eq!(
        outcome.code(),
        i32::from(refusal.exit_status()),
        "{outcome:?}"
    );
    let records = world.audit();
    let [record] = records.as_slice() else {
        panic!("{records:?} {outcome:?}");
    };
    assert_eq!(record.event, Event::Refusal);
    assert_eq!(record.get(Field::Code), Some(refusal.code()), "{record:?}");
    let said = match refusal {
        Refusal::Artifact(code) => format!(
            "signstar: refused {}: {} (request {})\n",
            code.number(),
            code.sentence(),
            record.id
        ),
        _ => format!(
            "signstar: {} (code {}, request {})\n",
            refusal.sentence(),
            refusal.code(),
            record.id
        ),
    };
    assert_eq!(outcome.stderr, said);
    world.forget();
    record.clone()
}

/// Asserts that the inspector refused with `code`.
#[track_caller]
pub(crate) fn refused_by_inspector(
    world: &World,
    outcome: &Outcome,
    code: InspectionCode,
) -> Record {
    let record = refused(world, outcome, Refusal::Artifact(code));
    let number = code.number().to_string();
    assert_eq!(record.get(Field::VerdictCode), Some(number.as_str()));
    assert!(record.get(Field::Input).is_some());
    record
}
