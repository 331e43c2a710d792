//! A list of what may be signed, by digest: for artifacts that nobody can look into.
//!
//! Absent: reading it from a file, and who may write that.

use crate::digest::{Digest, HashAlgorithm};

/// Digests of artifacts, all by one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestList {
    algorithm: HashAlgorithm,
    /// One behind the other: whoever keeps this in locked memory has little of that.
    digests: Vec<u8>,
}

/// Not a list of digests. Whoever wrote it must mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestListError {
    /// It has no digest in it.
    #[error("the list has no digest in it")]
    Empty,
    /// A line is not what sha256sum or sha512sum write.
    #[error("line {0} of the list is not 'HEX  NAME' with a SHA-256 or SHA-512")]
    Line(usize),
    /// A line has a digest by another algorithm than the lines before it.
    #[error("line {0} of the list has another kind of digest than the lines before it")]
    Mixed(usize),
}

impl DigestList {
    /// Reads what sha256sum(1) or sha512sum(1) print: lower-case digits, a space, a space or `*`,
    /// and a name, which is for people. Empty lines and lines that start with `#` are passed over.
    ///
    /// # Errors
    /// See [`DigestListError`].
    pub fn parse(text: &str) -> Result<Self, DigestListError> {
        let mut algorithm = None;
        let mut digests = Vec::with_capacity(text.len() / 2);
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (digits, name) = line.split_once(' ').ok_or(DigestListError::Line(number))?;
            let hash = match digits.len() {
                64 => HashAlgorithm::Sha256,
                128 => HashAlgorithm::Sha512,
                _ => return Err(DigestListError::Line(number)),
            };
            if !name.starts_with([' ', '*']) || name.len() < 2 {
                return Err(DigestListError::Line(number));
            }
            if *algorithm.get_or_insert(hash) != hash {
                return Err(DigestListError::Mixed(number));
            }
            let digest = Digest::from_hex(hash, digits).ok_or(DigestListError::Line(number))?;
            digests.extend_from_slice(digest.as_bytes());
        }
        let algorithm = algorithm.ok_or(DigestListError::Empty)?;
        Ok(Self { algorithm, digests })
    }

    /// The algorithm of all its digests.
    pub fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// Whether `digest` stands in it.
    pub fn contains(&self, digest: &Digest) -> bool {
        let bytes = digest.as_bytes();
        digest.algorithm() == self.algorithm
            && self
                .digests
                .chunks_exact(bytes.len())
                .any(|one| one == bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn reads_what_the_tools_print() {
        let text = format!("# allowed\n\n{ONE}  a file\n{} *b\n", ONE.replace('0', "f"));
        let list = DigestList::parse(&text).unwrap();
        assert_eq!(list.algorithm(), HashAlgorithm::Sha256);
        let digest = |text: &str| Digest::from_hex(HashAlgorithm::Sha256, text).unwrap();
        assert!(list.contains(&digest(ONE)));
        assert!(list.contains(&digest(&ONE.replace('0', "f"))));
        assert!(!list.contains(&digest(&ONE.replace('0', "e"))));
        let long = format!("{ONE}{ONE}  x");
        let list = DigestList::parse(&long).unwrap();
        assert_eq!(list.algorithm(), HashAlgorithm::Sha512);
    }

    #[test]
    fn refuses_every_other_line_and_names_it() {
        for line in [
            ONE.to_owned(),
            format!("{ONE} x"),
            format!("{ONE} a file"),
            format!("{ONE}  "),
            format!("{}  x", ONE.to_uppercase()),
            format!("{}  x", &ONE[1..]),
            format!("\\{ONE}  x"),
            format!(" {ONE}  x"),
            "-----BEGIN PGP SIGNED MESSAGE-----".to_owned(),
        ] {
            let text = format!("{ONE}  good\n{line}\n");
            assert_eq!(
                DigestList::parse(&text),
                Err(DigestListError::Line(2)),
                "{line}"
            );
        }
        let mixed = format!("{ONE}  a\n{ONE}{ONE}  b\n");
        assert_eq!(DigestList::parse(&mixed), Err(DigestListError::Mixed(2)));
        for nothing in ["", "\n", "# nothing\n"] {
            assert_eq!(DigestList::parse(nothing), Err(DigestListError::Empty));
        }
    }
}
