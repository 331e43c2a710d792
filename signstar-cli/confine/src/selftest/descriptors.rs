//! Attempts at descriptors: those that are open, and new ones of every kind.

use std::fs::File;
use std::io;
use std::mem::{self, ManuallyDrop};

use nix::fcntl::{FcntlArg, SpliceFFlags, fcntl, splice};
use nix::sys::epoll::{Epoll, EpollCreateFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{InitFlags, Inotify};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::sendfile::sendfile;
use nix::sys::signal::SigSet;
use nix::sys::signalfd::SignalFd;
use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};
use nix::unistd::{Whence, dup, fsync, lseek, pipe, read, write};

use super::StoppedBy::Filter;
use super::files::unnamed_file;
use super::{Attempt, Escape, Needs, gained, simply};

pub(super) const ESCAPES: &[Escape] = &[
    escape(
        "read-other",
        "read from a descriptor that is not standard input",
        || {
            let file = ManuallyDrop::new(File::open("/dev/zero")?);
            simply(move || gained(read(&*file, &mut [0; 8])))
        },
    ),
    escape(
        "write-other",
        "write to a descriptor that is not the log",
        || {
            let file = ManuallyDrop::new(unnamed_file()?);
            simply(move || gained(write(&*file, b"escaped")))
        },
    ),
    escape("close-input", "close standard input", || {
        simply(|| gained(nix::unistd::close(0)))
    }),
    escape("dup", "duplicate standard input", || {
        simply(|| gained(dup(io::stdin())))
    }),
    escape("fcntl", "read the flags of standard output", || {
        simply(|| gained(fcntl(io::stdout(), FcntlArg::F_GETFL)))
    }),
    escape("seek", "move the position in an open file", || {
        let file = ManuallyDrop::new(unnamed_file()?);
        simply(move || gained(lseek(&*file, 0, Whence::SeekSet)))
    }),
    escape("sync", "sync an open file", || {
        let file = ManuallyDrop::new(unnamed_file()?);
        simply(move || gained(fsync(&*file)))
    }),
    escape("sendfile", "copy between descriptors with sendfile", || {
        let (input, output) = (ManuallyDrop::new(unnamed_file()?), open_pipe()?);
        simply(move || gained(sendfile(&*output, &*input, None, 1)))
    }),
    escape("splice", "move a file into a pipe with splice", || {
        let (input, output) = (ManuallyDrop::new(unnamed_file()?), open_pipe()?);
        simply(move || {
            gained(splice(
                &*input,
                None,
                &*output,
                None,
                1,
                SpliceFFlags::SPLICE_F_NONBLOCK,
            ))
        })
    }),
    escape("pipe", "make a pipe", || simply(|| gained(pipe()))),
    escape("memfd", "make a file in memory", || {
        simply(|| gained(memfd_create(c"escape", MFdFlags::empty())))
    }),
    escape("eventfd", "make an event descriptor", || {
        simply(|| gained(EventFd::from_value_and_flags(0, EfdFlags::empty())))
    }),
    escape("epoll", "make an epoll descriptor", || {
        simply(|| gained(Epoll::new(EpollCreateFlags::empty())))
    }),
    escape("inotify", "watch the file system", || {
        simply(|| gained(Inotify::init(InitFlags::empty())))
    }),
    escape("timerfd", "make a timer descriptor", || {
        simply(|| gained(TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::empty())))
    }),
    escape("signalfd", "make a signal descriptor", || {
        simply(|| gained(SignalFd::new(&SigSet::empty())))
    }),
];

const fn escape(
    name: &'static str,
    tries: &'static str,
    prepare: fn() -> io::Result<Attempt>,
) -> Escape {
    Escape {
        name,
        tries,
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare,
    }
}

/// The end of a pipe that can be written, and whose other end stays open.
fn open_pipe() -> io::Result<ManuallyDrop<std::os::fd::OwnedFd>> {
    let (reader, writer) = pipe()?;
    mem::forget(reader);
    Ok(ManuallyDrop::new(writer))
}
