"""The vendor's command line against the simulator, whose address is the only argument.

All commands run in one process: starting the program takes longer than what it does. Ends with 0 when
everything was as with a device.
"""

import os
import sys
import tempfile
import time

os.environ["ALLOW_ROOT"] = "1"
# The program writes a log for every start.
FOLDER = tempfile.TemporaryDirectory()
os.environ["TMPDIR"] = tempfile.tempdir = FOLDER.name
os.chdir(FOLDER.name)

from click.testing import CliRunner  # noqa: E402
from pynitrokey.cli import nitropy  # noqa: E402

HOST = sys.argv[1]
ADMIN = ("admin", "adminadmin")
OPERATOR = ("op", "operatorop")
BACKUP = ("bak", "backupbackup")
METRICS = ("met", "metricsmetrics")


def run(user, *arguments):
    login = ["--username", user[0], "--password", user[1]] if user else []
    command = ["nethsm", "--host", HOST, "--no-verify-tls", *login, *arguments]
    result = CliRunner().invoke(nitropy, command, input="\n")
    return result.exit_code, f"{result.output}{result.exception or ''}"


def prints(wanted, user, *arguments):
    code, text = run(user, *arguments)
    assert code == 0 and wanted in text, f"{arguments}: {code}: {text}"


def fails(wanted, user, *arguments):
    code, text = run(user, *arguments)
    assert code != 0 and wanted in text, f"{arguments}: {code}: {text}"


def wait_for(state):
    for _ in range(100):
        time.sleep(0.05)
        if state in run(None, "state")[1]:
            return
    raise AssertionError(f"never {state}")


prints("Unprovisioned", None, "state")
prints("Nitrokey GmbH", None, "info")
prints("provisioned", None, "provision", "-u", "unlockunlock", "-a", ADMIN[1])
for (name, passphrase), role in [(OPERATOR, "operator"), (BACKUP, "backup"), (METRICS, "metrics")]:
    prints(name, ADMIN, "add-user", "-n", "N", "-r", role, "-p", passphrase, "-u", name)
prints("met", ADMIN, "list-users")
fails("Access denied", OPERATOR, "list-users")
prints("Operator", ADMIN, "get-user", "op")
prints("", ADMIN, "add-operator-tag", "op", "berlin")
prints("berlin", ADMIN, "list-operator-tags", "op")
prints("", ADMIN, "delete-operator-tag", "op", "berlin")
prints("ns~n", ADMIN, "add-user", "-n", "N", "-r", "administrator", "-p", "nadminnadmin", "-u", "n",
       "-N", "ns", "--create-namespace")
prints("ns", ADMIN, "list-namespaces")

prints("rsa", ADMIN, "generate-key", "-t", "rsa", "-m", "rsa_signature_pkcs1", "-l", "2048",
       "-k", "rsa", "-s", "my label")
prints("ed", ADMIN, "generate-key", "-t", "curve25519", "-m", "eddsa_signature", "-l", "256",
       "-k", "ed")
prints("my label", ADMIN, "list-keys", "--details")
prints("RSA_Signature_PKCS1", OPERATOR, "get-key", "rsa")
prints("BEGIN PUBLIC KEY", OPERATOR, "get-key", "rsa", "--public-key")
prints("==", OPERATOR, "sign", "-k", "ed", "-d", "aGVsbG8=", "-m", "eddsa")
fails("Access denied", ADMIN, "sign", "-k", "ed", "-d", "aGVsbG8=", "-m", "eddsa")
prints("", ADMIN, "add-key-tag", "rsa", "munich")
fails("Access denied", OPERATOR, "sign", "-k", "rsa", "-d", "aGVsbG8=", "-m", "pkcs1")
prints("", ADMIN, "delete-key-tag", "rsa", "munich")
for user, of in [(OPERATOR, ["-k", "ed"]), (ADMIN, ["--api"])]:
    prints("CERTIFICATE REQUEST", user, "csr", *of, "--country", "DE", "--state-or-province", "B",
           "--locality", "Berlin", "--organization", "O", "--organizational-unit", "U",
           "--common-name", "a.example", "--email-address", "a@b.example")
prints("", ADMIN, "move-key", "ed", "ed2")
prints("", ADMIN, "set-key-label", "ed2", "second")
prints("", ADMIN, "delete-key-label", "ed2")
with open("certificate", "wb") as file:
    file.write(b"any bytes")
prints("", ADMIN, "set-certificate", "-k", "ed2", "certificate")
prints("any bytes", OPERATOR, "get-certificate", "-k", "ed2")
prints("=", OPERATOR, "random", "16")
prints("http response total", METRICS, "metrics")

prints("", ADMIN, "set-logging-config", "-a", "192.0.2.1", "-p", "514", "-l", "info")
prints("", ADMIN, "set-network-config", "-a", "192.0.2.2", "-n", "255.255.255.0", "-g", "0.0.0.0")
prints("192.0.2.2", ADMIN, "get-config")
prints("", ADMIN, "set-time")
prints("5.0", ADMIN, "system-info")
prints("8e9e05c52164694d", ADMIN, "list-cluster-members")
prints("", ADMIN, "generate-tls-key", "-t", "ec_p384")
prints("BEGIN CERTIFICATE", ADMIN, "get-certificate", "--api")

prints("", ADMIN, "set-backup-passphrase", "-n", "backupbackup1", "-f")
prints("saved", BACKUP, "backup", "saved")
prints("", ADMIN, "delete-key", "ed2")
prints("locked", ADMIN, "lock")
prints("Locked", None, "state")
prints("unlocked", None, "unlock", "unlockunlock")
prints("", ADMIN, "restore", "-f", "-p", "backupbackup1", "saved")
prints("EdDSA_Signature", OPERATOR, "get-key", "ed2")
prints("", ADMIN, "reboot", "-f")
wait_for("Locked")
prints("unlocked", None, "unlock", "unlockunlock")
prints("", ADMIN, "factory-reset", "-f")
wait_for("Unprovisioned")
print("all as with a device")
