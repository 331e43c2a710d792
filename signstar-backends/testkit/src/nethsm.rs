//! A NetHSM with keys to try: a simulator, or the device that `NETHSM_TEST_URL` names.
//!
//! For a device of one's own: `NETHSM_TEST_URL` (`https://192.0.2.1/api/v1`), `NETHSM_TEST_FINGERPRINT`
//! (the SHA-256 of its TLS certificate), `NETHSM_TEST_ADMIN` (the name of an Administrator) and
//! `NETHSM_TEST_ADMIN_PASSPHRASE`. It must be operational. Keys and users are made on it under
//! names of their own, and removed afterwards; nothing else is changed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use signstar_nethsm::client::{self, Address, Client, ClientError, Credentials, Trust};
use signstar_nethsm::sdk::apis::default_api::{
    KeysKeyIdPutBody, keys_generate_post, keys_key_id_delete, keys_key_id_put, provision_post,
    users_user_id_delete, users_user_id_put,
};
use signstar_nethsm::sdk::models::{
    KeyGenerateRequestData, KeyMechanism, KeyPrivateData, KeyType, PrivateKey,
    ProvisionRequestData, UserPostData, UserRole,
};
use signstar_nethsm::{Device, Order, Settings};
use signstar_nethsm_simulator::{Options, Running, Simulator};
use zeroize::Zeroizing;

/// Kinds of keys that sign here: our name, and the length of those that have several.
pub const KINDS: [(&str, KeyType, Option<i32>); 7] = [
    ("ed25519", KeyType::Curve25519, None),
    ("p256", KeyType::EcP256, None),
    ("p384", KeyType::EcP384, None),
    ("p521", KeyType::EcP521, None),
    ("rsa2048", KeyType::Rsa, Some(2048)),
    ("rsa3072", KeyType::Rsa, Some(3072)),
    ("rsa4096", KeyType::Rsa, Some(4096)),
];

/// A passphrase that is found wherever it stands.
pub const PASSPHRASE: &str = "Operator-Sesame-7f3a";
/// The simulator's Administrator and their passphrase.
pub const ADMIN: (&str, &str) = ("admin", "Administrator-Sesame-1b2c");
const UNLOCK: &str = "Unlock-Sesame-9d8e";

/// How long anything may take: a device of one's own makes RSA keys slowly.
const PATIENCE: Duration = Duration::from_secs(120);

/// An operational device with an operator on it.
pub struct NetHsm {
    simulator: Option<Running>,
    address: Address,
    trust: Trust,
    admin: Mutex<Client>,
    /// The operator who signs.
    pub operator: String,
    keys: Mutex<Vec<String>>,
}

impl NetHsm {
    /// A fresh simulator, or the device of the environment.
    pub fn start() -> Self {
        let Ok(url) = std::env::var("NETHSM_TEST_URL") else {
            return Self::simulated();
        };
        let variable = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("{name} belongs to NETHSM_TEST_URL"))
        };
        let pin = variable("NETHSM_TEST_FINGERPRINT");
        let admin = variable("NETHSM_TEST_ADMIN");
        let passphrase = variable("NETHSM_TEST_ADMIN_PASSPHRASE");
        let (address, trust) = (url.parse().unwrap(), Trust::Pin(pin.parse().unwrap()));
        Self::with_admin(None, address, trust, (&admin, &passphrase))
    }

    /// A fresh simulator, whatever the environment says: for tests that hurt it.
    pub fn simulated() -> Self {
        Self::of(Simulator::start(Options::default()).unwrap())
    }

    /// A simulator that nobody has provisioned yet.
    pub fn of(simulator: Running) -> Self {
        let address: Address = simulator.address().to_string().parse().unwrap();
        let trust = Trust::Pin(simulator.fingerprint().parse().unwrap());
        let mut anybody = client(&address, &trust, None);
        let request = ProvisionRequestData::new(
            UNLOCK.to_owned(),
            ADMIN.1.to_owned(),
            humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
        );
        anybody
            .call(|device| provision_post(device, request))
            .unwrap();
        Self::with_admin(Some(simulator), address, trust, ADMIN)
    }

    fn with_admin(
        simulator: Option<Running>,
        address: Address,
        trust: Trust,
        admin: (&str, &str),
    ) -> Self {
        let admin = client(&address, &trust, Some(credentials(admin.0, admin.1)));
        let device = Self {
            simulator,
            address,
            trust,
            admin: Mutex::new(admin),
            operator: fresh("operator"),
            keys: Mutex::default(),
        };
        let user = UserPostData::new(
            "Signstar".to_owned(),
            UserRole::Operator,
            PASSPHRASE.to_owned(),
        );
        device
            .administrate(|admin| admin.call(|at| users_user_id_put(at, &device.operator, user)))
            .unwrap();
        device
    }

    /// Asks as the Administrator.
    pub fn administrate<T>(&self, ask: impl FnOnce(&mut Client) -> T) -> T {
        ask(&mut self.admin.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The simulator, for its counters and faults.
    pub fn simulator(&self) -> &Running {
        self.simulator.as_ref().expect("this is a simulator")
    }

    /// Makes a key of the kind `name`; its id.
    pub fn generate(&self, name: &str) -> String {
        let (_, kind, length) = KINDS
            .into_iter()
            .find(|(known, ..)| *known == name)
            .unwrap();
        self.make(kind, mechanism(kind), length)
    }

    /// Makes a key that may have no use here; its id.
    pub fn make(&self, kind: KeyType, mechanism: KeyMechanism, length: Option<i32>) -> String {
        let id = fresh("key");
        let mut request = KeyGenerateRequestData::new(vec![mechanism], kind);
        request.length = length;
        request.id = Some(id.clone());
        self.administrate(|admin| admin.call(|device| keys_generate_post(device, request)))
            .unwrap();
        self.keys.lock().unwrap().push(id.clone());
        id
    }

    /// Imports an Ed25519 key under the name `id`, so that several devices can have the same one.
    pub fn import(&self, id: &str, seed: &[u8; 32]) {
        let mut private = KeyPrivateData::new();
        private.data = Some(base64(seed));
        let key = PrivateKey::new(
            vec![KeyMechanism::EdDsaSignature],
            KeyType::Curve25519,
            private,
        );
        let body = KeysKeyIdPutBody::ApplicationJson(key);
        self.administrate(|admin| admin.call(|device| keys_key_id_put(device, id, body)))
            .unwrap();
        self.keys.lock().unwrap().push(id.to_owned());
    }

    /// Makes an Operator of this name with [`PASSPHRASE`].
    pub fn add_operator(&self, name: &str) {
        let user = UserPostData::new(
            "Other".to_owned(),
            UserRole::Operator,
            PASSPHRASE.to_owned(),
        );
        self.administrate(|admin| admin.call(|device| users_user_id_put(device, name, user)))
            .unwrap();
    }

    /// It, as one of the devices with a key.
    pub fn device(&self, label: &str) -> Device {
        Device {
            label: label.to_owned(),
            address: self.address.clone(),
            name: None,
            trust: self.trust.clone(),
        }
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The fingerprint of the simulator's certificate.
    pub fn fingerprint(&self) -> String {
        self.simulator().fingerprint()
    }

    /// How the operator signs with the key `id`, on this device alone.
    pub fn settings(&self, id: &str) -> Settings {
        Settings {
            key: id.to_owned(),
            devices: vec![self.device("first")],
            credentials: credentials(&self.operator, PASSPHRASE),
            order: Order::Listed,
            connect_wait: Duration::from_secs(5),
            wait: Duration::from_secs(10),
        }
    }

    /// A client for the user `name`.
    pub fn client(&self, name: &str, passphrase: &str) -> Client {
        client(
            &self.address,
            &self.trust,
            Some(credentials(name, passphrase)),
        )
    }
}

impl Drop for NetHsm {
    fn drop(&mut self) {
        // A simulator forgets by itself.
        if self.simulator.is_some() {
            return;
        }
        let keys = std::mem::take(self.keys.get_mut().unwrap_or_else(PoisonError::into_inner));
        let removed = self.administrate(|admin| -> Result<(), ClientError> {
            for key in &keys {
                admin.call(|device| keys_key_id_delete(device, key))?;
            }
            admin.call(|device| users_user_id_delete(device, &self.operator))?;
            Ok(())
        });
        if let Err(error) = removed {
            eprintln!("the device keeps some of {keys:?}: {error}");
        }
    }
}

/// A user and passphrase.
pub fn credentials(user: &str, passphrase: &str) -> Credentials {
    Credentials::new(user, Zeroizing::new(passphrase.to_owned())).unwrap()
}

fn client(address: &Address, trust: &Trust, credentials: Option<Credentials>) -> Client {
    Client::new(&client::Settings {
        address: address.clone(),
        name: None,
        trust: trust.clone(),
        credentials,
        connect_wait: Duration::from_secs(5),
        wait: PATIENCE,
        answer_bytes_max: 1 << 20,
    })
    .unwrap()
}

fn mechanism(kind: KeyType) -> KeyMechanism {
    match kind {
        KeyType::Rsa => KeyMechanism::RsaSignaturePkcs1,
        KeyType::Curve25519 => KeyMechanism::EdDsaSignature,
        _ => KeyMechanism::EcdsaSignature,
    }
}

/// A name that nobody else has.
fn fresh(prefix: &str) -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("{prefix}-{:016x}", RandomState::new().hash_one(prefix))
}

fn base64(bytes: &[u8]) -> String {
    use base64ct::{Base64, Encoding as _};
    Base64::encode_string(bytes)
}
