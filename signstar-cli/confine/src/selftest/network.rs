//! Attempts at the network and at other local services.

use std::io;
use std::mem::{self, ManuallyDrop};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockType, SockaddrIn, bind, connect, listen, send,
    setsockopt, socket, sockopt,
};

use super::StoppedBy::{Filter, FilterAndLandlock};
use super::{Attempt, Escape, Needs, gained, simply};

pub(super) const ESCAPES: &[Escape] = &[
    Escape {
        name: "socket-inet",
        tries: "open a TCP socket",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(open(AddressFamily::Inet, SockType::Stream))),
    },
    Escape {
        name: "socket-inet6",
        tries: "open a UDP socket of IPv6",
        stopped_by: Filter,
        needs: Needs::Privilege,
        prepare: || simply(|| gained(open(AddressFamily::Inet6, SockType::Datagram))),
    },
    Escape {
        name: "socket-raw",
        tries: "open a raw socket",
        stopped_by: Filter,
        needs: Needs::Privilege,
        prepare: || simply(|| gained(open(AddressFamily::Inet, SockType::Raw))),
    },
    Escape {
        name: "socket-unix",
        tries: "open a local socket",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(open(AddressFamily::Unix, SockType::Stream))),
    },
    Escape {
        name: "socket-netlink",
        tries: "open a socket to the kernel",
        stopped_by: Filter,
        needs: Needs::Privilege,
        prepare: || simply(|| gained(open(AddressFamily::Netlink, SockType::Raw))),
    },
    Escape {
        name: "socket-vsock",
        tries: "open a socket to the hypervisor",
        stopped_by: Filter,
        needs: Needs::Privilege,
        prepare: || simply(|| gained(open(AddressFamily::Vsock, SockType::Stream))),
    },
    Escape {
        name: "socket-crypto",
        tries: "open a socket to the kernel's cryptography",
        stopped_by: Filter,
        needs: Needs::Privilege,
        prepare: || simply(|| gained(open(AddressFamily::Alg, SockType::SeqPacket))),
    },
    Escape {
        name: "socketpair",
        tries: "make a pair of local sockets",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(UnixStream::pair())),
    },
    Escape {
        name: "tcp",
        tries: "open a TCP connection",
        stopped_by: FilterAndLandlock,
        needs: Needs::Nothing,
        prepare: connect_anew,
    },
    Escape {
        name: "tcp-connect",
        tries: "connect a TCP socket that is open already",
        stopped_by: FilterAndLandlock,
        needs: Needs::Nothing,
        prepare: connect_open_socket,
    },
    Escape {
        name: "tcp-bind",
        tries: "bind a TCP socket that is open already",
        stopped_by: FilterAndLandlock,
        needs: Needs::Nothing,
        prepare: bind_open_socket,
    },
    Escape {
        name: "listen",
        tries: "listen on a local socket that is bound already",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: listen_again,
    },
    Escape {
        name: "send",
        tries: "send on a connected socket by another call than write",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: send_datagram,
    },
    Escape {
        name: "socket-option",
        tries: "set an option of an open socket",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: set_option,
    },
];

fn open(family: AddressFamily, kind: SockType) -> nix::Result<OwnedFd> {
    socket(family, kind, SockFlag::empty(), None)
}

/// A port on which somebody listens for as long as the process lives.
fn listening() -> io::Result<SocketAddrV4> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    mem::forget(listener);
    Ok(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

fn connect_anew() -> io::Result<Attempt> {
    let address = listening()?;
    simply(move || gained(TcpStream::connect(address)))
}

fn connect_open_socket() -> io::Result<Attempt> {
    let address = SockaddrIn::from(listening()?);
    let socket = ManuallyDrop::new(open(AddressFamily::Inet, SockType::Stream)?);
    simply(move || gained(connect(socket.as_raw_fd(), &address)))
}

fn bind_open_socket() -> io::Result<Attempt> {
    // A port of its own: the one that was free a moment ago.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    let address = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
    let socket = ManuallyDrop::new(open(AddressFamily::Inet, SockType::Stream)?);
    simply(move || gained(bind(socket.as_raw_fd(), &address)))
}

fn listen_again() -> io::Result<Attempt> {
    let listener = ManuallyDrop::new(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
    let backlog = Backlog::new(1)?;
    simply(move || gained(listen(&*listener, backlog)))
}

fn connected_datagrams() -> io::Result<ManuallyDrop<UdpSocket>> {
    let receiver = ManuallyDrop::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?);
    let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    sender.connect(receiver.local_addr()?)?;
    Ok(ManuallyDrop::new(sender))
}

fn send_datagram() -> io::Result<Attempt> {
    let sender = connected_datagrams()?;
    simply(move || gained(send(sender.as_raw_fd(), b"escaped", MsgFlags::empty())))
}

fn set_option() -> io::Result<Attempt> {
    let socket = connected_datagrams()?;
    simply(move || gained(setsockopt(&*socket, sockopt::ReuseAddr, &true)))
}
