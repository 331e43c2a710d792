//! What the inspector takes, every reader reads the same: names, kinds, sizes, targets, contents.
//!
//! Archives are made at random, then damaged in ways that know their structure. Those that the
//! inspector takes go to libarchive, Python's tarfile, the `tar` crate and GNU tar.
//! `SIGNSTAR_MUTANTS` sets how many are made.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by a panic"
)]

#[path = "support/lib.rs"]
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use signstar_inspector::{Code, list};
use support::{Member, gzip, record};

/// xorshift64*: the same archives in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % limit
    }

    fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
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
        let content = vec![b'x'; [0, 1, 511, 512, 513, 1024][random.below(6)]];
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
    match random.below(12) {
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
        5 => {
            let size = [0_u64, 1, 512, 1 << 32][random.below(4)];
            members[at].put(124, format!("{size:011o} ").as_bytes());
            members[at].seal();
        }
        _ => damage_header(random, &mut members[at]),
    }
}

fn archive(random: &mut Random) -> Vec<u8> {
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

/// What a reader finds: path, kind, size, target, SHA-256; or why it does not.
type Found = Value;

fn ours(packed: &[u8]) -> Result<Found, Code> {
    let listed = list(packed).map_err(|found| found.code)?;
    let entries = listed.into_iter().map(|entry| {
        json!([
            entry.path,
            entry.kind,
            entry.size,
            entry.target,
            hex(&entry.sha256)
        ])
    });
    Ok(entries.collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `tar` crate.
fn of_crate(packed: &[u8]) -> Found {
    let mut archive = tar::Archive::new(GzDecoder::new(packed));
    let read = |archive: &mut tar::Archive<GzDecoder<&[u8]>>| -> std::io::Result<Vec<Value>> {
        let mut found = Vec::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            let kind = match entry.header().entry_type() {
                tar::EntryType::Regular => "file",
                tar::EntryType::Directory => "folder",
                tar::EntryType::Symlink => "symbolic link",
                tar::EntryType::Link => "hard link",
                _ => "other",
            };
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let path = if kind == "folder" {
                path.trim_end_matches('/').to_owned()
            } else {
                path
            };
            let target = match kind.ends_with("link") {
                true => String::from_utf8_lossy(&entry.link_name_bytes().unwrap_or_default())
                    .into_owned(),
                false => String::new(),
            };
            let size = entry.size();
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            found.push(json!([
                path,
                kind,
                size,
                target,
                hex(&Sha256::digest(&content))
            ]));
        }
        Ok(found)
    };
    match read(&mut archive) {
        Ok(found) => Value::from(found),
        Err(error) => Value::from(error.to_string()),
    }
}

/// GNU tar: paths, kinds, sizes and targets from its list, and all contents one after the other.
struct Gnu {
    lines: Vec<String>,
    contents: Vec<u8>,
}

fn of_gnu(plain: &[u8]) -> Option<Gnu> {
    let run = |arguments: &[&str]| {
        let mut child = Command::new("tar")
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let plain = plain.to_vec();
        let writer = std::thread::spawn(move || drop(stdin.write_all(&plain)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output.status.success().then_some(output.stdout)
    };
    let listed = run(&["-tvf", "-", "--numeric-owner", "--quoting-style=literal"])?;
    let contents = run(&["-xOf", "-"])?;
    let lines = String::from_utf8(listed).ok()?;
    Some(Gnu {
        lines: lines.lines().map(str::to_owned).collect(),
        contents,
    })
}

/// Whether GNU tar's list says the same as `found`.
fn agrees(gnu: &Gnu, found: &Found, contents: &[u8]) -> bool {
    let entries = found.as_array().unwrap();
    let line_of = |entry: &Value| -> (char, String, String) {
        let text = |index: usize| entry[index].as_str().unwrap().to_owned();
        let (path, target) = (text(0), text(3));
        match entry[1].as_str().unwrap() {
            "folder" => ('d', format!("{path}/"), String::new()),
            "symbolic link" => ('l', format!("{path} -> {target}"), String::new()),
            "hard link" => ('h', format!("{path} link to {target}"), String::new()),
            _ => ('-', path, entry[2].to_string()),
        }
    };
    gnu.contents == contents
        && gnu.lines.len() == entries.len()
        && gnu.lines.iter().zip(entries).all(|(line, entry)| {
            let (kind, tail, size) = line_of(entry);
            let said_size = line.split_whitespace().nth(2).unwrap_or("");
            let ends = line.ends_with(&format!(" {tail}"))
                || (kind == 'd' && line.ends_with(&format!(" {}", tail.trim_end_matches('/'))));
            line.starts_with(kind) && ends && (size.is_empty() || said_size == size)
        })
}

/// The readers that run beside.
struct Python {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Python {
    fn start() -> Self {
        let mut child = Command::new("python3")
            .args(["-I", "-c", include_str!("data/readers.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        }
    }

    fn read(&mut self, packed: &[u8]) -> Value {
        let length = u32::try_from(packed.len()).unwrap().to_be_bytes();
        self.stdin.write_all(&length).unwrap();
        self.stdin.write_all(packed).unwrap();
        self.stdin.flush().unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the readers say, where they differ from `found`.
fn differing(python: &mut Python, plain: &[u8], packed: &[u8], found: &Found) -> Vec<String> {
    let mut differing = Vec::new();
    let mut compare = |name: &str, other: &Found| {
        if other != found {
            differing.push(format!("{name}: {other}"));
        }
    };
    let beside = python.read(packed);
    compare("tarfile", &beside["tarfile"]);
    compare("libarchive", &beside["libarchive"]);
    compare("tar crate", &of_crate(packed));
    let contents = contents(packed);
    match of_gnu(plain) {
        Some(gnu) if agrees(&gnu, found, &contents) => {}
        Some(gnu) => differing.push(format!("GNU tar: {:?}", gnu.lines)),
        None => differing.push("GNU tar fails".to_owned()),
    }
    differing
}

/// Contents of all files, as the `tar` crate reads them: hard links have none.
fn contents(packed: &[u8]) -> Vec<u8> {
    let mut archive = tar::Archive::new(GzDecoder::new(packed));
    let mut all = Vec::new();
    for entry in archive.entries().into_iter().flatten().flatten() {
        let mut entry = entry;
        if entry.header().entry_type().is_file() {
            let _ = entry.read_to_end(&mut all);
        }
    }
    all
}

fn wanted() -> usize {
    let text = std::env::var("SIGNSTAR_MUTANTS");
    text.map_or(1500, |text| text.parse().unwrap())
}

#[test]
fn what_is_taken_every_reader_reads_the_same() {
    let mut random = Random(0x5eed_0001);
    let mut python = Python::start();
    let (mut taken, made) = (0, wanted());
    for _ in 0..made {
        let plain = archive(&mut random);
        let packed = gzip(&plain);
        let Ok(found) = ours(&packed) else { continue };
        taken += 1;
        let differing = differing(&mut python, &plain, &packed, &found);
        assert!(
            differing.is_empty(),
            "ours: {found}\n{}",
            differing.join("\n")
        );
    }
    println!("{made} archives, {taken} taken");
    assert!(taken * 10 >= made, "{taken} of {made}");
}

/// The positive control: an inspector that took what it refuses for one of these reasons would be
/// caught, since readers differ about such archives.
#[test]
fn a_looser_inspector_would_be_caught() {
    let mut random = Random(0x5eed_0002);
    let mut python = Python::start();
    for code in [
        Code::HeaderNumber,
        Code::ExtensionForm,
        Code::PaddingUsed,
        Code::EntryName,
        Code::HeaderForm,
        Code::EntryKind,
    ] {
        let caught = (0..20_000).any(|_| {
            let plain = archive(&mut random);
            let packed = gzip(&plain);
            if ours(&packed) != Err(code) {
                return false;
            }
            let beside = python.read(&packed);
            let crates = of_crate(&packed);
            beside["tarfile"] != beside["libarchive"] || beside["tarfile"] != crates
        });
        assert!(caught, "nobody differs about {code:?}");
    }
}
