//! Hostile input: refused, by one verdict behind the end of the input, in bounded memory.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use signstar_inspector::Code;

use crate::program::{Running, run};
use crate::support::{BUILD_INFO, Member, PACKAGE_INFO, archive, gzip, package, packed_by, record};

const PACKAGE: &[&str] = &["pacman-package"];
const DATABASE: &[&str] = &["pacman-database"];

/// The limit of its address space; what it has resident can only be less.
const LIMIT_KIB: u64 = 768 << 10;

/// What is enough where no window of 128 MiB and no list of a million paths is needed.
const SMALL_KIB: u64 = 64 << 10;

/// A sound package.
fn sound() -> Vec<Member> {
    package(PACKAGE_INFO, BUILD_INFO, &[Member::file("file", b"hello")])
}

fn zeros(into: &mut dyn Write, mib: usize) -> io::Result<()> {
    (0..mib).try_for_each(|_| into.write_all(&[0; 1 << 20]))
}

const TOOLS: [&[&str]; 3] = [&["gzip", "-1"], &["xz", "-0"], &["zstd", "-1"]];

#[test]
fn a_sound_package_is_accepted() {
    let end = run(PACKAGE, &gzip(&archive(&sound())));
    assert_eq!(end.identity().name, "trial");
}

#[test]
fn zeros_behind_the_end_are_refused_in_every_compression() {
    for tool in TOOLS {
        let plain = archive(&sound());
        let bomb = packed_by(tool, |into| {
            into.write_all(&plain)?;
            zeros(into, 512)
        });
        assert!(bomb.len() < 4 << 20, "{tool:?} {}", bomb.len());
        let end = run(PACKAGE, &bomb);
        assert_eq!(end.code(), Code::TooMuch, "{tool:?}");
        assert!(end.peak_kib < SMALL_KIB, "{tool:?} {}", end.peak_kib);
    }
}

/// What unpacks to 8 GiB from a quarter of a megabyte.
#[test]
fn a_file_of_zeros_beyond_the_ratio_is_refused() {
    let header = Member::file("zeros", b"").with(124, b"77777777777 ").header;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3, 0, 16, 0];
    frame.extend(header);
    let repeated = (128_u32 << 10) << 3 | 1 << 1;
    frame.extend(
        [&repeated.to_le_bytes()[..3], &[0]]
            .concat()
            .repeat(64 << 10),
    );
    let end = run(PACKAGE, &frame);
    assert_eq!(end.code(), Code::TooMuch);
    assert!(end.peak_kib < SMALL_KIB, "{}", end.peak_kib);
}

#[test]
fn windows_beyond_128_mib_are_refused_before_they_are_there() {
    let zstd = packed_by(
        &["zstd", "--ultra", "-22", "--long=28", "--no-content-size"],
        |into| into.write_all(&archive(&sound())),
    );
    let xz = packed_by(&["xz", "--lzma2=preset=0,dict=256MiB"], |into| {
        into.write_all(&archive(&sound()))
    });
    for (name, bomb) in [("zstd", zstd), ("xz", xz)] {
        let end = run(PACKAGE, &bomb);
        assert_eq!(end.code(), Code::WindowTooLarge, "{name}");
        assert!(end.peak_kib < SMALL_KIB, "{name} {}", end.peak_kib);
    }
}

/// The largest window that is taken, and as many paths and targets as are taken, at once.
#[test]
fn the_most_that_is_taken_stays_below_the_limit() {
    const ENTRIES: usize = 1_000_000;
    let wide = packed_by(&["zstd", "-1", "--long=27"], |into| {
        (0..ENTRIES).try_for_each(|number| {
            let target = if number % 100 == 0 {
                "x".repeat(95)
            } else {
                "x".into()
            };
            let name = format!("{number:090}");
            into.write_all(&Member::new(b'2', &name, 0o777, &target, b"").header)
        })?;
        into.write_all(&[0; 1024])
    });
    let end = run(PACKAGE, &wide);
    assert_eq!(end.code(), Code::EntryMissing);
    assert!(end.peak_kib > 300 << 10, "{}", end.peak_kib);
    assert!(end.peak_kib < LIMIT_KIB, "{}", end.peak_kib);
}

#[test]
fn more_entries_than_allowed_are_refused() {
    let many = packed_by(&["zstd", "-1"], |into| {
        (0..=1_000_000).try_for_each(|number| {
            into.write_all(&Member::file(&format!("{number:x}"), b"").header)
        })
    });
    let end = run(PACKAGE, &many);
    assert_eq!(end.code(), Code::TooManyEntries);
    assert!(end.peak_kib < LIMIT_KIB, "{}", end.peak_kib);
}

/// Every folder of a path is kept, so a path of 2000 folders would take four megabytes.
#[test]
fn paths_that_are_deep_or_long_are_refused_when_they_take_too_much() {
    let deep = |number: usize| format!("{number}/{}f", "d/".repeat(2000));
    let long = |number: usize| format!("{number}{}", format!("/{}", "n".repeat(250)).repeat(16));
    let paths: [&(dyn Fn(usize) -> String + Sync); 2] = [&deep, &long];
    for path in paths {
        let bomb = packed_by(&["zstd", "-1"], |into| {
            (0..40_000).try_for_each(|number| {
                let path = record("path", &path(number));
                into.write_all(&Member::extension(&path).bytes())?;
                into.write_all(&Member::file("x", b"").header)
            })
        });
        let end = run(PACKAGE, &bomb);
        assert_eq!(end.code(), Code::TooManyEntries);
        assert!(end.peak_kib < 400 << 10, "{}", end.peak_kib);
    }
    // Targets of links count, too.
    let target = record("linkpath", &"t".repeat(4000));
    let bomb = packed_by(&["zstd", "-1"], |into| {
        (0..40_000).try_for_each(|number| {
            into.write_all(&Member::extension(&target).bytes())?;
            into.write_all(&Member::link(&format!("l{number}"), "t").header)
        })
    });
    let end = run(PACKAGE, &bomb);
    assert_eq!(end.code(), Code::TooManyEntries);
    assert!(end.peak_kib < 400 << 10, "{}", end.peak_kib);
}

#[test]
fn names_that_are_too_long_are_refused() {
    let name = record("path", &"n".repeat(256));
    let members = [Member::extension(&name), Member::file("x", b"")];
    assert_eq!(
        run(PACKAGE, &gzip(&archive(&members))).code(),
        Code::EntryName
    );
    let name = record("path", &"n/".repeat(5200));
    let members = [Member::extension(&name), Member::file("x", b"")];
    let end = run(PACKAGE, &gzip(&archive(&members)));
    assert_eq!(end.code(), Code::ExtensionForm);
}

/// Archives and compression inside of files are contents; inside of the container they are nothing.
#[test]
fn nesting_is_not_followed() {
    let mut packed = gzip(&archive(&sound()));
    for _ in 0..3 {
        let members = package(PACKAGE_INFO, BUILD_INFO, &[Member::file("inner", &packed)]);
        packed = gzip(&archive(&members));
    }
    assert_eq!(run(PACKAGE, &packed).identity().entries, 4);
    let twice = gzip(&packed);
    assert_eq!(run(PACKAGE, &twice).code(), Code::HeaderForm);
}

#[test]
fn a_file_list_without_an_end_is_refused() {
    let endless = |line: &str, mib: usize| {
        let text = line.repeat((1 << 20) / line.len());
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"#mtree\n").unwrap();
        (0..mib).for_each(|_| encoder.write_all(text.as_bytes()).unwrap());
        encoder.finish().unwrap()
    };
    let settings = format!("/set time={}\n", "0".repeat(30_000));
    for list in [endless("x", 512), endless(&settings, 512)] {
        let mut members = sound();
        members[1] = Member::file(".MTREE", &list);
        let end = run(PACKAGE, &gzip(&archive(&members)));
        assert_eq!(end.code(), Code::FileListForm);
        assert!(end.peak_kib < SMALL_KIB, "{}", end.peak_kib);
    }
}

#[test]
fn a_description_of_many_lines_is_refused() {
    for line in ["a\n", "\n", "%NAME%\n"] {
        let text = format!("%FILES%\n{}", line.repeat((60 << 20) / line.len()));
        let members = [
            Member::folder("a-1-1"),
            Member::file("a-1-1/files", text.as_bytes()),
        ];
        let end = run(DATABASE, &gzip(&archive(&members)));
        let expected = if line == "\n" {
            Code::DatabaseEntry
        } else {
            Code::DatabaseForm
        };
        assert_eq!(end.code(), expected, "{line:?}");
        assert!(end.peak_kib < 4 * SMALL_KIB, "{line:?} {}", end.peak_kib);
    }
}

#[test]
fn what_is_cut_anywhere_is_refused() {
    for tool in TOOLS {
        let plain = archive(&sound());
        let whole = packed_by(tool, |into| into.write_all(&plain));
        for part in 0..64 {
            let code = run(PACKAGE, &whole[..whole.len() * part / 64]).code();
            let expected = [
                Code::ContainerDamaged,
                Code::ContainerUnusual,
                Code::ContainerUnknown,
            ];
            assert!(expected.contains(&code), "{tool:?} {part}: {code:?}");
        }
    }
    for kind in ["pacman-package", "pacman-database", "iso"] {
        let code = run(&[kind], b"").code();
        let expected = [Code::ContainerUnknown, Code::ImageSize];
        assert!(expected.contains(&code), "{kind}: {code:?}");
    }
}

/// So much goes in without its memory growing, and nothing comes out.
#[track_caller]
fn assert_does_not_grow(arguments: &[&str], start: &[u8], piece: &[u8]) {
    let mut running = Running::start(arguments);
    assert!(running.feed(start));
    let mut seen = Vec::new();
    for _ in 0..8 {
        for _ in 0..(8 << 20) / piece.len() {
            assert!(running.feed(piece));
        }
        running.settle();
        running.assert_silent();
        seen.push(running.high_water());
    }
    let (first, last) = (seen[0], seen[seen.len() - 1]);
    assert!(last <= first + 512, "{seen:?}");
    running.end().code();
}

#[test]
fn a_stream_without_an_end_does_not_grow_it() {
    let zeros = vec![0; 1 << 20];
    // Refused long ago; behind the end of an archive; empty blocks of zstd; and an image.
    assert_does_not_grow(PACKAGE, b"", &zeros);
    assert_does_not_grow(PACKAGE, &gzip(&archive(&sound())), &zeros);
    let header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3];
    assert_does_not_grow(PACKAGE, &header, &vec![0; 3 << 18]);
    assert_does_not_grow(&["iso"], b"", &zeros);
    // An empty file name in the header of gzip, without its end.
    let header = [0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
    assert_does_not_grow(PACKAGE, &header, &vec![b'n'; 1 << 20]);
}

/// As a caller sends who wants to hold it up: each byte is read when it comes, and keeps nothing.
#[test]
fn bytes_one_by_one_are_the_same() {
    let packed = gzip(&archive(&sound()));
    let mut running = Running::start(PACKAGE);
    for byte in &packed {
        assert!(running.feed(&[*byte]));
        running.settle();
        running.assert_silent();
    }
    let end = running.end();
    assert_eq!(end.identity().name, "trial");
    assert!(end.peak_kib < SMALL_KIB, "{}", end.peak_kib);
}

#[test]
fn without_an_order_nothing_is_read() {
    for arguments in [
        &[][..],
        &["any"],
        &["iso", "volume=X"],
        &["iso", "--", "x=y"],
    ] {
        let end = Running::start(arguments).end();
        assert_eq!((end.status.code(), end.stdout.len()), (Some(64), 0));
    }
}
