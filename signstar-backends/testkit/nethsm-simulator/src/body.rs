//! Bodies of answers: at once, in chunks, drop by drop, or cut off.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A body.
pub(crate) struct AnswerBody {
    pieces: VecDeque<Bytes>,
    /// Octets that are left; absent when the client is not told.
    left: Option<u64>,
    pause: Option<Duration>,
    pausing: Option<Pin<Box<Sleep>>>,
    /// Whether the connection breaks where the pieces end.
    breaks: bool,
}

impl AnswerBody {
    pub(crate) fn whole(octets: Vec<u8>) -> Self {
        let left = u64::try_from(octets.len()).ok();
        Self {
            pieces: VecDeque::from([Bytes::from(octets)]),
            left,
            pause: None,
            pausing: None,
            breaks: false,
        }
    }

    pub(crate) fn chunked(octets: Vec<u8>) -> Self {
        Self {
            left: None,
            ..Self::whole(octets)
        }
    }

    pub(crate) fn dripping(octets: &[u8], pause: Duration) -> Self {
        let pieces = octets.iter().map(|octet| Bytes::copy_from_slice(&[*octet]));
        Self {
            pieces: pieces.collect(),
            pause: Some(pause),
            ..Self::whole(octets.to_vec())
        }
    }

    pub(crate) fn cut(octets: Vec<u8>) -> Self {
        let half = octets.get(..octets.len() / 2).unwrap_or_default().to_vec();
        Self {
            pieces: VecDeque::from([Bytes::from(half)]),
            breaks: true,
            ..Self::whole(octets)
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(pause) = self.pause {
            let pausing = self.pausing.get_or_insert_with(|| Box::pin(sleep(pause)));
            if pausing.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.pausing = None;
        }
        match self.pieces.pop_front() {
            Some(piece) => {
                let length = u64::try_from(piece.len()).unwrap_or_default();
                self.left = self.left.map(|left| left.saturating_sub(length));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            None if self.breaks => Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into()))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.breaks
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
