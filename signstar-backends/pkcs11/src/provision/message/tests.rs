use signstar_core::PublicKey;

use super::*;

fn new_key(kind: KeyKind) -> NewKey {
    NewKey {
        kind,
        label: "signing \u{e4}".to_owned(),
        id: vec![0, 1, 255],
    }
}

fn demands() -> Vec<Demand> {
    let account = Account {
        user: 6001,
        group: 70_000,
        groups: vec![70_000, 4, u32::MAX],
    };
    let mut all = Vec::new();
    for account in [None, Some(account)] {
        let mut add = |order| {
            let account = account.clone();
            all.push(Demand { account, order });
        };
        add(Order::List);
        for kind in KINDS {
            add(Order::Make(new_key(kind), None));
            add(Order::Import(new_key(kind)));
        }
        let half = new_key(KeyKind::Ed25519);
        add(Order::Make(new_key(KeyKind::MlDsa65), Some(half)));
    }
    all
}

fn answers() -> Vec<Answer> {
    let mut all = vec![Answer::End, Answer::Made(PublicKey::Ed25519([7; 32]))];
    for pin in PinState::ALL {
        let uri = Uri {
            token: Some("a".to_owned()),
            model: Some("b".to_owned()),
            ..Uri::default()
        };
        all.push(Answer::Token(TokenSeen { uri, pin }));
    }
    let none = KeySeen {
        label: None,
        id: None,
        kind: None,
    };
    all.push(Answer::Key(none));
    all.extend(KINDS.map(|kind| {
        Answer::Key(KeySeen {
            label: Some("c".to_owned()),
            id: Some(vec![0]),
            kind: Some(kind),
        })
    }));
    all.extend(Fault::OWN.map(Answer::Fault));
    all.extend(WorkerFault::ALL.map(Answer::from));
    all
}

#[test]
fn every_message_is_read_back_and_has_one_spelling() {
    for demand in demands() {
        let frame = demand.to_frame().unwrap();
        assert_eq!(Demand::from_frame(&frame).as_ref(), Ok(&demand));
        assert!(Answer::from_frame(&frame).is_err());
        for index in 0..200 {
            let mut bent = frame.clone();
            bent[index] ^= 1 << (index % 8);
            if let Ok(read) = Demand::from_frame(&bent) {
                assert_eq!(read.to_frame(), Ok(bent), "octet {index}");
            }
        }
    }
    for answer in answers() {
        let frame = answer.to_frame().unwrap();
        assert_eq!(Answer::from_frame(&frame).as_ref(), Ok(&answer));
        assert!(Demand::from_frame(&frame).is_err());
        for index in 0..200 {
            let mut bent = frame.clone();
            bent[index] ^= 1 << (index % 8);
            if let Ok(read) = Answer::from_frame(&bent) {
                assert_eq!(read.to_frame(), Ok(bent), "octet {index}");
            }
        }
    }
}

#[test]
fn kinds_that_tokens_do_not_have_are_not_sent() {
    for kind in [KeyKind::MlDsa65Ed25519, KeyKind::Rsa(1024)] {
        let demand = Demand {
            account: None,
            order: Order::Make(new_key(kind), None),
        };
        assert_eq!(demand.to_frame().err(), Some(MessageError::Body));
        let seen = Answer::Key(KeySeen {
            label: None,
            id: None,
            kind: Some(kind),
        });
        assert_eq!(seen.to_frame().err(), Some(MessageError::Body));
    }
}

#[test]
fn names_that_are_empty_or_too_long_are_not_sent() {
    for (label, id) in [(0, 1), (1, 0), (256, 1), (1, 256)] {
        let key = NewKey {
            kind: KeyKind::P256,
            label: "l".repeat(label),
            id: vec![1; id],
        };
        let demand = Demand {
            account: None,
            order: Order::Make(key, None),
        };
        assert_eq!(demand.to_frame().err(), Some(MessageError::Body));
    }
}

#[test]
fn faults_are_one_line_each_and_differ() {
    let texts = Fault::OWN.map(|fault| fault.error().to_string());
    for (index, text) in texts.iter().enumerate() {
        assert!(!text.contains('\n') && text.len() < 120, "{text}");
        assert!(!texts[..index].contains(text), "{text}");
    }
}
