//! What is known of the operation under way, beyond what the SDK's answers tell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ureq::http::{Request, Response};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Body, SendBody};

use super::ClientError;

/// Shared between the client, which asks, and the connection, which sees what happens.
#[derive(Debug)]
pub(crate) struct Note {
    state: Mutex<State>,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
}

/// How far the operation under way is, for whoever shows that meanwhile. In bytes of HTTP, with what stands
/// around requests and answers.
#[derive(Clone, Debug)]
pub struct Meter(pub(crate) Arc<Note>);

impl Meter {
    /// How much has left.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.0.bytes_sent.load(Ordering::Relaxed)
    }

    /// How much has come.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.0.bytes_received.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct State {
    deadline: Instant,
    sent: Sent,
    trouble: Option<ClientError>,
}

/// Whether a part of the request has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Nothing,
    Something,
}

impl Note {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                deadline: Instant::now(),
                sent: Sent::Nothing,
                trouble: None,
            }),
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An operation begins, which must end before `deadline`.
    pub(crate) fn begin(&self, deadline: Instant) {
        self.bytes_sent.store(0, Ordering::Relaxed);
        self.bytes_received.store(0, Ordering::Relaxed);
        *self.state() = State {
            deadline,
            sent: Sent::Nothing,
            trouble: None,
        };
    }

    /// What was noted since [`Note::begin`].
    pub(crate) fn end(&self) -> (Sent, Option<ClientError>) {
        let mut state = self.state();
        (state.sent, state.trouble.take())
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.state().deadline
    }

    /// Some bytes of the request leave.
    pub(crate) fn sent(&self, count: usize) {
        self.bytes_sent.fetch_add(wide(count), Ordering::Relaxed);
        self.state().sent = Sent::Something;
    }

    /// Some bytes of the answer have come.
    pub(crate) fn received(&self, count: usize) {
        self.bytes_received
            .fetch_add(wide(count), Ordering::Relaxed);
    }

    pub(crate) fn trouble(&self, error: ClientError) {
        self.state().trouble = Some(error);
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Reads answers whole, up to a bound, and notes their status: the SDK loses it where an answer is not
/// the JSON that it expects.
pub(crate) struct Reading {
    pub(crate) note: Arc<Note>,
    pub(crate) body_bytes_max: u64,
}

impl Middleware for Reading {
    fn handle(
        &self,
        request: Request<SendBody<'_>>,
        next: MiddlewareNext<'_>,
    ) -> Result<Response<Body>, ureq::Error> {
        let (parts, body) = next.handle(request)?.into_parts();
        let status = parts.status.as_u16();
        let read = body
            .into_with_config()
            .limit(self.body_bytes_max)
            .read_to_vec();
        // An error's status counts, whether its text arrives or not.
        let text = read.as_deref().unwrap_or_default();
        if let Some(error) = ClientError::of_answer(status, text) {
            self.note.trouble(error);
        }
        Ok(Response::from_parts(parts, Body::builder().data(read?)))
    }
}
