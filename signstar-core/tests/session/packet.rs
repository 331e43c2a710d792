//! A reader of signature packets that shares no code with what writes them (RFC 9580, 5.2.3).

/// A subpacket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subpacket {
    pub(crate) kind: u8,
    pub(crate) is_critical: bool,
    pub(crate) body: Vec<u8>,
}

/// A signature packet, taken apart.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) tag: u8,
    pub(crate) version: u8,
    pub(crate) signature_type: u8,
    pub(crate) key_algorithm: u8,
    pub(crate) hash_algorithm: u8,
    pub(crate) hashed_area: Vec<u8>,
    pub(crate) hashed: Vec<Subpacket>,
    pub(crate) unhashed: Vec<Subpacket>,
    pub(crate) prefix: [u8; 2],
    pub(crate) salt: Vec<u8>,
    pub(crate) numbers: Vec<u8>,
}

struct Reader<'r>(&'r [u8]);

impl<'r> Reader<'r> {
    fn take(&mut self, count: usize) -> &'r [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn number(&mut self, bytes: usize) -> usize {
        let digits = self.take(bytes).iter();
        digits.fold(0, |sum, &byte| sum << 8 | usize::from(byte))
    }
}

impl Packet {
    /// Takes one whole packet, and panics at anything that is not exactly that.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut reader = Reader(bytes);
        let tag = reader.byte();
        let length = match tag {
            0x88 => reader.number(1),
            0x89 => reader.number(2),
            0xc2 => match reader.number(1) {
                short @ ..192 => short,
                255 => reader.number(4),
                other => panic!("length octet {other}"),
            },
            other => panic!("header {other:#x}"),
        };
        assert_eq!(reader.0.len(), length, "one packet and nothing else");
        let version = reader.byte();
        let (signature_type, key_algorithm) = (reader.byte(), reader.byte());
        let hash_algorithm = reader.byte();
        let count_bytes = if version == 6 { 4 } else { 2 };
        let count = reader.number(count_bytes);
        let hashed_area = reader.take(count).to_vec();
        let count = reader.number(count_bytes);
        let unhashed = subpackets(reader.take(count));
        let prefix = reader.take(2).try_into().unwrap();
        let salt = match version {
            6 => {
                let count = reader.number(1);
                reader.take(count).to_vec()
            }
            _ => Vec::new(),
        };
        Self {
            tag,
            version,
            signature_type,
            key_algorithm,
            hash_algorithm,
            hashed: subpackets(&hashed_area),
            hashed_area,
            unhashed,
            prefix,
            salt,
            numbers: reader.0.to_vec(),
        }
    }

    /// What is hashed after salt and document (RFC 9580, section 5.2.4).
    pub(crate) fn trailer(&self) -> Vec<u8> {
        let mut trailer = vec![
            self.version,
            self.signature_type,
            self.key_algorithm,
            self.hash_algorithm,
        ];
        let length = u32::try_from(self.hashed_area.len()).unwrap().to_be_bytes();
        trailer.extend(if self.version == 6 {
            &length[..]
        } else {
            &length[2..]
        });
        trailer.extend(&self.hashed_area);
        let count = u32::try_from(trailer.len()).unwrap();
        trailer.extend([self.version, 0xff]);
        trailer.extend(count.to_be_bytes());
        trailer
    }

    /// The multiprecision integers, each of which must be canonical and the last of them the end.
    pub(crate) fn integers(&self) -> Vec<Vec<u8>> {
        let mut reader = Reader(&self.numbers);
        let mut integers = Vec::new();
        while !reader.0.is_empty() {
            let bits = reader.number(2);
            let value = reader.take(bits.div_ceil(8));
            let first = *value.first().expect("a number of no bytes");
            let leading = usize::try_from(first.leading_zeros()).unwrap();
            assert_eq!(8 * value.len() - leading, bits, "not canonical");
            integers.push(value.to_vec());
        }
        integers
    }
}

fn subpackets(area: &[u8]) -> Vec<Subpacket> {
    let mut reader = Reader(area);
    let mut found = Vec::new();
    while !reader.0.is_empty() {
        let length = reader.number(1);
        // Older readers take anything from 192 on for a longer form of length, and get it wrong.
        assert!((1..192).contains(&length), "subpacket of {length} bytes");
        let kind = reader.byte();
        found.push(Subpacket {
            kind: kind & 0x7f,
            is_critical: kind & 0x80 != 0,
            body: reader.take(length - 1).to_vec(),
        });
    }
    found
}
