//! The promises of a signer, for every kind of key that a NetHSM has and OpenPGP knows.

use signstar_testkit::conformance::{Counting, check};
use signstar_testkit::nethsm::{KINDS, NetHsm};

#[test]
fn keys_of_every_kind_keep_the_promises_of_a_signer() {
    let device = NetHsm::start();
    for (name, ..) in KINDS {
        let id = device.generate(name);
        let mut opened = signstar_nethsm::open(&device.settings(&id)).unwrap();
        check(opened.signer.as_mut(), name, Counting::EverySignature);
    }
}
