//! The same results as the arithmetic of the `rsa` crate.

use proptest::prelude::*;

use super::*;

fn number(limbs: &[u64]) -> BigUint {
    let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    BigUint::from_bytes_le(&bytes)
}

/// Limbs that are often all zeros or all ones, where carries go wrong.
fn limbs(count: usize) -> impl Strategy<Value = Vec<u64>> {
    let limb = prop_oneof![4 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX), 1 => Just(1)];
    prop::collection::vec(limb, count)
}

/// An odd modulus above 1, a number below it, two numbers of as many limbs, and an exponent.
fn case() -> impl Strategy<Value = [Vec<u64>; 5]> {
    (1_usize..6).prop_flat_map(|n| {
        [limbs(n), limbs(n), limbs(n), limbs(n), limbs(n)].prop_map(move |mut numbers| {
            numbers[0][0] |= 1;
            if number(&numbers[0]) == BigUint::from(1_u8) {
                numbers[0][0] = 3;
            }
            numbers[1] = to_limbs(&(number(&numbers[1]) % number(&numbers[0])), n).to_vec();
            numbers
        })
    })
}

proptest! {
    #[test]
    fn powers_are_those_of_the_rsa_crate([m, _, low, high, exponent] in case()) {
        let modulus = Modulus::new(&number(&m), m.len());
        let base = number(&[low.clone(), high.clone()].concat());
        let form = modulus.enter(&low, &high);
        let power = modulus.leave(&modulus.power(&form, &exponent));
        prop_assert_eq!(number(&power), base.modpow(&number(&exponent), &number(&m)));
        let power = modulus.leave(&modulus.power_public(&form, exponent[0]));
        prop_assert_eq!(number(&power), base.modpow(&BigUint::from(exponent[0]), &number(&m)));
    }

    #[test]
    fn differences_and_products_are_those_of_the_rsa_crate([m, a, low, high, _] in case()) {
        let modulus = Modulus::new(&number(&m), m.len());
        let m = number(&m);
        let b = modulus.leave(&modulus.enter(&low, &high));
        prop_assert_eq!(number(&b), number(&[low.clone(), high.clone()].concat()) % &m);
        let difference = modulus.subtract(&a, &b);
        prop_assert_eq!(number(&difference), (&m + number(&a) - number(&b)) % &m);
        let once = modulus.multiply(&modulus.enter(&a, &[]), &b);
        prop_assert_eq!(number(&once), number(&a) * number(&b) % &m);
        let mut wide = vec![0; 2 * low.len()];
        product(&low, &high, &mut wide);
        prop_assert_eq!(number(&wide), number(&low) * number(&high));
        wide.fill(0);
        square(&low, &mut wide);
        prop_assert_eq!(number(&wide), number(&low) * number(&low));
    }
}
