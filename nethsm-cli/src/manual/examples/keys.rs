//! Those of keys, and of users and namespaces.

use super::Example;

pub(super) const EXAMPLES: &[Example] = &[
    (
        "openpgp import",
        "",
        "nethsm-cli openpgp import secret.pgp --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567 --id packages --certificate packages.pgp",
    ),
    (
        "key public",
        "The OpenPGP certificate that hangs on it.",
        "nethsm-cli key public packages --format openpgp --out packages.pgp",
    ),
    (
        "key bench",
        "",
        "nethsm-cli key bench packages --mode ecdsa --connections 16",
    ),
    (
        "user add",
        "One for each device, with a passphrase of its own.",
        "nethsm-cli --all user add signer --role Operator --generate-passphrase file:secrets/{device}-signer.txt",
    ),
    (
        "user add",
        "A namespace and its first administrator.",
        "nethsm-cli user add team~admin --role Administrator --create-namespace --new-passphrase-from file:team.txt",
    ),
    (
        "user passphrase",
        "Another one, which a password manager keeps.",
        "nethsm-cli user passphrase signer --generate-passphrase 'command:pass insert --force --multiline {device}/signer'",
    ),
    ("user list", "", "nethsm-cli user list --long"),
    ("user show", "", "nethsm-cli user show signer"),
    (
        "user add",
        "An operator for the keys with the tag packages.",
        "nethsm-cli user add signer --role Operator --tag packages",
    ),
    (
        "user add",
        "The first administrator of a namespace that is to be.",
        "nethsm-cli user add team~admin --role Administrator",
    ),
    ("user remove", "", "nethsm-cli user remove signer"),
    (
        "user passphrase",
        "",
        "nethsm-cli --user signer user passphrase",
    ),
    ("user whoami", "", "nethsm-cli user whoami"),
    ("user tag list", "", "nethsm-cli user tag list signer"),
    (
        "user tag add",
        "",
        "nethsm-cli user tag add signer packages",
    ),
    (
        "user tag remove",
        "",
        "nethsm-cli user tag remove signer packages",
    ),
    ("namespace list", "", "nethsm-cli namespace list"),
    ("namespace add", "", "nethsm-cli namespace add team"),
    (
        "namespace remove",
        "What would go.",
        "nethsm-cli namespace remove team --plan",
    ),
    ("key list", "", "nethsm-cli key list --long"),
    ("key show", "", "nethsm-cli key show packages"),
    (
        "key public",
        "",
        "nethsm-cli key public packages --format ssh",
    ),
    (
        "key generate",
        "A key to sign with.",
        "nethsm-cli key generate Curve25519 --id packages --tag packages",
    ),
    (
        "key generate",
        "An RSA key with one mechanism.",
        "nethsm-cli key generate RSA --length 4096 --mechanism RSA_Signature_PKCS1",
    ),
    (
        "key import",
        "",
        "nethsm-cli key import key.pem --id packages --use sign",
    ),
    ("key remove", "", "nethsm-cli key remove packages"),
    ("key move", "", "nethsm-cli key move packages packages-2026"),
    (
        "key label set",
        "",
        "nethsm-cli key label set packages 'Packages 2026'",
    ),
    ("key label clear", "", "nethsm-cli key label clear packages"),
    ("key tag list", "", "nethsm-cli key tag list packages"),
    ("key tag add", "", "nethsm-cli key tag add packages release"),
    (
        "key tag remove",
        "",
        "nethsm-cli key tag remove packages release",
    ),
    (
        "key cert get",
        "",
        "nethsm-cli key cert get packages --out packages.crt",
    ),
    (
        "key cert set",
        "",
        "nethsm-cli key cert set packages packages.crt --replace",
    ),
    ("key cert remove", "", "nethsm-cli key cert remove packages"),
    (
        "key csr",
        "",
        "nethsm-cli key csr packages --common-name packages.example.org --organization Example",
    ),
    (
        "key sign",
        "A file, hashed here.",
        "nethsm-cli key sign packages --mode ecdsa --input core.db --out core.db.sig",
    ),
    (
        "key sign",
        "The same, for somebody who does not trust the device.",
        "nethsm-cli key sign packages --mode ecdsa --input core.db --out core.db.sig --verify",
    ),
    (
        "key verify",
        "",
        "nethsm-cli key verify packages --mode ecdsa --input core.db --signature core.db.sig",
    ),
    (
        "key counters",
        "Every night: what was used since, and a look to compare the next one with.",
        "nethsm-cli --all key counters --since /var/lib/nethsm --save /var/lib/nethsm",
    ),
    (
        "key import",
        "What a certificate authority has sent.",
        "nethsm-cli key import packages.p12 --id packages --with-certificate",
    ),
    (
        "key decrypt",
        "",
        "nethsm-cli key decrypt store --mode oaep-sha256 --input secret.bin",
    ),
    (
        "key encrypt",
        "",
        "nethsm-cli key encrypt wrap --input blocks.bin --out blocks.enc",
    ),
    ("key who-can", "", "nethsm-cli key who-can packages"),
    ("key access", "", "nethsm-cli key access"),
    (
        "openpgp create",
        "",
        "nethsm-cli openpgp create packages --user-id 'Packages <packages@example.org>' --out packages.pgp --revocation packages.rev --store",
    ),
    (
        "openpgp sign",
        "",
        "nethsm-cli openpgp sign packages --input core.db --out core.db.sig",
    ),
    (
        "openpgp sign-state",
        "The client has hashed the file, and reads the response.",
        "nethsm-cli openpgp sign-state packages --input request.json --format response --out response.json",
    ),
];
