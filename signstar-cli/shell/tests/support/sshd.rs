//! A real sshd in a world, and real clients.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::world::{give, ACCOUNTS};
use super::{until, Outcome, Running, World};

/// The port, on the loopback interface that no other world sees.
pub(crate) const PORT: u16 = 2022;

/// What an operator writes into sshd_config for the account that signs. PermitUserEnvironment,
/// AcceptEnv and Subsystem stand outside of Match.
pub(crate) const MATCH: &str = "\
Match User signer
    ForceCommand /usr/bin/signstar
    DisableForwarding yes
    PermitTTY no
    PermitUserRC no
    AuthenticationMethods publickey
    AuthorizedKeysFile /etc/ssh/authorized_keys/%u
    ExposeAuthInfo yes
    MaxSessions 1
    ClientAliveInterval 15
    ClientAliveCountMax 3
";

/// The rest of a sound deployment: nothing that concerns accounts.
pub(crate) const STRICT: &str = "PermitUserEnvironment no\n";

/// The most careless one that the block of [`MATCH`] still has to hold against.
pub(crate) const CARELESS: &str = "\
PermitUserEnvironment yes
AcceptEnv *
Subsystem sftp internal-sftp
X11Forwarding yes
AllowAgentForwarding yes
AllowTcpForwarding yes
AllowStreamLocalForwarding yes
GatewayPorts clientspecified
PermitTunnel yes
PermitTTY yes
PermitUserRC yes
";

/// A running sshd.
pub(crate) struct Sshd<'w> {
    world: &'w World,
    server: Child,
    log: Arc<Mutex<String>>,
}

impl<'w> Sshd<'w> {
    /// Starts one: `global` options, then Match blocks.
    pub(crate) fn start(world: &'w World, global: &str, matches: &str) -> Self {
        let host_key = world.path("/client/host");
        if !host_key.exists() {
            keygen(&host_key, &[]);
        }
        let config = world.path("/client/sshd_config");
        let text = format!(
            "ListenAddress 127.0.0.1:{PORT}\nHostKey {}\nPidFile none\nUsePAM no\n\
             LogLevel VERBOSE\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             MaxStartups 100\nAuthorizedKeysFile /etc/ssh/authorized_keys/%u\n\
             TrustedUserCAKeys /etc/ssh/authorized_keys/authorities\n{global}{matches}",
            host_key.display()
        );
        fs::write(&config, text).expect("sshd's configuration");
        let mut server = world.spawn(
            Command::new("/usr/sbin/sshd")
                .args(["-D", "-e", "-f"])
                .arg(&config)
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped()),
        );
        let log = collect(&mut server);
        let mut sshd = Self { world, server, log };
        until("sshd listens", || {
            let ended = sshd.server.try_wait().expect("its status");
            assert!(ended.is_none(), "sshd ended: {}", sshd.log());
            sshd.log().contains("Server listening")
        });
        sshd
    }

    /// Starts one by connection, as a socket of systemd's does: `program` for each.
    pub(crate) fn by_connection(world: &'w World, program: &[&str]) -> Self {
        let mut server = world.spawn(
            Command::new("systemd-socket-activate")
                .args(["--accept", "--inetd", "--listen"])
                .arg(format!("127.0.0.1:{PORT}"))
                .args(program)
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped()),
        );
        let log = collect(&mut server);
        let sshd = Self { world, server, log };
        until("the port is open", || sshd.log().contains("Listening on"));
        sshd
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("nobody panics here").clone()
    }

    /// Its process, as this test sees it.
    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    /// A client with a key of its own, which sshd knows for every account.
    pub(crate) fn client(&self) -> Client<'w> {
        Client::new(self.world)
    }
}

impl Drop for Sshd<'_> {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What a server says on its standard error, as it says it.
fn collect(server: &mut Child) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let lines = BufReader::new(server.stderr.take().expect("a pipe"));
    std::thread::spawn({
        let log = Arc::clone(&log);
        move || {
            for line in lines.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned() + "\n";
                log.lock().expect("nobody panics here").push_str(&line);
            }
        }
    });
    log
}

/// Somebody with an SSH key and a folder of their own.
pub(crate) struct Client<'w> {
    world: &'w World,
    folder: PathBuf,
    /// The fingerprint of the key, as `ssh-keygen -l` prints it.
    pub(crate) fingerprint: String,
}

impl<'w> Client<'w> {
    fn new(world: &'w World) -> Self {
        let folder = world.path("/client");
        let key = folder.join("id");
        if !key.exists() {
            keygen(&key, &[]);
            let public = fs::read(key.with_extension("pub")).expect("a public key");
            for account in ACCOUNTS {
                let path = format!("/etc/ssh/authorized_keys/{}", account.name);
                world.write(&path, &public, (0, 0), 0o644);
            }
            let host = fs::read_to_string(folder.join("host.pub")).expect("the host's key");
            fs::write(
                folder.join("known_hosts"),
                format!("[127.0.0.1]:{PORT} {host}"),
            )
            .expect("known hosts");
            let mut config = String::new();
            for account in ACCOUNTS {
                config += &format!("Host {0}\n    User {0}\n", account.name);
            }
            // The path of a socket holds 108 bytes and the way to a checkout can be longer: the one
            // of a shared connection starts from the folder that `program` runs in.
            config += &format!(
                "Host *\n    HostName 127.0.0.1\n    Port {PORT}\n    BatchMode yes\n    \
                 IdentityFile {0}/id\n    IdentitiesOnly yes\n    StrictHostKeyChecking yes\n    \
                 UserKnownHostsFile {0}/known_hosts\n    ControlPath control-%n\n",
                folder.display()
            );
            fs::write(folder.join("config"), config).expect("the client's configuration");
        }
        Self {
            world,
            fingerprint: fingerprint(&key),
            folder,
        }
    }

    /// The world that it lives in.
    pub(crate) fn world(&self) -> &'w World {
        self.world
    }

    /// A file of the client's.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The arguments that name the client's configuration.
    pub(crate) fn config(&self) -> [String; 2] {
        ["-F".to_owned(), self.path("config").display().to_string()]
    }

    /// Some program of the client's, in the client's folder. Without configuration.
    pub(crate) fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", &self.folder)
            .current_dir(&self.folder);
        command
    }

    /// `ssh` with arguments; hosts are named like the accounts.
    pub(crate) fn ssh<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.program("ssh");
        command.args(self.config()).args(arguments);
        command
    }

    /// Starts `command` with pipes.
    pub(crate) fn start(&self, command: &mut Command) -> Running {
        Running::start(self.world, command, [true; 3])
    }

    /// Runs `command` with `input` to its end.
    pub(crate) fn run(&self, command: &mut Command, input: &[u8]) -> Outcome {
        let mut running = self.start(command);
        let stdin = running.stdin.take();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                use std::io::Write;
                stdin.map(|mut stdin| stdin.write_all(input))
            });
            running.outcome()
        })
    }

    /// `ssh signer < input`.
    pub(crate) fn sign(&self, input: &[u8]) -> Outcome {
        self.run(&mut self.ssh(&["signer"]), input)
    }

    /// Opens a connection to `host` that later sessions share, as long as what this returns lives.
    pub(crate) fn share(&self, host: &str) -> Running {
        // What a client leaves behind that was killed.
        for entry in fs::read_dir(&self.folder)
            .expect("the client's folder")
            .flatten()
        {
            if entry.file_name().to_string_lossy().starts_with("control-") {
                let _ = fs::remove_file(entry.path());
            }
        }
        let master = self.start(&mut self.ssh(&["-M", "-N", host]));
        until("the connection is shared", || {
            let check = self.run(&mut self.ssh(&["-O", "check", host]), b"");
            check.status.success()
        });
        master
    }

    /// Has a new authority certify the key for the account that signs, and sshd trust it. Returns
    /// the authority's fingerprint.
    pub(crate) fn certify(&self, key_id: &str, serial: u64, extra: &[&str]) -> String {
        let authority = self.path("authority");
        keygen(&authority, &[]);
        let trusted = fs::read(authority.with_extension("pub")).expect("a public key");
        let place = "/etc/ssh/authorized_keys/authorities";
        self.world.write(place, trusted, (0, 0), 0o644);
        // Only the certificate may count from here on.
        fs::remove_file(self.world.path("/etc/ssh/authorized_keys/signer")).expect("a file");
        let output = Command::new("ssh-keygen")
            .arg("-s")
            .arg(&authority)
            .args([
                "-q",
                "-I",
                key_id,
                "-n",
                "signer",
                "-z",
                &serial.to_string(),
            ])
            .args(extra)
            .arg(self.path("id.pub"))
            .output()
            .expect("ssh-keygen starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        fingerprint(&authority)
    }
}

/// Makes an SSH key.
pub(crate) fn keygen(path: &Path, arguments: &[&str]) {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "", "-f"])
        .arg(path)
        .args(if arguments.is_empty() {
            &["-t", "ed25519"]
        } else {
            arguments
        })
        .output()
        .expect("ssh-keygen starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    give(path, (0, 0), 0o600);
}

/// The fingerprint of a key as `ssh-keygen -l` prints it.
pub(crate) fn fingerprint(key: &Path) -> String {
    let output = Command::new("ssh-keygen").arg("-lf").arg(key).output();
    let text = String::from_utf8(output.expect("ssh-keygen starts").stdout).expect("text");
    text.split(' ').nth(1).expect("a fingerprint").to_owned()
}
