//! Archives made byte by byte, so that each of them can be wrong in one place.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic, and each test program uses a part of this"
)]

use std::io::{self, Read, Write};
use std::process::{ChildStdin, Command, Output, Stdio};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use signstar_inspector::{ArtifactKind, Finding, Identity, Order, Verdict, inspect};

/// What the inspector says of `input` by one set of rules, each `RULE=VALUE`.
pub(crate) fn look<R: Read>(
    kind: ArtifactKind,
    rules: &[&str],
    input: R,
) -> Result<Identity, Finding> {
    let arguments = [kind.name(), "--"].into_iter().chain(rules.iter().copied());
    let order = Order::from_arguments(arguments.map(str::to_owned)).unwrap();
    match inspect(&order, input) {
        Verdict::Accepted(identity) => Ok(identity),
        Verdict::Refused { finding, .. } => Err(finding),
    }
}

/// What a command makes of what `write` gives it.
pub(crate) fn through(command: &mut Command, write: impl FnOnce(&mut ChildStdin) + Send) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || write(&mut stdin));
        child.wait_with_output().unwrap()
    })
}

/// What a program packs of what `write` gives it.
pub(crate) fn packed_by(
    tool: &[&str],
    write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send,
) -> Vec<u8> {
    let mut command = Command::new(tool[0]);
    let output = through(command.args(&tool[1..]).arg("-c"), |stdin| {
        write(stdin).unwrap()
    });
    assert!(output.status.success(), "{tool:?}");
    output.stdout
}

/// One header and what follows it, before anything is done to it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) header: [u8; 512],
    pub(crate) content: Vec<u8>,
}

impl Member {
    /// A member of type `kind` as bsdtar writes it.
    pub(crate) fn new(kind: u8, path: &str, mode: u32, target: &str, content: &[u8]) -> Self {
        let mut member = Self {
            header: [0; 512],
            content: content.to_vec(),
        };
        let (prefix, name) = split(path);
        member.put(0, name.as_bytes());
        member.put(100, format!("{mode:06o} \0").as_bytes());
        member.put(108, b"000000 \x00000000 \0");
        member.put(124, format!("{:011o} ", content.len()).as_bytes());
        member.put(136, format!("{:011o} ", 1_700_000_000).as_bytes());
        member.header[156] = kind;
        member.put(157, target.as_bytes());
        member.put(257, b"ustar\x0000root");
        member.put(297, b"root");
        member.put(329, b"000000 \x00000000 \0");
        member.put(345, prefix.as_bytes());
        member.seal();
        member
    }

    pub(crate) fn file(path: &str, content: &[u8]) -> Self {
        Self::new(b'0', path, 0o644, "", content)
    }

    pub(crate) fn folder(path: &str) -> Self {
        Self::new(b'5', &format!("{path}/"), 0o755, "", b"")
    }

    pub(crate) fn link(path: &str, target: &str) -> Self {
        Self::new(b'2', path, 0o777, target, b"")
    }

    pub(crate) fn hard_link(path: &str, target: &str) -> Self {
        Self::new(b'1', path, 0o644, target, b"")
    }

    /// An extended header with these records as they are.
    pub(crate) fn extension(records: &[u8]) -> Self {
        Self::new(b'x', "PaxHeader/x", 0o644, "", records)
    }

    /// Replaces bytes of the header, with a checksum that is right again.
    pub(crate) fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        self.put(at, bytes);
        self.seal();
        self
    }

    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.header[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn seal(&mut self) {
        self.put(148, b"        ");
        let sum: u32 = self.header.iter().map(|&byte| u32::from(byte)).sum();
        self.put(148, format!("{sum:06o}\0 ").as_bytes());
    }

    /// Header, content, and zeros up to the next block.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.to_vec();
        bytes.extend_from_slice(&self.content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }
}

fn split(path: &str) -> (&str, &str) {
    if path.len() <= 100 {
        return ("", path);
    }
    let at = path[..path.len() - 1].rfind('/').unwrap();
    (&path[..at], &path[at + 1..])
}

/// One record of an extended header.
pub(crate) fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}

/// An archive of these members, with its end.
pub(crate) fn archive(members: &[Member]) -> Vec<u8> {
    let mut bytes: Vec<u8> = members.iter().flat_map(Member::bytes).collect();
    bytes.resize((bytes.len() + 1024).next_multiple_of(10_240), 0);
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) const PACKAGE_INFO: &str = "# Generated by makepkg 7.1.0\npkgname = trial\npkgbase = trial\n\
    xdata = pkgtype=pkg\npkgver = 1:2.0-3\npkgdesc = A trial\nurl = \nbuilddate = 1700000000\n\
    packager = Somebody <somebody@example.org>\nsize = 4\narch = x86_64\n";

pub(crate) const BUILD_INFO: &str = "format = 2\npkgname = trial\npkgbase = trial\npkgver = 1:2.0-3\n\
    pkgarch = x86_64\n\
    pkgbuild_sha256sum = 7cb1739bdd38314c21fcb16ae351c95580514d152dd64b1a3647261ce8117f40\n\
    packager = Somebody <somebody@example.org>\nbuilddate = 1700000000\nbuilddir = /build\n\
    startdir = /startdir\nbuildtool = makepkg\nbuildtoolver = 7.1.0\n";

/// The members of a package with these two files and further members; `.MTREE` fits them.
pub(crate) fn package(info: &str, build: &str, further: &[Member]) -> Vec<Member> {
    let mut members = vec![
        Member::file(".BUILDINFO", build.as_bytes()),
        Member::file(".PKGINFO", info.as_bytes()),
    ];
    members.extend_from_slice(further);
    let list = list(&members);
    members.insert(1, Member::file(".MTREE", &gzip(list.as_bytes())));
    members
}

/// The text of `.MTREE` for these members.
pub(crate) fn list(members: &[Member]) -> String {
    let mut text = "#mtree\n/set type=file uid=0 gid=0 mode=644\n".to_owned();
    for member in members {
        let field = |at: usize, length: usize| -> String {
            let bytes = &member.header[at..at + length];
            let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(length);
            String::from_utf8_lossy(&bytes[..end]).into_owned()
        };
        let path = field(0, 100);
        let path = path.trim_end_matches('/');
        let mode = field(100, 6);
        let mode = mode.trim_start_matches('0');
        let sum: String = Sha256::digest(&member.content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        text += &match member.header[156] {
            b'5' => format!("./{path} time=1700000000.0 mode={mode} type=dir\n"),
            b'2' => format!(
                "./{path} time=1700000000.0 mode=777 type=link link={}\n",
                field(157, 100)
            ),
            b'0' => format!(
                "./{path} time=1700000000.0 mode={mode} size={} sha256digest={sum}\n",
                member.content.len()
            ),
            other => panic!("no line for type {other}"),
        };
    }
    text
}
