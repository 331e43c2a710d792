//! Damaged compression: what the inspector unpacks, libarchive unpacks to the same bytes, by the
//! original libraries of zstd, xz and gzip.

use crate::mutants::Random;
use crate::readers::{Python, ours};
use crate::support::{Member, archive, packed_by};

/// So many archives are damaged before libarchive is asked.
const BATCH: usize = 500;

/// Ways to pack. Most have no checksum, which would find every damage before a decoder shows how it
/// understands it.
const TOOLS: [&[&str]; 13] = [
    &["zstd", "-1", "--no-check"],
    &["zstd", "-3", "--no-check"],
    &["zstd", "-19", "--no-check"],
    &["zstd", "--ultra", "-22", "--no-check"],
    &["zstd", "--fast=5", "--no-check"],
    &["zstd", "-3", "--no-check", "--no-content-size"],
    &["zstd", "-19", "--no-check", "--long=27"],
    &["zstd", "-3", "--check"],
    &["xz", "-0", "--check=none"],
    &["xz", "-6", "--check=none"],
    &["xz", "-6", "--check=none", "--block-size=2000"],
    &["xz", "-6", "--check=crc64"],
    &["gzip", "-6"],
];

/// Archives with contents that make encoders use all they have: repetition near and far, noise, and
/// text.
fn plain(random: &mut Random) -> Vec<Vec<u8>> {
    let noise: Vec<u8> = (0..3000)
        .map(|_| b"0123456789abcdefghijklmnopqrstuv"[random.below(32)])
        .collect();
    let words: Vec<u8> = (0..4000)
        .flat_map(|_| {
            [&b"the "[..], b"package ", b"of ", b"signatures\n"][random.below(4)].to_vec()
        })
        .collect();
    let far = [noise.as_slice(), &words, &noise].concat();
    let run = vec![b'z'; 200_000];
    [
        &[][..],
        &[Member::file("noise", &noise)],
        &[Member::file("words", &words), Member::file("again", &words)],
        &[Member::folder("usr"), Member::file("usr/far", &far)],
        &[Member::file("run", &run)],
    ]
    .into_iter()
    .map(archive)
    .collect()
}

fn damage(random: &mut Random, packed: &mut Vec<u8>) {
    let place = match random.below(4) {
        // Headers and tables of the first block.
        0 => random.below(packed.len().min(24)),
        1 => packed.len() - 1 - random.below(packed.len().min(32)),
        _ => random.below(packed.len()),
    };
    match random.below(8) {
        0..5 => packed[place] ^= 1 << random.below(8),
        5 => packed[place] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
        6 => packed.insert(place, packed[place]),
        _ => drop(packed.remove(place)),
    }
}

/// Damages `wanted` archives and tells how many the inspector took nevertheless.
pub(crate) fn run(seed: u64, wanted: usize) -> usize {
    let mut random = Random(seed);
    let mut python = Python::start();
    let plain = plain(&mut random);
    let seeds: Vec<Vec<u8>> = TOOLS
        .iter()
        .flat_map(|tool| {
            plain
                .iter()
                .map(|plain| packed_by(tool, |into| into.write_all(plain)))
        })
        .collect();
    for seed in &seeds {
        ours(seed).unwrap();
    }
    let (mut made, mut taken) = (0, 0);
    while made < wanted {
        let mut batch = Vec::new();
        for _ in 0..BATCH.min(wanted - made) {
            made += 1;
            let mut packed = seeds[random.below(seeds.len())].clone();
            for _ in 0..1 + random.below(2) {
                damage(&mut random, &mut packed);
            }
            if let Ok(found) = ours(&packed) {
                batch.push((packed, found));
            }
        }
        taken += batch.len();
        let packed: Vec<&[u8]> = batch.iter().map(|(packed, _)| packed.as_slice()).collect();
        for ((packed, found), beside) in batch.iter().zip(python.read(&packed)) {
            assert_eq!(
                beside["libarchive"],
                *found,
                "{:02x?}",
                &packed[..packed.len().min(4000)]
            );
        }
    }
    taken
}
