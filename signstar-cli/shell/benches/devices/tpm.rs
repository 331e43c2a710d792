//! A key in a TPM: swtpm behind a device that behaves as /dev/tpmrm0. The whole is: the back end alone,
//! whose sessions are salted, which has the TPM do an RSA or ECDH decryption each. A signature alone is
//! one with the device open and the auth value sent plainly.

use std::str::FromStr;
use std::sync::mpsc::channel;

use signstar_core::KeyKind;
use signstar_tpm::{KeyPlace, Settings};
use tss_esapi::constants::tss::{TPM2_RH_NULL, TPM2_ST_HASHCHECK};
use tss_esapi::handles::{KeyHandle, PersistentTpmHandle, TpmHandle};
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::interface_types::session_handles::AuthSession;
use tss_esapi::structures::{Auth, Digest, HashScheme, HashcheckTicket, SignatureScheme};
use tss_esapi::tcti_ldr::DeviceConfig;
use tss_esapi::tss2_esys::TPMT_TK_HASHCHECK;
use tss_esapi::{Context, TctiNameConf};
use zeroize::Zeroizing;

use crate::contest::{digest, in_turns, Bare};
use crate::tpm_scene::{Scene, AUTH};

/// What is measured.
pub(crate) const KINDS: [KeyKind; 2] = [KeyKind::P256, KeyKind::Rsa(3072)];

/// Where the scene has its key.
const KEY: u32 = 0x8100_0100;

/// A TPM, its key, the shell, the loop.
pub(crate) fn measure(kind: KeyKind, rounds: u32) {
    let scene = Scene::with(kind);
    let device = scene.tpm.device();
    let path = device.path().to_str().unwrap().to_owned();
    let hash_scheme = HashScheme::new(HashingAlgorithm::Sha512);
    let scheme = match kind {
        KeyKind::P256 => SignatureScheme::EcDsa { hash_scheme },
        _ => SignatureScheme::RsaSsa { hash_scheme },
    };
    let whole = || {
        let settings = Settings {
            device: device.path().to_owned(),
            parent: scene.parent.clone(),
            key: KeyPlace::Persistent(format!("{KEY:#x}").parse().unwrap()),
            registers: None,
        };
        let auth = Some(Zeroizing::new(AUTH.as_bytes().to_vec()));
        let mut opened = signstar_tpm::open(&settings, auth).unwrap();
        opened.signer.sign(&digest()).unwrap();
    };
    // The back end looks at its descriptors in /proc, where the world's has other processes: it
    // works on a thread outside.
    let (orders, ordered) = channel();
    let (did, done) = channel();
    let world = &scene.world;
    let inside = move || {
        let config = DeviceConfig::from_str(&path).unwrap();
        let mut context = Context::new(TctiNameConf::Device(config)).unwrap();
        let handle = PersistentTpmHandle::new(KEY).unwrap();
        let key = context.tr_from_tpm_public(TpmHandle::Persistent(handle));
        let key = key.unwrap();
        let auth = Auth::try_from(AUTH.as_bytes().to_vec()).unwrap();
        context.tr_set_auth(key, auth).unwrap();
        let name = format!("tpm {kind}");
        let mut signature = || {
            let digest = Digest::try_from(vec![0x5a; 64]).unwrap();
            let none = TPMT_TK_HASHCHECK {
                tag: TPM2_ST_HASHCHECK,
                hierarchy: TPM2_RH_NULL,
                digest: Default::default(),
            };
            let ticket = HashcheckTicket::try_from(none).unwrap();
            let session = Some(AuthSession::Password);
            let sign =
                |context: &mut Context| context.sign(KeyHandle::from(key), digest, scheme, ticket);
            context.execute_with_session(session, sign).unwrap();
        };
        let mut whole = || {
            orders.send(()).unwrap();
            done.recv().unwrap();
        };
        let bare = Bare {
            whole: &mut whole,
            signature: &mut signature,
        };
        in_turns(world, &name, rounds, bare);
    };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for () in ordered {
                whole();
                did.send(()).unwrap();
            }
        });
        world.within(inside);
    });
}
