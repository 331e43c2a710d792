//! Looks at an artifact before it is signed: is it a well-formed package, database or image, of the
//! kind and identity that the key may sign?
//!
//! The whole artifact streams through [`inspect`], which answers with what the artifact says it is,
//! or with a [`Finding`]. The login shell runs this in a process of its own that has nothing but the
//! bytes; whoever takes that process over can have something signed that is not well-formed, and
//! nothing more: the bytes that are signed are hashed elsewhere.
//!
//! docs/inspection.md is the specification of the formats' subset, and says what inspection cannot
//! prove.
//!
//! # What is deliberately absent
//! Repair, tolerance, and guessing: what two programs could read differently is refused. Plain
//! archives, bzip2, lz4 and whatever else pacman could read. Writing anything.

mod archive;
mod container;
mod database;
mod fields;
mod image;
mod listing;
mod lookalike;
mod mtree;
mod order;
mod package;
mod rules;
mod source;

use std::io::Read;

pub use listing::{Listed, list};
pub use order::{Order, OrderError};
pub use rules::Rules;
pub use signstar_core::{ArtifactKind, Finding, Identity, InspectionCode as Code, Verdict};

/// Reads `input` as the artifact that `order` is about, to its end or to the first thing that is wrong
/// with it or not allowed.
pub fn inspect<R: Read>(order: &Order, input: R) -> Verdict {
    let outcome = match order.kind {
        ArtifactKind::PacmanPackage => package::inspect(input, &order.rules),
        ArtifactKind::PacmanDatabase => database::inspect(input, &order.rules),
        ArtifactKind::Iso => image::inspect(input, &order.rules),
    };
    match outcome {
        Ok(identity) => Verdict::Accepted(identity),
        Err(Refused { finding, identity }) => Verdict::Refused {
            finding,
            identity: identity.map(|identity| *identity),
        },
    }
}

/// Why an artifact is refused, and what it says it is where that was found before.
struct Refused {
    finding: Finding,
    identity: Option<Box<Identity>>,
}

impl From<Finding> for Refused {
    fn from(finding: Finding) -> Self {
        let identity = None;
        Self { finding, identity }
    }
}
