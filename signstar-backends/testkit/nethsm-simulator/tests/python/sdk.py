"""The vendor's Python package against the simulator, whose address is the only argument.

Ends with 0 when everything was as with a device.
"""

import base64
import datetime
import hashlib
import sys
import time

import nethsm
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from nethsm import Authentication, Base64, KeyMechanism, KeyType, Role, State
from nethsm.backup import EncryptedBackup

HOST = sys.argv[1]
NOW = datetime.datetime.now(datetime.timezone.utc)


def device(user=None, passphrase=None):
    auth = Authentication(user, passphrase) if user else None
    return nethsm.NetHSM(HOST, auth, verify_tls=False)


def refused(wanted, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except nethsm.NetHSMError as error:
        assert wanted in str(error), f"{error!r} does not say {wanted!r}"
    else:
        raise AssertionError(f"{call.__name__} was not refused")


def wait_for(state):
    for _ in range(100):
        try:
            if device().get_state() == state:
                return
        except nethsm.NetHSMRequestError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"never {state}")


anybody = device()
assert anybody.get_state() == State.UNPROVISIONED
assert anybody.get_info().vendor == "Nitrokey GmbH"
refused("in the state Operational", device("admin", "adminadmin").list_users)
anybody.provision("unlockunlock", "adminadmin", NOW)
assert anybody.get_state() == State.OPERATIONAL

# Users, tags, namespaces.
admin = device("admin", "adminadmin")
assert admin.add_user("Op", Role.OPERATOR, "operatoroperator", "operator") == "operator"
admin.add_user("Met", Role.METRICS, "metricsmetrics", "metrics")
admin.add_user("Back", Role.BACKUP, "backupbackup", "backup")
generated = admin.add_user("Gone", Role.OPERATOR, "operatoroperator")
assert generated in admin.list_users()
admin.delete_user(generated)
assert admin.list_users() == ["admin", "backup", "metrics", "operator"]
assert admin.get_user("operator").role == Role.OPERATOR
admin.set_passphrase("operator", "operatoroperator2")
admin.add_operator_tag("operator", "berlin")
assert admin.list_operator_tags("operator") == ["berlin"]
admin.add_user("N", Role.ADMINISTRATOR, "nadminnadmin", "nadmin", namespace="ns")
admin.add_namespace("ns")
assert admin.list_namespaces() == ["ns"]
refused("Access denied", admin.add_user, "x", Role.OPERATOR, "operatorop", "x", "ns")
ns_admin = device("ns~nadmin", "nadminnadmin")
assert ns_admin.list_users() == ["ns~nadmin"]
ns_admin.generate_key(KeyType.CURVE25519, [KeyMechanism.EDDSA_SIGNATURE], 256, "hidden")
assert admin.list_keys() == []

# Keys: made, imported as JSON and PEM, shown, signed with.
operator = device("operator", "operatoroperator2")
digest = hashlib.sha256(b"hello").digest()
for key_type, curve in [
    (KeyType.EC_P256, ec.SECP256R1),
    (KeyType.EC_P256K1, ec.SECP256K1),
    (KeyType.BRAINPOOL_P256, ec.BrainpoolP256R1),
]:
    name = key_type.value
    admin.generate_key(key_type, [KeyMechanism.ECDSA_SIGNATURE], 256, name, "label " + name)
    shown = operator.get_key(name)
    assert shown.type == key_type and shown.label == "label " + name
    public = serialization.load_pem_public_key(operator.get_key_public_key(name).encode())
    assert isinstance(public.curve, curve)
    signature = operator.sign(name, Base64.encode(digest), nethsm.SignMode.ECDSA)
    public.verify(signature.decode(), digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
assert operator.get_key("EC_P256").operations == 1

own = rsa.generate_private_key(65537, 2048)
pem = own.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
).decode()
mechanisms = [KeyMechanism.RSA_SIGNATURE_PSS_SHA256, KeyMechanism.RSA_DECRYPTION_OAEP_SHA256]
admin.add_key_pem("pem", mechanisms, pem, tags=["berlin"])
assert operator.get_key("pem").tags == ["berlin"]
signature = operator.sign("pem", Base64.encode(digest), nethsm.SignMode.PSS_SHA256)
pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
own.public_key().verify(signature.decode(), digest, pss, utils.Prehashed(hashes.SHA256()))
oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
block = own.public_key().encrypt(b"secret", oaep)
plain = operator.decrypt("pem", Base64.encode(block), nethsm.DecryptMode.OAEP_SHA256)
assert plain.decode() == b"secret"

secret = nethsm.GenericPrivateKey(Base64.encode(bytes(range(32))))
aes = [KeyMechanism.AES_ENCRYPTION_CBC, KeyMechanism.AES_DECRYPTION_CBC]
chosen = admin.add_key(None, KeyType.GENERIC, aes, secret)
vector = Base64.encode(bytes(16))
done = operator.encrypt(chosen, Base64.encode(bytes(32)), nethsm.EncryptMode.AES_CBC, vector)
back = operator.decrypt(chosen, done.encrypted, nethsm.DecryptMode.AES_CBC, vector)
assert back.decode() == bytes(32)
admin.move_key(chosen, "moved")
admin.set_key_label("moved", "aes")
assert admin.list_keys(label="aes") == ["moved"]
admin.set_key_label("moved", None)
admin.add_key_tag("moved", "munich")
refused("Access denied", operator.encrypt, "moved", Base64.encode(bytes(16)),
        nethsm.EncryptMode.AES_CBC)
assert "moved" not in operator.list_keys(filter="usable")
assert operator.list_keys(prefix="Brain") == ["BrainpoolP256"]
admin.delete_key_tag("moved", "munich")
admin.delete_key("moved")

request = x509.load_pem_x509_csr(
    operator.key_csr("EC_P256", common_name="a.example", organization="Org",
                     subject_alt_names=["b.example", "IP:192.0.2.1"]).encode())
assert request.is_signature_valid
names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
assert names.get_values_for_type(x509.DNSName) == ["b.example"]
assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
admin.set_key_certificate("EC_P256", b"any bytes")
assert admin.get_key_certificate("EC_P256") == b"any bytes"
admin.delete_key_certificate("EC_P256")

assert len(operator.get_random_data(100).decode()) == 100
assert device("metrics", "metricsmetrics").get_metrics()["sign"] == "4"

# Settings.
admin.set_logging_config("192.0.2.9", 514, nethsm.LogLevel.WARNING)
assert admin.get_config_logging().log_level == nethsm.LogLevel.WARNING
admin.set_network_config("192.0.2.2", "255.255.255.0", "0.0.0.0")
assert admin.get_config_network().ip_address == "192.0.2.2"
admin.set_ntp_config(ntp_ip="192.0.2.3")
assert admin.get_config_ntp().ntp_ip == "192.0.2.3"
admin.set_time(NOW)
assert abs((admin.get_config_time() - NOW).total_seconds()) < 60
assert admin.get_config_unattended_boot() == "off"
assert admin.get_system_info().software_version == "5.0"
assert admin.get_cluster_diagnostics() is not None
assert len(admin.list_cluster_members()) == 1

# A certificate of an authority for HTTPS.
request = x509.load_pem_x509_csr(admin.csr(common_name="nethsm.example").encode())
authority = ec.generate_private_key(ec.SECP256R1())
issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])


def certificate(subject, public, is_ca):
    constraints = x509.BasicConstraints(ca=is_ca, path_length=None)
    builder = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number(),
                                      NOW, NOW + datetime.timedelta(days=9))
    builder = builder.add_extension(constraints, critical=True)
    signed = builder.sign(authority, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


chain = certificate(request.subject, request.public_key(), False)
root = certificate(issuer, authority.public_key(), True)
refused("does not match private key", admin.set_certificate, certificate(issuer, authority.public_key(), False))
admin.set_certificate(chain + root)
assert admin.get_certificate().encode() == chain + root
admin.set_cluster_ca_certificate(root)
assert admin.get_cluster_ca_certificate().encode() == root

# A backup, which the package opens by itself, and its way back.
admin.set_backup_passphrase("backuppassphrase")
saved = device("backup", "backupbackup").backup()
opened = EncryptedBackup.parse(saved).decrypt("backuppassphrase")
assert opened.backup_device_id == b"0000000000"
assert {"/key/EC_P256", "/key/.ns/hidden", "/authentication/ns~nadmin"} <= set(opened.data)
joining = admin.add_cluster_member(["https://192.0.2.7:2380"])
assert len(joining.members) == 2
learner = [member for member in admin.list_cluster_members() if member.learner]
refused("Precondition failed", admin.promote_cluster_member, learner[0].id)
admin.remove_cluster_member(learner[0].id)
admin.delete_key("EC_P256")
admin.restore(saved, "backuppassphrase", NOW)
assert "EC_P256" in admin.list_keys()
kept = operator.get_key_public_key("EC_P256")

# States.
admin.lock()
assert anybody.get_state() == State.LOCKED
refused("Access denied", anybody.unlock, "wrongwrongwrong")
time.sleep(1.1)
anybody.unlock("unlockunlock")
admin.set_unattended_boot(nethsm.UnattendedBootStatus.ON)
admin.reboot()
time.sleep(0.1)
wait_for(State.OPERATIONAL)
admin.factory_reset()
time.sleep(0.1)
wait_for(State.UNPROVISIONED)
device().restore(saved, "backuppassphrase", NOW)
assert anybody.get_state() == State.LOCKED
anybody.unlock("unlockunlock")
assert operator.get_key_public_key("EC_P256") == kept
assert admin.get_certificate().encode() == chain + root
print("all as with a device")
