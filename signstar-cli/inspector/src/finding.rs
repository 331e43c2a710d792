//! Why an artifact is refused: a number, a sentence and a place.

use std::fmt;

/// Why an artifact is refused. The number of each is a promise: it keeps its meaning, and a number
/// that is no longer used is not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
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
    /// 4090
    Unreadable,
}

impl Code {
    /// All of them, by number.
    pub const ALL: [Self; 40] = [
        Self::ContainerUnknown,
        Self::ContainerDamaged,
        Self::WindowTooLarge,
        Self::ContainerUnusual,
        Self::TrailingBytes,
        Self::TooMuch,
        Self::ArchiveCut,
        Self::HeaderForm,
        Self::HeaderChecksum,
        Self::HeaderNumber,
        Self::EntryKind,
        Self::EntryName,
        Self::EntryTwice,
        Self::EntryBelowOther,
        Self::ExtensionForm,
        Self::PaddingUsed,
        Self::EntryMissing,
        Self::VersionsDiffer,
        Self::NamesDiffer,
        Self::BuildsDiffer,
        Self::PackageInfoForm,
        Self::BuildInfoForm,
        Self::FileListForm,
        Self::FileListDiffers,
        Self::LinkTarget,
        Self::EntryUnknown,
        Self::TooManyEntries,
        Self::FileTooLarge,
        Self::DatabaseEntry,
        Self::DatabaseForm,
        Self::DatabaseTwice,
        Self::DatabaseNamesDiffer,
        Self::ImageDescriptor,
        Self::ImageSize,
        Self::RuleName,
        Self::RuleArchitecture,
        Self::RulePackager,
        Self::RuleBuildTool,
        Self::RuleVolume,
        Self::Unreadable,
    ];

    /// Its number.
    pub const fn number(self) -> u16 {
        self.entry().0
    }

    /// What it tells the caller.
    pub const fn sentence(self) -> &'static str {
        self.entry().1
    }

    const fn entry(self) -> (u16, &'static str) {
        match self {
            Self::ContainerUnknown => (4001, "the artifact is neither zstd nor gzip nor xz"),
            Self::ContainerDamaged => (4002, "the compressed data is damaged or cut"),
            Self::WindowTooLarge => (4003, "decompressing takes more memory than is allowed"),
            Self::ContainerUnusual => (
                4004,
                "the compression header has parts that no tool for packages writes",
            ),
            Self::TrailingBytes => (4005, "bytes follow the compressed data"),
            Self::TooMuch => (4006, "the artifact unpacks to more than is allowed"),
            Self::ArchiveCut => (4010, "the archive ends too early"),
            Self::HeaderForm => (4011, "an archive header is not in plain ustar form"),
            Self::HeaderChecksum => (4012, "the checksum of an archive header is wrong"),
            Self::HeaderNumber => (4013, "a number in an archive header is not plain octal"),
            Self::EntryKind => (
                4014,
                "the archive holds something else than files, folders and links",
            ),
            Self::EntryName => (4015, "a path in the archive is not plain and relative"),
            Self::EntryTwice => (4016, "a path is in the archive twice"),
            Self::EntryBelowOther => (
                4017,
                "a path in the archive leads through something else than a folder",
            ),
            Self::ExtensionForm => (
                4018,
                "an extended header says more than a path, or says it badly",
            ),
            Self::PaddingUsed => (4019, "bytes that must be zero are not"),
            Self::EntryMissing => (4020, "the package lacks one of its own files"),
            Self::VersionsDiffer => (4021, ".PKGINFO names a version that .BUILDINFO does not"),
            Self::NamesDiffer => (4022, ".PKGINFO names a package that .BUILDINFO does not"),
            Self::BuildsDiffer => (4023, ".PKGINFO and .BUILDINFO tell of different builds"),
            Self::PackageInfoForm => (4024, ".PKGINFO is not what makepkg writes"),
            Self::BuildInfoForm => (4025, ".BUILDINFO is not what makepkg writes"),
            Self::FileListForm => (4026, ".MTREE is not what makepkg writes"),
            Self::FileListDiffers => (4027, ".MTREE and the archive differ"),
            Self::LinkTarget => (4028, "a hard link leads to no file before it"),
            Self::EntryUnknown => (4029, "the package has a file of its own that no tool knows"),
            Self::TooManyEntries => (4030, "the archive has more entries than are allowed"),
            Self::FileTooLarge => (
                4031,
                "one of the archive's own files is larger than is allowed",
            ),
            Self::DatabaseEntry => (
                4040,
                "the database holds something else than descriptions of packages",
            ),
            Self::DatabaseForm => (
                4041,
                "a description in the database is not what repo-add writes",
            ),
            Self::DatabaseTwice => (4042, "the database has a package twice"),
            Self::DatabaseNamesDiffer => (
                4043,
                "a description in the database stands in another package's folder",
            ),
            Self::ImageDescriptor => (
                4050,
                "the image's volume descriptors are not those of ISO 9660",
            ),
            Self::ImageSize => (4051, "the image is not as large as it says"),
            Self::RuleName => (4060, "the rules of the key do not allow this name"),
            Self::RuleArchitecture => (4061, "the rules of the key do not allow this architecture"),
            Self::RulePackager => (4062, "the rules of the key do not allow this packager"),
            Self::RuleBuildTool => (4063, "the rules of the key do not allow this build tool"),
            Self::RuleVolume => (4064, "the rules of the key do not allow this volume"),
            Self::Unreadable => (4090, "the artifact could not be read"),
        }
    }
}

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Finding {
    /// What is wrong.
    pub code: Code,
    /// Near which byte: of the artifact where its container is wrong, otherwise of what it unpacks
    /// to.
    pub position: u64,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, sentence) = self.code.entry();
        write!(f, "{number}: {sentence} (near byte {})", self.position)
    }
}

impl Code {
    /// The same at a position.
    pub(crate) const fn at(self, position: u64) -> Finding {
        Finding {
            code: self,
            position,
        }
    }
}
