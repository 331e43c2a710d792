//! A machine with a token on it, whose key the login shell signs with.

use std::fs;
use std::path::{Path, PathBuf};

use signstar_core::{KeyKind, KeyVersion};
use signstar_testkit::token::{Software, Token, PIN};
use signstar_testkit::worker::Worker;

use crate::support::built::{provisioner, worker};
use crate::support::world::{give, SIGNER, SIGNERS};
use crate::support::{Configuration, SigningKey, World};

/// Places inside the world.
pub(crate) const TOKENS: &str = "/run/signstar/tokens";
pub(crate) const MODULE_CONFIGURATION: &str = "/etc/signstar/module.conf";
pub(crate) const PIN_FILE: &str = "/etc/signstar/packages.pin";

/// The worker, which must have been built.
pub(crate) fn program() -> PathBuf {
    worker().expect(
        "there is no worker: run `cargo build -p signstar-pkcs11-worker`, or \
         `cargo xtask test --part stage`",
    )
}

/// The certificate of the key on `token`, made by that key an hour ago.
pub(crate) fn certificate(token: &Token) -> SigningKey {
    SigningKey::in_device(&mut Worker::new(program(), token).signer(), KeyVersion::V4)
}

/// The same for the composite key on `token`.
fn composite_certificate(token: &Token) -> SigningKey {
    SigningKey::in_device(
        &mut Worker::composite(program(), token).signer(),
        KeyVersion::V6,
    )
}

/// The lines of `[key.packages.pkcs11]` for a token of `software`.
pub(crate) fn table(software: Software) -> String {
    table_with(&software.module(), software.variable())
}

/// The same for any module, configured by `variable`.
pub(crate) fn table_with(module: &Path, variable: &str) -> String {
    format!(
        "module = \"{}\"\nuri = \"pkcs11:token=Package%20signing;object=signing\"\n\
         pin = \"{PIN_FILE}\"\nenvironment = {{ {variable} = \"{MODULE_CONFIGURATION}\" }}\n\
         read = [\"{MODULE_CONFIGURATION}\", \"{TOKENS}\"]\n",
        module.display()
    )
}

/// A world with a fresh token and a key of the kind `kind` on it.
pub(crate) fn world(software: Software, kind: &str) -> World {
    world_with(software, kind, Configuration::new())
}

/// The same, with other settings.
pub(crate) fn world_with(software: Software, kind: &str, configuration: Configuration) -> World {
    let token = Token::with(software, kind);
    let configuration = configuration.back_end("pkcs11", &table(software));
    let world = World::with(&configuration, certificate(&token));
    install(&world, &token);
    world
}

/// A world with a composite key, ML-DSA-65 and Ed25519, on a fresh token.
pub(crate) fn composite_world() -> World {
    let token = Token::composite();
    let half = "uri-ed25519 = \"pkcs11:token=Package%20signing;object=signing-ed25519\"\n";
    let table = table(Software::Kryoptic) + half;
    let configuration = Configuration::new().back_end("pkcs11", &table);
    let world = World::with(&configuration, composite_certificate(&token));
    install(&world, &token);
    world
}

/// A world with an empty token, what makes keys on it, and a key that is to become one on it: `half` names
/// the other half of a composite one.
pub(crate) fn world_to_fill(software: Software, half: Option<&str>) -> World {
    let half = half
        .map(|half| format!("uri-ed25519 = \"pkcs11:token=Package%20signing;object={half}\"\n"));
    let table = table(software) + &half.unwrap_or_default();
    let configuration = Configuration::new().back_end("pkcs11", &table);
    let world = World::with(&configuration, SigningKey::new(KeyKind::Ed25519));
    install(&world, &Token::empty(software));
    let program = provisioner();
    let inside = format!(
        "/usr/lib/signstar/{}",
        program.file_name().unwrap().to_str().unwrap()
    );
    world.write(&inside, fs::read(&program).unwrap(), (0, 0), 0o755);
    world
}

/// Puts a token into the world, as the signing account's own.
pub(crate) fn install(world: &World, token: &Token) {
    let text = token.software.configuration(Path::new(TOKENS));
    world.write(MODULE_CONFIGURATION, text, (0, 0), 0o644);
    world.write(PIN_FILE, PIN, (0, SIGNERS), 0o440);
    copy(&token.tokens(), &world.path(TOKENS));
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
        give(to, (SIGNER.id, SIGNERS), 0o700);
    } else {
        fs::copy(from, to).unwrap();
        give(to, (SIGNER.id, SIGNERS), 0o600);
    }
}
