//! A secret key on its way to a token, in the numbers that tokens ask for.

use signstar_core::{Fields, Frame, MessageError, frame, frame_parts};
use zeroize::Zeroizing;

/// The numbers of a secret key, of the kind that the order says.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Ed25519 or ECDSA.
    Curve {
        /// The seed, or the secret number.
        secret: Zeroizing<Vec<u8>>,
        /// The public point, as OpenPGP has it for ECDSA, and without a mark for Ed25519.
        point: Vec<u8>,
    },
    /// RSA with two primes.
    Rsa {
        /// Modulus, public exponent.
        public: [Vec<u8>; 2],
        /// Private exponent, both primes, both exponents modulo them less one, and the inverse of the second
        /// prime modulo the first.
        private: [Zeroizing<Vec<u8>>; 6],
    },
}

impl Secret {
    /// The message as one frame.
    ///
    /// # Errors
    /// [`MessageError::TooLong`].
    pub fn to_frame(&self) -> Result<Frame, MessageError> {
        let (mark, numbers): (u8, Vec<&[u8]>) = match self {
            Self::Curve { secret, point } => (1, vec![secret, point]),
            Self::Rsa { public, private } => {
                let public = public.iter().map(Vec::as_slice);
                let private = private.iter().map(|number| number.as_slice());
                (2, public.chain(private).collect())
            }
        };
        let lengths = numbers.iter().map(|number| u16::try_from(number.len()));
        let lengths: Result<Vec<[u8; 2]>, _> =
            lengths.map(|length| length.map(u16::to_be_bytes)).collect();
        let lengths = lengths.map_err(|_| MessageError::TooLong)?;
        let mark = [mark];
        let mut parts: Vec<&[u8]> = vec![&mark];
        for (length, number) in lengths.iter().zip(numbers) {
            parts.push(length);
            parts.push(number);
        }
        frame(34, &parts)
    }

    /// Reads one frame.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn from_frame(frame: &[u8]) -> Result<Self, MessageError> {
        let (34, mut body) = frame_parts(frame)? else {
            return Err(MessageError::Kind);
        };
        let secret = match body.byte()? {
            1 => Self::Curve {
                secret: number(&mut body)?,
                point: body.counted()?.to_vec(),
            },
            2 => Self::Rsa {
                public: [body.counted()?.to_vec(), body.counted()?.to_vec()],
                private: [
                    number(&mut body)?,
                    number(&mut body)?,
                    number(&mut body)?,
                    number(&mut body)?,
                    number(&mut body)?,
                    number(&mut body)?,
                ],
            },
            _ => return Err(MessageError::Body),
        };
        body.end(secret)
    }
}

fn number(body: &mut Fields<'_>) -> Result<Zeroizing<Vec<u8>>, MessageError> {
    Ok(Zeroizing::new(body.counted()?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_frame_and_is_read_back() {
        let number = |length: usize| Zeroizing::new(vec![7; length]);
        let largest = Secret::Rsa {
            public: [vec![1; 512], vec![1, 0, 1]],
            private: [512, 256, 256, 256, 256, 256].map(number),
        };
        let curve = Secret::Curve {
            secret: number(66),
            point: vec![4; 133],
        };
        for secret in [largest, curve] {
            let frame = secret.to_frame().unwrap();
            assert!(Secret::from_frame(&frame) == Ok(secret));
            for index in 0..4 {
                let mut bent = frame.clone();
                bent[index] ^= 0x41;
                assert!(Secret::from_frame(&bent).is_err(), "octet {index}");
            }
        }
    }
}
