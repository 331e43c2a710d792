//! ECDSA on the three Brainpool curves (RFC 5639), by arithmetic of our own: no crate has it for all
//! of them. It takes time that depends on its input, as it may here.

use num_bigint::BigUint;

use super::{CryptoError, random_bytes};

/// y² = x³ + ax + b over a prime field.
#[derive(Debug)]
pub(crate) struct Curve {
    /// The length of coordinates and scalars, in bytes.
    bytes: usize,
    p: BigUint,
    a: BigUint,
    /// The base point.
    g: (BigUint, BigUint),
    /// Its order.
    n: BigUint,
}

/// The parameters of a curve of RFC 5639, in hexadecimal.
pub(crate) struct Parameters {
    pub(crate) bytes: usize,
    pub(crate) p: &'static str,
    pub(crate) a: &'static str,
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    pub(crate) n: &'static str,
}

/// RFC 5639, section 3.4
pub(crate) const P256R1: Parameters = Parameters {
    bytes: 32,
    p: "A9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377",
    a: "7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9",
    x: "8BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262",
    y: "547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997",
    n: "A9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7",
};

/// RFC 5639, section 3.6
pub(crate) const P384R1: Parameters = Parameters {
    bytes: 48,
    p: "8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B412B1DA197FB71123ACD3A729901D1A71874700133107EC53",
    a: "7BC382C63D8C150C3C72080ACE05AFA0C2BEA28E4FB22787139165EFBA91F90F8AA5814A503AD4EB04A8C7DD22CE2826",
    x: "1D1C64F068CF45FFA2A63A81B7C13F6B8847A3E77EF14FE3DB7FCAFE0CBD10E8E826E03436D646AAEF87B2E247D4AF1E",
    y: "8ABE1D7520F9C2A45CB1EB8E95CFD55262B70B29FEEC5864E19C054FF99129280E4646217791811142820341263C5315",
    n: "8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B31F166E6CAC0425A7CF3AB6AF6B7FC3103B883202E9046565",
};

/// RFC 5639, section 3.7
pub(crate) const P512R1: Parameters = Parameters {
    bytes: 64,
    p: "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA703308717D4D9B009BC66842AECDA12AE6A380E62881FF2F2D82C68528AA6056583A48F3",
    a: "7830A3318B603B89E2327145AC234CC594CBDD8D3DF91610A83441CAEA9863BC2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A72BF2C7B9E7C1AC4D77FC94CA",
    x: "81AEE4BDD82ED9645A21322E9C4C6A9385ED9F70B5D916C1B43B62EEF4D0098EFF3B1F78E2D0D48D50D1687B93B97D5F7C6D5047406A5E688B352209BCB9F822",
    y: "7DDE385D566332ECC0EABFA9CF7822FDF209F70024A57B1AA000C55B881F8111B2DCDE494A5F485E5BCA4BD88A2763AED1CA2B2FA8F0540678CD1E0F3AD80892",
    n: "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330870553E5C414CA92619418661197FAC10471DB1D381085DDADDB58796829CA90069",
};

/// A point in Jacobian coordinates (x/z², y/z³); z = 0 is the neutral one.
#[derive(Clone)]
struct Point {
    x: BigUint,
    y: BigUint,
    z: BigUint,
}

impl Curve {
    /// The curve of `parameters`.
    pub(crate) fn new(parameters: &Parameters) -> Self {
        let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap_or_default();
        Self {
            bytes: parameters.bytes,
            p: number(parameters.p),
            a: number(parameters.a),
            g: (number(parameters.x), number(parameters.y)),
            n: number(parameters.n),
        }
    }

    /// Whether `scalar` may be a private key.
    pub(crate) fn is_private(&self, scalar: &[u8]) -> bool {
        let scalar = BigUint::from_bytes_be(scalar);
        scalar != BigUint::ZERO && scalar < self.n
    }

    /// A private key.
    pub(crate) fn generate(&self) -> Result<Vec<u8>, CryptoError> {
        loop {
            let scalar = random_bytes(self.bytes)?;
            if self.is_private(&scalar) {
                return Ok(scalar);
            }
        }
    }

    /// The public point, 0x04 ‖ X ‖ Y.
    pub(crate) fn public(&self, scalar: &[u8]) -> Vec<u8> {
        let (x, y) = self.times_base(&BigUint::from_bytes_be(scalar));
        let mut out = vec![4];
        out.extend(self.padded(&x));
        out.extend(self.padded(&y));
        out
    }

    /// r and s over `digest`, which is as long as the field.
    pub(crate) fn sign(
        &self,
        scalar: &[u8],
        digest: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        let d = BigUint::from_bytes_be(scalar);
        let z = BigUint::from_bytes_be(digest);
        loop {
            let k = BigUint::from_bytes_be(&self.generate()?);
            let r = self.times_base(&k).0 % &self.n;
            let s = invert(&k, &self.n) * (&z + &r * &d) % &self.n;
            if r != BigUint::ZERO && s != BigUint::ZERO {
                return Ok((self.padded(&r), self.padded(&s)));
            }
        }
    }

    fn padded(&self, number: &BigUint) -> Vec<u8> {
        let bytes = number.to_bytes_be();
        let mut out = vec![0; self.bytes.saturating_sub(bytes.len())];
        out.extend(bytes);
        out
    }

    fn times_base(&self, scalar: &BigUint) -> (BigUint, BigUint) {
        let base = Point {
            x: self.g.0.clone(),
            y: self.g.1.clone(),
            z: BigUint::from(1_u8),
        };
        let mut sum = Point {
            x: BigUint::from(1_u8),
            y: BigUint::from(1_u8),
            z: BigUint::ZERO,
        };
        for bit in (0..scalar.bits()).rev() {
            sum = self.double(&sum);
            if scalar.bit(bit) {
                sum = self.add(&sum, &base);
            }
        }
        let z = invert(&sum.z, &self.p);
        let z2 = &z * &z % &self.p;
        let x = &sum.x * &z2 % &self.p;
        let y = &sum.y * z2 % &self.p * z % &self.p;
        (x, y)
    }

    fn double(&self, point: &Point) -> Point {
        let p = &self.p;
        let yy = &point.y * &point.y % p;
        let zz = &point.z * &point.z % p;
        let s = (&point.x * &yy % p) << 2;
        let m = (&point.x * &point.x * 3_u8 + &self.a * (&zz * &zz % p)) % p;
        let x = self.minus(&m * &m, &(&s << 1));
        let y = self.minus(m * self.minus(s, &x), &((&yy * &yy % p) << 3));
        let z = ((&point.y * &point.z) << 1) % p;
        Point { x, y, z }
    }

    fn add(&self, one: &Point, other: &Point) -> Point {
        if one.z == BigUint::ZERO {
            return other.clone();
        }
        let p = &self.p;
        let (z1, z2) = (&one.z * &one.z % p, &other.z * &other.z % p);
        let (u1, u2) = (&one.x * &z2 % p, &other.x * &z1 % p);
        let s1 = &one.y * (z2 * &other.z % p) % p;
        let s2 = &other.y * (z1 * &one.z % p) % p;
        let h = self.minus(u2, &u1);
        let r = self.minus(s2, &s1);
        if h == BigUint::ZERO && r == BigUint::ZERO {
            return self.double(one);
        }
        let hh = &h * &h % p;
        let hhh = &h * &hh % p;
        let v = u1 * hh % p;
        let x = self.minus(&r * &r, &(&hhh + (&v << 1)));
        let y = self.minus(r * self.minus(v, &x), &(s1 * hhh));
        let z = h * &one.z % p * &other.z % p;
        Point { x, y, z }
    }

    /// one − other in the field.
    fn minus(&self, one: BigUint, other: &BigUint) -> BigUint {
        (one % &self.p + &self.p - other % &self.p) % &self.p
    }
}

/// The inverse modulo a prime.
fn invert(number: &BigUint, prime: &BigUint) -> BigUint {
    number.modpow(&(prime - 2_u8), prime)
}
