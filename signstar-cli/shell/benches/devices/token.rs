//! A key on a PKCS#11 token: SoftHSM. The whole is: initialise the module, log in, find the key, sign,
//! finalise. A signature alone is one in that session.

use std::cell::RefCell;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use signstar_testkit::token::{Software, PIN};

use crate::contest::{in_turns, Bare};
use crate::token_scene::{world, MODULE_CONFIGURATION};

/// What is measured.
pub(crate) const KINDS: [&str; 3] = ["ed25519", "p256", "rsa4096"];

/// A token, its key, the shell, the loop.
pub(crate) fn measure(kind: &str, rounds: u32) {
    let software = Software::SoftHsm;
    let world = world(software, kind);
    std::env::set_var(software.variable(), MODULE_CONFIGURATION);
    world.within(|| {
        let (mechanism, input) = match kind {
            "ed25519" => {
                let pure = EddsaParams::new(EddsaSignatureScheme::Pure);
                (Mechanism::Eddsa(pure), vec![0x5a; 64])
            }
            "p256" => (Mechanism::Ecdsa, vec![0x5a; 32]),
            // A DigestInfo with SHA-512 is so long.
            _ => (Mechanism::RsaPkcs, vec![0x5a; 83]),
        };
        // A module can be initialised once at a time: this one is, between the signatures.
        let open = RefCell::new(None::<(Pkcs11, Session, ObjectHandle)>);
        let close = || {
            if let Some((library, session, _)) = open.take() {
                drop(session);
                library.finalize().unwrap();
            }
        };
        let log_in = || {
            let library = Pkcs11::new(software.module()).unwrap();
            let locking = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
            library.initialize(locking).unwrap();
            let slots = library.get_slots_with_initialized_token().unwrap();
            let session = library.open_ro_session(slots[0]).unwrap();
            let pin = AuthPin::new(PIN.into());
            session.login(UserType::User, Some(&pin)).unwrap();
            let private = [Attribute::Class(ObjectClass::PRIVATE_KEY)];
            let key = session.find_objects(&private).unwrap()[0];
            open.replace(Some((library, session, key)));
        };
        let again = || {
            let open = open.borrow();
            let (_, session, key) = open.as_ref().unwrap();
            let made = session.sign(&mechanism, *key, &input).unwrap();
            assert!(!made.is_empty());
        };
        let bare = Bare {
            // What is left of the round before is closed here: that is a part of the whole.
            whole: &mut || {
                close();
                log_in();
                again();
            },
            signature: &mut || again(),
        };
        in_turns(&world, &format!("pkcs11 {kind}"), rounds, bare);
        close();
    });
}
