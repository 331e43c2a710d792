//! A fuzz target without a fuzzer: its seeds, and mutations of them that are the same in every run.
//!
//! Test programs include this file by its path, so that the packages whose parsers are tested need
//! not depend on this one.

use std::path::Path;

/// Mutated inputs are not longer than this, in bytes, or than their seed.
const INPUT_BYTES_MAX: usize = 64 * 1024;

/// Values that numbers and lengths take at their limits.
const EDGES: [u8; 8] = [0x00, 0x01, 0x7f, 0x80, 0xff, b'\n', b' ', b'%'];

/// Runs `body` on nothing, on every seed in `folder`, and on `inputs` mutations of them. A
/// panic in it is the test's.
pub(crate) fn run(folder: &str, inputs: usize, body: fn(&[u8])) {
    let seeds = seeds(Path::new(folder));
    assert!(!seeds.is_empty(), "{folder} has no seeds");
    body(&[]);
    for seed in &seeds {
        body(seed);
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for seed in seeds.iter().cycle().take(inputs) {
        body(&mutate(seed, &seeds, &mut random));
    }
}

/// The contents of the files, in the order of their names.
fn seeds(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path| std::fs::read(path).ok();
    paths.iter().filter_map(read).collect()
}

/// One to four changes to `seed`.
fn mutate(seed: &[u8], seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = seed.to_vec();
    for _ in 0..=random.below(4) {
        change(&mut input, seeds, random);
    }
    input.truncate(INPUT_BYTES_MAX.max(seed.len()));
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let length = input.len();
    let (one, other) = (random.below(length + 1), random.below(length + 1));
    let (start, end) = (one.min(other), one.max(other));
    let bit = 1 << random.below(8);
    let edge = EDGES.get(random.below(EDGES.len())).copied().unwrap_or(0);
    match random.below(8) {
        0 => change_byte(input, one, |byte| byte ^ bit),
        1 => change_byte(input, one, |_| edge),
        2 => change_byte(input, one, |byte| byte.wrapping_add(1)),
        3 => input.insert(one, edge),
        4 => input.truncate(one),
        5 => drop(input.drain(start..end.min(start + 16))),
        6 => {
            let copied: Vec<u8> = input.iter().copied().take(end).skip(start).collect();
            input.splice(other..other, copied);
        }
        _ => {
            // The rest of another seed from the same place on, or from any.
            let donor = seeds.get(random.below(seeds.len()));
            let donor = donor.map(Vec::as_slice).unwrap_or_default();
            let any = random.below(donor.len() + 1);
            let from = if bit > 8 { one } else { any };
            input.truncate(one);
            input.extend(donor.iter().skip(from));
        }
    }
}

fn change_byte(input: &mut [u8], at: usize, change: impl FnOnce(u8) -> u8) {
    if let Some(byte) = input.get_mut(at) {
        *byte = change(*byte);
    }
}

/// Xorshift (Marsaglia 2003): good enough for choosing, and the same everywhere.
struct Random(u64);

impl Random {
    /// A number below `bound`, or 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = u64::try_from(bound).unwrap_or(1).max(1);
        usize::try_from((self.0 >> 11) % bound).unwrap_or(0)
    }
}
