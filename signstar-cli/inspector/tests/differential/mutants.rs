//! Archives at random, damaged in ways that know their structure.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{Member, record};

/// xorshift64*: the same archives in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % limit
    }

    pub(crate) fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len())]
    }
}

/// Some members that belong together.
fn members(random: &mut Random) -> Vec<Member> {
    let mut members = vec![Member::folder("usr")];
    for number in 0..1 + random.below(5) {
        let path = format!(
            "usr/{}{number}",
            random.pick(&["a", "file name", "ö", "-x", "b.tar"])
        );
        let letter = b"abcdef"[number];
        let content = vec![letter; [0, 1, 511, 512, 513, 1024][random.below(6)]];
        let member = match random.below(6) {
            0 => Member::folder(&path),
            1 => Member::link(&path, random.pick(&["usr", "/etc", "../x", "ö"])),
            2 => {
                let long = format!("usr/{}/{number}", "d".repeat(120));
                members.push(Member::extension(&record("path", &long)));
                Member::file(&path, &content)
            }
            3 => {
                // A content that is an archive itself.
                let nested = Member::file("usr/nested", b"nested").bytes();
                Member::file(&path, &nested)
            }
            _ => Member::file(&path, &content),
        };
        members.push(member);
    }
    if random.below(4) == 0 {
        members.remove(0);
    }
    let file = members.iter().find(|member| member.header[156] == b'0');
    if let Some(file) = file.filter(|_| random.below(3) == 0) {
        let end = file.header.iter().position(|&byte| byte == 0);
        let name = &file.header[..end.unwrap().min(100)];
        let target = String::from_utf8(name.to_vec()).unwrap();
        members.push(Member::hard_link("usr/hard", &target));
    }
    members
}

/// Places and texts in headers that readers have disagreed about.
fn damage_header(random: &mut Random, member: &mut Member) {
    let numbers: [&[u8]; 14] = [
        b"00000000000 ",
        b"00000000000\0",
        b"0\0\0\0\0\0\0\0\0\0\0\0",
        b"0           ",
        b"1 1 1 1 1 1 ",
        b"\x80\0\0\0\0\0\0\0\0\0\x02\0",
        b"           1",
        b"000000001000",
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"-0000000001 ",
        b"+0000000001 ",
        b"0x000000001 ",
        b"00000001000 ",
        b"7\0junkjunkj\0",
    ];
    let names: [&[u8]; 12] = [
        b"usr/zz\0",
        b"usr/zz/\0",
        b"./usr/zz\0",
        b"/usr/zz\0",
        b"usr/../zz\0",
        b"usr//zz\0",
        b"usr/zz\0hidden\0",
        b"\0",
        b"usr/\xff\0",
        b"usr/z\nz\0",
        b"usr\\zz\0",
        b"usr/zz \0",
    ];
    match random.below(10) {
        0 => {
            let number = random.pick(&numbers);
            member.put([124, 136][random.below(2)], number);
        }
        1 => {
            let number = random.pick(&numbers);
            member.put([100, 108, 116, 329, 337][random.below(5)], &number[..8]);
        }
        2 => {
            let name = random.pick(&names);
            member.put(0, name);
        }
        3 => {
            let name = random.pick(&names);
            member.put(157, name);
        }
        4 => {
            let prefix: &[u8] =
                random.pick(&[&b"pre\0"[..], b"pre/\0", b"/pre\0", b"..\0", b"p\0x"]);
            member.put(345, prefix);
        }
        5 => member.header[156] = *b"01234567xgLKSDMN\0A"[random.below(18)..].first().unwrap(),
        6 => {
            let magic: &[u8] = random.pick(&[
                &b"ustar\x0000"[..],
                b"ustar  \0",
                b"ustar\x0001",
                b"\0\0\0\0\0\0\0\0",
            ]);
            member.put(257, magic);
        }
        7 => {
            let text: &[u8] = random.pick(&[&b"somebody\0"[..], b"\xff\xfe\0", b"0\0", b"a b\0"]);
            member.put([265, 297][random.below(2)], text);
        }
        8 => member.header[random.below(512)] ^= 1 << random.below(8),
        _ => member.header[500 + random.below(12)] = *random.pick(&[&0_u8, &b'0', &0xff]),
    }
    if random.below(20) > 0 {
        member.seal();
    }
}

fn damage(random: &mut Random, members: &mut Vec<Member>) {
    let at = random.below(members.len());
    match random.below(14) {
        0 => {
            let twice = members[at].clone();
            members.push(twice);
        }
        1 => {
            members.remove(at);
            if members.is_empty() {
                members.push(Member::file("usr", b""));
            }
        }
        2 => {
            let other = random.below(members.len());
            members.swap(at, other);
        }
        3 | 4 => {
            let key = random.pick(&[
                "path",
                "linkpath",
                "size",
                "mtime",
                "uid",
                "GNU.sparse.size",
                "hdrcharset",
            ]);
            let value = random.pick(&[
                "usr/zz", "0", "512", "1.5", "usr/zz/", "BINARY", "", "usr/\0x", "ö",
            ]);
            let mut records = record(key, value);
            match random.below(8) {
                0 => records.extend(record("path", "usr/second")),
                1 => records[0] ^= 1,
                2 => records.push(0),
                3 => {
                    let last = records.len() - 1;
                    records[last] = b' ';
                }
                _ => {}
            }
            members.insert(at, Member::extension(&records));
        }
        6 => {
            // What an archive begins with, and libarchive looks at.
            let magic: [&[u8]; 6] = [
                b"\x1f\x8b\x08\x04\x01",
                b"BZh91AY&SY",
                b"\x28\xb5\x2f\xfd\x20",
                b"070701",
                b"#mtree",
                b"LRZI\0",
            ];
            let magic = random.pick(&magic);
            let first = match random.below(2) {
                0 => Member::file("name", b"x"),
                _ => Member::extension(&record("path", "usr/first")),
            };
            members.insert(0, first.with(0, magic));
            if members[0].header[156] == b'x' {
                members.insert(1, Member::file("usr/renamed", b"y"));
            }
        }
        7 => {
            // A long or foreign target.
            let target = random.pick(&["usr/../etc", "t/", "/", "a//b", "ö", "a b", "\u{85}"]);
            members.insert(at, Member::extension(&record("linkpath", target)));
            members.insert(at + 1, Member::link("usr/to", random.pick(&["", "cut"])));
        }
        5 => {
            let size = [0_u64, 1, 512, 1 << 32][random.below(4)];
            members[at].put(124, format!("{size:011o} ").as_bytes());
            members[at].seal();
        }
        _ => damage_header(random, &mut members[at]),
    }
}

/// An archive that is damaged in no, one or two places.
pub(crate) fn archive(random: &mut Random) -> Vec<u8> {
    let mut members = members(random);
    for _ in 0..random.below(3) {
        damage(random, &mut members);
    }
    let mut bytes: Vec<u8> = members.iter().flat_map(Member::bytes).collect();
    match random.below(12) {
        0 => bytes.extend([0; 512]),
        1 => {
            bytes.extend([0; 1024]);
            bytes.extend(Member::file("usr/behind", b"").bytes());
            bytes.extend([0; 1024]);
        }
        2 => {
            let place = random.below(bytes.len());
            bytes[place] ^= 1 << random.below(8);
            bytes.extend([0; 1024]);
        }
        3 => {
            let place = random.below(bytes.len() / 512) * 512;
            bytes.splice(place..place, [0; 512]);
            bytes.extend([0; 1024]);
        }
        4 => {
            bytes.truncate(random.below(bytes.len()));
        }
        _ => bytes.resize((bytes.len() + 1024).next_multiple_of(10_240), 0),
    }
    bytes
}

/// Packed as one member of gzip; one in eight is damaged there, too.
pub(crate) fn pack(random: &mut Random, plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(plain).unwrap();
    let mut packed = encoder.finish().unwrap();
    match random.below(64) {
        0 => packed.push([0, 0x1f, b'x'][random.below(3)]),
        1 => packed.extend(packed.clone()),
        2 => {
            let place = random.below(packed.len());
            packed[place] ^= 1 << random.below(8);
        }
        3 => {
            let place = random.below(12);
            packed[place] ^= 1 << random.below(8);
        }
        4 => packed.truncate(packed.len() - 1 - random.below(12)),
        5 => {
            // A name in the header, which gzip writes; and what it does not.
            packed[3] |= [0x08, 0x04, 0x10, 0x02][random.below(4)];
            packed.splice(10..10, b"name\0".iter().copied());
        }
        6 => {
            // A member of nothing, before or behind.
            let nothing = GzEncoder::new(Vec::new(), Compression::none())
                .finish()
                .unwrap();
            match random.below(2) {
                0 => packed.extend(nothing),
                _ => packed = [nothing, packed].concat(),
            }
        }
        7 => {
            let last = packed.len() - 1 - random.below(8);
            packed[last] ^= 1 << random.below(8);
        }
        _ => {}
    }
    packed
}
