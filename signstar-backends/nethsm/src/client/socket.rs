//! A TCP socket that never blocks past a deadline and, if it was made beforehand, is never closed.
//!
//! Beside poll(2) it makes connect(2), getsockopt(2), sendto(2) and recvfrom(2) on its one descriptor:
//! that is what a confined process needs, so nothing else may come in here.

use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, connect, getsockopt, recv, send,
    setsockopt, socket, sockopt,
};

/// Who closes a socket.
#[derive(Debug)]
pub(crate) enum Held {
    /// It is closed when it is not needed any more.
    Closed(OwnedFd),
    /// The end of the process closes it.
    Kept(ManuallyDrop<OwnedFd>),
}

impl AsFd for Held {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Closed(descriptor) => descriptor.as_fd(),
            Self::Kept(descriptor) => descriptor.as_fd(),
        }
    }
}

/// A socket for `address`, not connected.
pub(crate) fn unconnected(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let descriptor = socket(family, SockType::Stream, flags, None)?;
    // Requests are sent whole; waiting for more of them would only take time.
    setsockopt(&descriptor, sockopt::TcpNoDelay, &true)?;
    Ok(descriptor)
}

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Socket {
    held: Held,
    deadline: Instant,
}

impl Socket {
    /// Connects before the deadline.
    pub(crate) fn connect(held: Held, address: SocketAddr, deadline: Instant) -> io::Result<Self> {
        let socket = Self { held, deadline };
        match connect(
            socket.held.as_fd().as_raw_fd(),
            &SockaddrStorage::from(address),
        ) {
            Ok(()) => return Ok(socket),
            Err(Errno::EINPROGRESS) => socket.wait(PollFlags::POLLOUT)?,
            Err(error) => return Err(error.into()),
        }
        match getsockopt(&socket.held, sockopt::SocketError)? {
            0 => Ok(socket),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// Nothing waits for longer from now on.
    pub(crate) const fn wait_until(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    fn wait(&self, flags: PollFlags) -> io::Result<()> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let mut polled = [PollFd::new(self.held.as_fd(), flags)];
            // A part of a millisecond is rounded up, so that the loop does not spin.
            let timeout = PollTimeout::try_from(left + Duration::from_millis(1));
            match poll(&mut polled, timeout.unwrap_or(PollTimeout::MAX)) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match recv(self.held.as_fd().as_raw_fd(), buffer, MsgFlags::empty()) {
                Ok(count) => return Ok(count),
                Err(Errno::EAGAIN) => self.wait(PollFlags::POLLIN)?,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        loop {
            match send(
                self.held.as_fd().as_raw_fd(),
                buffer,
                MsgFlags::MSG_NOSIGNAL,
            ) {
                Ok(count) => return Ok(count),
                Err(Errno::EAGAIN) => self.wait(PollFlags::POLLOUT)?,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What has arrived already, without waiting.
pub(crate) struct Arrived<'s>(pub(crate) &'s Socket);

impl Read for Arrived<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let descriptor = self.0.held.as_fd().as_raw_fd();
        Ok(recv(descriptor, buffer, MsgFlags::empty())?)
    }
}
