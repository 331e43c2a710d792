//! `metrics --listen`: answers Prometheus.
//!
//! One connection at a time, and of each one request line: it is for one Prometheus. Absent: TLS,
//! passwords, anything but `GET /metrics`.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::device::Device;
use crate::failure::{Failure, Status};
use crate::metrics::{Seen, look, prometheus};
use crate::report::Report;
use crate::several::{in_parallel, own_words};

/// A request of Prometheus has a few hundred bytes.
const REQUEST_BYTES_MAX: usize = 8 << 10;
/// Who has not asked after this time is not waited for: others may want to.
const REQUEST_WAIT: Duration = Duration::from_secs(5);

/// Answers until the process is ended, or the address cannot be used.
pub(crate) fn listen(
    devices: &mut [Device],
    parallel: usize,
    address: SocketAddr,
) -> Result<Report, Failure> {
    let failed = |error: io::Error| Failure::with(address.to_string().as_ref(), &error);
    let listener = TcpListener::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    if !bound.ip().is_loopback() {
        log::warn!("{bound}: whoever reaches this address reads what the devices count");
    }
    let greeting = format!("answers at http://{bound}/metrics\n");
    io::stdout()
        .write_all(greeting.as_bytes())
        .and_then(|()| io::stdout().flush())
        .map_err(|error| Failure::with("standard output".as_ref(), &error))?;
    let mut refused = BTreeSet::new();
    loop {
        // Where accepting fails, somebody has hung up meanwhile, or there are too many open files.
        let Ok((mut stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        let answer = match request(&mut stream) {
            Some(line) => answer(&line, || scrape(devices, parallel, &mut refused)),
            None => continue,
        };
        // Who does not take the answer goes without.
        let _ = stream.write_all(answer.as_bytes());
    }
}

/// What is known of all devices now.
fn scrape(devices: &mut [Device], parallel: usize, refused: &mut BTreeSet<String>) -> String {
    let known = refused.clone();
    let seen = in_parallel(devices, parallel, &|device: &mut Device| {
        look(device, !known.contains(&device.label))
    });
    let mut all: Vec<Seen> = Vec::with_capacity(seen.len());
    for (label, one) in seen {
        if let Some(failure) = &one.failure {
            log::warn!("{label}: {}", own_words(&label, failure));
            if failure.status == Status::Authentication {
                log::warn!(
                    "{label}: its metrics are not asked for again until this program starts anew"
                );
                refused.insert(label);
            }
        }
        all.push(one);
    }
    prometheus(&all)
}

/// The first line of a request whose headers are complete.
fn request(stream: &mut TcpStream) -> Option<String> {
    let end = Instant::now() + REQUEST_WAIT;
    let mut bytes = Vec::new();
    let mut chunk = [0; 1024];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        let left = end.checked_duration_since(Instant::now())?;
        if left.is_zero() || bytes.len() > REQUEST_BYTES_MAX {
            return None;
        }
        stream.set_read_timeout(Some(left)).ok()?;
        let count = stream.read(&mut chunk).ok()?;
        bytes.extend_from_slice(chunk.get(..count).filter(|read| !read.is_empty())?);
    }
    stream.set_write_timeout(Some(REQUEST_WAIT)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.lines().next().map(str::to_owned)
}

fn answer(line: &str, scrape: impl FnOnce() -> String) -> String {
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let path = target.split('?').next().unwrap_or("");
    let (status, body) = match (method, path) {
        ("GET", "/metrics") => ("200 OK", scrape()),
        ("GET", _) => ("404 Not Found", "/metrics is here\n".to_owned()),
        _ => ("405 Method Not Allowed", "GET /metrics\n".to_owned()),
    };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
