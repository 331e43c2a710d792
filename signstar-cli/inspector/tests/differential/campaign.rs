//! Many archives, and all readers for those that the inspector takes.

use std::fmt::Write as _;

use signstar_inspector::Code;

use crate::gnu::Gnu;
use crate::mutants::{Random, archive, pack};
use crate::readers::{Found, Python, contents, of_crate, ours};

/// So many archives are made before other readers are asked for them.
const BATCH: usize = 1000;

/// One in so many is read by GNU tar alone.
const ALONE: usize = 256;

/// An archive that the inspector takes.
pub(crate) struct Taken {
    plain: Vec<u8>,
    packed: Vec<u8>,
    found: Found,
}

/// How many archives were made, and how many of them the inspector took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) made: usize,
    pub(crate) taken: usize,
}

/// Makes `wanted` archives and fails at the first of which a reader says something else.
pub(crate) fn run(seed: u64, wanted: usize) -> Count {
    let mut random = Random(seed);
    let mut python = Python::start();
    let mut count = Count::default();
    while count.made < wanted {
        let mut batch = Vec::new();
        for _ in 0..BATCH.min(wanted - count.made) {
            count.made += 1;
            let plain = archive(&mut random);
            let packed = pack(&mut random, &plain);
            if let Ok(found) = ours(&packed) {
                batch.push(Taken {
                    plain,
                    packed,
                    found,
                });
            }
        }
        count.taken += batch.len();
        let differing = differing(&mut python, &batch);
        assert!(differing.is_empty(), "{differing}");
    }
    count
}

/// What readers say, where they differ from the inspector.
pub(crate) fn differing(python: &mut Python, batch: &[Taken]) -> String {
    let mut said = String::new();
    let packed: Vec<&[u8]> = batch.iter().map(|taken| taken.packed.as_slice()).collect();
    for (taken, beside) in batch.iter().zip(python.read(&packed)) {
        let of_crate = of_crate(&taken.packed);
        for (name, other) in [
            ("tarfile", &beside["tarfile"]),
            ("libarchive", &beside["libarchive"]),
            ("tar crate", &of_crate),
        ] {
            if *other != taken.found {
                let _ = writeln!(said, "{name}: {other}\nours: {}", taken.found);
            }
        }
    }
    let (mut plain, mut content) = (Vec::new(), Vec::new());
    for taken in batch {
        plain.extend_from_slice(&taken.plain);
        content.extend(contents(&taken.packed));
    }
    let found: Vec<&Found> = batch.iter().map(|taken| &taken.found).collect();
    let together = Gnu::read_all(&plain).is_some_and(|gnu| gnu.agrees(&found, &content));
    // All of them one by one where something is wrong, some in any case.
    let step = if together { ALONE } else { 1 };
    for taken in batch.iter().step_by(step) {
        let gnu = Gnu::read(&taken.plain);
        let same = gnu
            .as_ref()
            .is_some_and(|gnu| gnu.agrees(&[&taken.found], &contents(&taken.packed)));
        if !same {
            let _ = writeln!(said, "GNU tar: {gnu:?}\nours: {}", taken.found);
        }
    }
    if !together && said.is_empty() {
        said.push_str("GNU tar reads archives one behind the other in another way");
    }
    said
}

/// An archive that the inspector refuses for `code`, and that readers disagree about; so an inspector
/// that took it would be caught.
pub(crate) fn disputed(random: &mut Random, python: &mut Python, code: Code) -> bool {
    (0..20_000).any(|_| {
        let plain = archive(random);
        let packed = pack(random, &plain);
        if ours(&packed) != Err(code) {
            return false;
        }
        let beside = python.read(&[&packed]).remove(0);
        let crates = of_crate(&packed);
        beside["tarfile"] != beside["libarchive"] || beside["tarfile"] != crates
    })
}
