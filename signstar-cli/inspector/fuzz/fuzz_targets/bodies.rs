//! What must hold for every input, one function for each layer. The fuzzer and the smoke test on the
//! stable compiler run the same ones.

use std::io::{self, Read};

use signstar_inspector::{
    ArtifactKind, Code, Finding, Identity, Listed, Order, Rules, Verdict, inspect, list,
};

#[path = "../../tests/support/lib.rs"]
pub(crate) mod support;

use support::{BUILD_INFO, Member, PACKAGE_INFO, gzip, look, package as members_of_package};

/// A packed archive: it is the same however its bytes come.
pub(crate) fn container(input: &[u8]) {
    let whole = list(input);
    assert_eq!(list(Slowly(input)), whole);
    judge_list(&whole);
}

/// A plain archive, as it is and with right checksums: what is taken leads nowhere but down.
pub(crate) fn archive(input: &[u8]) {
    judge_list(&list(gzip(input).as_slice()));
    let mut sealed = input.to_vec();
    for block in sealed.chunks_exact_mut(512) {
        if block[257..262] == *b"ustar" {
            seal(block);
        }
    }
    judge_list(&list(gzip(&sealed).as_slice()));
}

/// .PKGINFO, a zero, and .BUILDINFO, in a package that is sound otherwise.
pub(crate) fn package(input: &[u8]) {
    let found = inspect_package(input);
    judge(&found);
    if let Ok(identity) = found {
        let (info, _) = infos(input);
        for (key, said) in [
            ("pkgname", &identity.name),
            ("pkgver", &identity.version),
            ("arch", &identity.architecture),
        ] {
            let line = format!("{key} = {said}");
            assert_eq!(info.lines().filter(|found| *found == line).count(), 1);
        }
    }
}

fn infos(input: &[u8]) -> (String, String) {
    let mut parts = input.splitn(2, |&byte| byte == 0);
    let text = |part: Option<&[u8]>| String::from_utf8_lossy(part.unwrap_or(&[])).into_owned();
    (text(parts.next()), text(parts.next()))
}

pub(crate) fn inspect_package(input: &[u8]) -> Result<Identity, Finding> {
    let (info, build) = infos(input);
    let packed = gzip(&plain(&members_of_package(&info, &build, &[])));
    look(ArtifactKind::PacmanPackage, &[], packed.as_slice())
}

/// The name of a folder, a line end, and a description.
pub(crate) fn database(input: &[u8]) {
    let Some(found) = inspect_database(input) else {
        return;
    };
    judge(&found);
    if found.is_ok() {
        let text = String::from_utf8_lossy(input);
        let lines: Vec<&str> = text.split('\n').collect();
        let mut names = lines.windows(2).filter(|pair| pair[0] == "%NAME%");
        assert!(names.any(|pair| lines[0].starts_with(&format!("{}-", pair[1]))));
    }
}

pub(crate) fn inspect_database(input: &[u8]) -> Option<Result<Identity, Finding>> {
    let end = input.iter().position(|&byte| byte == b'\n')?;
    let folder = std::str::from_utf8(&input[..end]).ok()?;
    if folder.len() >= 60 {
        return None;
    }
    let members = [
        Member::folder(folder),
        Member::file(&format!("{folder}/desc"), &input[end + 1..]),
    ];
    let packed = gzip(&plain(&members));
    Some(look(ArtifactKind::PacmanDatabase, &[], packed.as_slice()))
}

/// An image.
pub(crate) fn image(input: &[u8]) {
    let found = look(ArtifactKind::Iso, &[], input);
    assert_eq!(
        look(ArtifactKind::Iso, &[], Slowly(input)).is_ok(),
        found.is_ok()
    );
    judge(&found);
    if let Ok(identity) = found {
        assert_eq!(identity.unpacked_bytes, input.len() as u64);
        assert_eq!(&input[0x8001..0x8006], b"CD001");
    }
}

/// The text of .MTREE, in a package with one file: only what is true of it is taken.
pub(crate) fn file_list(input: &[u8]) {
    let found = inspect_file_list(input);
    judge(&found);
    match found {
        Ok(_) => {
            let text = std::str::from_utf8(input).unwrap();
            let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
            assert!(text.contains(hello));
        }
        Err(finding) => assert!(matches!(
            finding.code,
            Code::FileListForm | Code::FileListDiffers
        )),
    }
}

pub(crate) fn inspect_file_list(input: &[u8]) -> Result<Identity, Finding> {
    let further = [
        Member::folder("usr"),
        Member::file("usr/greeting", b"hello"),
    ];
    let mut members = members_of_package(PACKAGE_INFO, BUILD_INFO, &further);
    members[1] = Member::file(".MTREE", &gzip(input));
    let packed = gzip(&plain(&members));
    look(ArtifactKind::PacmanPackage, &[], packed.as_slice())
}

/// Arguments with zeros between them: the rules of an order allow what their patterns say, all sets of
/// them.
pub(crate) fn order(input: &[u8]) {
    let arguments = input.split(|&byte| byte == 0);
    let arguments = arguments.map(|argument| String::from_utf8_lossy(argument).into_owned());
    let order = match Order::from_arguments(arguments) {
        Ok(order) => order,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let packed = gzip(&plain(&members_of_package(PACKAGE_INFO, BUILD_INFO, &[])));
    let on_package = Order {
        kind: ArtifactKind::PacmanPackage,
        rules: order.rules,
    };
    let verdict = inspect(&on_package, packed.as_slice());
    let identity = verdict.identity().unwrap();
    let allowed = on_package.rules.iter().all(|set| allows(set, identity));
    assert_eq!(verdict.finding().is_none(), allowed, "{on_package:?}");
    let message = verdict.encode().unwrap();
    assert_eq!(Verdict::decode(&message), Ok(verdict));
}

fn allows(set: &Rules, identity: &Identity) -> bool {
    let lists = [
        (&set.names, &identity.name),
        (&set.bases, &identity.base),
        (&set.architectures, &identity.architecture),
        (&set.packagers, &identity.packager),
        (&set.build_tools, &identity.build_tool),
    ];
    let matches = |(patterns, text): &(&Vec<String>, &String)| {
        let matches = |pattern: &String| glob(pattern.as_bytes(), text.as_bytes());
        patterns.is_empty() || patterns.iter().any(matches)
    };
    let after = |first: &u64| *first <= identity.build_date;
    let before = |last: &u64| identity.build_date <= *last;
    let small = |most: &u64| identity.unpacked_bytes <= *most;
    lists.iter().all(matches)
        && set.built_from.iter().all(after)
        && set.built_to.iter().all(before)
        && set.unpacked_bytes_max.iter().all(small)
}

/// The same as the rules' own matching, in the plainest way: a table of what matches so far.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let mut ends = vec![false; text.len() + 1];
    ends[0] = true;
    for &byte in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match byte {
                b'*' => ends[at] || at > 0 && next[at - 1],
                _ => at > 0 && ends[at - 1] && text[at - 1] == byte,
            };
        }
        ends = next;
    }
    ends[text.len()]
}

/// Whatever is found can be told.
fn judge(found: &Result<Identity, Finding>) {
    let verdict = match found {
        Ok(identity) => Verdict::Accepted(identity.clone()),
        Err(finding) => {
            assert!(!finding.to_string().contains('\n'));
            Verdict::Refused {
                finding: *finding,
                identity: None,
            }
        }
    };
    let message = verdict.encode().unwrap();
    assert_eq!(Verdict::decode(&message), Ok(verdict));
}

/// Every path goes down, and is there once.
fn judge_list(listed: &Result<Vec<Listed>, Finding>) {
    let Ok(listed) = listed else { return };
    let mut paths: Vec<&str> = listed.iter().map(|entry| entry.path.as_str()).collect();
    for path in &paths {
        assert!(path.split('/').all(|name| !["", ".", ".."].contains(&name)));
        assert!(!path.chars().any(char::is_control));
    }
    let all = paths.len();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), all);
}

/// Members and the shortest end.
fn plain(members: &[Member]) -> Vec<u8> {
    let mut bytes: Vec<u8> = members.iter().flat_map(Member::bytes).collect();
    bytes.extend([0; 1024]);
    bytes
}

fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// A reader that never gives more than seven bytes.
struct Slowly<'i>(&'i [u8]);

impl Read for Slowly<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(7);
        self.0.read(&mut into[..most])
    }
}
