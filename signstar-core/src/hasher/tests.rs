use super::*;

const UNBOUNDED: u64 = u64::MAX;

fn digest_hex(hasher: Hasher) -> String {
    hasher.finish().to_string()
}

fn sample_state() -> Vec<u8> {
    let mut state = vec![
        8, 201, 188, 243, 103, 230, 9, 106, 59, 167, 202, 132, 133, 174, 103, 187, 43, 248, 148,
        254, 114, 243, 110, 60, 241, 54, 29, 95, 58, 245, 79, 165, 209, 130, 230, 173, 127, 82, 14,
        81, 31, 108, 62, 43, 140, 104, 5, 155, 107, 189, 65, 251, 171, 217, 131, 31, 121, 33, 126,
        19, 25, 205, 224, 91,
    ];
    state.extend([0; 16]);
    state.push(19);
    state.extend(b"this is sample text");
    state.extend([0; 108]);
    state
}

#[test]
fn knows_the_digests_of_fips_180_4() {
    let expected = [
        (
            HashAlgorithm::Sha256,
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            HashAlgorithm::Sha384,
            "sha384:cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            HashAlgorithm::Sha512,
            "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ];
    for (algorithm, digest) in expected {
        let mut hasher = Hasher::new(algorithm, 3);
        hasher.update(b"abc").unwrap();
        assert_eq!(digest_hex(hasher), digest);
    }
}

#[test]
fn stops_at_its_bound_and_not_before() {
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, 10);
    hasher.update(&[1; 10]).unwrap();
    assert_eq!(
        hasher.update(&[1]),
        Err(HasherError::TooLarge { bytes_max: 10 })
    );
    assert_eq!(hasher.bytes(), 10);
    hasher.update(&[]).unwrap();
}

#[test]
fn exports_the_documented_state() {
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, UNBOUNDED);
    hasher.update(b"this is sample text").unwrap();
    assert_eq!(hasher.export().bytes, sample_state());
}

#[test]
fn resumes_the_documented_state() {
    let state = HashState {
        algorithm: HashAlgorithm::Sha512,
        bytes: sample_state(),
    };
    let hasher = Hasher::resume(&state, 19).unwrap();
    assert_eq!(hasher.bytes(), 19);
    assert!(digest_hex(hasher).starts_with("sha512:14fd4585924c0b04bf0d96c40961152"));
    assert_eq!(
        Hasher::resume(&state, 18).err(),
        Some(HashStateError::TooLarge)
    );
}

#[test]
fn resumes_in_the_middle_of_a_second_block() {
    let bytes: Vec<u8> = (0..300_u32)
        .map(|i| u8::try_from(i % 251).unwrap())
        .collect();
    let mut first = Hasher::new(HashAlgorithm::Sha512, UNBOUNDED);
    first.update(&bytes).unwrap();
    let state = first.export();
    let words = "06323ad5d3e34c7e7667abc46687b1fec7325379df1a45098b5fffe3882a540ccd870af7aa696d6bf79d02b9d549248ab71703d0adb64b7eaee89a17a88aca6a020000000000000000000000000000002c";
    let hex: String = state.bytes[..81]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, words);
    let digest = digest_hex(Hasher::resume(&state, UNBOUNDED).unwrap());
    assert!(digest.starts_with("sha512:f758e49e6fca32320310aa1b0b2e3abf"));
    assert!(digest.ends_with("ff6df873"));
}

#[test]
fn every_algorithm_resumes_at_every_position() {
    for algorithm in HashAlgorithm::ALL {
        for length in 0..300 {
            let input = vec![0xa5; length];
            let mut whole = Hasher::new(algorithm, UNBOUNDED);
            whole.update(&input).unwrap();
            let mut resumed = Hasher::resume(&whole.export(), UNBOUNDED).unwrap();
            assert_eq!(resumed.bytes(), u64::try_from(length).unwrap());
            resumed.update(b"more").unwrap();
            whole.update(b"more").unwrap();
            assert_eq!(resumed.finish(), whole.finish());
        }
    }
}

#[test]
fn refuses_malformed_states() {
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sample_state();
        change(&mut bytes);
        Hasher::resume(
            &HashState {
                algorithm: HashAlgorithm::Sha512,
                bytes,
            },
            UNBOUNDED,
        )
        .err()
    };
    assert_eq!(with(&|_| ()), None);
    assert_eq!(with(&|state| state.push(0)), Some(HashStateError::Length));
    assert_eq!(
        with(&|state| state.truncate(207)),
        Some(HashStateError::Length)
    );
    assert_eq!(with(&|state| state.clear()), Some(HashStateError::Length));
    assert_eq!(
        with(&|state| state[80] = 128),
        Some(HashStateError::Malformed)
    );
    assert_eq!(
        with(&|state| state[80] = 18),
        Some(HashStateError::Malformed)
    );
    assert_eq!(
        with(&|state| state[207] = 1),
        Some(HashStateError::Malformed)
    );
    assert_eq!(
        with(&|state| state[64..80].fill(0xff)),
        Some(HashStateError::TooLarge)
    );
}

#[test]
fn goes_on_from_the_longest_stream_and_from_no_longer_one() {
    for (algorithm, words, count, block) in [
        (HashAlgorithm::Sha256, 32, 8, 64),
        (HashAlgorithm::Sha384, 64, 16, 128),
        (HashAlgorithm::Sha512, 64, 16, 128),
    ] {
        let state = |blocks: u64| {
            let mut bytes = vec![7; words];
            bytes.extend(blocks.to_le_bytes());
            bytes.resize(words + count + block, 0);
            HashState { algorithm, bytes }
        };
        let blocks = (1 << 60) / u64::try_from(block).unwrap();
        let longest = Hasher::resume(&state(blocks), UNBOUNDED).unwrap();
        let _ = longest.finish_with(&[1; 1000]);
        let longer = Hasher::resume(&state(blocks + 1), UNBOUNDED);
        assert_eq!(longer.err(), Some(HashStateError::TooLarge));
    }
}
