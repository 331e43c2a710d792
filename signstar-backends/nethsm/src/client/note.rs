//! What is known of the operation under way, beyond what the SDK's answers tell.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ureq::http::{Request, Response};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Body, SendBody};

use super::ClientError;

/// Shared between the client, which asks, and the connection, which sees what happens.
#[derive(Debug)]
pub(crate) struct Note(Mutex<State>);

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
        Self(Mutex::new(State {
            deadline: Instant::now(),
            sent: Sent::Nothing,
            trouble: None,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An operation begins, which must end before `deadline`.
    pub(crate) fn begin(&self, deadline: Instant) {
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

    pub(crate) fn sent(&self) {
        self.state().sent = Sent::Something;
    }

    pub(crate) fn trouble(&self, error: ClientError) {
        self.state().trouble = Some(error);
    }
}

/// Reads answers whole, up to a bound, and notes their status: the SDK loses it where an answer is not
/// the JSON that it expects.
pub(crate) struct Reading {
    pub(crate) note: std::sync::Arc<Note>,
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
