//! The authority of a cluster, made with OpenSSL, and devices that it has signed.

use std::path::Path;
use std::process::Command;

use signstar_nethsm_simulator::{DeviceOptions, Network, Options};
use tempfile::TempDir;

use crate::client::Client;
use crate::device::{ADMIN, Device};

pub(crate) struct Authority {
    folder: TempDir,
    pub(crate) network: Network,
}

fn openssl(folder: &Path, words: &str) {
    let output = Command::new("openssl")
        .args(words.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}: {error}");
}

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        openssl(
            folder.path(),
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
             -subj /CN=cluster -days 9 -addext keyUsage=critical,keyCertSign",
        );
        Self {
            folder,
            network: Network::new(),
        }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The options of a device in the network.
    pub(crate) fn options(&self, id: &str) -> Options {
        Options {
            network: Some(self.network.clone()),
            device: DeviceOptions {
                device_id: id.to_owned(),
                ..DeviceOptions::default()
            },
            ..Options::default()
        }
    }

    /// A device at `192.0.2.number`, which is provisioned, and which the authority has signed.
    pub(crate) fn device(&self, number: u8) -> Device {
        let device = Device::provisioned(self.options(&format!("000000000{number}")));
        self.prepare(&device.client, number, &format!("IP:192.0.2.{number}"));
        device
    }

    pub(crate) fn prepare(&self, client: &Client, number: u8, name: &str) {
        let network = format!(
            r#"{{"ipAddress":"192.0.2.{number}","netmask":"255.255.255.0","gateway":"0.0.0.0"}}"#
        );
        assert_eq!(
            Device::ask_by(client, ADMIN, "PUT config/network", &network).status,
            204
        );
        self.sign(client, name);
        let authority = self.read("ca.pem");
        let put = Device::pem(client, ADMIN, "config/tls/cluster-ca.pem", &authority);
        assert_eq!(put.status, 201, "{}", put.text());
    }

    /// Gives the device a certificate for `name`.
    pub(crate) fn sign(&self, client: &Client, name: &str) {
        let subject = format!(r#"{{"commonName":"nethsm","subjectAltNames":["{name}"]}}"#);
        let request = Device::ask_by(client, ADMIN, "POST config/tls/csr.pem", &subject);
        std::fs::write(self.folder.path().join("request"), request.body).unwrap();
        openssl(
            self.folder.path(),
            "x509 -req -days 9 -in request -CA ca.pem -CAkey ca.key -copy_extensions copy -out cert.pem",
        );
        let put = Device::pem(client, ADMIN, "config/tls/cert.pem", &self.read("cert.pem"));
        assert_eq!(put.status, 201, "{}", put.text());
    }
}
