use std::process::Command;

use super::*;

fn refusal<T>(result: Result<T, Failure>) -> Option<Refusal> {
    result.err().map(|failure| failure.refusal)
}

/// Runs ssh-keygen, which must be installed.
fn ssh_keygen(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("ssh-keygen")
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn fingerprint_of(folder: &Path, file: &str) -> String {
    ssh_keygen(folder, &["-l", "-f", file])
        .split(' ')
        .nth(1)
        .unwrap()
        .to_owned()
}

#[test]
fn reads_keys_and_certificates_of_every_type_as_ssh_keygen_does() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    ssh_keygen(folder, &["-q", "-t", "ed25519", "-N", "", "-f", "ca"]);
    for (kind, bits) in [
        ("ed25519", "256"),
        ("ecdsa", "256"),
        ("ecdsa", "384"),
        ("ecdsa", "521"),
        ("rsa", "2048"),
    ] {
        let name = format!("{kind}{bits}");
        let id = "ci \"runner\" ü\n7";
        ssh_keygen(
            folder,
            &["-q", "-t", kind, "-b", bits, "-N", "", "-f", &name],
        );
        ssh_keygen(
            folder,
            &[
                "-q",
                "-s",
                "ca",
                "-I",
                id,
                "-n",
                "signer,other",
                "-z",
                "77",
                &format!("{name}.pub"),
            ],
        );
        let read = |file: String| std::fs::read_to_string(folder.join(file)).unwrap();
        let fingerprint = fingerprint_of(folder, &name);

        let key = parse_user_auth(format!("publickey {}", read(format!("{name}.pub"))).as_bytes());
        let plain = SshIdentity {
            key_fingerprint: fingerprint.clone(),
            certificate: None,
        };
        assert_eq!(key, Ok(plain), "{name}");

        let certificate = read(format!("{name}-cert.pub"));
        let identity = parse_user_auth(format!("publickey {certificate}").as_bytes()).unwrap();
        assert_eq!(identity.key_fingerprint, fingerprint, "{name}");
        let certificate = identity.certificate.unwrap();
        assert_eq!(certificate.key_id, id);
        assert_eq!(certificate.serial, 77);
        assert_eq!(
            certificate.authority_fingerprint,
            fingerprint_of(folder, "ca")
        );
    }
}

#[test]
fn refuses_a_certificate_of_a_host() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["ca", "key"] {
        ssh_keygen(folder, &["-q", "-t", "ed25519", "-N", "", "-f", name]);
    }
    ssh_keygen(
        folder,
        &["-q", "-h", "-s", "ca", "-I", "x", "-n", "x", "key.pub"],
    );
    let line = std::fs::read_to_string(folder.join("key-cert.pub")).unwrap();
    assert_eq!(parse_public_key(&line), Err(KeyError::Malformed));
}

#[test]
fn refuses_a_key_that_is_cut_or_changed_in_its_frame() {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS";
    assert!(parse_public_key(line).is_ok());
    assert!(parse_public_key(&format!("{line} comment with words")).is_ok());
    for (from, to) in [
        ("ssh-ed25519 ", "ssh-rsa "),
        ("ssh-ed25519 ", "ssh-ed25519-cert-v01@openssh.com "),
        ("ssh-ed25519 ", "sk-ssh-ed25519@openssh.com "),
        ("ssh-ed25519 ", "ssh-ed25519  "),
        ("ssh-ed25519 ", "ssh-ed448 "),
        ("AAAAC3", "AAAAD3"),
        ("PnAS", "PnASAAAA"),
        ("PnAS", ""),
        ("PnAS", "Pn=="),
    ] {
        let changed = line.replace(from, to);
        assert!(parse_public_key(&changed).is_err(), "{changed}");
    }
    for end in 0..line.len() {
        assert!(parse_public_key(&line[..end]).is_err(), "{end}");
    }
}

#[test]
fn takes_the_last_key_and_nothing_but_a_key() {
    let one = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS";
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAT";
    let both = parse_user_auth(format!("publickey {one}\npublickey {other}\n").as_bytes());
    assert_eq!(
        both,
        parse_user_auth(format!("publickey {other}\n").as_bytes())
    );
    assert_ne!(
        both,
        parse_user_auth(format!("publickey {one}\n").as_bytes())
    );
    for text in [
        "",
        "password\n",
        "keyboard-interactive/pam\n",
        "publickey\n",
        "publickey \n",
    ] {
        assert_eq!(
            refusal(parse_user_auth(text.as_bytes())),
            Some(Refusal::IdentityMissing)
        );
    }
    assert!(parse_user_auth(&[0xff]).is_err());
}

#[test]
fn refuses_a_user_auth_file_that_is_not_of_sshd() {
    for path in [
        "/etc/passwd",
        "/tmp/sshauth.",
        "/tmp/sshauth.x/../../etc/passwd",
        "/tmp/sshauth.doesnotexist",
        "sshauth.x",
        "",
    ] {
        let read = read_user_auth(Some(OsStr::new(path)));
        assert_eq!(refusal(read), Some(Refusal::IdentityMissing), "{path}");
    }
    assert_eq!(
        refusal(read_user_auth(None)),
        Some(Refusal::IdentityMissing)
    );
}

#[test]
fn reads_the_address_of_the_client() {
    for (connection, address) in [
        ("192.0.2.7 50000 198.51.100.1 22", "192.0.2.7"),
        ("2001:db8::1 50000 2001:db8::2 22", "2001:db8::1"),
        ("fe80::1%eth0 50000 fe80::2%eth0 22", "fe80::1"),
    ] {
        let parsed = parse_connection(Some(OsStr::new(connection)));
        assert_eq!(parsed, Ok(address.parse().unwrap()), "{connection}");
    }
    for connection in [
        "",
        "192.0.2.7",
        "192.0.2.7 50000 198.51.100.1",
        "192.0.2.7 50000 198.51.100.1 22 more",
        "192.0.2.7  50000 198.51.100.1 22",
        "192.0.2.7 65536 198.51.100.1 22",
        "192.0.2.7 50000 host 22",
        "UNKNOWN 65535 UNKNOWN 65535",
        "fe80::1% 50000 fe80::2 22",
        "fe80::1%a/b 50000 fe80::2 22",
    ] {
        let parsed = parse_connection(Some(OsStr::new(connection)));
        assert_eq!(
            refusal(parsed),
            Some(Refusal::IdentityMissing),
            "{connection}"
        );
    }
    assert_eq!(
        refusal(parse_connection(None)),
        Some(Refusal::IdentityMissing)
    );
}

#[test]
fn finds_the_names_of_a_number() {
    let passwd = b"root:x:0:0::/root:/bin/sh\n# comment\nsigner:x:6001:6001::/:/usr/bin/signstar\n\
        broken\nother:x:06002:1::/:/\nalias:x:6001:1::/:/\n\xff:x:7:7::/:/\n";
    let names = |uid| names_of(passwd, Uid::from_raw(uid)).collect::<Vec<_>>();
    assert_eq!(names(0), ["root"]);
    assert_eq!(names(6001), ["signer", "alias"]);
    assert!(names(7).is_empty());
    assert!(names(1).is_empty());
}
