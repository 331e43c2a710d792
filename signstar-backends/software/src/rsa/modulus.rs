//! Powers modulo an odd number, in Montgomery's form, for the secret half of RSA.
//!
//! Why not the `rsa` crate's: with it a signature takes half as long again, and its time depends
//! on the secret (RUSTSEC-2023-0071). Here neither a branch nor an address does, as far as the
//! compiler keeps what is written: each table of powers is read as a whole, and each final
//! subtraction is made whether it is needed or not. So nothing has to be blinded either.
//!
//! Numbers are limbs of 64 bits, the least significant first, and as many as the modulus has.

use std::hint::black_box;

use rsa::BigUint;
use zeroize::Zeroizing;

/// Limbs that are wiped when dropped.
pub(super) type Limbs = Zeroizing<Vec<u64>>;

/// Bits of the exponent that are taken at a time; they divide a limb.
const WINDOW_BITS: u32 = 4;

/// An odd modulus m of n limbs, with what Montgomery's form needs. R is 2^(64·n).
pub(super) struct Modulus {
    m: Limbs,
    /// −1/m modulo 2^64.
    inverse: u64,
    /// R² modulo m.
    r2: Limbs,
}

impl Modulus {
    /// Takes `m`, which must be odd and have at most `limbs` limbs.
    pub(super) fn new(m: &BigUint, limbs: usize) -> Self {
        let r2 = Zeroizing::new((BigUint::from(1_u8) << (128 * limbs)) % m);
        let m = to_limbs(m, limbs);
        let lowest = m.first().copied().unwrap_or(1);
        // Newton's iteration doubles the number of right bits, of which an odd number has 3.
        let inverse = (0..5).fold(lowest, |inverse, _| {
            inverse.wrapping_mul(2_u64.wrapping_sub(lowest.wrapping_mul(inverse)))
        });
        Self {
            m,
            inverse: inverse.wrapping_neg(),
            r2: to_limbs(&r2, limbs),
        }
    }

    /// Number of limbs.
    pub(super) fn limbs(&self) -> usize {
        self.m.len()
    }

    /// Montgomery's form of low + high·R, both of n limbs.
    pub(super) fn enter(&self, low: &[u64], high: &[u64]) -> Limbs {
        let r3 = self.multiply(&self.r2, &self.r2);
        self.add(&self.multiply(low, &self.r2), &self.multiply(high, &r3))
    }

    /// The number below m whose form is `a`.
    pub(super) fn leave(&self, a: &[u64]) -> Limbs {
        self.multiply(a, &[1])
    }

    /// a·b/R modulo m. One of the two must be below m.
    pub(super) fn multiply(&self, a: &[u64], b: &[u64]) -> Limbs {
        let mut quotient = Zeroizing::new(vec![0; self.limbs()]);
        let mut wide = self.wide();
        product(a, b, &mut wide);
        self.reduce(&mut wide, &mut quotient);
        quotient
    }

    /// a − b modulo m, both below m.
    pub(super) fn subtract(&self, a: &[u64], b: &[u64]) -> Limbs {
        let mut difference = Zeroizing::new(a.to_vec());
        let borrow = subtract(&mut difference, b);
        let mut carry = 0;
        for (limb, m) in difference.iter_mut().zip(self.m.iter()) {
            let (sum, over) = limb.overflowing_add(m & black_box(mask(borrow)));
            let (sum, over_again) = sum.overflowing_add(carry);
            carry = u64::from(over | over_again);
            *limb = sum;
        }
        difference
    }

    /// The form of the `exponent`th power of the form `base`, in a time that depends on the
    /// number of limbs alone.
    pub(super) fn power(&self, base: &[u64], exponent: &[u64]) -> Limbs {
        let one = self.leave(&self.r2);
        let mut table = Zeroizing::new(Vec::with_capacity(self.limbs() << WINDOW_BITS));
        let mut entry = one.clone();
        for _ in 0..1 << WINDOW_BITS {
            table.extend_from_slice(&entry);
            entry = self.multiply(&entry, base);
        }
        let mut power = one;
        let mut wide = self.wide();
        for limb in exponent.iter().rev() {
            for shift in (0..64 / WINDOW_BITS).rev() {
                for _ in 0..WINDOW_BITS {
                    square(&power, &mut wide);
                    self.reduce(&mut wide, &mut power);
                }
                let window = (limb >> (shift * WINDOW_BITS)) & ((1 << WINDOW_BITS) - 1);
                select(&table, window, &mut entry);
                product(&power, &entry, &mut wide);
                self.reduce(&mut wide, &mut power);
            }
        }
        power
    }

    /// The form of the `exponent`th power of the form `base`, in a time that shows the exponent.
    pub(super) fn power_public(&self, base: &[u64], exponent: u64) -> Limbs {
        let mut power = self.leave(&self.r2);
        for shift in (0..u64::BITS - exponent.leading_zeros()).rev() {
            power = self.multiply(&power, &power);
            if (exponent >> shift) & 1 == 1 {
                power = self.multiply(&power, base);
            }
        }
        power
    }

    /// a + b modulo m, both below m.
    fn add(&self, a: &[u64], b: &[u64]) -> Limbs {
        // a − (m − b), where m − 0 stands for 0 since a − m is a modulo m.
        let mut negative = self.m.clone();
        subtract(&mut negative, b);
        self.subtract(a, &negative)
    }

    fn wide(&self) -> Limbs {
        Zeroizing::new(vec![0; 2 * self.limbs()])
    }

    /// quotient = wide/R modulo m, for a number below m·R. Leaves `wide` in disorder.
    fn reduce(&self, wide: &mut [u64], quotient: &mut [u64]) {
        let n = self.limbs();
        let mut top = 0;
        for start in 0..n {
            let part = wide
                .get_mut(start..)
                .and_then(|wide| wide.split_at_mut_checked(n));
            let Some((low, [high, ..])) = part else { break };
            let factor = low.first().copied().unwrap_or(0).wrapping_mul(self.inverse);
            let carry = add_product(low, &self.m, factor);
            (*high, top) = split(u128::from(*high) + u128::from(carry) + u128::from(top));
        }
        let Some((reduced, high)) = wide.split_at_mut_checked(n) else {
            return;
        };
        reduced.copy_from_slice(high);
        let borrow = subtract(reduced, &self.m);
        // The difference is the answer unless it is negative.
        let keep = black_box(mask(borrow & (top ^ 1)));
        for ((limb, high), reduced) in quotient.iter_mut().zip(high).zip(reduced) {
            *limb = (*high & keep) | (*reduced & !keep);
        }
    }
}

/// The limbs of `number`, which must fit.
pub(super) fn to_limbs(number: &BigUint, limbs: usize) -> Limbs {
    let bytes = Zeroizing::new(number.to_bytes_le());
    let mut limbs = Zeroizing::new(vec![0; limbs]);
    for (limb, bytes) in limbs.iter_mut().zip(bytes.chunks(8)) {
        *limb = bytes
            .iter()
            .rev()
            .fold(0, |sum, &byte| (sum << 8) | u64::from(byte));
    }
    limbs
}

/// wide = a·b, for numbers that have at most as many limbs together.
pub(super) fn product(a: &[u64], b: &[u64], wide: &mut [u64]) {
    wide.fill(0);
    for (start, &factor) in b.iter().enumerate() {
        let part = wide
            .get_mut(start..)
            .and_then(|wide| wide.split_at_mut_checked(a.len()));
        let Some((low, [high, ..])) = part else { break };
        *high = add_product(low, a, factor);
    }
}

/// wide = a², for twice as many limbs: each product of two different limbs is made once and
/// doubled.
fn square(a: &[u64], wide: &mut [u64]) {
    wide.fill(0);
    for (start, &factor) in a.iter().enumerate() {
        let rest = a.get(start + 1..).unwrap_or(&[]);
        let part = wide
            .get_mut(2 * start + 1..)
            .and_then(|wide| wide.split_at_mut_checked(rest.len()));
        let Some((low, [high, ..])) = part else { break };
        *high = add_product(low, rest, factor);
    }
    let (mut carry, mut shifted_out) = (0, 0);
    for (pair, &limb) in wide.chunks_exact_mut(2).zip(a) {
        let [low, high] = pair else { break };
        let (square_low, square_high) = split(u128::from(limb) * u128::from(limb));
        let doubled_low = (*low << 1) | shifted_out;
        let doubled_high = (*high << 1) | (*low >> 63);
        shifted_out = *high >> 63;
        let sum = u128::from(doubled_low) + u128::from(square_low) + u128::from(carry);
        (*low, carry) = split(sum);
        let sum = u128::from(doubled_high) + u128::from(square_high) + u128::from(carry);
        (*high, carry) = split(sum);
    }
}

/// low += a·factor; returns the carry. Here the time of a signature goes.
#[inline(always)]
fn add_product(low: &mut [u64], a: &[u64], factor: u64) -> u64 {
    let mut carry = 0;
    for (limb, &a) in low.iter_mut().zip(a) {
        // Nothing wraps: (2^64 − 1)² + 2·(2^64 − 1) is 2^128 − 1. Checking it costs a tenth.
        let product = u128::from(a).wrapping_mul(u128::from(factor));
        let (sum, high) = split(product.wrapping_add(u128::from(*limb)));
        let (sum, over) = sum.overflowing_add(carry);
        carry = high.wrapping_add(u64::from(over));
        *limb = sum;
    }
    carry
}

/// a −= b; returns the borrow.
fn subtract(a: &mut [u64], b: &[u64]) -> u64 {
    let mut borrow = 0;
    for (limb, &b) in a.iter_mut().zip(b) {
        let (difference, under) = limb.overflowing_sub(b);
        let (difference, under_again) = difference.overflowing_sub(borrow);
        borrow = u64::from(under | under_again);
        *limb = difference;
    }
    borrow
}

/// selected = the `wanted`th entry of `table`; all of them are read.
fn select(table: &[u64], wanted: u64, selected: &mut [u64]) {
    selected.fill(0);
    for (entry, index) in table.chunks_exact(selected.len()).zip(0_u64..) {
        // Both are small, so that the subtraction is negative only if they are equal.
        let mask = black_box(mask((index ^ wanted).wrapping_sub(1) >> 63));
        for (limb, &entry) in selected.iter_mut().zip(entry) {
            *limb |= entry & mask;
        }
    }
}

/// All bits of `bit`, which is 0 or 1.
fn mask(bit: u64) -> u64 {
    bit.wrapping_neg()
}

/// The lower and the upper half.
#[inline(always)]
fn split(wide: u128) -> (u64, u64) {
    let half = |half: u128| u64::try_from(half).unwrap_or(0);
    (half(wide & u128::from(u64::MAX)), half(wide >> 64))
}

#[cfg(test)]
mod tests;
