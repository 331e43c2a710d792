//! Cards behind a real pcscd: which one is chosen, and what becomes of those that are taken out,
//! replaced or held by somebody else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

#[path = "support/inside.rs"]
mod inside;

use std::time::{Duration, Instant};

use inside::{insert, inside, pcscd};
use pcsc::{Card, Context, Disposition, Protocols, Scope, ShareMode};
use signstar_core::{Digest, HashAlgorithm, Hasher, Opened, SignerError};
use signstar_smartcard::provision::{self, Present, Touch};
use signstar_smartcard::{Ident, Location, open};
use signstar_testkit::conformance::{Counting, check};
use signstar_testkit::key::{KEYS, TestKey};
use signstar_testkit::openssl::OpenSsl;
use signstar_virtual_card::reader::{Inserted, PORT, slot};
use signstar_virtual_card::{ADMIN_PIN, MANUFACTURER, USER_PIN, VirtualCard};
use zeroize::Zeroizing;

const ONE: u32 = 0x1111_1111;
const TWO: u32 = 0x2222_2222;

fn location(serial: u32) -> Location {
    Location {
        card: Ident::new(MANUFACTURER, serial),
        wait: Duration::from_secs(2),
    }
}

fn pin(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

/// Waits until pcscd has noticed a card.
fn noticed(serial: u32) {
    let start = Instant::now();
    let ident = location(serial).card;
    while !provision::list(Duration::from_secs(1))
        .unwrap()
        .cards
        .contains(&ident)
    {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{ident} is not seen"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until pcscd has noticed that there is no such card.
fn gone(serial: u32) {
    let start = Instant::now();
    let ident = location(serial).card;
    while provision::list(Duration::from_secs(1))
        .unwrap()
        .cards
        .contains(&ident)
    {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{ident} is still seen"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn import(serial: u32, key: TestKey) {
    let public = key.signing_key();
    let numbers = (&key.material(), public.public_key());
    let admin = pin(ADMIN_PIN);
    let place = location(serial);
    provision::import(
        &place,
        &admin,
        numbers,
        1,
        Touch::NotNeeded,
        Present::Replace,
    )
    .unwrap();
}

/// A card in a reader, with an Ed25519 key.
fn with_key(serial: u32, reader: u16) -> Inserted {
    let card = insert(serial, reader);
    noticed(serial);
    import(serial, TestKey::named("ed25519"));
    card
}

fn opened(serial: u32) -> Opened {
    open(&location(serial), pin(USER_PIN)).unwrap_or_else(|error| panic!("{error:?}"))
}

fn digest() -> Digest {
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    hasher.update(b"an artifact").unwrap();
    hasher.finish()
}

/// Signs, and the signature must be right.
fn sign(opened: &mut Opened) -> Result<u64, SignerError> {
    let raw = opened.signer.sign(&digest())?;
    let openssl = OpenSsl::new(opened.signer.public_key());
    assert!(openssl.verifies(&digest(), &raw.value));
    Ok(raw.counter.unwrap())
}

fn unavailable(result: Result<impl Sized, SignerError>, words: &str) {
    match result {
        Err(SignerError::Unavailable(text)) => assert!(text.contains(words), "{text}"),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it worked"),
    }
}

fn busy(result: Result<impl Sized, SignerError>) {
    match result {
        Err(SignerError::Busy(text)) => assert!(text.contains("another program"), "{text}"),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it worked"),
    }
}

/// Somebody else's connection to the first reader.
fn stranger(mode: ShareMode) -> Card {
    let context = Context::establish(Scope::System).unwrap();
    let mut names = [0; 2048];
    let first = context
        .list_readers(&mut names)
        .unwrap()
        .next()
        .unwrap()
        .to_owned();
    context.connect(&first, mode, Protocols::ANY).unwrap()
}

#[test]
fn every_kind_of_key_keeps_the_promises_of_a_signer() {
    inside("every_kind_of_key_keeps_the_promises_of_a_signer", || {
        let _pcscd = pcscd();
        let _card = insert(ONE, 0);
        noticed(ONE);
        for key in KEYS {
            import(ONE, key);
            let mut opened = opened(ONE);
            check(opened.signer.as_mut(), key.name, Counting::EverySignature);
            println!("{}: signed through pcscd", key.name);
        }
    });
}

#[test]
fn the_card_is_chosen_by_its_ident() {
    inside("the_card_is_chosen_by_its_ident", || {
        let _pcscd = pcscd();
        let _cards = [with_key(ONE, 0), with_key(TWO, 1)];
        import(TWO, TestKey::named("p256"));
        for (serial, kind) in [(ONE, "ed25519"), (TWO, "p256")] {
            let mut opened = opened(serial);
            assert_eq!(opened.signer.public_key().name(), kind);
            assert_eq!(sign(&mut opened), Ok(1));
        }
        let status = |serial| provision::status(&location(serial)).unwrap();
        assert_eq!((status(ONE).counter, status(TWO).counter), (1, 1));
        unavailable(open(&location(3), pin(USER_PIN)), "2 other cards");
    });
}

#[test]
fn what_is_not_there_is_unavailable() {
    inside("what_is_not_there_is_unavailable", || {
        unavailable(open(&location(ONE), pin(USER_PIN)), "pcscd does not answer");
        let _pcscd = pcscd();
        unavailable(open(&location(ONE), pin(USER_PIN)), "no reader has a card");
        let _card = with_key(ONE, 0);
        unavailable(open(&location(TWO), pin(USER_PIN)), "one other card");
    });
}

#[test]
fn a_card_that_is_taken_out_is_unavailable_until_it_is_back() {
    inside(
        "a_card_that_is_taken_out_is_unavailable_until_it_is_back",
        || {
            let _pcscd = pcscd();
            let card = with_key(ONE, 0);
            let mut opened = opened(ONE);
            assert_eq!(sign(&mut opened), Ok(1));
            let card = card.take();
            gone(ONE);
            unavailable(sign(&mut opened), "taken out");
            let _card = Inserted::new(card, slot(PORT));
            noticed(ONE);
            assert_eq!(sign(&mut opened), Ok(2));
            assert_eq!(provision::status(&location(ONE)).unwrap().tries, 3);
        },
    );
}

#[test]
fn another_card_in_the_same_reader_gets_no_pin() {
    inside("another_card_in_the_same_reader_gets_no_pin", || {
        let _pcscd = pcscd();
        let card = with_key(ONE, 0);
        let mut opened = open(&location(ONE), pin("918273")).unwrap();
        drop(card);
        gone(ONE);
        let _other = with_key(TWO, 0);
        unavailable(sign(&mut opened), "another card");
        // The PIN of the first, which would be wrong for the second, has cost no try.
        assert_eq!(provision::status(&location(TWO)).unwrap().tries, 3);
    });
}

#[test]
fn pcscd_that_ends_makes_the_card_unavailable_and_the_next_one_does_not() {
    let name = "pcscd_that_ends_makes_the_card_unavailable_and_the_next_one_does_not";
    inside(name, || {
        let first = pcscd();
        let card = with_key(ONE, 0);
        let mut before = opened(ONE);
        assert_eq!(sign(&mut before), Ok(1));
        first.kill();
        let card = card.take();
        unavailable(sign(&mut before), "pcscd");
        unavailable(open(&location(ONE), pin(USER_PIN)), "pcscd does not answer");
        let _second = pcscd();
        let _card = Inserted::new(card, slot(PORT));
        noticed(ONE);
        // A connection to a pcscd that is gone does not come back.
        unavailable(sign(&mut before), "pcscd");
        assert_eq!(sign(&mut opened(ONE)), Ok(2));
        assert_eq!(provision::status(&location(ONE)).unwrap().tries, 3);
    });
}

#[test]
fn a_reader_that_somebody_has_for_himself_is_busy_for_as_long_as_we_wait() {
    let name = "a_reader_that_somebody_has_for_himself_is_busy_for_as_long_as_we_wait";
    inside(name, || {
        let _pcscd = pcscd();
        let _card = with_key(ONE, 0);
        let theirs = stranger(ShareMode::Exclusive);
        let start = Instant::now();
        busy(open(&location(ONE), pin(USER_PIN)));
        let waited = start.elapsed();
        assert!(waited >= Duration::from_secs(2), "{waited:?}");
        assert!(waited < Duration::from_secs(10), "{waited:?}");
        // Within the wait it is free again.
        let holder = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(500));
            drop(theirs);
        });
        assert_eq!(sign(&mut opened(ONE)), Ok(1));
        holder.join().unwrap();
    });
}

#[test]
fn a_card_that_somebody_has_locked_is_busy_for_as_long_as_we_wait() {
    let name = "a_card_that_somebody_has_locked_is_busy_for_as_long_as_we_wait";
    inside(name, || {
        let _pcscd = pcscd();
        let _card = with_key(ONE, 0);
        let mut opened = opened(ONE);
        let mut theirs = stranger(ShareMode::Shared);
        let lock = theirs.transaction().unwrap();
        let start = Instant::now();
        busy(sign(&mut opened));
        let waited = start.elapsed();
        assert!(waited >= Duration::from_secs(2), "{waited:?}");
        assert!(waited < Duration::from_secs(10), "{waited:?}");
        std::thread::scope(|scope| {
            let release = scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(500));
                drop(lock);
            });
            assert_eq!(sign(&mut opened), Ok(1));
            release.join().unwrap();
        });
        // The other one may reset the card; we come back to it.
        drop(theirs);
        assert_eq!(sign(&mut opened), Ok(2));
    });
}

#[test]
fn after_lock_down_a_card_needs_one_socket_and_time() {
    inside("after_lock_down_a_card_needs_one_socket_and_time", || {
        let _pcscd = pcscd();
        let _cards = [with_key(ONE, 0), with_key(TWO, 1)];
        let reach = opened(ONE).reach;
        let rules: Vec<(&str, &[(u8, u32)])> = reach
            .rules
            .iter()
            .map(|rule| (rule.syscall, rule.equals.as_slice()))
            .collect();
        let [
            ("sendto", [(0, sent), (3, 0x4000), (4, 0), (5, 0)]),
            ("read", [(0, read)]),
            ("clock_nanosleep", [(1, 0)]),
        ] = rules[..]
        else {
            panic!("{rules:?}");
        };
        assert_eq!(sent, read);
        let target = std::fs::read_link(format!("/proc/self/fd/{sent}")).unwrap();
        assert!(
            target.to_string_lossy().starts_with("socket:"),
            "{target:?}"
        );
        assert!(reach.tcp_ports.is_empty());
    });
}

/// Set for a process of a test's that is killed: what it does before.
const DOING: &str = "SIGNSTAR_TEST_DOING";
const KILLED: &str = "a_process_that_is_killed_while_it_signs_leaves_no_verified_pin";
/// SELECT of the OpenPGP application, and whether the user's PIN is verified for signing.
const SELECT: &[u8] = b"\x00\xa4\x04\x00\x06\xd2\x76\x00\x01\x24\x01\x00";
const IS_VERIFIED: &[u8] = b"\x00\x20\x00\x81";

/// Sends commands, the last of which is answered with this status.
fn say(card: &Card, commands: &[&[u8]]) -> Vec<u8> {
    said(card, commands).unwrap()
}

/// The same, where the card may be reset meanwhile.
fn said(card: &Card, commands: &[&[u8]]) -> Result<Vec<u8>, pcsc::Error> {
    let mut answer = Vec::new();
    for command in commands {
        let mut buffer = [0; 512];
        answer = card.transmit(command, &mut buffer)?.to_vec();
    }
    Ok(answer)
}

fn showing(number: u8, pin: &str) -> Vec<u8> {
    let length = u8::try_from(pin.len()).unwrap();
    [&[0x00, 0x20, 0x00, number, length], pin.as_bytes()].concat()
}

/// Somebody else's connection as soon as there can be one.
fn patient_stranger() -> Card {
    let start = Instant::now();
    let context = Context::establish(Scope::System).unwrap();
    let mut names = [0; 2048];
    let first = context.list_readers(&mut names).unwrap().next().unwrap();
    loop {
        match context.connect(first, ShareMode::Shared, Protocols::ANY) {
            Ok(card) => return card,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(60), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// This test again, as a process that does `what`.
fn doing(what: &str) -> std::process::Child {
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", KILLED, "--nocapture", "--test-threads=1"])
        .env(DOING, what)
        .spawn()
        .unwrap()
}

/// The card waits for a touch, so that there is time to kill who signs.
#[test]
fn a_process_that_is_killed_while_it_signs_leaves_no_verified_pin() {
    match std::env::var(DOING).as_deref() {
        Ok("signs") => panic!("{:?}", opened(ONE).signer.sign(&digest())),
        Ok(_) => {
            let card = stranger(ShareMode::Shared);
            assert_eq!(say(&card, &[SELECT, &showing(0x81, USER_PIN)]), [0x90, 0]);
            loop {
                std::thread::park();
            }
        }
        Err(_) => {}
    }
    inside(KILLED, || {
        let _pcscd = pcscd();
        let card = VirtualCard::new(ONE, signstar_virtual_card::Touch::Missing);
        let instructions = card.instructions();
        let _card = Inserted::new(card, slot(PORT));
        noticed(ONE);
        let key = TestKey::named("ed25519");
        let public = key.signing_key();
        let numbers = (&key.material(), public.public_key());
        let (place, admin) = (location(ONE), pin(ADMIN_PIN));
        provision::import(&place, &admin, numbers, 1, Touch::Needed, Present::Replace).unwrap();
        // The PIN lasts.
        let lasting: &[u8] = b"\x00\xda\x00\xc4\x01\x01";
        let theirs = patient_stranger();
        let commands = [SELECT, &showing(0x83, ADMIN_PIN), lasting];
        assert_eq!(say(&theirs, &commands), [0x90, 0]);
        theirs
            .disconnect(Disposition::ResetCard)
            .map_err(|_| ())
            .unwrap();

        for (what, instruction, left) in [
            // Who has not locked the card leaves it as it is.
            ("shows the PIN", 0x20, [0x90, 0x00]),
            ("signs", 0x2a, [0x63, 0xc3]),
        ] {
            instructions.lock().unwrap().clear();
            let mut process = doing(what);
            let start = Instant::now();
            while !instructions.lock().unwrap().contains(&instruction) {
                assert!(start.elapsed() < Duration::from_secs(60), "{what}");
                std::thread::sleep(Duration::from_millis(5));
            }
            process.kill().unwrap();
            process.wait().unwrap();
            // pcscd notices the end of a process when the card has answered what that asked for last.
            let start = Instant::now();
            let theirs = loop {
                let theirs = patient_stranger();
                let state = said(&theirs, &[SELECT, IS_VERIFIED]);
                if state.as_deref() == Ok(&left) {
                    break theirs;
                }
                assert!(
                    start.elapsed() < Duration::from_secs(60),
                    "{what}: {state:02x?}"
                );
                // To let it go otherwise would reset the card.
                let _ = theirs.disconnect(Disposition::LeaveCard);
                std::thread::sleep(Duration::from_millis(20));
            };
            theirs
                .disconnect(Disposition::ResetCard)
                .map_err(|_| ())
                .unwrap();
        }
    });
}

#[test]
fn many_signers_share_a_card() {
    inside("many_signers_share_a_card", || {
        let _pcscd = pcscd();
        let _card = with_key(ONE, 0);
        let place = Location {
            wait: Duration::from_secs(30),
            ..location(ONE)
        };
        let open_all = || open(&place, pin(USER_PIN)).unwrap();
        // One after the other: the new socket of each is found by comparing.
        let mut signers: Vec<Opened> = (0..8).map(|_| open_all()).collect();
        let mut counters: Vec<u64> = Vec::new();
        for _ in 0..2 {
            counters.extend(signers.iter_mut().map(|opened| sign(opened).unwrap()));
        }
        let expected: Vec<u64> = (1..=16).collect();
        assert_eq!(counters, expected);
    });
}
