//! Servers that are no devices: what they do on the wire ends in time, and in an error.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use signstar_core::SignerError;
use signstar_testkit::tls::{Identity, Server, Stream, answer, hang_up, openssl, request};

use crate::support::{device, kind};

fn identity() -> Identity {
    let folder = tempfile::tempdir().unwrap();
    let curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let words = "-x509 -keyout key -out pem -days 30 -subj /CN=keyfender";
    openssl(folder.path(), &format!("req {curve} {words}"));
    Identity::read(&folder.path().join("pem"), &folder.path().join("key"))
}

/// What opening a key at the server ends in, which must be within its second.
fn refused(server: &Server, identity: &Identity) -> SignerError {
    let (device, key) = device();
    let mut settings = device.settings(&key);
    settings.devices[0].address = server.address().to_string().parse().unwrap();
    settings.devices[0].trust =
        signstar_nethsm::client::Trust::Pin(identity.fingerprint().parse().unwrap());
    settings.wait = Duration::from_secs(1);
    let began = Instant::now();
    let refused = signstar_nethsm::open(&settings).err().unwrap();
    assert!(began.elapsed() < Duration::from_millis(2500), "{refused}");
    assert_eq!(server.accepted(), 1, "connected once: {refused}");
    refused
}

fn talk(what: impl Fn(&mut Stream) + Send + 'static) -> (Server, Identity) {
    let identity = identity();
    let server = Server::start(identity.clone(), move |mut stream| {
        if request(&mut stream).is_some() {
            what(&mut stream);
        }
    });
    (server, identity)
}

#[test]
fn a_half_closed_connection_ends_in_an_error() {
    let (server, identity) = talk(|stream| hang_up(stream));
    assert_eq!(kind(&refused(&server, &identity)), "unavailable");
    let (server, identity) = talk(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"a\"");
        hang_up(stream);
    });
    assert_eq!(kind(&refused(&server, &identity)), "unavailable");
    // An end without a length is one only after TLS's farewell, and then it is not JSON.
    let (server, identity) = talk(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"a\"");
        hang_up(stream);
    });
    assert_eq!(kind(&refused(&server, &identity)), "failed");
}

#[test]
fn slow_and_endless_answers_end_in_time() {
    let (server, identity) = talk(|stream| {
        let body = "x".repeat(1000);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        for byte in body.bytes() {
            std::thread::sleep(Duration::from_millis(50));
            if stream
                .write_all(&[byte])
                .and_then(|()| stream.flush())
                .is_err()
            {
                return;
            }
        }
    });
    assert_eq!(kind(&refused(&server, &identity)), "unavailable");
    // A head without an end fills the buffer, and that is that.
    for (head, expected) in [
        ("HTTP/1.1 200 OK\r\n\r\n", "failed"),
        ("HTTP/1.1 200 OK\r\nx: ", "unavailable"),
        ("", "failed"),
    ] {
        let (server, identity) = talk(move |stream| {
            let _ = stream.write_all(head.as_bytes());
            for _ in 0..1000 {
                if stream.write_all(&[b'x'; 1024]).is_err() {
                    return;
                }
            }
        });
        assert_eq!(kind(&refused(&server, &identity)), expected, "{head}");
    }
}

#[test]
fn what_speaks_no_tls_or_nothing_is_not_asked() {
    let identity = identity();
    let server = Server::raw(|mut tcp| {
        let mut bytes = [0; 4096];
        let _ = tcp.read(&mut bytes);
        let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    });
    assert_eq!(kind(&refused(&server, &identity)), "failed");
    let server = Server::raw(|mut tcp| {
        // It reads until the client hangs up, which the test's time limit sees to.
        let mut bytes = [0; 4096];
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(2) && tcp.read(&mut bytes).is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(kind(&refused(&server, &identity)), "unavailable");
    let server = Server::raw(drop);
    assert_eq!(kind(&refused(&server, &identity)), "unavailable");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::raw(drop);
    let to = elsewhere.address();
    let (server, identity) = talk(move |stream| {
        let text = format!(
            "HTTP/1.1 301 Moved\r\nlocation: https://{to}/api/v1/keys/x\r\ncontent-length: 0\r\n\r\n"
        );
        let _ = stream.write_all(text.as_bytes());
    });
    assert_eq!(kind(&refused(&server, &identity)), "failed");
    assert_eq!(elsewhere.accepted(), 0);
}

/// Such a device, for a control: what it answers is understood.
#[test]
fn the_server_of_these_tests_can_be_a_device() {
    let (server, identity) = talk(|stream| {
        let data = "A".repeat(43) + "=";
        answer(
            stream,
            &format!(
                "{{\"mechanisms\":[\"EdDSA_Signature\"],\"type\":\"Curve25519\",\"operations\":0,\
                 \"restrictions\":{{}},\"public\":{{\"data\":\"{data}\"}}}}"
            ),
        );
    });
    let (device, key) = device();
    let mut settings = device.settings(&key);
    settings.devices[0].address = server.address().to_string().parse().unwrap();
    settings.devices[0].trust =
        signstar_nethsm::client::Trust::Pin(identity.fingerprint().parse().unwrap());
    assert!(signstar_nethsm::open(&settings).is_ok());
}
