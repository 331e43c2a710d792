//! Packages of pacman: an archive whose own files agree with each other and with the rest of it.

use std::collections::BTreeMap;
use std::io::Read;

use sha2::{Digest as _, Sha256};
use signstar_core::VERDICT_TEXT_BYTES_MAX;

use crate::archive::{Archive, Entry, Kind};
use crate::fields::{Fields, is_architecture, is_package_name, is_packager, is_version, number};
use crate::mtree::{self, Found};
use crate::{Code, Finding};
use crate::{Identity, Refused, Rules, rules};

/// Keys of .PKGINFO, those of older versions of makepkg among them.
const PACKAGE_KEYS: [&str; 20] = [
    "pkgname",
    "pkgbase",
    "xdata",
    "pkgver",
    "pkgdesc",
    "url",
    "builddate",
    "packager",
    "size",
    "arch",
    "license",
    "replaces",
    "group",
    "conflict",
    "provides",
    "backup",
    "depend",
    "optdepend",
    "makedepend",
    "checkdepend",
];

/// Keys of .BUILDINFO, of its formats 1 and 2.
const BUILD_KEYS: [&str; 15] = [
    "format",
    "pkgname",
    "pkgbase",
    "pkgver",
    "pkgarch",
    "pkgbuild_sha256sum",
    "packager",
    "builddate",
    "builddir",
    "startdir",
    "buildtool",
    "buildtoolver",
    "buildenv",
    "options",
    "installed",
];

/// Files of the package itself. Everything else at its top that starts with a dot is refused.
const OWN: [&str; 5] = [".BUILDINFO", ".CHANGELOG", ".INSTALL", ".MTREE", ".PKGINFO"];

/// Those that are kept to be read.
const KEPT: [&str; 3] = [".BUILDINFO", ".MTREE", ".PKGINFO"];

/// A list of half a million files is some 16 MiB when compressed.
const OWN_BYTES_MAX: u64 = 32 << 20;

/// Reads a package to its end and says which one it is.
pub(crate) fn inspect<R: Read>(input: R, rules: &[Rules]) -> Result<Identity, Refused> {
    let mut archive = Archive::open(input)?;
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let mut kept: BTreeMap<String, (u64, Vec<u8>)> = BTreeMap::new();
    while let Some(entry) = archive.next()? {
        let own = OWN.contains(&entry.path.as_str());
        if entry.path.starts_with('.') && !(own && entry.kind == Kind::File) {
            return Err(Code::EntryUnknown.at(entry.position).into());
        }
        let mut content = KEPT.contains(&entry.path.as_str()).then(Vec::new);
        if own && entry.size > OWN_BYTES_MAX {
            return Err(Code::FileTooLarge.at(entry.position).into());
        }
        let facts = facts(&mut archive, &entry, &found, content.as_mut())?;
        if let Some(content) = content {
            kept.insert(entry.path.clone(), (entry.position, content));
        }
        found.insert(entry.path, facts);
    }
    let (entries, unpacked) = (archive.entries(), archive.position());
    archive.finish()?;

    let mut own = |name| kept.remove(name).ok_or(Code::EntryMissing.at(unpacked));
    let (package, build, list) = (own(".PKGINFO")?, own(".BUILDINFO")?, own(".MTREE")?);
    let identity = Identity {
        entries: u64::try_from(entries).unwrap_or(u64::MAX),
        unpacked_bytes: unpacked,
        ..identity(&package, &build)?
    };
    mtree::compare(&list.1, found, list.0)?;
    rules::judge(rules, &identity, package.0)?;
    Ok(identity)
}

/// Reads the content of `entry`, into `keep` if it is wanted.
fn facts<R: Read>(
    archive: &mut Archive<R>,
    entry: &Entry,
    found: &BTreeMap<String, Found>,
    mut keep: Option<&mut Vec<u8>>,
) -> Result<Found, Finding> {
    // A second name of a file has the same content.
    if entry.kind == Kind::HardLink {
        let target = found.get(&entry.target);
        return target.cloned().ok_or(Code::LinkTarget.at(entry.position));
    }
    let mut hash = Sha256::new();
    let mut chunk = [0; 64 * 1024];
    loop {
        let count = archive.read(&mut chunk)?;
        let bytes = chunk.get(..count).unwrap_or(&[]);
        if bytes.is_empty() {
            break;
        }
        hash.update(bytes);
        if let Some(keep) = &mut keep {
            keep.extend_from_slice(bytes);
        }
    }
    Ok(Found {
        kind: entry.kind,
        mode: entry.mode,
        owner: entry.owner,
        size: entry.size,
        sha256: hash.finalize().into(),
        target: entry.target.clone(),
    })
}

/// What the package says it is, in both places.
fn identity(package: &(u64, Vec<u8>), build: &(u64, Vec<u8>)) -> Result<Identity, Finding> {
    let ((package_at, package), (build_at, build)) = (package, build);
    let form = Code::PackageInfoForm.at(*package_at);
    let info = Fields::parse(package, &PACKAGE_KEYS).ok_or(form)?;
    let one = |key| info.one(key).ok_or(form);
    for key in ["pkgdesc", "url"] {
        one(key)?;
    }
    number(one("size")?).ok_or(form)?;
    let identity = Identity {
        kind: crate::ArtifactKind::PacmanPackage,
        name: one("pkgname")?.to_owned(),
        base: one("pkgbase")?.to_owned(),
        version: one("pkgver")?.to_owned(),
        architecture: one("arch")?.to_owned(),
        packager: one("packager")?.to_owned(),
        build_date: number(one("builddate")?).ok_or(form)?,
        ..Identity::default()
    };
    let sound = is_package_name(&identity.name)
        && is_package_name(&identity.base)
        && is_version(&identity.version)
        && is_architecture(&identity.architecture)
        && is_packager(&identity.packager);
    if !sound {
        return Err(form);
    }

    let form = Code::BuildInfoForm.at(*build_at);
    let info = Fields::parse(build, &BUILD_KEYS).ok_or(form)?;
    let one = |key| info.one(key).ok_or(form);
    let build_tool = match one("format")? {
        "1" => info.at_most_one("buildtool").ok_or(form)?.unwrap_or(""),
        "2" => one("buildtool")?,
        _ => return Err(form),
    };
    let sum = one("pkgbuild_sha256sum")?;
    let sound = sum.len() == 64
        && sum.bytes().all(|byte| byte.is_ascii_hexdigit())
        && build_tool.len() <= VERDICT_TEXT_BYTES_MAX;
    if !sound {
        return Err(form);
    }
    if one("pkgver")? != identity.version {
        return Err(Code::VersionsDiffer.at(*build_at));
    }
    if (one("pkgname")?, one("pkgbase")?) != (identity.name.as_str(), identity.base.as_str()) {
        return Err(Code::NamesDiffer.at(*build_at));
    }
    let date = number(one("builddate")?).ok_or(form)?;
    let same = one("pkgarch")? == identity.architecture
        && one("packager")? == identity.packager
        && date == identity.build_date;
    if !same {
        return Err(Code::BuildsDiffer.at(*build_at));
    }
    Ok(Identity {
        build_tool: build_tool.to_owned(),
        ..identity
    })
}
