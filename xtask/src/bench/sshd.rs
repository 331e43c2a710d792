//! A real sshd for the measurements: on loopback, on a free port, with accounts of the trial.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Because, Failure, Result};
use crate::program::{Program, find};

/// How long sshd may take until it answers.
const START: Duration = Duration::from_secs(10);

/// A server that ends with this.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Starts sshd; `blocks` are the parts of its configuration for each account.
    pub(crate) fn start(folder: &Path, blocks: &str) -> Result<Self> {
        let sshd = find("sshd").ok_or_else(|| Failure::new("sshd is not installed"))?;
        std::fs::create_dir_all("/run/sshd").because("cannot make /run/sshd")?;
        for key in ["host", "client"] {
            Program::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
                .arg(folder.join(key))
                .output()?;
        }
        let port = free_port()?;
        let configuration = folder.join("sshd_config");
        let text = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {here}/host\nPidFile none\nUsePAM no\n\
             StrictModes no\nAuthorizedKeysFile {here}/client.pub\nPasswordAuthentication no\n\
             AuthenticationMethods publickey\nExposeAuthInfo yes\nMaxStartups 200\n\
             LogLevel ERROR\n{blocks}",
            here = folder.display()
        );
        std::fs::write(&configuration, text).because("cannot configure sshd")?;
        let log = std::fs::File::create(folder.join("sshd.log")).because("cannot log")?;
        let child = Command::new(sshd)
            .args(["-D", "-e", "-f"])
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .because("cannot start sshd")?;
        let server = Self {
            child,
            folder: folder.to_owned(),
            port,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if start.elapsed() > START {
                let log = std::fs::read_to_string(folder.join("sshd.log")).unwrap_or_default();
                return Err(Failure::new(format!(
                    "sshd does not answer: {}",
                    log.trim_end()
                )));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// A client of `account`, without its command.
    pub(crate) fn client(&self, account: &str) -> Command {
        let mut command = Command::new("ssh");
        command
            .args(["-F", "none", "-T", "-q", "-p", &self.port.to_string(), "-i"])
            .arg(self.folder.join("client"))
            .args(["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"])
            .args([
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
            ])
            .args(["-l", account, "127.0.0.1"]);
        command
    }

    /// Where control sockets may lie.
    pub(crate) fn socket(&self, account: &str, index: usize) -> PathBuf {
        self.folder.join(format!("{account}.{index}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").because("no free port")?;
    Ok(listener.local_addr().because("no free port")?.port())
}
