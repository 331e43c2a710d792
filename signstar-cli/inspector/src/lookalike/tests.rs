use super::*;

/// A system area with these bytes at a place.
fn area(place: usize, bytes: &[u8]) -> Vec<u8> {
    let mut area = vec![0; 32_768];
    area[place..place + bytes.len()].copy_from_slice(bytes);
    area
}

/// The first bytes of the boot loaders that hybrid images have, of an Apple partition map, and none.
const BOOT_LOADERS: [&[u8]; 5] = [
    // isohdpfx of Syslinux.
    b"\x33\xed\x90\x90\x90\x90\x90\x90\x33\xed\xfa\x8e\xd5\xbc\x00\x7c\xfb\xfc\x66\x31",
    // boot_hybrid of GRUB.
    b"\xeb\x63\x90\x90\x90\x90\x90\x90\xeb\x49\x24\x12\x0f\x09\x00\x52\xbe\x1b\x7c\x31",
    b"\x45\x52\x08\x00\x00\x00\x90\x90",
    b"\xfa\xb8\x00\x10\x8e\xd0\xbc\x00\xb0",
    b"",
];

#[test]
fn a_boot_loader_is_nothing_else() {
    for loader in BOOT_LOADERS {
        assert!(!looks_otherwise(&area(0, loader)), "{loader:x?}");
        let table = area(510, b"\x55\xaaEFI PART");
        let with = [loader, &table[loader.len()..]].concat();
        assert!(!looks_otherwise(&with), "{loader:x?}");
    }
}

#[test]
fn each_format_is_seen_by_its_first_bytes() {
    let skippable = (0x50..=0x5f).map(|first| vec![first, 0x2a, 0x4d, 0x18, 1, 0, 0, 0]);
    let known = [
        b"\x28\xb5\x2f\xfd".as_slice(),
        b"\x1f\x8b\x08",
        b"\x1f\x9d\x90",
        b"BZh91AY&SY",
        b"BZh1\x17\x72\x45\x38\x50\x90",
        b"\xfd7zXZ\0",
        b"LZIP\0\x0c",
        b"LZIP\x01\x0c",
        b"LRZI\0\x06",
        b"\x89LZO\0\r\n\x1a\n",
        b"GRZipII\0",
        b"\x04\x22\x4d\x18",
        b"\x02\x21\x4c\x18",
        b"\xed\xab\xee\xdb\x03",
        b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\0\0\x10\0\0",
        b"\xe0\0\0\0\x04",
        b"\x5d\0\0\xf0\x03",
        b"!<arch>\n",
        b"070701",
        b"070707",
        b"\xc7\x71\0",
        b"\x71\xc7\0",
        b"\x05\0-lh5-",
        b"\x05\0-lz4-",
        b"7z\xbc\xaf\x27\x1c",
        b"xar!\0",
        b"WARC/1.0\r\n",
        b"MSCF\0\0\0\0",
        b"Rar!\x1a\x07\0",
        b"Rar!\x1a\x07\x01\0",
        b"PK\x03\x04",
        b"PK00PK\x03\x04",
        b"MZ\x90\0",
        b"\x7fELF\x02",
        b"#mtree\n",
        b"# anything \x90\n./a type=file\n",
        b"begin 644 a\n",
        b"\nbegin 644 a\n",
        b"a text\rbegin 644 a\r",
    ];
    for bytes in known.into_iter().map(<[u8]>::to_vec).chain(skippable) {
        assert!(looks_otherwise(&area(0, &bytes)), "{bytes:x?}");
        // Elsewhere they are a boot loader's own affair.
        assert!(!looks_otherwise(&area(1024, &bytes)), "{bytes:x?}");
    }
    assert!(looks_otherwise(&[b'x'; 32_768]));
    // What is nearly LZMA, and is not.
    for bytes in [b"\xe1\0\0\x80\0", b"\x5d\0\x08\0\0", b"\x5d\x01\0\x80\0"] {
        assert!(!looks_otherwise(&area(0, bytes)), "{bytes:x?}");
    }
}

#[test]
fn tar_is_seen_by_its_magic_number_and_by_its_sum() {
    for block in 0..64 {
        assert!(looks_otherwise(&area(block * 512 + 257, b"ustar")));
    }
    assert!(!looks_otherwise(&area(256, b"ustar")));
    let mut header = area(0, b".PKGINFO\0");
    header[100..107].copy_from_slice(b"0000644");
    header[20] = 0xff;
    let unsigned: u64 = header[..512].iter().map(|&byte| u64::from(byte)).sum();
    let unsigned = unsigned + 8 * u64::from(b' ');
    for sum in [unsigned, unsigned - 256] {
        for field in [
            format!("{sum:06o}\0 ").into_bytes(),
            format!("  {sum:o} ").into_bytes(),
            [&[0x80_u8; 1][..], &sum.to_be_bytes()[1..]].concat(),
        ] {
            header[148..156].fill(0);
            header[148..148 + field.len()].copy_from_slice(&field);
            assert!(looks_otherwise(&header), "{field:x?}");
            header[21] = 1;
            assert!(!looks_otherwise(&header), "{field:x?}");
            header[21] = 0;
        }
    }
}
