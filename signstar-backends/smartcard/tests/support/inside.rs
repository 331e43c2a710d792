//! Namespaces of a test's own: the test program starts itself again in them, for the one test.

use std::path::Path;
use std::process::Command;

use signstar_virtual_card::reader::{Inserted, PORT, Pcscd, slot};
use signstar_virtual_card::{Touch, VirtualCard};

/// Set in the namespaces.
const INSIDE: &str = "SIGNSTAR_TEST_INSIDE";

/// A test that takes longer hangs.
const SECONDS_MAX: &str = "120";

/// An empty `/run` and a loopback interface.
const SETTLE: &str = "mount -t tmpfs tmpfs /run && ip link set lo up && exec \"$@\"";

/// Does `body`, the whole of the test `name`, in namespaces where there is nothing yet.
pub(crate) fn inside(name: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let output = Command::new("timeout")
        .args(["--kill-after=5", SECONDS_MAX, "unshare"])
        .args([
            "--mount",
            "--net",
            "--ipc",
            "--pid",
            "--fork",
            "--kill-child",
        ])
        .args(["--mount-proc", "--propagation", "private"])
        .args(["--", "sh", "-eu", "-c", SETTLE, "settle"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare (util-linux), as root");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

/// pcscd in these namespaces.
pub(crate) fn pcscd() -> Pcscd {
    Pcscd::start(Path::new("/run"), |command| {
        command.spawn().expect("pcscd is needed for this test")
    })
}

/// A new card in the first (0) or second (1) reader.
pub(crate) fn insert(serial: u32, reader: u16) -> Inserted {
    Inserted::new(VirtualCard::new(serial, Touch::Given), slot(PORT + reader))
}
