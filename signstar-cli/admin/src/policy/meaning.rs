//! What the numbers of refused artifacts mean, and what to do.

use signstar_core::InspectionCode as Code;

/// What `code` means to whoever built or sent the artifact.
#[rustfmt::skip] // a table: a row is a line
pub(super) const fn of(code: Code) -> &'static str {
    match code {
        Code::ContainerUnknown => "The first bytes are not those of zstd, gzip or xz. Plain archives and other compressions are refused, and so is a file of another kind than the key signs. Look whether the right file was sent, and with the right account.",
        Code::ContainerDamaged => "Decompressing failed, a checksum is wrong, or the data ends too early. The upload may have been cut: send it again. If it is refused again, build it again.",
        Code::WindowTooLarge => "Whoever installs it would need much memory to decompress it, more than `zstd --ultra -22` asks for. Compress it with less.",
        Code::ContainerUnusual => "Skippable frames, dictionaries, and header fields that makepkg and repo-add never write are places where bytes hide that some programs read and others do not. Build it with the usual tools.",
        Code::TrailingBytes => "Exactly one frame, member or stream is taken; some programs read on behind it, and others stop. Look for what was appended.",
        Code::TooMuch => "It unpacks to more than 1000 times its size and 4 GiB on top, which no artifact of use does.",
        Code::ArchiveCut => "The archive ends in the middle of an entry, or without its end mark. Build it again.",
        Code::HeaderForm => "Only POSIX ustar headers as libarchive writes them are taken: no GNU or old tar, nothing in fields that are unused. Build it with makepkg or repo-add.",
        Code::HeaderChecksum => "The header was changed after it was written. Build it again.",
        Code::HeaderNumber => "Programs read numbers in binary or with signs differently. Build it with makepkg or repo-add.",
        Code::EntryKind => "Devices, pipes, sparse files and whatever else is refused; a package has no use for them.",
        Code::EntryName => "Paths that are absolute, have `..`, `.` or empty parts, control characters, or are too long end up at different places with different programs.",
        Code::EntryTwice => "Which of the two counts depends on the program.",
        Code::EntryBelowOther => "What lies below a link or file ends up where the link leads, with some programs.",
        Code::ExtensionForm => "Extended headers may override the path and the target of a link, nothing else: a size or a charset in them is read by some programs and not by others.",
        Code::PaddingUsed => "Bytes behind contents or in unused parts of headers are zero, or they hide something.",
        Code::EntryMissing => "A package has .PKGINFO, .BUILDINFO and .MTREE. Older versions of makepkg did not write all of them: build it again.",
        Code::VersionsDiffer => "The package was changed after makepkg built it, or put together from two.",
        Code::NamesDiffer => "The package was changed after makepkg built it, or put together from two.",
        Code::BuildsDiffer => "Architecture, packager or build date differ: the package was changed after makepkg built it.",
        Code::PackageInfoForm => "A field that must be there once is not, a field is unknown, or a name or version has characters that it must not have.",
        Code::BuildInfoForm => "A field that must be there once is not, a field is unknown, or its format is newer than this program.",
        Code::FileListForm => "The list is not what bsdtar writes for makepkg.",
        Code::FileListDiffers => "Kind, owner, mode, size, contents or target of a link differ from the list, or one of both lacks an entry: the package was changed after makepkg built it.",
        Code::LinkTarget => "A hard link must lead to a file that comes before it in the archive.",
        Code::EntryUnknown => "At the top of a package only its own files start with a dot. pacman may give another one a meaning one day.",
        Code::TooManyEntries => "The archive has more than a million entries.",
        Code::FileTooLarge => "One of the files that describe the package or a package of the database is larger than any that makepkg or repo-add write.",
        Code::DatabaseEntry => "A database has a folder for each package with desc, files and depends in it, and nothing else.",
        Code::DatabaseForm => "A section is unknown, there twice, or missing, or the file's name is not that of the package.",
        Code::DatabaseTwice => "A package is there in two versions or two folders. Which one pacman takes is not defined: remove one with repo-remove.",
        Code::DatabaseNamesDiffer => "The folder's name is not the name and version that the description in it tells.",
        Code::ImageDescriptor => "Behind the first 32 KiB no primary volume descriptor of ISO 9660 was found, or no end of the descriptors.",
        Code::ImageSize => "The image was cut, or something was appended to it that neither the volume nor a partition table tells of.",
        Code::ImageSystemArea => "Its first bytes are those of an archive, of compressed data, of a program or of a text, which pacman and others would read instead of the image. They belong to a boot loader, or are zero.",
        Code::ImageFolder => "Folders stand in one piece before what is in files, each behind the one that it is in and over none, with numbers and Rock Ridge names in plain form: so xorriso and mkisofs write them.",
        Code::ImagePackage => "pacman installs an image with .PKGINFO at its top, and reads one with desc, files or depends in a folder as a database: .PKGINFO, .BUILDINFO and .MTREE may not be at the top, nor those three in a folder there.",
        Code::RuleName => "The configuration allows this key, account or caller other names. Look at the record for the name that was found.",
        Code::RuleArchitecture => "The configuration allows this key, account or caller other architectures.",
        Code::RulePackager => "The configuration allows this key, account or caller other packagers: is PACKAGER set in makepkg.conf where it was built?",
        Code::RuleBuildTool => "The configuration wants another program to have built it, devtools say.",
        Code::RuleVolume => "The configuration allows this key, account or caller other volume identifiers: see `xorriso -V`.",
        Code::RuleBase => "The configuration allows this key, account or caller packages of other package bases.",
        Code::RuleBuildDate => "It was built too long ago, or in the future: was SOURCE_DATE_EPOCH set, and are the clocks right?",
        Code::RuleUnpacked => "It unpacks to more than the configuration allows this key, account or caller.",
        Code::Unreadable => "The inspector could not read from its pipe. The operator finds out why.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_explained_in_sentences() {
        for code in Code::all() {
            let meaning = of(code);
            assert!(
                meaning.ends_with(['.', '?']) && meaning.len() > 40,
                "{code:?}"
            );
        }
    }
}
