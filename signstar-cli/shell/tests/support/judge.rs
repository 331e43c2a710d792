//! What a world must be like after an attempt at something that is not signing.

use signstar_core::{Event, Field, Record};

use super::traces::Traces;
use super::{Outcome, World};

/// Remembers what a world was like before.
pub(crate) struct Judge<'w> {
    world: &'w World,
    before: Traces,
}

impl<'w> Judge<'w> {
    /// Remembers what `world` is like now.
    pub(crate) fn new(world: &'w World) -> Self {
        Self {
            world,
            before: Traces::of(world),
        }
    }

    /// Nothing is there that was not there before, but records.
    #[track_caller]
    pub(crate) fn settled(&self, what: &str) {
        self.before.settle(self.world, what);
    }

    /// The login shell ran and refused: nothing on standard output, the exit status of the code,
    /// one line to the caller, one record, and nothing left.
    #[track_caller]
    pub(crate) fn refused(&self, what: &str, outcome: &Outcome, code: &str, exit_status: i32) {
        assert_eq!(outcome.code(), exit_status, "{what}: {}", outcome.stderr);
        self.refused_somehow(what, outcome, code);
        let told: Vec<&str> = outcome.stderr.lines().collect();
        let ours: Vec<&&str> = told
            .iter()
            .filter(|line| line.starts_with("signstar: "))
            .collect();
        assert_eq!(ours.len(), 1, "{what}: {told:?}");
        assert!(
            ours[0].contains(&format!("(code {code}, request ")),
            "{what}: {told:?}"
        );
    }

    /// Likewise, where the client has exit statuses and messages of its own.
    #[track_caller]
    pub(crate) fn refused_somehow(&self, what: &str, outcome: &Outcome, code: &str) {
        assert!(!outcome.status.success(), "{what}");
        assert_eq!(outcome.stdout, b"", "{what}");
        self.recorded(what, code);
    }

    /// There is one record, a refusal with `code`, and nothing else is left. It is returned, and
    /// forgotten.
    #[track_caller]
    pub(crate) fn recorded(&self, what: &str, code: &str) -> Record {
        self.before.settle(self.world, what);
        let mut records = self.world.audit();
        let seen: Vec<_> = records
            .iter()
            .map(|record| (record.event, record.get(Field::Code)))
            .collect();
        assert_eq!(seen, [(Event::Refusal, Some(code))], "{what}");
        self.world.forget();
        records.remove(0)
    }

    /// The login shell has not run, or has not opened its sink: no record, and nothing left.
    #[track_caller]
    pub(crate) fn nothing(&self, what: &str) {
        self.before.settle(self.world, what);
        assert_eq!(self.world.audit(), [], "{what}");
    }

    /// The login shell has signed, which is all it can do; nothing else is left. Returns its
    /// records, and forgets them.
    #[track_caller]
    pub(crate) fn signed(&self, what: &str, outcome: &Outcome) -> [Record; 2] {
        assert_eq!(outcome.code(), 0, "{what}: {}", outcome.stderr);
        assert_eq!(outcome.stdout.first(), Some(&0x88), "{what}");
        self.before.settle(self.world, what);
        let records = self.world.audit();
        let events: Vec<Event> = records.iter().map(|record| record.event).collect();
        assert_eq!(events, [Event::Intent, Event::Release], "{what}");
        self.world.forget();
        [records[0].clone(), records[1].clone()]
    }
}
