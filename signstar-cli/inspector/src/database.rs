//! Repository databases of pacman: a folder for each package, with its description and, in the
//! variant for `pacman -F`, the list of its files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use crate::Code;
use signstar_core::VERDICT_TEXT_BYTES_MAX;

use crate::archive::{Archive, Kind};
use crate::fields::{is_architecture, is_package_name, is_version, number};
use crate::{ArtifactKind, Identity, Refused, Rules, rules};

/// Keys of a description that must be there, once, with one line.
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

/// Keys that may be there, with one line or more.
const OPTIONAL: [&str; 17] = [
    "BASE",
    "DESC",
    "GROUPS",
    "MD5SUM",
    "SHA256SUM",
    "PGPSIG",
    "URL",
    "LICENSE",
    "REPLACES",
    "CONFLICTS",
    "PROVIDES",
    "DEPENDS",
    "OPTDEPENDS",
    "MAKEDEPENDS",
    "CHECKDEPENDS",
    "XDATA",
    "FILES",
];

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
        let fields = fields(&content).ok_or(form)?;
        match file {
            "desc" => {
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
            // Older databases have the dependencies in a file of their own.
            "depends" | "files" => {}
            _ => return Err(strange.into()),
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

/// Sections of the form `%KEY%`, lines, an empty line.
fn fields(content: &[u8]) -> Option<BTreeMap<&str, Vec<&str>>> {
    let text = std::str::from_utf8(content).ok()?;
    let mut fields = BTreeMap::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let key = line.strip_prefix('%')?.strip_suffix('%')?;
        if !REQUIRED.contains(&key) && !OPTIONAL.contains(&key) {
            return None;
        }
        let section = lines.by_ref().take_while(|line| !line.is_empty());
        let values: Vec<&str> = section.take(LINES_MAX + 1).collect();
        let control = |line: &&str| line.chars().any(char::is_control);
        if values.len() > LINES_MAX
            || values.iter().any(control)
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
        || packager.len() > VERDICT_TEXT_BYTES_MAX
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
