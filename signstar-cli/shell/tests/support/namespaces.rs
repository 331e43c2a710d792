//! The namespaces of a world, and starting processes in them.
//!
//! `unshare` makes them and their first process, which sets up the mounts and then waits for the
//! end of its standard input. When that ends, because the test is over or has died, the kernel ends
//! every process of the world with it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sched::{setns, unshare, CloneFlags};
use nix::sys::socket::{
    bind, recv, sendto, socket, AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol,
    SockType,
};

/// Lays the folders of `$1` over the machine's. Nothing but that path comes from outside.
const SETTLE: &str = r#"
world=$1
mount -t overlay -o "lowerdir=$world/etc:/etc" overlay /etc
mount -t overlay -o "lowerdir=$world/usr/bin:/usr/bin" overlay /usr/bin
mount -t overlay -o "lowerdir=$world/usr/lib:/usr/lib" overlay /usr/lib
for folder in etc/signstar etc/ssh/authorized_keys run tmp home var/tmp dev/shm; do
    mount --bind "$world/$folder" "/$folder"
done
echo settled
exec cat > /dev/null
"#;

/// Namespaces that end when this is dropped, with everything that runs in them.
pub(crate) struct Namespaces {
    first: Child,
    open: Vec<(File, CloneFlags)>,
}

impl Namespaces {
    /// Fresh namespaces with the folders of `world` laid over the machine's.
    pub(crate) fn new(world: &Path) -> Self {
        require_root();
        let mut first = Command::new("unshare")
            .args(["--mount", "--net", "--ipc", "--uts", "--pid", "--fork"])
            .args(["--kill-child", "--mount-proc", "--propagation", "private"])
            .args(["--", "sh", "-eu", "-c", SETTLE, "settle"])
            .arg(world)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`unshare` starts (util-linux)");
        let mut line = String::new();
        let stdout = first.stdout.take().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the first process says something");
        assert_eq!(
            line, "settled\n",
            "the kernel allows no private namespaces here: run the tests as root, in a container \
             with CAP_SYS_ADMIN"
        );
        let open = [
            ("net", CloneFlags::CLONE_NEWNET),
            ("ipc", CloneFlags::CLONE_NEWIPC),
            ("uts", CloneFlags::CLONE_NEWUTS),
            ("pid_for_children", CloneFlags::CLONE_NEWPID),
            ("mnt", CloneFlags::CLONE_NEWNS),
        ]
        .map(|(name, flag)| {
            let path = format!("/proc/{}/ns/{name}", first.id());
            (File::open(&path).expect("a namespace"), flag)
        });
        let new = Self {
            first,
            open: open.into(),
        };
        new.within(raise_loopback);
        new
    }

    /// The root folder of the world, as seen from outside.
    pub(crate) fn root(&self) -> String {
        format!("/proc/{}/root", self.first.id())
    }

    /// Does `action` on a thread inside: what it opens and starts is the world's.
    pub(crate) fn within<T: Send>(&self, action: impl FnOnce() -> T + Send) -> T {
        self.entering(CloneFlags::all(), action)
    }

    /// Does `action` on a thread that has the world's network and nothing else of it: there it may start
    /// threads, which where processes are numbered anew it may not.
    pub(crate) fn on_network<T: Send>(&self, action: impl FnOnce() -> T + Send) -> T {
        self.entering(CloneFlags::CLONE_NEWNET, action)
    }

    fn entering<T: Send>(&self, which: CloneFlags, action: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                // A thread that shares its root folder with others cannot change it.
                unshare(CloneFlags::CLONE_FS).expect("own root folder");
                for (namespace, flag) in &self.open {
                    if which.contains(*flag) {
                        setns(namespace, *flag).expect("entering a namespace");
                    }
                }
                action()
            });
            match inside.join() {
                Ok(value) => value,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        // End of input for the first process; `unshare` waits for it, and it for all others.
        drop(self.first.stdin.take());
        let _ = self.first.wait();
    }
}

fn require_root() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "these tests need several accounts: run them as root, or where /etc/subuid allows it as \
         `unshare --user --map-root-user --map-auto cargo xtask test`"
    );
}

/// A new network namespace has a loopback interface that is down. RTM_NEWLINK of rtnetlink(7)
/// raises it: the first interface, flag IFF_UP.
fn raise_loopback() {
    const NEW_LINK: u16 = 16;
    const REQUEST_AND_ACKNOWLEDGE: u16 = 1 | 4;
    const UP: u32 = 1;
    const MESSAGE_BYTES: u32 = 32;
    let message: Vec<u8> = [
        &MESSAGE_BYTES.to_ne_bytes()[..],
        &NEW_LINK.to_ne_bytes(),
        &REQUEST_AND_ACKNOWLEDGE.to_ne_bytes(),
        &[0; 8], // sequence, port
        &[0; 4], // family, padding, type
        &1u32.to_ne_bytes(),
        &UP.to_ne_bytes(),
        &UP.to_ne_bytes(),
    ]
    .concat();
    let route = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )
    .expect("a netlink socket");
    let kernel = NetlinkAddr::new(0, 0);
    bind(route.as_raw_fd(), &kernel).expect("a netlink address");
    sendto(route.as_raw_fd(), &message, &kernel, MsgFlags::empty()).expect("a netlink request");
    let mut answer = [0; 64];
    let length = recv(route.as_raw_fd(), &mut answer, MsgFlags::empty()).expect("an answer");
    assert!(length >= 20, "a short answer");
    assert_eq!(answer[16..20], [0; 4], "raising the loopback interface");
}
