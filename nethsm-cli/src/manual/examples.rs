//! Examples of command lines, which the tests parse.

mod keys;

/// The command, what an example does, and the example.
pub(super) type Example = (&'static str, &'static str, &'static str);

/// All of them.
pub(super) fn examples() -> impl Iterator<Item = &'static Example> {
    EXAMPLES.iter().chain(keys::EXAMPLES)
}

const EXAMPLES: &[Example] = &[
    (
        "",
        "The devices of a rack, in one table.",
        "nethsm-cli -d @rack1 status",
    ),
    (
        "device add",
        "A fresh device, whose certificate is compared with what its console says.",
        "nethsm-cli device add one 192.168.1.1 --trust --group rack1",
    ),
    ("device list", "", "nethsm-cli device list"),
    (
        "device show",
        "",
        "nethsm-cli device show one --output yaml",
    ),
    ("device remove", "", "nethsm-cli device remove one"),
    ("device rename", "", "nethsm-cli device rename one spare"),
    ("device default", "", "nethsm-cli device default one"),
    (
        "device trust",
        "After the TLS key was made anew.",
        "nethsm-cli device trust one",
    ),
    (
        "cred add",
        "A user whose passphrase a password manager has.",
        "nethsm-cli -d one cred add admin --role Administrator --from 'command:pass show nethsm/admin'",
    ),
    ("cred list", "", "nethsm-cli --all cred list"),
    ("cred remove", "", "nethsm-cli -d one cred remove admin"),
    ("cred check", "", "nethsm-cli --all cred check admin"),
    ("info", "", "nethsm-cli info"),
    ("state", "", "nethsm-cli --all state"),
    ("health alive", "", "nethsm-cli health alive"),
    (
        "health ready",
        "For a script that needs signatures.",
        "nethsm-cli health ready",
    ),
    ("health state", "", "nethsm-cli health state"),
    ("health diagnose", "", "nethsm-cli health diagnose"),
    ("status", "", "nethsm-cli --all status"),
    (
        "status",
        "On a screen in the corner.",
        "nethsm-cli --all status --watch 10",
    ),
    (
        "metrics",
        "For a Prometheus on this machine.",
        "nethsm-cli --all metrics --listen",
    ),
    ("schema", "", "nethsm-cli schema key list"),
    (
        "run",
        "A program that asks as the operator of the profile.",
        "nethsm-cli -d one run -- ./sign-all.sh",
    ),
    (
        "run",
        "Another tool, on each device of a rack.",
        "nethsm-cli -d @rack1 run --role Administrator -- nitropy nethsm info",
    ),
    ("selftest", "", "nethsm-cli -d spare selftest"),
    (
        "config apply",
        "What would be done.",
        "nethsm-cli --dry-run config apply one.toml",
    ),
    (
        "wait",
        "After a restart with unattended boot.",
        "nethsm-cli wait --state Operational --for 300",
    ),
    (
        "metrics",
        "For a collector of text files.",
        "nethsm-cli metrics --format prometheus --textfile /var/lib/node_exporter/nethsm.prom",
    ),
    (
        "provision",
        "",
        "nethsm-cli provision --unlock-passphrase-from file:unlock.txt --admin-passphrase-from prompt",
    ),
    (
        "unlock",
        "",
        "nethsm-cli unlock --unlock-passphrase-from credential:unlock",
    ),
    ("lock", "", "nethsm-cli lock"),
    ("random", "", "nethsm-cli random 32 --format base64"),
    ("system info", "", "nethsm-cli system info --output json"),
    ("system reboot", "", "nethsm-cli system reboot"),
    ("system shutdown", "", "nethsm-cli system shutdown --yes"),
    (
        "system factory-reset",
        "",
        "nethsm-cli system factory-reset --confirm 0000000000",
    ),
    (
        "update upload",
        "",
        "nethsm-cli update upload nethsm-5.0.img",
    ),
    ("update show", "", "nethsm-cli update show nethsm-5.0.img"),
    ("update commit", "", "nethsm-cli update commit"),
    ("update cancel", "", "nethsm-cli update cancel"),
    (
        "backup create",
        "",
        "nethsm-cli backup create --out one.backup",
    ),
    (
        "backup restore",
        "",
        "nethsm-cli -d spare backup restore one.backup",
    ),
    (
        "certificates",
        "For a script that warns.",
        "nethsm-cli --all certificates --expires-within 30",
    ),
    (
        "doctor",
        "",
        "nethsm-cli doctor --backups /var/backups/nethsm",
    ),
    ("tls public", "", "nethsm-cli tls public"),
    (
        "tls csr",
        "",
        "nethsm-cli tls csr --common-name one.example.org --san DNS:one.example.org --san IP:192.168.1.1",
    ),
    ("tls generate", "", "nethsm-cli tls generate EC_P256"),
    ("tls cert get", "", "nethsm-cli tls cert get"),
    ("tls cert set", "", "nethsm-cli tls cert set one.pem"),
    ("tls cluster-ca get", "", "nethsm-cli tls cluster-ca get"),
    (
        "tls cluster-ca set",
        "",
        "nethsm-cli tls cluster-ca set ca.pem",
    ),
    ("config get", "", "nethsm-cli config get network time"),
    (
        "config set network",
        "",
        "nethsm-cli config set network --address 192.168.1.2 --netmask 255.255.255.0 --gateway 192.168.1.1 --ipv6 2001:db8::2/64",
    ),
    (
        "config set logging",
        "",
        "nethsm-cli config set logging --address 192.168.1.100 --level warning",
    ),
    (
        "config set ntp",
        "",
        "nethsm-cli config set ntp --address 192.0.2.123",
    ),
    ("config set time", "", "nethsm-cli config set time now"),
    (
        "config set unattended-boot",
        "",
        "nethsm-cli config set unattended-boot on",
    ),
    (
        "config set backup-passphrase",
        "",
        "nethsm-cli config set backup-passphrase --new-passphrase-from file:backup.txt",
    ),
    (
        "config set unlock-passphrase",
        "",
        "nethsm-cli config set unlock-passphrase",
    ),
    ("cluster members", "", "nethsm-cli cluster members"),
    (
        "cluster add",
        "",
        "nethsm-cli cluster add https://192.168.1.2:2380 --out kit.json",
    ),
    (
        "cluster join",
        "",
        "nethsm-cli -d spare cluster join kit.json --promote-by one",
    ),
    (
        "cluster promote",
        "",
        "nethsm-cli cluster promote 8e9e05c52164694d --for 600",
    ),
    (
        "cluster set-urls",
        "",
        "nethsm-cli cluster set-urls 8e9e05c52164694d https://192.168.1.3:2380",
    ),
    (
        "cluster remove",
        "",
        "nethsm-cli cluster remove 8e9e05c52164694d",
    ),
    ("cluster force-new", "", "nethsm-cli cluster force-new"),
    (
        "config export",
        "",
        "nethsm-cli config export --out one.toml",
    ),
    (
        "config diff",
        "For a script that watches for drift.",
        "nethsm-cli --all config diff all.toml",
    ),
    ("config plan", "", "nethsm-cli config plan one.toml --prune"),
    (
        "config apply",
        "From a fresh device to a whole one.",
        "nethsm-cli -d one -d two config apply all.toml",
    ),
    (
        "backup create",
        "Every night: opened after it was written, and the last 14 stay.",
        "nethsm-cli --all backup create --dir /var/backups/nethsm --keep 14 --verify --backup-passphrase-from credential:backup",
    ),
    ("backup verify", "", "nethsm-cli backup verify one.backup"),
    (
        "backup browse",
        "",
        "nethsm-cli backup browse one.backup --below /key/",
    ),
    (
        "backup browse",
        "What each key is, by what the unlock passphrase opens.",
        "nethsm-cli backup browse one.backup --below /key/ --unlock-passphrase-from prompt",
    ),
    (
        "backup diff",
        "",
        "nethsm-cli backup diff monday.backup tuesday.backup",
    ),
    (
        "backup diff",
        "Which fields of users and keys differ.",
        "nethsm-cli backup diff monday.backup tuesday.backup --unlock-passphrase-from prompt",
    ),
    (
        "backup export",
        "",
        "nethsm-cli backup export one.backup --out one.json",
    ),
];
