//! What must hold for every input, one function for each target. The fuzzer and the smoke test on
//! the stable compiler run the same ones.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use signstar_core::{FRAME_BYTES, Frame, ModuleSettings, PublicKey, WorkerRequest, frame};
use signstar_pkcs11::provision::{
    Answer, Demand, KeySeen, Listed, NewKey, Order, TokenSeen, list, prepare,
};
use zeroize::Zeroizing;

/// What fits into a socket without anybody reading.
const ANSWERS_MAX: usize = 24;
/// The end of what is said comes at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// One answer: what is accepted has one spelling, and whoever reads it on a terminal is safe.
pub(crate) fn answer(input: &[u8]) {
    let Some(frame) = as_frame(input) else {
        return;
    };
    match Answer::from_frame(&frame) {
        Err(error) => is_one_line(&error.to_string()),
        Ok(answer) => {
            assert_eq!(answer.to_frame().as_ref(), Ok(&frame));
            match answer {
                Answer::Token(token) => is_shown(&token),
                Answer::Key(key) => is_bounded(&key),
                Answer::Made(PublicKey::Ecdsa { curve, point }) => {
                    assert_eq!(point.len(), 1 + 2 * curve.scalar_bytes());
                }
                Answer::Made(_) | Answer::End => {}
                Answer::Fault(fault) => is_one_line(&fault.error().to_string()),
            }
        }
    }
}

/// All that the process says: when it is asked for its tokens, the list is that of its answers until the end of
/// it; when it is to make a key, the PIN goes to it after one token, and only if it has said no more.
pub(crate) fn conversation(input: &[u8]) {
    let frames = frames(input);
    let (process, socket) = speaker(&frames);
    let listed = list(socket, settings(), None, PATIENCE);
    match (&listed, expected(&frames)) {
        (Ok(listed), Some(expected)) => assert_eq!(*listed, expected),
        (Err(error), None) => is_one_line(&error.to_string()),
        (listed, expected) => panic!("{listed:?}, but {expected:?}"),
    }
    assert_eq!(process.heard(), [opening(), demand(Order::List)]);

    let key = NewKey {
        kind: signstar_core::KeyKind::P256,
        label: "packages".to_owned(),
        id: vec![1],
    };
    let told = [opening(), demand(Order::Make(key.clone(), None))];
    let make = |socket| {
        let order = Order::Make(key.clone(), None);
        let demand = Demand {
            account: None,
            order,
        };
        let waiting = prepare(socket, settings(), &demand, PATIENCE)?;
        is_shown(&waiting.token);
        waiting.make(Zeroizing::new(PIN.to_vec()))
    };
    // All of it at once: whoever talks out of turn, or has gone, is told no PIN.
    let (process, socket) = speaker(&frames);
    let made = make(socket);
    is_one_line(&made.map_or_else(|error| error.to_string(), |_| "made".repeat(4096)));
    assert_eq!(process.heard(), told);
    // In turn.
    let answers: Vec<_> = frames
        .iter()
        .map(|frame| Answer::from_frame(frame))
        .collect();
    let (theirs, ours) = pair();
    let number = ours.as_raw_fd();
    let (made, heard) = std::thread::scope(|scope| {
        let speaker = scope.spawn(|| in_turn(theirs, &frames));
        let made = make(ours);
        close(number);
        let heard = speaker.join();
        (
            made,
            heard.unwrap_or_else(|_| panic!("the speaker panicked")),
        )
    });
    let mut expected = told.to_vec();
    if matches!(answers.first(), Some(Ok(Answer::Token(_)))) {
        expected.extend(WorkerRequest::Pin(Zeroizing::new(PIN.to_vec())).to_frame());
    }
    assert_eq!(heard, expected);
    match (made, answers.first(), answers.get(1)) {
        (Ok(made), Some(Ok(Answer::Token(_))), Some(Ok(Answer::Made(key)))) => {
            assert_eq!(made, *key);
        }
        (Ok(_), ..) => panic!("a key that nobody has made"),
        (Err(error), ..) => is_one_line(&error.to_string()),
    }
}

const PIN: &[u8] = b"123456";

fn demand(order: Order) -> Frame {
    let demand = Demand {
        account: None,
        order,
    };
    let demand = demand.to_frame();
    demand.unwrap_or_else(|error| panic!("{error}"))
}

/// Says one frame, and the rest after the PIN; gives what it was told.
fn in_turn(mut theirs: UnixStream, frames: &[Frame]) -> Vec<Frame> {
    let mut heard = Vec::new();
    let mut frames = frames.iter();
    if let Some(first) = frames.next() {
        let _ = theirs.write_all(first);
    } else {
        let _ = theirs.shutdown(Shutdown::Write);
    }
    loop {
        let mut frame = Zeroizing::new(vec![0; FRAME_BYTES]);
        if theirs.read_exact(&mut frame).is_err() {
            return heard;
        }
        heard.push(frame);
        if heard.len() == 3 {
            for frame in &mut frames {
                let _ = theirs.write_all(frame);
            }
            let _ = theirs.shutdown(Shutdown::Write);
        }
    }
}

/// A kind and a body, or a whole frame.
fn as_frame(input: &[u8]) -> Option<Frame> {
    if input.len() == FRAME_BYTES {
        return Some(Zeroizing::new(input.to_vec()));
    }
    let (kind, body) = input.split_first()?;
    frame(*kind, &[body]).ok()
}

/// Frames with a length of one byte each.
fn frames(mut input: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = input.split_first() {
        let (one, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        input = rest;
        frames.extend(as_frame(one));
    }
    frames.truncate(ANSWERS_MAX);
    frames
}

/// What the list is.
fn expected(frames: &[Frame]) -> Option<Vec<Listed>> {
    let mut all: Vec<Listed> = Vec::new();
    for frame in frames {
        match Answer::from_frame(frame).ok()? {
            Answer::Token(token) => all.push(Listed {
                token,
                keys: Vec::new(),
            }),
            Answer::Key(key) => all.last_mut()?.keys.push(key),
            Answer::End => return Some(all),
            _ => return None,
        }
    }
    None
}

/// The process's end of a socket. The library leaves ours open until its process ends; a fuzzer has thousands.
struct Speaker {
    theirs: UnixStream,
    ours: RawFd,
}

fn pair() -> (UnixStream, OwnedFd) {
    let (theirs, ours) = UnixStream::pair().unwrap_or_else(|error| panic!("{error}"));
    (theirs, OwnedFd::from(ours))
}

fn close(number: RawFd) {
    let closed = nix::unistd::close(number);
    closed.unwrap_or_else(|error| panic!("{error}"));
}

/// Somebody who has said all of it, and says no more.
fn speaker(frames: &[Frame]) -> (Speaker, OwnedFd) {
    let (mut theirs, ours) = pair();
    for frame in frames {
        let done = theirs.write_all(frame);
        done.unwrap_or_else(|error| panic!("{error}"));
    }
    let done = theirs.shutdown(Shutdown::Write);
    done.unwrap_or_else(|error| panic!("{error}"));
    let speaker = Speaker {
        theirs,
        ours: ours.as_raw_fd(),
    };
    (speaker, ours)
}

impl Speaker {
    /// What it was told.
    fn heard(mut self) -> Vec<Frame> {
        let done = self.theirs.set_nonblocking(true);
        done.unwrap_or_else(|error| panic!("{error}"));
        let mut heard = Vec::new();
        // It ends where there is nothing more.
        let _ = self.theirs.read_to_end(&mut heard);
        close(self.ours);
        let frames = heard.chunks(FRAME_BYTES);
        frames.map(|frame| Zeroizing::new(frame.to_vec())).collect()
    }
}

fn settings() -> ModuleSettings {
    ModuleSettings {
        module: "/usr/lib/module.so".to_owned(),
        uri: "pkcs11:token=signing;object=packages".to_owned(),
        uri_ed25519: None,
        read: Vec::new(),
        write: Vec::new(),
        processor_seconds: 10,
    }
}

fn opening() -> Frame {
    let opening = WorkerRequest::Open(settings()).to_frame();
    opening.unwrap_or_else(|error| panic!("{error}"))
}

fn is_shown(token: &TokenSeen) {
    let shown = token.uri.to_string();
    assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()), "{shown}");
    let uri = &token.uri;
    for text in [&uri.token, &uri.serial, &uri.manufacturer, &uri.model] {
        assert!(
            text.as_ref()
                .is_none_or(|text| (1..=255).contains(&text.len()))
        );
    }
    assert_eq!((&uri.object, &uri.id), (&None, &None));
}

fn is_bounded(key: &KeySeen) {
    let lengths = [
        key.label.as_ref().map(String::len),
        key.id.as_ref().map(Vec::len),
    ];
    assert!(
        lengths
            .iter()
            .flatten()
            .all(|length| (1..=255).contains(length))
    );
}

/// What an operator reads is one line of readable length.
fn is_one_line(text: &str) {
    assert!(!text.is_empty() && text.len() <= 4096, "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
