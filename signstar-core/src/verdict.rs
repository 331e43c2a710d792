//! What the inspector says of an artifact, as a message of fixed size.
//!
//! The inspector may have been taken over by the artifact, so the message is read as strictly as any
//! input: one size, one form, bounded texts without control characters. Nothing in it reaches the
//! signature but by a configured notation; its texts go into records.

use crate::finding::{Finding, InspectionCode};

/// The size of every message, in bytes.
pub const VERDICT_BYTES: usize = 1024;

/// The first bytes of a message, with its version.
const MAGIC: [u8; 4] = *b"SSV1";

/// The longest text, in bytes.
pub const VERDICT_TEXT_BYTES_MAX: usize = 128;

/// What an artifact can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArtifactKind {
    /// A package for pacman, `*.pkg.tar.zst` say.
    #[default]
    PacmanPackage,
    /// A repository's database, `*.db` or `*.files`.
    PacmanDatabase,
    /// A bootable or other image with an ISO 9660 file system.
    Iso,
}

impl ArtifactKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PacmanPackage, Self::PacmanDatabase, Self::Iso];

    /// Its name in configuration and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PacmanPackage => "pacman-package",
            Self::PacmanDatabase => "pacman-database",
            Self::Iso => "iso",
        }
    }

    /// The rules that an artifact of this kind can be judged by, as the configuration calls them. A
    /// database tells of packages that may be old and does not say what built them.
    #[rustfmt::skip] // a table: a row is a line
    pub const fn rules(self) -> &'static [&'static str] {
        match self {
            Self::PacmanPackage => &["name", "base", "architecture", "packager", "build-tool", "build-age-days-max", "unpacked-bytes-max"],
            Self::PacmanDatabase => &["name", "base", "architecture", "packager", "unpacked-bytes-max"],
            Self::Iso => &["volume", "unpacked-bytes-max"],
        }
    }

    const fn octet(self) -> u8 {
        match self {
            Self::PacmanPackage => 1,
            Self::PacmanDatabase => 2,
            Self::Iso => 3,
        }
    }
}

/// What an artifact says it is. What a kind does not have is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// What it is.
    pub kind: ArtifactKind,
    /// The package's name, or the image's volume identifier.
    pub name: String,
    /// The name of what the package was built with others from.
    pub base: String,
    /// `[EPOCH:]VERSION-RELEASE`.
    pub version: String,
    /// What it runs on.
    pub architecture: String,
    /// Who built it, as they say.
    pub packager: String,
    /// The program that built it, as it says.
    pub build_tool: String,
    /// When it was built, in seconds since 1970, as it says; 0 where it does not.
    pub build_date: u64,
    /// Entries of a package, packages of a database.
    pub entries: u64,
    /// How many bytes it unpacks to.
    pub unpacked_bytes: u64,
}

/// What the inspector says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is what it should be.
    Accepted(Identity),
    /// It is not.
    Refused {
        /// What is wrong with it, and where.
        finding: Finding,
        /// What it says it is, where that was found before.
        identity: Option<Identity>,
    },
}

/// The message is not one. The request is refused; the inspector may have been taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the inspector's verdict is malformed")]
pub struct VerdictError;

impl Verdict {
    /// The message.
    ///
    /// # Errors
    /// A text is longer than [`VERDICT_TEXT_BYTES_MAX`] or has control characters in it.
    pub fn encode(&self) -> Result<[u8; VERDICT_BYTES], VerdictError> {
        let mut bytes = MAGIC.to_vec();
        let (number, position) = self
            .finding()
            .map_or((0, 0), |finding| (finding.code.number(), finding.position));
        bytes.extend(number.to_be_bytes());
        bytes.extend(position.to_be_bytes());
        match self.identity() {
            None => bytes.push(0),
            Some(identity) => identity.encode(&mut bytes)?,
        }
        bytes.resize(VERDICT_BYTES, 0);
        bytes.try_into().map_err(|_| VerdictError)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// Anything that [`Verdict::encode`] would not have written exactly so.
    pub fn decode(message: &[u8; VERDICT_BYTES]) -> Result<Self, VerdictError> {
        let mut parts = Parts(message);
        if parts.take::<4>()? != MAGIC {
            return Err(VerdictError);
        }
        let number = u16::from_be_bytes(parts.take()?);
        let position = u64::from_be_bytes(parts.take()?);
        let verdict = match (number, Identity::decode(&mut parts)?) {
            (0, Some(identity)) if position == 0 => Self::Accepted(identity),
            (0, _) => return Err(VerdictError),
            (_, identity) => Self::Refused {
                finding: InspectionCode::from_number(number)
                    .ok_or(VerdictError)?
                    .at(position),
                identity,
            },
        };
        match parts.0.iter().all(|&byte| byte == 0) {
            true => Ok(verdict),
            false => Err(VerdictError),
        }
    }
}

impl Verdict {
    /// What is wrong with the artifact, if something is.
    pub fn finding(&self) -> Option<Finding> {
        match self {
            Self::Accepted(_) => None,
            Self::Refused { finding, .. } => Some(*finding),
        }
    }

    /// What the artifact says it is, as far as that was found.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Accepted(identity) => Some(identity),
            Self::Refused { identity, .. } => identity.as_ref(),
        }
    }
}

impl Identity {
    fn encode(&self, bytes: &mut Vec<u8>) -> Result<(), VerdictError> {
        bytes.push(self.kind.octet());
        for (_, text) in self.texts() {
            if !is_text(text) {
                return Err(VerdictError);
            }
            bytes.push(u8::try_from(text.len()).map_err(|_| VerdictError)?);
            bytes.extend_from_slice(text.as_bytes());
        }
        for number in [self.build_date, self.entries, self.unpacked_bytes] {
            bytes.extend(number.to_be_bytes());
        }
        Ok(())
    }

    fn decode(parts: &mut Parts<'_>) -> Result<Option<Self>, VerdictError> {
        let [octet] = parts.take()?;
        if octet == 0 {
            return Ok(None);
        }
        let mut kinds = ArtifactKind::ALL.into_iter();
        Ok(Some(Self {
            kind: kinds
                .find(|kind| kind.octet() == octet)
                .ok_or(VerdictError)?,
            name: parts.text()?,
            base: parts.text()?,
            version: parts.text()?,
            architecture: parts.text()?,
            packager: parts.text()?,
            build_tool: parts.text()?,
            build_date: u64::from_be_bytes(parts.take()?),
            entries: u64::from_be_bytes(parts.take()?),
            unpacked_bytes: u64::from_be_bytes(parts.take()?),
        }))
    }

    /// What it says of itself, with the names of that.
    pub fn texts(&self) -> [(&'static str, &str); 6] {
        [
            ("name", &self.name),
            ("base", &self.base),
            ("version", &self.version),
            ("architecture", &self.architecture),
            ("packager", &self.packager),
            ("build tool", &self.build_tool),
        ]
    }
}

fn is_text(text: &str) -> bool {
    text.len() <= VERDICT_TEXT_BYTES_MAX && !text.chars().any(char::is_control)
}

/// What is left of a message.
struct Parts<'m>(&'m [u8]);

impl Parts<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], VerdictError> {
        let (part, rest) = self.0.split_first_chunk().ok_or(VerdictError)?;
        self.0 = rest;
        Ok(*part)
    }

    fn text(&mut self) -> Result<String, VerdictError> {
        let [length] = self.take()?;
        let (part, rest) = self.0.split_at_checked(length.into()).ok_or(VerdictError)?;
        self.0 = rest;
        let text = std::str::from_utf8(part).map_err(|_| VerdictError)?;
        match is_text(text) {
            true => Ok(text.to_owned()),
            false => Err(VerdictError),
        }
    }
}

#[cfg(test)]
mod tests;
