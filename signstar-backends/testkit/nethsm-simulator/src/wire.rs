//! The connection below HTTP: what the HTTP library says by itself and the device does not is taken
//! away, and tests can put anything in the place of an answer.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The device does not ask for bodies: it waits for them.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// The device closes the connection when what comes is no HTTP.
const NO_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n";

/// The device answers old clients as it does others.
const OLD: &[u8] = b"HTTP/1.0 ";
const NEW: &[u8] = b"HTTP/1.1 ";

/// What is written in place of the next answer.
pub(crate) type Instead = Arc<Mutex<Option<Vec<u8>>>>;

/// A connection.
pub(crate) struct Wire<T> {
    inner: T,
    instead: Instead,
}

impl<T> Wire<T> {
    pub(crate) fn new(inner: T, instead: Instead) -> Self {
        Self { inner, instead }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        if octets.starts_with(CONTINUE) {
            return Poll::Ready(Ok(CONTINUE.len()));
        }
        if octets.starts_with(NO_HTTP) {
            return Poll::Ready(Ok(octets.len()));
        }
        let this = &mut *self;
        let mut instead = this.instead.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut left) = instead.take() else {
            drop(instead);
            let octets = if octets.starts_with(OLD) { NEW } else { octets };
            return Pin::new(&mut this.inner).poll_write(context, octets);
        };
        // All of the answer counts as written when all of what replaces it is.
        while !left.is_empty() {
            match Pin::new(&mut this.inner).poll_write(context, &left) {
                Poll::Ready(Ok(count)) => drop(left.drain(..count)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    *instead = Some(left);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
