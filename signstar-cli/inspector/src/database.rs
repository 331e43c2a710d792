//! Repository databases of pacman: a folder for each package, with its description and, in the
//! variant for `pacman -F`, the list of its files.
//!
//! libalpm reads all files of a folder with one parser (be_sync.c), and where it expects one line it takes
//! one: the next line may be the name of a section to it. So each file has sections of its own here,
//! and no value looks like the name of one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use crate::Code;
use crate::archive::{Archive, Kind};
use crate::fields::{
    is_architecture, is_package_name, is_packager, is_section, is_version, number,
};
use crate::{ArtifactKind, Identity, Refused, Rules, rules};

/// Sections of a description that must be there.
const REQUIRED: [&str; 8] = [
    "FILENAME",
    "NAME",
    "VERSION",
    "CSIZE",
    "ISIZE",
    "ARCH",
    "BUILDDATE",
    "PACKAGER",
];

/// Those that may be there, with one line, as the ones above.
const SINGLE: [&str; 6] = ["BASE", "DESC", "MD5SUM", "SHA256SUM", "PGPSIG", "URL"];

/// Those with one line or more, of packages that a package needs or is in the way of.
const DEPENDS: [&str; 7] = [
    "REPLACES",
    "CONFLICTS",
    "PROVIDES",
    "DEPENDS",
    "OPTDEPENDS",
    "MAKEDEPENDS",
    "CHECKDEPENDS",
];

/// And others.
const LISTS: [&str; 3] = ["GROUPS", "LICENSE", "XDATA"];

/// The longest line: libalpm gives up at 512 KiB.
const LINE_BYTES_MAX: usize = 256 << 10;

/// A description is a few KiB; a list of files can be some MiB.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// No package has more files than an archive has entries, nor more of anything else.
const LINES_MAX: usize = 1_000_000;

/// Reads a database to its end and says how many packages are in it.
pub(crate) fn inspect<R: Read>(input: R, rules: &[Rules]) -> Result<Identity, Refused> {
    let mut archive = Archive::open(input)?;
    let mut folders: BTreeMap<String, bool> = BTreeMap::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    while let Some(entry) = archive.next()? {
        let strange = Code::DatabaseEntry.at(entry.position);
        let (folder, file) = match entry.path.split_once('/') {
            None if entry.kind == Kind::Folder => {
                folders.insert(entry.path, false);
                continue;
            }
            Some(parts) if entry.kind == Kind::File => parts,
            _ => return Err(strange.into()),
        };
        let described = folders.get_mut(folder).ok_or(strange)?;
        if entry.size > FILE_BYTES_MAX {
            return Err(Code::FileTooLarge.at(entry.position).into());
        }
        let mut content = Vec::new();
        let mut chunk = [0; 16 * 1024];
        loop {
            let count = archive.read(&mut chunk)?;
            if count == 0 {
                break;
            }
            content.extend_from_slice(chunk.get(..count).unwrap_or(&[]));
        }
        let form = Code::DatabaseForm.at(entry.position);
        let sections: &[&[&str]] = match file {
            "desc" => &[&REQUIRED, &SINGLE, &DEPENDS, &LISTS],
            // Older databases have the dependencies in a file of their own.
            "depends" => &[&DEPENDS],
            "files" => &[&["FILES"]],
            _ => return Err(strange.into()),
        };
        let fields = fields(&content, &sections.concat()).ok_or(form)?;
        if file == "desc" {
            *described = true;
            let identity = description(&fields).ok_or(form)?;
            if folder != format!("{}-{}", identity.name, identity.version) {
                return Err(Code::DatabaseNamesDiffer.at(entry.position).into());
            }
            rules::judge(rules, &identity, entry.position)?;
            if !names.insert(identity.name) {
                return Err(Code::DatabaseTwice.at(entry.position).into());
            }
        }
    }
    let unpacked = archive.position();
    archive.finish()?;
    if folders.values().any(|described| !described) {
        return Err(Code::DatabaseEntry.at(unpacked).into());
    }
    let whole = Identity {
        kind: ArtifactKind::PacmanDatabase,
        entries: u64::try_from(names.len()).unwrap_or(u64::MAX),
        unpacked_bytes: unpacked,
        ..Identity::default()
    };
    rules::judge_size(rules, &whole)?;
    Ok(whole)
}

/// Sections of the form `%KEY%`, lines, an empty line; all of them `known`.
fn fields<'t>(content: &'t [u8], known: &[&str]) -> Option<BTreeMap<&'t str, Vec<&'t str>>> {
    let text = std::str::from_utf8(content).ok()?;
    let mut fields = BTreeMap::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let key = line.strip_prefix('%')?.strip_suffix('%')?;
        if !known.contains(&key) {
            return None;
        }
        let section = lines.by_ref().take_while(|line| !line.is_empty());
        let values: Vec<&str> = section.take(LINES_MAX + 1).collect();
        let strange = |line: &&str| {
            line.len() > LINE_BYTES_MAX || line.chars().any(char::is_control) || is_section(line)
        };
        let single = REQUIRED.contains(&key) || SINGLE.contains(&key);
        if values.len() > LINES_MAX
            || single && values.len() != 1
            || values.iter().any(strange)
            || fields.insert(key, values).is_some()
        {
            return None;
        }
    }
    Some(fields)
}

/// One package as its description tells it.
fn description(fields: &BTreeMap<&str, Vec<&str>>) -> Option<Identity> {
    let one = |key: &str| match fields.get(key)?.as_slice() {
        [value] => Some(*value),
        _ => None,
    };
    for key in ["CSIZE", "ISIZE", "BUILDDATE"] {
        number(one(key)?)?;
    }
    let (name, version, architecture) = (one("NAME")?, one("VERSION")?, one("ARCH")?);
    let base = if fields.contains_key("BASE") {
        one("BASE")?
    } else {
        name
    };
    let sound = is_package_name(name)
        && is_package_name(base)
        && is_version(version)
        && is_architecture(architecture);
    let packager = one("PACKAGER")?;
    let stem = format!("{name}-{version}-{architecture}.pkg.tar");
    let suffix = one("FILENAME")?.strip_prefix(&stem)?;
    if !sound
        || !is_packager(packager)
        || ![
            "", ".zst", ".xz", ".gz", ".bz2", ".lz4", ".lrz", ".lzo", ".Z",
        ]
        .contains(&suffix)
    {
        return None;
    }
    for (key, length) in [("SHA256SUM", 64), ("MD5SUM", 32)] {
        let hex =
            |sum: &str| sum.len() == length && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fields.contains_key(key) && !hex(one(key)?) {
            return None;
        }
    }
    Some(Identity {
        kind: ArtifactKind::PacmanDatabase,
        name: name.to_owned(),
        base: base.to_owned(),
        version: version.to_owned(),
        architecture: architecture.to_owned(),
        packager: packager.to_owned(),
        ..Identity::default()
    })
}
