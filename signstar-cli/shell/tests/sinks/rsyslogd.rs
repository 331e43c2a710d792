//! Real rsyslogds in a world: one that takes records on this machine, and one, as on another
//! machine, to which it forwards them over TLS.

use std::collections::HashSet;
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use signstar_core::Record;

use crate::daemon::Daemon;
use crate::support::built::{admin, Build};
use crate::support::{until, Configuration, World};

/// Where the login shell writes.
pub(crate) const SOCKET: &str = "/run/rsyslog/signstar.sock";
/// What the one on this machine writes.
pub(crate) const LOCAL: &str = "/run/rsyslog/local/audit.log";
/// What the other one writes.
pub(crate) const REMOTE: &str = "/run/rsyslog/remote/audit.log";

/// Names in their certificates.
const ENCLAVE: &str = "signstar.example.org";
const COLLECTOR: &str = "log.example.org";

const PAGE: &str = include_str!("../../../../docs/audit.md");

/// A world with both.
pub(crate) struct Machine {
    pub(crate) local: Option<Daemon>,
    pub(crate) remote: Option<Daemon>,
    pub(crate) world: World,
}

/// The form in which the login shell writes, and that of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forms {
    /// `local` or `rfc5424`.
    pub(crate) socket: &'static str,
    /// A template of rsyslogd's own.
    pub(crate) file: &'static str,
}

pub(crate) const PLAIN: Forms = Forms {
    socket: "local",
    file: "RSYSLOG_FileFormat",
};

impl Machine {
    /// With syslog as sink, which may block for so long. Nothing is started.
    pub(crate) fn new(timeout_milliseconds: u32, forms: Forms) -> Self {
        let configuration = Configuration::new().audit(&format!(
            "sink = \"syslog\"\ntimeout-milliseconds = {timeout_milliseconds}\n[audit.syslog]\n\
             socket = \"{SOCKET}\"\nformat = \"{}\"",
            forms.socket
        ));
        let world = World::configured(&configuration);
        for folder in ["local", "remote", "queue"] {
            fs::create_dir_all(world.path("/run/rsyslog").join(folder)).unwrap();
        }
        let machine = Self {
            local: None,
            remote: None,
            world,
        };
        machine.certify();
        machine.write("local.conf", &local(forms));
        machine.write("remote.conf", &remote(forms));
        machine
    }

    fn write(&self, name: &str, text: &str) {
        let path = format!("/run/rsyslog/{name}");
        self.world.write(&path, text, (0, 0), 0o644);
    }

    /// An authority, and what it certifies for both ends.
    fn certify(&self) {
        let folder = self.path("/run/rsyslog");
        let openssl = |arguments: &str| {
            let output = Command::new("openssl")
                .args(arguments.split(' '))
                .current_dir(&folder)
                .output()
                .expect("openssl starts");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{arguments}: {said}");
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
        openssl(&format!(
            "req -x509 {key} -keyout authority.key -out authority.pem -subj /CN=authority"
        ));
        for (file, name) in [("enclave", ENCLAVE), ("collector", COLLECTOR)] {
            openssl(&format!(
                "req -x509 {key} -keyout {file}.key -out {file}.pem -subj /CN={name} -addext \
                 subjectAltName=DNS:{name} -CA authority.pem -CAkey authority.key"
            ));
        }
    }

    pub(crate) fn start_local(&mut self) {
        self.local = Some(self.start("local"));
        let socket = self.path(SOCKET);
        until("rsyslogd listens, to everybody", || {
            let file = fs::metadata(&socket);
            file.is_ok_and(|file| file.permissions().mode() & 0o777 == 0o666)
        });
    }

    pub(crate) fn start_remote(&mut self) {
        self.remote = Some(self.start("remote"));
        until("the other rsyslogd listens", || {
            let connect = || TcpStream::connect(("127.0.0.1", 6514)).is_ok();
            self.world.within(connect)
        });
    }

    fn start(&self, name: &str) -> Daemon {
        let said = fs::File::create(self.path(&format!("/run/rsyslog/{name}.said"))).unwrap();
        let mut command = Command::new("/usr/sbin/rsyslogd");
        command
            .args(["-n", "-C", "-f", &format!("/run/rsyslog/{name}.conf")])
            .args(["-i", &format!("/run/rsyslog/{name}.pid")])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said);
        Daemon::new(self.world.spawn(&mut command))
    }

    /// A path inside, as seen from outside.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.world.any_path(inside)
    }

    /// The lines of a file that rsyslogd writes, of the login shell.
    pub(crate) fn lines(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(file)).unwrap_or_default();
        let lines = text.lines().filter(|line| line.contains("signstar-audit "));
        lines.map(str::to_owned).collect()
    }

    /// The records in a file, once there are so many. rsyslogd sends again what may not have arrived,
    /// so some may be there again.
    pub(crate) fn records(&self, file: &str, count: usize) -> Vec<Record> {
        let mut lines = Vec::new();
        until("the file has the records", || {
            lines = self.lines(file);
            let mut seen = HashSet::new();
            lines.retain(|line| seen.insert(line.clone()));
            lines.len() >= count
        });
        assert_eq!(lines.len(), count, "{lines:?}");
        let read = |line: &String| {
            let start = line.find("signstar-audit ").unwrap();
            Record::from_line(&line[start..]).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        lines.iter().map(read).collect()
    }

    /// What `signstar-admin audit check` says of a file.
    pub(crate) fn check(&self, file: &str, status: i32) -> String {
        let mut command = Command::new(admin(Build::Static));
        command.args(["audit", "check", "--running", "0s", file]);
        let outcome = self.world.run(&mut command);
        assert_eq!(outcome.code(), status, "{outcome:?}");
        String::from_utf8(outcome.stdout).unwrap()
    }
}

/// What docs/audit.md recommends, for `place`, with the places of the test.
fn documented(place: &str, forms: Forms) -> String {
    let start = format!("\n# /etc/rsyslog.d/signstar.conf on {place}");
    let (_, block) = PAGE.split_once(&start).expect("a block of the page");
    let (_, block) = block.split_once('\n').expect("a comment");
    let (block, _) = block.split_once("\n```").expect("an end");
    let mut text = block.to_owned();
    for (theirs, ours) in [
        ("/etc/rsyslog-tls/", "/run/rsyslog/"),
        ("/var/spool/rsyslog", "/run/rsyslog/queue"),
        ("/var/log/signstar/audit.log", LOCAL),
        ("/var/log/signstar/enclave.log", REMOTE),
        ("target=\"log.example.org\"", "target=\"127.0.0.1\""),
        ("RSYSLOG_FileFormat", forms.file),
    ] {
        text = text.replace(theirs, ours);
    }
    text
}

/// What a distribution's own configuration has loaded already.
fn local(forms: Forms) -> String {
    let text = documented("the enclave", forms);
    let text = match forms.socket {
        "local" => text,
        // That of RFC 5424 and 3164, as for what comes from other machines.
        _ => text.replace(
            "createPath=",
            "useSpecialParser=\"off\" parseHostname=\"on\" createPath=",
        ),
    };
    format!("module(load=\"imuxsock\" sysSock.use=\"off\")\n{text}\n")
}

fn remote(forms: Forms) -> String {
    documented("log.example.org", forms) + "\n"
}
