//! Devices that reach each other, with an authority that has signed them: what a cluster is made of.

use signstar_nethsm_simulator::{DeviceOptions, Network, Options, Simulator};

use crate::stage::Stage;

/// What makes a device ready, whose label, number and port of HTTPS are put in.
const READY: [&str; 11] = [
    "nethsm-cli -d LABEL provision --unlock-passphrase-from file:unlock.txt --admin-passphrase-from file:admin.txt",
    "nethsm-cli -d LABEL user add operator --role Operator --new-passphrase-from file:operator.txt",
    "nethsm-cli -d LABEL user add backup --role Backup --new-passphrase-from file:backup.txt",
    "nethsm-cli -d LABEL user add metrics --role Metrics --new-passphrase-from file:metrics.txt",
    "nethsm-cli -d LABEL config set network --address 192.0.2.NUMBER --netmask 255.255.255.0 --gateway 0.0.0.0 --yes",
    "nethsm-cli -d LABEL tls csr --common-name LABEL --san IP:192.0.2.NUMBER --out LABEL.csr",
    "openssl x509 -req -in LABEL.csr -CA ca.pem -CAkey ca.key -copy_extensions copy -days 30 -out LABEL.pem",
    "nethsm-cli -d LABEL tls cert set LABEL.pem --yes",
    "nethsm-cli device trust LABEL --yes",
    "nethsm-cli -d LABEL tls cluster-ca set ca.pem",
    "nethsm-cli -d LABEL state",
];
const AUTHORITY: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key \
     -out ca.pem -subj /CN=Authority -days 30 -addext keyUsage=critical,keyCertSign";

impl Stage {
    /// Fresh devices that are called so, in one network.
    pub(crate) fn connected(labels: &[&str]) -> Self {
        let network = Network::new();
        let mut devices = (1..).zip(labels).map(|(number, label)| {
            let options = Options {
                network: Some(network.clone()),
                device: DeviceOptions {
                    device_id: format!("000000000{number}"),
                    ..DeviceOptions::default()
                },
                ..Options::default()
            };
            ((*label).to_owned(), Simulator::start(options).unwrap())
        });
        let (_, first) = devices.next().unwrap();
        let mut stage = Self::around(tempfile::tempdir().unwrap(), first);
        for (label, device) in devices {
            stage.add(&label, device);
        }
        stage
    }

    /// The same, each operational, at 192.0.2.1 and so on, and signed by an authority that it knows.
    pub(crate) fn network(labels: &[&str]) -> Self {
        let stage = Self::connected(labels);
        stage.performs(AUTHORITY);
        for label in labels {
            stage.make_ready(label);
        }
        stage
    }

    /// Makes a fresh one of them ready for a cluster.
    pub(crate) fn make_ready(&self, label: &str) {
        let number = match label {
            "one" => "1",
            "two" => "2",
            _ => "3",
        };
        for line in READY {
            self.performs(&line.replace("LABEL", label).replace("NUMBER", number));
        }
    }

    /// Does what must not fail.
    pub(crate) fn performs(&self, line: &str) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let (program, words) = words.split_first().unwrap();
        let program = match program.as_str() {
            "nethsm-cli" => env!("CARGO_BIN_EXE_nethsm-cli"),
            program => program,
        };
        let (status, said) = self.run(program, words);
        assert_eq!(status, 0, "{line}: {}", String::from_utf8_lossy(&said));
    }
}
