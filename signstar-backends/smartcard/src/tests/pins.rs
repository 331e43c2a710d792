//! What a PIN costs, and what a card says that is not about it.

use std::sync::Arc;

use signstar_core::{Signer, SignerError};
use signstar_virtual_card::{ADMIN_PIN, MANUFACTURER, Touch, USER_PIN, VirtualCard};

use super::card::{SERIAL, Slot, digest, holding, import, location, open, pin, signer, status};
use crate::provision::Touch as Policy;
use crate::signer::Smartcard;

/// One that is wrong.
const WRONG: &str = "918273";
/// PSO: COMPUTE DIGITAL SIGNATURE over 32 zeros.
fn signing() -> Vec<u8> {
    [&[0x00, 0x2a, 0x9e, 0x9a, 32][..], &[0; 32], &[0]].concat()
}

/// VERIFY with PIN number `number`.
fn showing(number: u8, pin: &str) -> Vec<u8> {
    let length = u8::try_from(pin.len()).unwrap();
    [&[0x00, 0x20, 0x00, number, length], pin.as_bytes()].concat()
}

fn succeed(card: &VirtualCard, command: &[u8]) -> Vec<u8> {
    let answer = card.execute(command);
    assert!(answer.ends_with(&[0x90, 0x00]), "{answer:02x?}");
    answer
}

fn credential(error: SignerError) -> String {
    match error {
        SignerError::Credential(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wrong_pin_costs_one_try_and_is_never_sent_again() {
    let card = holding("ed25519");
    assert_eq!(status(&card).tries, 3);
    let (signer, tap) = open(&card, WRONG);
    let mut signer = signer.unwrap();
    assert_eq!(
        tap.lock().unwrap().pins(),
        0,
        "it was sent before there was a digest"
    );
    let text = credential(signer.sign(&digest("first")).unwrap_err());
    assert!(text.contains("2 tries left"), "{text}");
    assert!(!text.contains(WRONG), "{text}");
    assert_eq!(status(&card).tries, 2);
    for again in ["second", "third"] {
        credential(signer.sign(&digest(again)).unwrap_err());
    }
    assert_eq!(status(&card).tries, 2);
    assert_eq!(tap.lock().unwrap().pins(), 1);
    assert_eq!(status(&card).counter, 0);
}

#[test]
fn with_one_try_left_no_pin_is_sent() {
    let card = holding("ed25519");
    let (mut early, early_tap) = signer(&card);
    for _ in 0..2 {
        card.execute(&showing(0x81, WRONG));
    }
    assert_eq!(status(&card).tries, 1);
    let (refused, tap) = open(&card, USER_PIN);
    let text = credential(refused.err().unwrap());
    assert!(text.contains("one try left"), "{text}");
    // The same for one that was opened while there were more.
    credential(early.sign(&digest("late")).unwrap_err());
    for tap in [tap, early_tap] {
        assert_eq!(tap.lock().unwrap().pins(), 0);
    }
    assert_eq!(status(&card).tries, 1);

    card.execute(&showing(0x81, WRONG));
    let text = credential(open(&card, USER_PIN).0.err().unwrap());
    assert!(text.contains("no try left"), "{text}");
}

#[test]
fn a_right_pin_gives_the_tries_back() {
    let card = holding("ed25519");
    card.execute(&showing(0x81, WRONG));
    assert_eq!(status(&card).tries, 2);
    signer(&card).0.sign(&digest("right")).unwrap();
    assert_eq!(status(&card).tries, 3);
}

#[test]
fn a_card_forgets_the_pin_that_was_shown_to_sign() {
    let card = holding("ed25519");
    // The PIN lasts for more than one signature, until the card is told to forget it.
    succeed(&card, &showing(0x83, ADMIN_PIN));
    succeed(&card, &[0x00, 0xda, 0x00, 0xc4, 0x01, 0x01]);
    succeed(&card, &showing(0x81, USER_PIN));
    for _ in 0..2 {
        succeed(&card, &signing());
    }
    card.reset();
    signer(&card).0.sign(&digest("ours")).unwrap();
    assert_eq!(card.execute(&signing()), [0x69, 0x82]);
}

/// What a card before version 3.0 says of itself, made of what ours says: 2.1.
fn as_before(answer: &[u8]) -> Result<Vec<u8>, crate::fault::Fault> {
    let ours = [0xd2, 0x76, 0x00, 0x01, 0x24, 0x01, 0x03, 0x04];
    let mut changed = answer.to_vec();
    if let Some(at) = answer.windows(ours.len()).position(|part| *part == ours) {
        changed[at + 6..at + 8].copy_from_slice(&[2, 1]);
    }
    Ok(changed)
}

#[test]
fn a_card_that_keeps_the_pin_and_cannot_be_told_to_forget_it_is_refused() {
    let card = holding("ed25519");
    let open_before = || {
        let (link, tap) = Slot::holding(&card);
        {
            let mut tap = tap.lock().unwrap();
            tap.spoil = Some((0, as_before));
            tap.lasting = true;
        }
        (Smartcard::new(link, &location(), pin(USER_PIN)), tap)
    };
    // One that asks for each signature serves, whatever its version; until somebody switches that off.
    let (asking, asking_tap) = open_before();
    let mut asking = asking.unwrap();
    asking.sign(&digest("asked")).unwrap();
    succeed(&card, &showing(0x83, ADMIN_PIN));
    succeed(&card, &[0x00, 0xda, 0x00, 0xc4, 0x01, 0x01]);
    let (keeping, keeping_tap) = open_before();
    let late = asking.sign(&digest("late"));
    for (error, tap, pins) in [
        (keeping.err().unwrap(), keeping_tap, 0),
        (late.unwrap_err(), asking_tap, 1),
    ] {
        assert!(
            matches!(&error, SignerError::Failed(text) if text.contains("forcesig")),
            "{error:?}"
        );
        assert_eq!(tap.lock().unwrap().pins(), pins);
    }
    // The same card, as what it is.
    signer(&card).0.sign(&digest("new")).unwrap();
}

#[test]
fn another_card_in_the_reader_gets_no_pin() {
    let card = holding("ed25519");
    let (mut signer, tap) = signer(&card);
    let other = VirtualCard::new(SERIAL + 1, Touch::Given);
    tap.lock().unwrap().next = Some(Arc::new(other));
    let error = signer.sign(&digest("other")).unwrap_err();
    assert!(
        matches!(&error, SignerError::Unavailable(text) if text.contains("another card")),
        "{error:?}"
    );
    assert_eq!(tap.lock().unwrap().pins(), 0);
    // The right one is back.
    tap.lock().unwrap().next = Some(card);
    signer.sign(&digest("right")).unwrap();
}

#[test]
fn a_touch_that_comes_makes_a_signature() {
    let card = Arc::new(VirtualCard::new(SERIAL, Touch::Given));
    import(&card, "ed25519", Policy::Needed);
    assert_eq!(status(&card).touch, Policy::Needed);
    signer(&card).0.sign(&digest("touched")).unwrap();
}

/// The card waits for fifteen seconds.
#[test]
fn a_touch_that_does_not_come_is_not_taken_for_a_wrong_pin() {
    let card = Arc::new(VirtualCard::new(SERIAL, Touch::Missing));
    import(&card, "ed25519", Policy::Needed);
    let (mut signer, tap) = signer(&card);
    let error = signer.sign(&digest("untouched")).unwrap_err();
    assert!(
        matches!(&error, SignerError::Unavailable(text) if text.contains("touch")),
        "{error:?}"
    );
    assert_eq!(tap.lock().unwrap().pins(), 1);
    let status = status(&card);
    assert_eq!((status.tries, status.counter), (3, 0));
}

#[test]
fn a_card_that_wants_its_pin_hashed_is_refused() {
    let card = holding("ed25519");
    succeed(&card, &showing(0x83, ADMIN_PIN));
    // KDF object: iterated and salted, SHA-256, a count, a salt and the hashes of the PINs.
    let salt = |tag| [&[tag, 8][..], &[7; 8]].concat();
    let initial = |tag| [&[tag, 32][..], &[9; 32]].concat();
    let object = [
        vec![0x81, 1, 3, 0x82, 1, 8, 0x83, 4, 0, 1, 0, 0],
        salt(0x84),
        salt(0x85),
        salt(0x86),
        initial(0x87),
        initial(0x88),
    ]
    .concat();
    let length = u8::try_from(object.len()).unwrap();
    succeed(
        &card,
        &[vec![0x00, 0xda, 0x00, 0xf9, length], object].concat(),
    );
    let (refused, tap) = open(&card, USER_PIN);
    let error = refused.err().unwrap();
    assert!(
        matches!(&error, SignerError::Failed(text) if text.contains("KDF")),
        "{error:?}"
    );
    assert_eq!(tap.lock().unwrap().pins(), 0);
}

#[test]
fn an_empty_card_is_refused() {
    let card = VirtualCard::new(SERIAL, Touch::Given);
    assert_eq!(MANUFACTURER, 0);
    let error = open(&Arc::new(card), USER_PIN).0.err().unwrap();
    assert!(matches!(error, SignerError::Failed(_)), "{error:?}");
}
