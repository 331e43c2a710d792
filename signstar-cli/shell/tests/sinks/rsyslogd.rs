//! Real rsyslogds in a world: one that takes records on this machine, and one, as on another
//! machine, to which it forwards them over TLS.

use std::collections::HashSet;
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use signstar_core::Record;

use crate::daemon::Daemon;
use crate::support::world::{admin, give};
use crate::support::{until, Configuration, World};

/// Where the login shell writes.
pub(crate) const SOCKET: &str = "/run/rsyslog/log";
/// What the one on this machine writes.
pub(crate) const LOCAL: &str = "/run/rsyslog/local/audit.log";
/// What the other one writes.
pub(crate) const REMOTE: &str = "/run/rsyslog/remote/audit.log";

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
        for name in ["enclave", "collector"] {
            openssl(&format!(
                "req -x509 {key} -keyout {name}.key -out {name}.pem -subj /CN={name} -addext \
                 subjectAltName=DNS:{name} -CA authority.pem -CAkey authority.key"
            ));
        }
    }

    pub(crate) fn start_local(&mut self) {
        self.local = Some(self.start("local"));
        let socket = self.path(SOCKET);
        until("rsyslogd listens", || socket.exists());
        give(&socket, (0, 0), 0o666);
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
        let mut command = Command::new(admin());
        command.args(["audit", "check", "--running", "0s", file]);
        let outcome = self.world.run(&mut command);
        assert_eq!(outcome.code(), status, "{outcome:?}");
        String::from_utf8(outcome.stdout).unwrap()
    }
}

/// What docs/audit.md recommends: nothing is given up, and what waits survives an end.
fn local(forms: Forms) -> String {
    let parser = match forms.socket {
        "local" => "",
        // That of RFC 5424 and 3164, as for what comes from other machines.
        _ => "useSpecialParser=\"off\" parseHostname=\"on\"",
    };
    format!(
        r#"
global(workDirectory="/run/rsyslog/queue" defaultNetstreamDriver="gtls"
       defaultNetstreamDriverCAFile="/run/rsyslog/authority.pem"
       defaultNetstreamDriverCertFile="/run/rsyslog/enclave.pem"
       defaultNetstreamDriverKeyFile="/run/rsyslog/enclave.key")
module(load="imuxsock" sysSock.use="off")
input(type="imuxsock" socket="{SOCKET}" rateLimit.interval="0" {parser})
if $programname == "signstar" then {{
    action(type="omfile" file="{LOCAL}" template="{}" sync="on"
           action.resumeRetryCount="-1" action.resumeInterval="1"
           queue.type="LinkedList" queue.filename="local" queue.saveOnShutdown="on")
    action(type="omfwd" target="127.0.0.1" port="6514" protocol="tcp"
           template="RSYSLOG_SyslogProtocol23Format"
           streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509/name"
           streamDriverPermittedPeers="collector"
           action.resumeRetryCount="-1" action.resumeInterval="1"
           queue.type="LinkedList" queue.filename="forward" queue.saveOnShutdown="on")
}}
"#,
        forms.file
    )
}

fn remote(forms: Forms) -> String {
    format!(
        r#"
global(defaultNetstreamDriver="gtls"
       defaultNetstreamDriverCAFile="/run/rsyslog/authority.pem"
       defaultNetstreamDriverCertFile="/run/rsyslog/collector.pem"
       defaultNetstreamDriverKeyFile="/run/rsyslog/collector.key")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1"
       streamDriver.authMode="x509/name" permittedPeer="enclave")
input(type="imtcp" address="127.0.0.1" port="6514")
if $programname == "signstar" then
    action(type="omfile" file="{REMOTE}" template="{}" sync="on"
           action.resumeRetryCount="-1" action.resumeInterval="1")
"#,
        forms.file
    )
}
