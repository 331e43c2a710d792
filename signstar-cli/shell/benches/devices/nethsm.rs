//! A key in a NetHSM: the simulator, in this process. The whole is: connect, TLS, read the key, sign, read
//! the count. A signature alone is one over that connection.

use std::cell::RefCell;

use base64ct::{Base64, Encoding};
use signstar_nethsm::client::Client;
use signstar_nethsm::sdk::apis::default_api::{keys_key_id_get, keys_key_id_sign_post};
use signstar_nethsm::sdk::models::{SignMode, SignRequestData};
use signstar_testkit::nethsm::PASSPHRASE;

use crate::contest::{in_turns, Bare};
use crate::nethsm_scene::Scene;

/// What is measured.
pub(crate) const KINDS: [&str; 3] = ["ed25519", "p256", "rsa4096"];

/// A device, its key, the shell, the loop.
pub(crate) fn measure(kind: &str, rounds: u32) {
    let scene = Scene::with(kind);
    let (mode, length) = match kind {
        "ed25519" => (SignMode::EdDsa, 64),
        "p256" => (SignMode::Ecdsa, 32),
        // A DigestInfo with SHA-512 is so long.
        _ => (SignMode::Pkcs1, 83),
    };
    let input = Base64::encode_string(&vec![0x5a; length]);
    scene.world.within(|| {
        let open = RefCell::new(scene.devices[0].client("signer", PASSPHRASE));
        let look = |client: &mut Client| {
            let read = client.call(|device| keys_key_id_get(device, &scene.key));
            read.unwrap();
        };
        let sign = |client: &mut Client| {
            let request = SignRequestData::new(mode, input.clone());
            let made = client.call(|device| keys_key_id_sign_post(device, &scene.key, request));
            assert!(!made.unwrap().value.signature.is_empty());
        };
        look(&mut open.borrow_mut());
        let bare = Bare {
            whole: &mut || {
                let mut client = scene.devices[0].client("signer", PASSPHRASE);
                look(&mut client);
                sign(&mut client);
                look(&mut client);
                open.replace(client);
            },
            signature: &mut || sign(&mut open.borrow_mut()),
        };
        in_turns(&scene.world, &format!("nethsm {kind}"), rounds, bare);
    });
}
