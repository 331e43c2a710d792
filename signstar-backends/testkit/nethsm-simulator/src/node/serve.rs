//! Answering other members.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::replica::{Replica, id};
use super::{Node, join, locked, wire};
use crate::json::Json;
use crate::json::schema::Record;
use crate::json::writer::{number, object};

/// How long somebody may take who holds this device: an RSA key is made in less.
const HELD_WAIT: Duration = Duration::from_secs(120);

/// Where other members reach a device, until this is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) place: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A place that nobody serves yet.
pub(crate) fn bind(at: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    if !at.ip().is_loopback() {
        let text = "members are on loopback only: nothing is protected";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let listener = TcpListener::bind(at)?;
    let place = listener.local_addr()?;
    Ok((listener, place))
}

/// Serves there.
pub(crate) fn listen(
    node: Arc<Node>,
    listener: TcpListener,
    place: SocketAddr,
) -> io::Result<Listening> {
    let ended = Arc::new(AtomicBool::new(false));
    let thread = std::thread::Builder::new().name("nethsm-member".to_owned());
    let thread = thread.spawn({
        let ended = Arc::clone(&ended);
        move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (node, ended) = (Arc::clone(&node), Arc::clone(&ended));
                if let Ok(stream) = stream {
                    // Where there is no thread, nobody is there.
                    let _ = std::thread::Builder::new().spawn(move || {
                        // Who has gone away needs no answer.
                        let _ = converse(&node, stream, &ended);
                    });
                }
            }
        }
    })?;
    Ok(Listening {
        place,
        ended,
        thread: Some(thread),
    })
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Somebody who connects wakes it.
        if TcpStream::connect(self.place).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

fn converse(node: &Node, mut stream: TcpStream, ended: &AtomicBool) -> io::Result<()> {
    wire::set_patience(&stream)?;
    let gone = || node.is_away() || ended.load(Ordering::SeqCst);
    let request = wire::receive(&mut stream)?;
    if gone() {
        return Ok(());
    }
    let wrong = |_| io::Error::from(io::ErrorKind::InvalidData);
    let names = [
        "ask",
        "cluster",
        "revision",
        "urls",
        "place",
        "name",
        "certificate",
    ];
    let record = Record::of(&request, "ask", &names).map_err(wrong)?;
    node.note(&record).map_err(wrong)?;
    if record.text("ask").map_err(wrong)? == "join" {
        let answer = join::serve(node, &record).map_err(wrong)?;
        return wire::send(&mut stream, &answer);
    }
    let cluster = id(&record, "cluster").map_err(wrong)?;
    let theirs = u64::try_from(record.int("revision").map_err(wrong)?).unwrap_or_default();
    // Whoever is of another cluster does not have to wait.
    if node.replica().cluster != cluster {
        return Ok(());
    }
    let _gate = locked(&node.gate);
    let own = node.replica();
    if own.cluster != cluster || gone() {
        return Ok(());
    }
    let mut fields = vec![("revision", number(own.revision))];
    if own.revision > theirs {
        fields.push(("replica", own.to_json()));
    }
    wire::send(&mut stream, &object(fields))?;
    stream.set_read_timeout(Some(HELD_WAIT))?;
    loop {
        let said = wire::receive(&mut stream)?;
        if gone() {
            return Ok(());
        }
        commit(node, &said).map_err(wrong)?;
        wire::send(&mut stream, &object([]))?;
    }
}

fn commit(node: &Node, said: &Json) -> Result<(), String> {
    let record = Record::of(said, "commit", &["replica", "directory"])?;
    node.learn(record.get("directory"));
    let told = Replica::read(record.need("replica")?)?;
    let own = node.replica().own;
    node.set_replica(Replica { own, ..told });
    Ok(())
}
