//! A strict reader of the one packet that is ever released for a key of version 4: whatever is
//! not exactly in the profile is an error. It is written from RFC 9580 alone and shares no code
//! with what writes the packet.

/// A detached signature of version 4 in the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// OpenPGP id of the public-key algorithm.
    pub algorithm: u8,
    /// OpenPGP id of the hash algorithm.
    pub hash: u8,
    /// Creation time, in seconds since 1970.
    pub created: u64,
    /// Fingerprint of the key that signed, upper-case hexadecimal.
    pub issuer: String,
    /// The first two bytes of the digest.
    pub digest_start: [u8; 2],
    /// The signature's numbers, big-endian and without leading zeros.
    pub numbers: Vec<Vec<u8>>,
}

/// Reads `bytes`, which must be one packet.
///
/// # Errors
/// What is not as the profile wants it.
pub fn read(bytes: &[u8]) -> Result<Packet, &'static str> {
    let mut packet = Reader(bytes);
    let length = match packet.byte()? {
        0x88 => usize::from(packet.byte()?),
        0x89 => match packet.short()? {
            length @ 256.. => length,
            _ => return Err("length in more bytes than needed"),
        },
        _ => return Err("not an old header of a signature packet"),
    };
    let mut body = Reader(packet.take(length)?);
    packet.end()?;
    if body.byte()? != 4 {
        return Err("not version 4");
    }
    if body.byte()? != 0x00 {
        return Err("not a signature of a binary document");
    }
    let algorithm = body.byte()?;
    let hash = body.byte()?;
    let hashed = subpackets(&mut body)?;
    let unhashed = subpackets(&mut body)?;
    let digest_start = [body.byte()?, body.byte()?];
    let count = match algorithm {
        1 => 1,
        19 | 22 => 2,
        _ => return Err("neither RSA nor ECDSA nor EdDSALegacy"),
    };
    let numbers: Result<Vec<_>, _> = (0..count).map(|_| number(&mut body)).collect();
    body.end()?;

    let [(2, created), (33, issuer)] = hashed.as_slice() else {
        return Err("hashed: not creation time and issuer fingerprint");
    };
    let created: [u8; 4] = (*created).try_into().map_err(|_| "creation time")?;
    let Some((4, fingerprint)) = issuer.split_first() else {
        return Err("issuer is not of version 4");
    };
    let [(16, key_id)] = unhashed.as_slice() else {
        return Err("unhashed: not the issuer's key id alone");
    };
    if fingerprint.len() != 20 || *key_id != &fingerprint[12..] {
        return Err("key id and fingerprint differ");
    }
    Ok(Packet {
        algorithm,
        hash,
        created: u32::from_be_bytes(created).into(),
        issuer: crate::encoding::hex(fingerprint).to_uppercase(),
        digest_start,
        numbers: numbers?,
    })
}

/// The types and values of an area's subpackets, none of them critical.
fn subpackets<'b>(body: &mut Reader<'b>) -> Result<Vec<(u8, &'b [u8])>, &'static str> {
    let length = body.short()?;
    let mut area = Reader(body.take(length)?);
    let mut found = Vec::new();
    while !area.0.is_empty() {
        let length = area.byte()?;
        if length >= 192 {
            return Err("subpacket of 192 bytes or more");
        }
        match area.take(length.into())?.split_first() {
            Some((0x80.., _)) => return Err("critical subpacket"),
            Some((kind, value)) => found.push((*kind, value)),
            None => return Err("empty subpacket"),
        }
    }
    Ok(found)
}

/// A number with its length in bits, which must be exact (RFC 9580, section 3.2).
fn number(body: &mut Reader<'_>) -> Result<Vec<u8>, &'static str> {
    let bits = body.short()?;
    let bytes = body.take(bits.div_ceil(8))?;
    let first = bytes.first().ok_or("a number is zero")?;
    let unused = usize::try_from(first.leading_zeros()).unwrap();
    if bytes.len() * 8 - unused != bits {
        return Err("a number's length in bits is not exact");
    }
    Ok(bytes.to_vec())
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("cut short")?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, &'static str> {
        Ok(self.take(1)?[0])
    }

    fn short(&mut self) -> Result<usize, &'static str> {
        let bytes = self.take(2)?;
        Ok(usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
    }

    fn end(&self) -> Result<(), &'static str> {
        self.0.is_empty().then_some(()).ok_or("something follows")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut body = vec![4, 0, 22, 10, 0, 29, 5, 2, 1, 2, 3, 4, 22, 33, 4];
        body.extend([7; 20]);
        body.extend([0, 10, 9, 16]);
        body.extend([7; 8]);
        body.extend([0xaa, 0xbb, 0, 9, 1, 0xff, 0, 1, 1]);
        [&[0x88, u8::try_from(body.len()).unwrap()][..], &body].concat()
    }

    #[test]
    fn reads_what_is_in_the_profile() {
        let packet = read(&sample()).unwrap();
        assert_eq!(packet.created, 0x0102_0304);
        assert_eq!(packet.issuer, "07".repeat(20));
        assert_eq!(packet.numbers, [vec![1, 0xff], vec![1]]);
    }

    #[test]
    fn refuses_what_is_not_in_the_profile() {
        let length = sample().len();
        for (at, byte) in [
            (0, 0xc2),
            (1, 1),
            (2, 3),
            (3, 0x10),
            (4, 17),
            (9, 0x82),
            (9, 3),
            (15, 32),
            (16, 6),
            (40, 0x90),
            (41, 8),
            (length - 1, 0),
            (length - 5, 0),
            (length - 5, 3),
            (length - 6, 16),
        ] {
            let mut changed = sample();
            assert_ne!(changed[at], byte, "{at}");
            changed[at] = byte;
            assert!(read(&changed).is_err(), "{at} {byte}");
        }
        for end in 0..length {
            assert!(read(&sample()[..end]).is_err(), "{end}");
        }
        assert!(read(&[sample(), vec![0]].concat()).is_err());
    }
}
