//! A TLS server that says whatever a test wants, with whatever certificate: for what no device does.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What a server does with one connection after its handshake.
pub type Stream = StreamOwned<ServerConnection, TcpStream>;

/// A certificate and its key, made by OpenSSL.
#[derive(Clone, Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn rustls::sign::SigningKey>,
}

impl Identity {
    /// Reads both from PEM files.
    pub fn read(certificate: &Path, key: &Path) -> Self {
        let chain = CertificateDer::pem_file_iter(certificate).unwrap();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        Self {
            chain: chain.map(Result::unwrap).collect(),
            key: ring::sign::any_supported_type(&key).unwrap(),
        }
    }

    /// With the certificate of `other`, whose key is another one.
    #[must_use]
    pub fn pretending(&self, other: &Self) -> Self {
        Self {
            chain: other.chain.clone(),
            key: Arc::clone(&self.key),
        }
    }

    /// The SHA-256 of the certificate.
    pub fn fingerprint(&self) -> String {
        let mut hasher = signstar_core::Hasher::new(signstar_core::HashAlgorithm::Sha256, u64::MAX);
        hasher.update(&self.chain[0]).unwrap();
        let digest = hasher.finish();
        digest
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Runs OpenSSL in `folder`, with words separated by blanks.
pub fn openssl(folder: &Path, words: &str) {
    let output = Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {words}: {said}");
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let key = CertifiedKey::new(self.chain.clone(), Arc::clone(&self.key));
        Some(Arc::new(key))
    }
}

/// A running server, which ends with this.
pub struct Server {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    /// The connection of the moment: who tests signers gets none that they close.
    current: Arc<Mutex<Option<TcpStream>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts one that does `talk` with each connection, one after the other.
    pub fn start(identity: Identity, talk: impl Fn(Stream) + Send + 'static) -> Self {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(identity));
        let config = Arc::new(config);
        Self::raw(move |tcp| {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            talk(StreamOwned::new(tls, tcp));
        })
    }

    /// Starts one that does `talk` with each TCP connection.
    pub fn raw(talk: impl Fn(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let current = Arc::<Mutex<Option<TcpStream>>>::default();
        let thread = std::thread::spawn({
            let (accepted, over) = (Arc::clone(&accepted), Arc::clone(&over));
            let current = Arc::clone(&current);
            move || {
                for stream in listener.incoming() {
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                    accepted.fetch_add(1, Ordering::SeqCst);
                    let stream = stream.unwrap();
                    *current.lock().unwrap() = Some(stream.try_clone().unwrap());
                    talk(stream);
                }
            }
        });
        Self {
            address,
            accepted,
            over,
            current,
            thread: Some(thread),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there were.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(stream) = self.current.lock().unwrap().take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads one HTTP request; its first line, or nothing at the end.
pub fn request(stream: &mut Stream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let wanted = name.eq_ignore_ascii_case("content-length");
        wanted.then(|| value.trim().parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(head.lines().next().unwrap().to_owned())
}

/// Answers 200 with a body.
pub fn answer(stream: &mut Stream, body: &str) {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + body).as_bytes());
    let _ = stream.flush();
}

/// Hangs up without TLS's farewell.
pub fn hang_up(stream: &Stream) {
    let _ = stream.sock.shutdown(Shutdown::Both);
}
