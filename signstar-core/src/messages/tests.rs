use super::*;

fn settings() -> ModuleSettings {
    ModuleSettings {
        module: "/usr/lib/softhsm/libsofthsm2.so".to_owned(),
        uri: "pkcs11:token=a;object=b".to_owned(),
        uri_ed25519: None,
        read: vec!["/etc/softhsm2.conf".to_owned()],
        write: vec!["/var/lib/tokens".to_owned(), "/run/lock".to_owned()],
        processor_seconds: 30,
    }
}

fn requests() -> Vec<WorkerRequest> {
    let digest = |hash: HashAlgorithm| Digest::new(hash, &vec![7; hash.digest_bytes()]).unwrap();
    let composite = ModuleSettings {
        uri_ed25519: Some("pkcs11:token=a;object=c".to_owned()),
        ..settings()
    };
    let mut all = vec![
        WorkerRequest::Open(settings()),
        WorkerRequest::Open(composite),
        WorkerRequest::Pin(Zeroizing::new(b"1234".to_vec())),
        WorkerRequest::Pin(Zeroizing::new(vec![0xff; PIN_BYTES_MAX])),
    ];
    all.extend(HashAlgorithm::ALL.map(|hash| WorkerRequest::Sign(digest(hash))));
    all
}

fn answers() -> Vec<WorkerAnswer> {
    let curves = [Curve::P256, Curve::P384, Curve::P521];
    let mut all = vec![
        WorkerAnswer::PinWanted,
        WorkerAnswer::Ready(PublicKey::Ed25519([0; 32])),
        WorkerAnswer::Signature(SignatureValue::Ed25519([1; 64])),
    ];
    for curve in curves {
        let number = vec![9; curve.scalar_bytes()];
        let point = [&[4][..], &number, &number].concat();
        all.push(WorkerAnswer::Ready(PublicKey::Ecdsa { curve, point }));
        let (r, s) = (number.clone(), number);
        all.push(WorkerAnswer::Signature(SignatureValue::Ecdsa { r, s }));
    }
    for bytes in [256, 384, 512] {
        let (n, e) = (vec![0xc1; bytes], vec![1, 0, 1]);
        all.push(WorkerAnswer::Signature(SignatureValue::Rsa(n.clone())));
        all.push(WorkerAnswer::Ready(PublicKey::Rsa { n, e }));
    }
    all.push(WorkerAnswer::Ready(PublicKey::MlDsa65Ed25519 {
        ed25519: [2; 32],
        ml_dsa: Box::new([3; ML_DSA_65_KEY_BYTES]),
    }));
    all.push(WorkerAnswer::Signature(SignatureValue::MlDsa65Ed25519 {
        ed25519: Box::new([4; 64]),
        ml_dsa: Box::new([5; ML_DSA_65_SIGNATURE_BYTES]),
    }));
    all.extend(WorkerFault::ALL.map(WorkerAnswer::Fault));
    all
}

#[test]
fn every_message_is_one_frame_and_is_read_back() {
    for request in requests() {
        let frame = request.to_frame().unwrap();
        assert_eq!(frame.len(), FRAME_BYTES);
        assert_eq!(WorkerRequest::from_frame(&frame), Ok(request.clone()));
        let start = frame.as_ptr();
        let taken = WorkerRequest::take_frame(frame).unwrap();
        if let WorkerRequest::Pin(pin) = &taken {
            assert_eq!(pin.as_ptr(), start, "no copy");
        }
        assert_eq!(taken, request);
    }
    for answer in answers() {
        let frame = answer.to_frame().unwrap();
        assert_eq!(frame.len(), FRAME_BYTES);
        assert_eq!(WorkerAnswer::from_frame(&frame), Ok(answer));
    }
}

#[test]
fn neither_side_takes_the_others_messages() {
    for request in requests() {
        let frame = request.to_frame().unwrap();
        assert_eq!(WorkerAnswer::from_frame(&frame), Err(MessageError::Kind));
    }
    for answer in answers() {
        let frame = answer.to_frame().unwrap();
        assert_eq!(WorkerRequest::from_frame(&frame), Err(MessageError::Kind));
    }
}

/// Each octet of each frame, changed in one bit: the message is refused or another one, and never
/// the same with another spelling.
#[test]
fn no_message_has_two_spellings() {
    for frame in requests().iter().map(|request| request.to_frame().unwrap()) {
        for index in 0..FRAME_BYTES {
            let mut bent = frame.clone();
            bent[index] ^= 1 << (index % 8);
            let read = WorkerRequest::from_frame(&bent).map(|read| read.to_frame().unwrap());
            let taken = WorkerRequest::take_frame(bent.clone());
            assert_eq!(taken.map(|read| read.to_frame().unwrap()), read);
            assert!(read.is_err() || read == Ok(bent), "octet {index}");
        }
    }
    for frame in answers().iter().map(|answer| answer.to_frame().unwrap()) {
        for index in 0..FRAME_BYTES {
            let mut bent = frame.clone();
            bent[index] ^= 1 << (index % 8);
            let read = WorkerAnswer::from_frame(&bent).map(|read| read.to_frame().unwrap());
            assert!(read.is_err() || read == Ok(bent), "octet {index}");
        }
    }
}

#[test]
fn refuses_frames_that_are_short_long_empty_or_of_another_version() {
    let frame = WorkerAnswer::PinWanted.to_frame().unwrap();
    let mut longer = frame.to_vec();
    longer.push(0);
    let mut other = frame.to_vec();
    other[0] = 2;
    let mut beyond = frame.to_vec();
    beyond[2..4].copy_from_slice(&[0xff, 0xff]);
    for wrong in [
        &[][..],
        &frame[..4],
        &frame[..FRAME_BYTES - 1],
        &longer,
        &other,
        &beyond,
    ] {
        assert_eq!(WorkerAnswer::from_frame(wrong), Err(MessageError::Frame));
    }
}

#[test]
fn what_does_not_fit_or_has_no_sense_is_not_sent() {
    let mut long = settings();
    long.read = vec!["/".repeat(1000); 5];
    let long = WorkerRequest::Open(long).to_frame();
    assert_eq!(long.err(), Some(MessageError::TooLong));
    for pin in [Vec::new(), vec![b'1'; PIN_BYTES_MAX + 1]] {
        let pin = WorkerRequest::Pin(Zeroizing::new(pin)).to_frame();
        assert_eq!(pin.err(), Some(MessageError::Body));
    }
    let wrong = [
        SignatureValue::Rsa(vec![1; 255]),
        SignatureValue::Rsa(vec![1; 513]),
        SignatureValue::Ecdsa {
            r: vec![1; 32],
            s: vec![1; 33],
        },
        SignatureValue::Ecdsa {
            r: vec![1; 31],
            s: vec![1; 33],
        },
    ];
    for value in wrong {
        let frame = WorkerAnswer::Signature(value).to_frame();
        assert_eq!(frame.err(), Some(MessageError::Body));
    }
    let (n, e) = (vec![0; 256], vec![3]);
    let frame = WorkerAnswer::Ready(PublicKey::Rsa { n, e }).to_frame();
    assert_eq!(frame.err(), Some(MessageError::Body));
}

/// Both halves of a composite key or signature, whole, or no message.
#[test]
fn halves_of_another_length_are_refused() {
    for (kind, id, length) in [
        (17, 6, 32 + ML_DSA_65_KEY_BYTES),
        (19, 4, 64 + ML_DSA_65_SIGNATURE_BYTES),
    ] {
        let with = |length: usize| {
            let frame = frame(kind, &[&[id], &vec![7; length]]).unwrap();
            WorkerAnswer::from_frame(&frame)
        };
        assert!(with(length).is_ok());
        for wrong in [0, 32, 64, length - 64, length - 1, length + 1] {
            assert_eq!(with(wrong), Err(MessageError::Body), "{kind} {wrong}");
        }
    }
}

#[test]
fn faults_are_one_line_each_and_differ() {
    let texts = WorkerFault::ALL.map(|fault| fault.error().to_string());
    for (index, text) in texts.iter().enumerate() {
        assert!(!text.contains('\n') && text.len() < 120, "{text}");
        assert!(!texts[..index].contains(text), "{text}");
    }
}

#[test]
fn a_pin_is_not_shown() {
    let pin = WorkerRequest::Pin(Zeroizing::new(b"hunter2".to_vec()));
    assert_eq!(format!("{pin:?}"), "Pin(..)");
}
