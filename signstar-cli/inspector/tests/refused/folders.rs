//! Folders of images: what pacman would find there, and what readers could find elsewhere.

use signstar_inspector::Code;

use crate::image::{SECTOR, image, judge, primary, put_folder, record, volume};

/// Its size in sectors; the root is the last but one.
const SECTORS: usize = 48;
const ROOT: usize = 20;

/// An image whose folders are these, each with its sector, the one above it, and its records.
fn with(folders: &[(usize, usize, Vec<Vec<u8>>)]) -> Vec<u8> {
    with_roots(folders, false)
}

/// The same whose names are those of Joliet where it is `wide`; the primary volume is empty then.
fn with_roots(folders: &[(usize, usize, Vec<Vec<u8>>)], wide: bool) -> Vec<u8> {
    let mut terminator = [0; SECTOR];
    terminator[..7].copy_from_slice(b"\xffCD001\x01");
    let mut first = primary(SECTORS as u32);
    let mut second = volume(2, SECTORS as u32);
    second[88..91].copy_from_slice(b"%/E");
    let root = record(&[0], ROOT as u32, Some(2048), &[]);
    let descriptors = match wide {
        false => {
            first[156..190].copy_from_slice(&root);
            [first, terminator, terminator]
        }
        true => {
            second[156..190].copy_from_slice(&root);
            [first, second, terminator]
        }
    };
    let mut bytes = image(&descriptors, SECTORS);
    for (at, above, records) in folders {
        put_folder(&mut bytes, *at, *above, records);
    }
    bytes
}

fn file(name: &[u8]) -> Vec<u8> {
    record(name, 40, None, &[])
}

fn folder(name: &[u8], at: usize) -> Vec<u8> {
    record(name, at as u32, Some(2048), &[])
}

fn field(signature: &[u8], content: &[u8]) -> Vec<u8> {
    let head = [signature[0], signature[1], content.len() as u8 + 4, 1];
    [&head, content].concat()
}

fn name_field(flags: u8, name: &[u8]) -> Vec<u8> {
    field(b"NM", &[&[flags], name].concat())
}

/// Where extensions go on.
fn area_field(sector: usize, offset: usize, bytes: usize) -> Vec<u8> {
    let numbers = [sector, offset, bytes].map(|number| crate::image::both(number as u32));
    field(b"CE", &numbers.concat())
}

fn mode_field(mode: u32) -> Vec<u8> {
    let zero = crate::image::both(0);
    field(
        b"PX",
        &[crate::image::both(mode), zero, zero, zero].concat(),
    )
}

/// A file, or a folder, with these extensions.
fn used(at: Option<usize>, uses: &[Vec<u8>]) -> Vec<u8> {
    let (location, bytes) = (at.unwrap_or(40), at.map(|_| 2048));
    record(b"OTHER.;1", location as u32, bytes, &uses.concat())
}

fn wide(name: &str) -> Vec<u8> {
    name.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// Puts extensions at the start of a sector.
fn put(mut image: Vec<u8>, sector: usize, fields: &[Vec<u8>]) -> Vec<u8> {
    let bytes = fields.concat();
    image[sector * SECTOR..][..bytes.len()].copy_from_slice(&bytes);
    image
}

#[test]
pub(crate) fn what_pacman_takes_for_its_own_is_refused_by_every_name() {
    let root = |records: &[Vec<u8>]| with(&[(ROOT, ROOT, records.to_vec())]);
    let below = |folder: Vec<u8>, records: &[Vec<u8>]| {
        with(&[(ROOT, ROOT, vec![folder]), (21, ROOT, records.to_vec())])
    };
    let deep = |name: &[u8], records: &[Vec<u8>]| {
        with(&[
            (ROOT, ROOT, vec![folder(name, 21)]),
            (21, ROOT, vec![folder(b"B", 22)]),
            (22, 21, records.to_vec()),
        ])
    };
    let spelled = [name_field(1, b".PKG"), name_field(0, b"INFO")];
    let apart = root(&[used(None, &[area_field(30, 0, 9), spelled[0].clone()])]);
    let package_below = |name: &[u8]| {
        with(&[
            (ROOT, ROOT, vec![used(Some(21), &[name_field(0, name)])]),
            (21, ROOT, vec![folder(b"B", 22)]),
            (22, 21, vec![used(None, &[name_field(0, b"desc")])]),
        ])
    };
    let joliet = |top: Vec<u8>, inner: Vec<u8>| {
        with_roots(&[(ROOT, ROOT, vec![top]), (21, ROOT, vec![inner])], true)
    };
    let refused = [
        root(&[file(b".PKGINFO")]),
        root(&[file(b".PKGINFO;1")]),
        root(&[file(b".PKGINFO.;1")]),
        root(&[file(b".PKGINFO.")]),
        root(&[file(b".PKGINFO;23")]),
        root(&[file(b"A"), file(b".BUILDINFO")]),
        root(&[file(b"A"), file(b".MTREE;1")]),
        root(&[used(None, &[name_field(0, b".PKGINFO")])]),
        root(&[used(
            None,
            &[mode_field(0o100_644), name_field(0, b".PKGINFO")],
        )]),
        root(&[used(None, &spelled)]),
        put(apart, 30, &spelled[1..]),
        below(folder(b"A", 21), &[file(b"desc")]),
        below(folder(b"linux-9-1", 21), &[file(b"files;1")]),
        below(
            folder(b"A", 21),
            &[used(None, &[name_field(0, b"depends")])],
        ),
        deep(b"linux-9-1", &[file(b"desc")]),
        package_below(b"linux-9-1"),
        joliet(file(&wide(".PKGINFO")), file(&wide("A"))),
        joliet(file(&wide(".P\u{212a}GINFO;1")), file(&wide("A"))),
        joliet(folder(&wide("a"), 21), file(&wide("desc;1"))),
    ];
    for (number, bytes) in refused.iter().enumerate() {
        assert_eq!(judge(bytes), Err(Code::ImagePackage), "case {number}");
    }
    // Of the folder's name, which might be a package's, the end was not known yet.
    let late = with(&[
        (ROOT, ROOT, vec![used(Some(21), &[area_field(30, 0, 8)])]),
        (21, ROOT, vec![folder(b"B", 22)]),
        (22, 21, vec![file(b"desc")]),
    ]);
    let late = put(late, 30, &[name_field(0, b"a-b")]);
    assert_eq!(judge(&late), Err(Code::ImagePackage));
    let taken = [
        root(&[]),
        root(&[file(b"desc"), file(b"files"), file(b"depends")]),
        root(&[file(b"PKGINFO"), file(b".PKGINFO2"), file(b".pkginfo")]),
        root(&[used(None, &[name_field(0, b".PKGINFO-and-more-than-that")])]),
        below(folder(b"A", 21), &[file(b".PKGINFO")]),
        below(
            folder(b"A", 21),
            &[folder(b"desc", 22), folder(b"files", 23)],
        ),
        deep(b"A", &[file(b"desc"), file(b".PKGINFO")]),
        deep(b"a-b", &[file(b"files")]),
        package_below(b"a-b"),
        joliet(folder(&wide("a-b-c"), 21), file(&wide("ü"))),
    ];
    for (number, bytes) in taken.into_iter().enumerate() {
        let mut bytes = bytes;
        for (at, above) in [(22, 21), (23, 21)] {
            if bytes[at * SECTOR] == b'c' {
                put_folder(&mut bytes, at, above, &[]);
            }
        }
        let found = judge(&bytes);
        assert!(found.is_ok(), "case {number}: {found:?}");
    }
}

#[test]
pub(crate) fn folders_that_readers_could_find_elsewhere_are_refused() {
    let root = |records: &[Vec<u8>]| with(&[(ROOT, ROOT, records.to_vec())]);
    let changed = |at: usize, byte: u8| {
        let mut bytes = with(&[
            (ROOT, ROOT, vec![folder(b"A", 21)]),
            (21, ROOT, vec![file(b"B")]),
        ]);
        judge(&bytes).unwrap();
        bytes[at] = byte;
        bytes
    };
    // The records of the root: itself, the one above, and the folder `A`.
    let (own, above, inner) = (ROOT * SECTOR, ROOT * SECTOR + 34, ROOT * SECTOR + 68);
    let mut over_the_end = root(&vec![file(b"A"); 58]);
    judge(&over_the_end).unwrap();
    over_the_end[own + 2040] = 34;
    let of = |fields: &[Vec<u8>]| root(&[used(None, fields)]);
    let area = |sector, offset, bytes| area_field(sector, offset, bytes);
    let whole = name_field(0, b"name");
    let refused = [
        // Behind it, in itself, behind the end, over another, of two sizes.
        root(&[folder(b"A", 19)]),
        root(&[folder(b"A", ROOT)]),
        root(&[folder(b"A", SECTORS)]),
        root(&[record(b"A", 47, Some(4096), &[])]),
        root(&[record(b"A", 21, Some(4096), &[]), folder(b"B", 22)]),
        root(&[record(b"A", 21, Some(4096), &[]), folder(b"B", 21)]),
        root(&[record(b"A", 21, Some(0), &[])]),
        root(&[record(b"A", 21, Some(100), &[])]),
        // Nothing that begins as a folder.
        root(&[folder(b"A", 21)]),
        changed(own, 33),
        changed(own + 2, 21),
        changed(own + 10, 1),
        changed(own + 33, 1),
        changed(above + 33, 2),
        changed(inner, 32),
        over_the_end,
        changed(inner + 1, 1),
        changed(inner + 2, 22),
        changed(inner + 6, 1),
        changed(inner + 17, 1),
        changed(inner + 25, 0x82),
        changed(inner + 26, 1),
        changed(inner + 27, 1),
        changed(inner + 32, 0),
        changed(inner + 32, 2),
        changed(inner + 33, 0),
        changed(inner + 33, b'/'),
        root(&[file(b"a-1-1/desc")]),
        // Extensions: of no or another form, with names that are none or two.
        of(&[vec![b'N', b'M', 3, 1]]),
        of(&[vec![b'N', b'M', 9, 1, 0, b'x']]),
        of(&[vec![b'N', b'M', 6, 2, 0, b'x']]),
        of(&[vec![b'n', b'm', 6, 1, 0, b'x']]),
        of(&[vec![0, 0, 6, 1, 0, b'x']]),
        of(&[name_field(0, b"")]),
        of(&[name_field(0, b"a/b")]),
        of(&[name_field(0, b"a\0")]),
        of(&[name_field(2, b"")]),
        of(&[name_field(1, b"a")]),
        of(&[whole.clone(), whole.clone()]),
        of(&[mode_field(0o040_755), whole.clone()]),
        root(&[used(Some(21), &[mode_field(0o100_644)])]),
        of(&[field(b"SP", &[0xbe, 0xef, 4])]),
        of(&[field(b"CL", &crate::image::both(21))]),
        // More of them: passed, behind the end, over the end of a sector, twice, without end, absent.
        of(&[area(19, 0, 8)]),
        of(&[area(SECTORS, 0, 8)]),
        of(&[area(30, 2047, 2)]),
        of(&[area(30, 0, 0), area(30, 0, 0)]),
        put(of(&[area(30, 0, 28)]), 30, &[area(30, 0, 28)]),
        put(of(&[area(30, 0, 28)]), 30, &[area(29, 0, 28)]),
        of(&[area(30, 0, 8)]),
        of(&[area(ROOT, 0, 34)]),
        root(&[used(None, &[area(21, 0, 34)]), folder(b"A", 21)]),
    ];
    for (number, bytes) in refused.iter().enumerate() {
        assert_eq!(judge(bytes), Err(Code::ImageFolder), "case {number}");
    }
    let taken = [
        of(&[mode_field(0o100_644), whole.clone(), vec![0]]),
        of(&[
            field(b"SP", &[0xbe, 0xef, 0]),
            field(b"XX", b"any"),
            whole.clone(),
        ]),
        put(
            of(&[area(30, 4, 9)]),
            30,
            &[vec![0; 4], name_field(0, b"name")],
        ),
        // Two in one sector, one of which goes on in it, and in another.
        put(
            put(
                of(&[area(30, 0, 28)]),
                30,
                &[area(30, 28, 28), area(31, 0, 9)],
            ),
            31,
            std::slice::from_ref(&whole),
        ),
        // The same folder by two ways.
        with(&[
            (ROOT, ROOT, vec![folder(b"A", 21), folder(b"B", 21)]),
            (21, ROOT, vec![]),
        ]),
    ];
    for (number, bytes) in taken.iter().enumerate() {
        let found = judge(bytes);
        assert!(found.is_ok(), "case {number}: {found:?}");
    }
    // The same by two ways of which one makes a package's of what is in it.
    let merged = with(&[
        (ROOT, ROOT, vec![folder(b"A", 21), folder(b"b-1-1", 21)]),
        (21, ROOT, vec![folder(b"C", 22)]),
        (22, 21, vec![file(b"desc")]),
    ]);
    assert_eq!(judge(&merged), Err(Code::ImagePackage));
}
