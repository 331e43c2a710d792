//! Keys on a PKCS#11 token: SoftHSM, through the worker.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use signstar_testkit::token::{PIN, Software, Token};
use signstar_testkit::worker::Worker;

use crate::place::Place;
use crate::{Shape, certify, configure, done, refused, signing};

/// The worker that was built with this test.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own
        .ancestors()
        .nth(2)
        .unwrap()
        .join("signstar-pkcs11-worker");
    assert!(
        program.is_file(),
        "no worker: run `cargo xtask test --part build`"
    );
    program
}

#[test]
fn a_key_on_a_token_goes_to_a_signature_in_both_shapes() {
    for (kind, shape) in [("p256", Shape::Alone), ("rsa2048", Shape::BelowPrimary)] {
        let token = Token::with(Software::SoftHsm, kind);
        let worker = Worker::new(program(), &token);
        let place = Place::new();
        let folder = place.path("lib/signstar");
        fs::create_dir_all(&folder).unwrap();
        for folder in [&place.path("lib"), &folder] {
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        fs::copy(program(), folder.join("signstar-pkcs11-worker")).unwrap();
        place.write_for_signers("packages.pin", &format!("{PIN}\n"));
        let pin = place.path("packages.pin");
        let settings = &worker.settings;
        let (variable, value) = &worker.environment[0];
        configure(
            &place,
            "pkcs11",
            &format!(
                "module = {:?}\nuri = {:?}\npin = {pin:?}\nenvironment = {{ {variable} = {value:?} }}\n\
                 read = {:?}\nwrite = {:?}\n",
                settings.module, settings.uri, settings.read, settings.write
            ),
        );
        let listed = done(&place, &["key", "list"]);
        assert_eq!(listed["keys"][0]["kind"], kind);
        let generate = ["key", "generate", "--key", "packages"];
        refused(place.admin(&generate), 64, "with the token's own tools");
        let fingerprint = certify(&place, shape);
        signing::check(&place, &mut worker.signer(), &fingerprint);

        place.write_for_signers("packages.pin", "87654321\n");
        let create = [
            "cert",
            "create",
            "--key",
            "packages",
            "--user-id",
            "A",
            "--force",
        ];
        let text = place.admin(&create).refused(65);
        assert!(!text.contains("87654321"), "{text}");
    }
}
