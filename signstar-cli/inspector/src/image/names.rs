//! Names in images, and which of them make a package or a database of one.

/// Files by which pacman knows a package, at the top.
const OF_PACKAGES: [&[u8]; 3] = [b".BUILDINFO", b".MTREE", b".PKGINFO"];

/// Files of a database, below a folder.
const OF_DATABASES: [&[u8]; 3] = [b"depends", b"desc", b"files"];

/// The longest name that is looked for has ten bytes; what is kept of others tells them from it.
const KEPT_BYTES: usize = 16;

/// Where the entries of a folder are, by every way that leads there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// At the top.
    pub(super) top: bool,
    /// In a folder at the top.
    pub(super) first: bool,
    /// Anywhere below a folder at the top that has a name like NAME-VERSION-RELEASE: of a path in a
    /// database, pacman looks at the first part and the last.
    pub(super) package: bool,
}

impl Place {
    pub(super) const TOP: Self = Self {
        top: true,
        first: false,
        package: false,
    };

    /// That of the entries of a folder here, which has a name `like` a package's folder.
    pub(super) fn below(self, like: bool) -> Self {
        Self {
            top: false,
            first: self.top,
            package: self.package || (self.top && like),
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            top: self.top || other.top,
            first: self.first || other.first,
            package: self.package || other.package,
        }
    }

    /// Whether pacman looks at what is here.
    pub(super) fn matters(self) -> bool {
        self.top || self.first || self.package
    }

    /// Whether an entry that may be read as `name` here is pacman's.
    pub(super) fn is_pacmans(self, name: &[u8], is_folder: bool) -> bool {
        let named = |known: &[&[u8]]| known.contains(&name);
        let package = self.top && named(&OF_PACKAGES);
        let database = (self.first || self.package) && !is_folder && named(&OF_DATABASES);
        package || database
    }
}

/// Whether a folder's name could be that of a package, its version and its release.
pub(super) fn is_like_package(name: &[u8]) -> bool {
    name.iter().filter(|&&byte| byte == b'-').count() >= 2
}

/// Whether `name` is one part of a path, whoever reads it.
pub(super) fn is_one_part(name: &[u8]) -> bool {
    !name.is_empty() && !name.iter().any(|byte| matches!(byte, b'\0' | b'/'))
}

/// A name as it stands in a record, in ASCII as far as it is; `None` if it is none.
pub(super) fn plain(name: &[u8], wide: bool) -> Option<Vec<u8>> {
    let plain = match wide {
        false => name.to_vec(),
        true => {
            let (units, []) = name.as_chunks::<2>() else {
                return None;
            };
            let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
            let text: String = char::decode_utf16(units)
                .map(|found| match found {
                    // Which normalising makes of the sign for kelvin.
                    Ok('\u{212a}') => 'K',
                    Ok(found) => found,
                    Err(_) => char::REPLACEMENT_CHARACTER,
                })
                .collect();
            text.into_bytes()
        }
    };
    is_one_part(&plain).then_some(plain)
}

/// What readers make of the name in a record: some leave the version out, and a dot at the end.
pub(super) fn readings(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_end = |byte: &u8| byte.is_ascii_digit();
    let digits = name.iter().rev().take_while(|byte| is_end(byte)).count();
    let (stem, _) = name
        .split_at_checked(name.len() - digits)
        .unwrap_or((name, &[]));
    let unversioned = stem.strip_suffix(b";").unwrap_or(name);
    let mut undotted = unversioned;
    while let Some(shorter) = undotted.strip_suffix(b".") {
        undotted = shorter;
    }
    let mut with_dot = unversioned;
    if let Some(shorter) = with_dot.strip_suffix(b".") {
        with_dot = shorter;
    }
    [name, unversioned, with_dot, undotted].into_iter()
}

/// A name that comes in pieces (RRIP, section 4.1.4).
#[derive(Clone, Debug, Default)]
pub(super) struct Alternate {
    kept: Vec<u8>,
    hyphens: usize,
    state: Progress,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Progress {
    #[default]
    Absent,
    Begun,
    Whole,
}

impl Alternate {
    /// Takes a piece, and whether more follow; `None` where it cannot be one.
    pub(super) fn add(&mut self, piece: &[u8], more: bool) -> Option<()> {
        if self.state == Progress::Whole || !is_one_part(piece) {
            return None;
        }
        self.hyphens += piece.iter().filter(|&&byte| byte == b'-').count();
        let room = KEPT_BYTES.saturating_sub(self.kept.len());
        self.kept.extend(piece.iter().take(room));
        self.state = match more {
            true => Progress::Begun,
            false => Progress::Whole,
        };
        Some(())
    }

    /// Whether there is nothing that would have to go on.
    pub(super) fn is_whole(&self) -> bool {
        self.state != Progress::Begun
    }

    pub(super) fn is_like_package(&self) -> bool {
        self.hyphens >= 2
    }

    /// Its beginning, which is all of it where that is short.
    pub(super) fn beginning(&self) -> &[u8] {
        &self.kept
    }
}
