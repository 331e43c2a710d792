//! What the inspector finds wrong with an artifact: a number, a sentence and a place.
//!
//! The numbers stand here and not with the inspector, since the login shell tells the caller the
//! sentence of a number and has no parser. docs/inspection.md lists them, and a test compares.

use std::fmt;

/// Why an artifact is refused. Each number is a promise: it keeps its meaning, and one that is no
/// longer used is not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InspectionCode {
    /// 4001
    ContainerUnknown,
    /// 4002
    ContainerDamaged,
    /// 4003
    WindowTooLarge,
    /// 4004
    ContainerUnusual,
    /// 4005
    TrailingBytes,
    /// 4006
    TooMuch,
    /// 4010
    ArchiveCut,
    /// 4011
    HeaderForm,
    /// 4012
    HeaderChecksum,
    /// 4013
    HeaderNumber,
    /// 4014
    EntryKind,
    /// 4015
    EntryName,
    /// 4016
    EntryTwice,
    /// 4017
    EntryBelowOther,
    /// 4018
    ExtensionForm,
    /// 4019
    PaddingUsed,
    /// 4020
    EntryMissing,
    /// 4021
    VersionsDiffer,
    /// 4022
    NamesDiffer,
    /// 4023
    BuildsDiffer,
    /// 4024
    PackageInfoForm,
    /// 4025
    BuildInfoForm,
    /// 4026
    FileListForm,
    /// 4027
    FileListDiffers,
    /// 4028
    LinkTarget,
    /// 4029
    EntryUnknown,
    /// 4030
    TooManyEntries,
    /// 4031
    FileTooLarge,
    /// 4040
    DatabaseEntry,
    /// 4041
    DatabaseForm,
    /// 4042
    DatabaseTwice,
    /// 4043
    DatabaseNamesDiffer,
    /// 4050
    ImageDescriptor,
    /// 4051
    ImageSize,
    /// 4052
    ImageSystemArea,
    /// 4053
    ImageFolder,
    /// 4054
    ImagePackage,
    /// 4060
    RuleName,
    /// 4061
    RuleArchitecture,
    /// 4062
    RulePackager,
    /// 4063
    RuleBuildTool,
    /// 4064
    RuleVolume,
    /// 4065
    RuleBase,
    /// 4066
    RuleBuildDate,
    /// 4067
    RuleUnpacked,
    /// 4090
    Unreadable,
}

use InspectionCode as Code;

/// Every code, its number, and what the caller is told.
#[rustfmt::skip] // a table: a row is a line
const TABLE: [(Code, u16, &str); 46] = [
    (Code::ContainerUnknown, 4001, "the artifact is neither zstd nor gzip nor xz"),
    (Code::ContainerDamaged, 4002, "the compressed data is damaged or cut"),
    (Code::WindowTooLarge, 4003, "decompressing takes more memory than is allowed"),
    (Code::ContainerUnusual, 4004, "the compression header has parts that no tool for packages writes"),
    (Code::TrailingBytes, 4005, "bytes follow the compressed data"),
    (Code::TooMuch, 4006, "the artifact unpacks to more than is allowed"),
    (Code::ArchiveCut, 4010, "the archive ends too early"),
    (Code::HeaderForm, 4011, "an archive header is not in plain ustar form"),
    (Code::HeaderChecksum, 4012, "the checksum of an archive header is wrong"),
    (Code::HeaderNumber, 4013, "a number in an archive header is not plain octal"),
    (Code::EntryKind, 4014, "the archive holds something else than files, folders and links"),
    (Code::EntryName, 4015, "a path in the archive is not plain and relative"),
    (Code::EntryTwice, 4016, "a path is in the archive twice"),
    (Code::EntryBelowOther, 4017, "a path in the archive leads through something else than a folder"),
    (Code::ExtensionForm, 4018, "an extended header says more than a path, or says it badly"),
    (Code::PaddingUsed, 4019, "bytes that must be zero are not"),
    (Code::EntryMissing, 4020, "the package lacks one of its own files"),
    (Code::VersionsDiffer, 4021, ".PKGINFO names a version that .BUILDINFO does not"),
    (Code::NamesDiffer, 4022, ".PKGINFO names a package that .BUILDINFO does not"),
    (Code::BuildsDiffer, 4023, ".PKGINFO and .BUILDINFO tell of different builds"),
    (Code::PackageInfoForm, 4024, ".PKGINFO is not what makepkg writes"),
    (Code::BuildInfoForm, 4025, ".BUILDINFO is not what makepkg writes"),
    (Code::FileListForm, 4026, ".MTREE is not what makepkg writes"),
    (Code::FileListDiffers, 4027, ".MTREE and the archive differ"),
    (Code::LinkTarget, 4028, "a hard link leads to no file before it"),
    (Code::EntryUnknown, 4029, "the package has a file of its own that no tool knows"),
    (Code::TooManyEntries, 4030, "the archive has more entries than are allowed"),
    (Code::FileTooLarge, 4031, "one of the archive's own files is larger than is allowed"),
    (Code::DatabaseEntry, 4040, "the database holds something else than descriptions of packages"),
    (Code::DatabaseForm, 4041, "a description in the database is not what repo-add writes"),
    (Code::DatabaseTwice, 4042, "the database has a package twice"),
    (Code::DatabaseNamesDiffer, 4043, "a description in the database stands in another package's folder"),
    (Code::ImageDescriptor, 4050, "the image's volume descriptors are not those of ISO 9660"),
    (Code::ImageSize, 4051, "the image is not as large as it says"),
    (Code::ImageSystemArea, 4052, "the image begins like a file of another format"),
    (Code::ImageFolder, 4053, "a folder of the image cannot be read in one way only"),
    (Code::ImagePackage, 4054, "the image has files by which pacman takes it for its own"),
    (Code::RuleName, 4060, "the rules of the key do not allow this name"),
    (Code::RuleArchitecture, 4061, "the rules of the key do not allow this architecture"),
    (Code::RulePackager, 4062, "the rules of the key do not allow this packager"),
    (Code::RuleBuildTool, 4063, "the rules of the key do not allow this build tool"),
    (Code::RuleVolume, 4064, "the rules of the key do not allow this volume"),
    (Code::RuleBase, 4065, "the rules of the key do not allow this package base"),
    (Code::RuleBuildDate, 4066, "the rules of the key do not allow this build date"),
    (Code::RuleUnpacked, 4067, "the rules of the key do not allow so much content"),
    (Code::Unreadable, 4090, "the artifact could not be read"),
];

impl InspectionCode {
    /// All of them, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(code, ..)| *code)
    }

    /// The one with this number.
    pub fn from_number(number: u16) -> Option<Self> {
        let known = TABLE.iter().find(|(_, known, _)| *known == number);
        known.map(|(code, ..)| *code)
    }

    /// Its number.
    pub fn number(self) -> u16 {
        self.row().0
    }

    /// What it tells the caller.
    pub fn sentence(self) -> &'static str {
        self.row().1
    }

    /// The same at a position.
    pub const fn at(self, position: u64) -> Finding {
        Finding {
            code: self,
            position,
        }
    }

    fn row(self) -> (u16, &'static str) {
        // A test makes sure that each has a row.
        let row = TABLE.iter().find(|(code, ..)| *code == self);
        row.map_or((4090, ""), |(_, number, sentence)| (*number, *sentence))
    }
}

/// What is wrong with an artifact, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Finding {
    /// What is wrong.
    pub code: InspectionCode,
    /// Near which byte: of the artifact where its container is wrong, otherwise of what it unpacks
    /// to.
    pub position: u64,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, sentence) = self.code.row();
        write!(f, "{number}: {sentence} (near byte {})", self.position)
    }
}

#[cfg(test)]
#[allow(
    clippy::as_conversions,
    reason = "the place of a variant has no other name"
)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_row_at_its_place() {
        for (place, code) in Code::all().enumerate() {
            // The derived order of the variants is that of the table, so none is missing.
            assert_eq!(code as usize, place);
            assert_eq!(Code::from_number(code.number()), Some(code));
        }
        assert_eq!(Code::all().count(), TABLE.len());
        assert_eq!(Code::Unreadable as usize + 1, TABLE.len());
        assert!(TABLE.is_sorted_by(|(_, one, _), (_, other, _)| one < other));
    }

    #[test]
    fn every_sentence_is_one_short_line_and_none_is_there_twice() {
        let mut told = std::collections::BTreeSet::new();
        for code in Code::all() {
            let sentence = code.sentence();
            assert!(told.insert(sentence), "{sentence}");
            let whole = format!("{}: {sentence} (near byte 7)", code.number());
            assert_eq!(code.at(7).to_string(), whole);
            assert!(sentence.is_ascii() && sentence.len() <= 80, "{sentence}");
            assert!(!sentence.ends_with('.') && !sentence.contains('\n'));
        }
    }
}
