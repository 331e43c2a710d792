//! What a device is to do, once each.

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{
    BackupPassphraseConfig, DecryptMode, DecryptRequestData, EncryptMode, EncryptRequestData,
    KeyGenerateRequestData, KeyMechanism, KeyType, ProvisionRequestData, RandomRequestData,
    SignRequestData, UserPostData, UserRole,
};

use super::{Asked, passphrase, wrong};
use crate::device::{ADMINISTRATOR, As, BACKUP, OPERATOR};
use crate::failure::Failure;
use crate::key::data::decoded;
use crate::key::sign::Mode;
use crate::key::verify::{Verdict, judged};
use crate::provision::now;

/// What is encrypted: two blocks of AES.
const BLOCKS: [u8; 32] = [0x5a; 32];

/// What a device does, in this order; the names are those of the report.
pub(super) const STEPS: [(&str, Step); 7] = [
    ("users", users),
    ("random bytes", random),
    ("RSA", rsa),
    ("EC_P256", p256),
    ("Curve25519", ed25519),
    ("AES", aes),
    ("backup", backup),
];

pub(super) type Step = fn(&mut Asked) -> Result<(), Failure>;

pub(super) fn provision(asked: &mut Asked) -> Result<(), Failure> {
    let (unlock, admin) = (passphrase()?, asked.admin.passphrase("admin")?);
    asked.admin.change(As::Nobody, "provision_post", |asking| {
        let request = ProvisionRequestData::new(unlock.to_string(), admin.to_string(), now());
        default_api::provision_post(asking, request)
    })?;
    Ok(())
}

fn users(asked: &mut Asked) -> Result<(), Failure> {
    for (id, role) in [
        ("operator", UserRole::Operator),
        ("backup", UserRole::Backup),
    ] {
        let known = match role {
            UserRole::Operator => asked.operator.passphrase(id)?,
            _ => asked.backup.passphrase(id)?,
        };
        asked
            .admin
            .change(ADMINISTRATOR, "users_user_id_put", |asking| {
                let request = UserPostData::new(id.to_owned(), role, known.to_string());
                default_api::users_user_id_put(asking, id, request)
            })?;
    }
    Ok(())
}

fn random(asked: &mut Asked) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let answer = asked.operator.read(OPERATOR, "random_post", |asking| {
            default_api::random_post(asking, RandomRequestData::new(32))
        })?;
        seen.push(decoded(&answer.random)?);
    }
    match seen.as_slice() {
        [first, second] if first != second && first.len() == 32 => Ok(()),
        _ => Err(wrong("the same bytes came twice, or too few")),
    }
}

fn rsa(asked: &mut Asked) -> Result<(), Failure> {
    let digest = Sha256::digest(b"rsa");
    let mechanism = KeyMechanism::RsaSignaturePssSha256;
    sign(
        asked,
        KeyType::Rsa,
        Some(2048),
        mechanism,
        Mode::PssSha256,
        &digest,
    )
}

fn p256(asked: &mut Asked) -> Result<(), Failure> {
    let digest = Sha256::digest(b"ecdsa");
    let mechanism = KeyMechanism::EcdsaSignature;
    sign(
        asked,
        KeyType::EcP256,
        None,
        mechanism,
        Mode::Ecdsa,
        &digest,
    )
}

fn ed25519(asked: &mut Asked) -> Result<(), Failure> {
    let mechanism = KeyMechanism::EdDsaSignature;
    sign(
        asked,
        KeyType::Curve25519,
        None,
        mechanism,
        Mode::Eddsa,
        b"eddsa",
    )
}

fn generate(
    asked: &mut Asked,
    kind: KeyType,
    bits: Option<i32>,
    mechanisms: &[KeyMechanism],
) -> Result<String, Failure> {
    let made = asked
        .admin
        .change(ADMINISTRATOR, "keys_generate_post", |asking| {
            let mut request = KeyGenerateRequestData::new(mechanisms.to_vec(), kind);
            request.length = bits;
            default_api::keys_generate_post(asking, request)
        })?;
    Ok(made.value.id)
}

fn sign(
    asked: &mut Asked,
    kind: KeyType,
    bits: Option<i32>,
    mechanism: KeyMechanism,
    mode: Mode,
    message: &[u8],
) -> Result<(), Failure> {
    let id = generate(asked, kind, bits, &[mechanism])?;
    let key = asked.operator.read(OPERATOR, "keys_key_id_get", |asking| {
        default_api::keys_key_id_get(asking, &id)
    })?;
    let answer = asked
        .operator
        .change(OPERATOR, "keys_key_id_sign_post", |asking| {
            let request = SignRequestData::new(mode.sdk(), Base64::encode_string(message));
            default_api::keys_key_id_sign_post(asking, &id, request)
        })?;
    let signature = decoded(&answer.value.signature)?;
    match judged(&key, mode, message, &signature) {
        Verdict::Good => Ok(()),
        Verdict::Bad | Verdict::Unknown => Err(wrong("the signature is not good")),
    }
}

fn aes(asked: &mut Asked) -> Result<(), Failure> {
    let both = [
        KeyMechanism::AesEncryptionCbc,
        KeyMechanism::AesDecryptionCbc,
    ];
    let id = generate(asked, KeyType::Generic, Some(256), &both)?;
    let plain = Base64::encode_string(&BLOCKS);
    let sealed = asked
        .operator
        .change(OPERATOR, "keys_key_id_encrypt_post", |asking| {
            let request = EncryptRequestData::new(EncryptMode::AesCbc, plain.clone());
            default_api::keys_key_id_encrypt_post(asking, &id, request)
        })?;
    let sealed = sealed.value;
    let opened = asked
        .operator
        .change(OPERATOR, "keys_key_id_decrypt_post", |asking| {
            let mut request =
                DecryptRequestData::new(DecryptMode::AesCbc, sealed.encrypted.clone());
            request.iv = Some(sealed.iv.clone());
            default_api::keys_key_id_decrypt_post(asking, &id, request)
        })?;
    let changed = sealed.encrypted != plain;
    match changed && decoded(&opened.value.decrypted)?.as_slice() == BLOCKS {
        true => Ok(()),
        false => Err(wrong("what was encrypted is not what comes back")),
    }
}

fn backup(asked: &mut Asked) -> Result<(), Failure> {
    let passphrase = passphrase()?;
    asked
        .admin
        .change(ADMINISTRATOR, "config_backup_passphrase_put", |asking| {
            let request = BackupPassphraseConfig::new(passphrase.to_string(), String::new());
            default_api::config_backup_passphrase_put(asking, request)
        })?;
    let bytes = asked.backup.read(
        BACKUP,
        "system_backup_post",
        default_api::system_backup_post,
    )?;
    let opened = crate::backup::opens(&bytes, &passphrase);
    opened.map_err(|text| wrong(&format!("the backup {text}")))
}
