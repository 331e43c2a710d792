//! Three machines without anything of Signstar on them: one that will sign, one where packages are
//! built, and one that installs them.
//!
//! They are namespaces of this machine (`settle.sh`) and end with the test, with all that was
//! changed in them. What they do not have is systemd as first process; `systemctl.sh` stands in for
//! it and says so.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use signstar_core::Record;
use tempfile::TempDir;

use crate::page;

/// Where a section is run, and as whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// In the sources, of which there are only those for packaging, on a machine that has built the
    /// release: what the tests have staged is taken for it.
    Sources,
    /// As root of the machine that signs.
    Enclave,
    /// As the user who builds packages.
    Builder,
    /// As root of a machine with pacman.
    Reader,
    /// Nowhere: for the reason that stands here. Its lines are checked by `command_lines`.
    Parsed(&'static str),
}

/// The machines.
pub(crate) struct Site {
    first: Child,
    folder: TempDir,
}

/// How a script has ended, with what it has said to both streams.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) said: String,
}

impl Site {
    /// With nothing on them.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stage = match std::env::var_os("SIGNSTAR_STAGE") {
            Some(stage) => PathBuf::from(stage),
            None => Path::new(env!("CARGO_TARGET_TMPDIR")).join("../stage"),
        };
        assert!(
            stage.join("usr/lib/sysusers.d/signstar.conf").is_file(),
            "there is no staged tree: run `cargo xtask test --part stage`"
        );
        let mut first = Command::new("unshare")
            .args(["--mount", "--net", "--ipc", "--uts", "--pid", "--fork"])
            .args(["--kill-child", "--mount-proc", "--propagation", "private"])
            .args(["--", "sh", "-eu", "-c", include_str!("settle.sh"), "settle"])
            .arg(folder.path())
            .arg(fs::canonicalize(page::tree()).unwrap())
            .arg(fs::canonicalize(stage).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`unshare` starts (util-linux)");
        let mut line = String::new();
        let said = first.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut line).unwrap();
        assert_eq!(line, "settled\n", "run this test as root");
        Self { first, folder }
    }

    /// On which [`deploy.md`](../../../../docs/deploy.md) was followed.
    pub(crate) fn deployed() -> Self {
        let site = Self::new();
        site.follow("docs/deploy.md", &crate::deploy::SECTIONS);
        site
    }

    /// Runs a script somewhere, without input.
    pub(crate) fn run(&self, at: At, script: &str) -> End {
        let (root, user, home) = match at {
            At::Sources => ("sources", "root", "/root/signstar"),
            At::Enclave => ("enclave", "root", "/root"),
            At::Builder => ("builder", "builder", "/home/builder"),
            At::Reader => ("reader", "root", "/root"),
            At::Parsed(why) => panic!("{why}"),
        };
        let mut command = Command::new("chroot");
        command
            .arg(format!("--userspec={user}:{user}"))
            .arg(self.folder.path().join(root))
            .args(["env", "--chdir", home, "sh", "-eu", "-c", script])
            .env("HOME", home)
            .env("USER", user)
            .env("SIGNSTAR_STAGE", "/srv/stage");
        self.inside(&command)
    }

    /// Runs a script, which must succeed; what it has said.
    #[track_caller]
    pub(crate) fn done(&self, at: At, script: &str) -> String {
        let end = self.run(at, script);
        assert!(end.status.success(), "{script}\n{}", end.said);
        end.said
    }

    /// Runs the commands of a page, section by section. `sections` says where, for all of them.
    #[track_caller]
    pub(crate) fn follow(&self, page: &str, sections: &[(&str, At)]) {
        self.follow_with(page, sections, |_| "", |_, _| {});
    }

    /// The same. `before` gives what stands in front of the section with a title, `after` looks at what
    /// it has done and said.
    #[track_caller]
    pub(crate) fn follow_with(
        &self,
        page: &str,
        sections: &[(&str, At)],
        before: impl Fn(&str) -> &'static str,
        mut after: impl FnMut(&str, &str),
    ) {
        let found = page::sections(&page::text(page));
        let titles: Vec<&str> = found.iter().map(|section| section.title.as_str()).collect();
        let known: Vec<&str> = sections.iter().map(|(title, _)| *title).collect();
        assert_eq!(titles, known, "{page}");
        for (section, (title, at)) in found.iter().zip(sections) {
            if matches!(at, At::Parsed(_)) {
                continue;
            }
            let script = format!("{}{}", before(title), section.script);
            let end = self.run(*at, &script);
            let failed = format!("{page}, {title}: {:?}", end.status);
            assert!(end.status.success(), "{failed}\n{script}\n{}", end.said);
            after(title, &end.said);
        }
    }

    /// Runs a command in the namespaces. What it starts in the background and leaves behind does
    /// not keep anybody waiting: it writes to a file.
    fn inside(&self, command: &Command) -> End {
        let namespaces = format!("/proc/{}/ns", self.first.id());
        let mut said = tempfile::tempfile().unwrap();
        let mut enter = Command::new("nsenter");
        for (option, name) in [
            ("net", "net"),
            ("ipc", "ipc"),
            ("uts", "uts"),
            ("pid", "pid_for_children"),
            ("mount", "mnt"),
        ] {
            enter.arg(format!("--{option}={namespaces}/{name}"));
        }
        enter
            .arg("--")
            .arg(command.get_program())
            .args(command.get_args());
        enter
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("LC_ALL", "C")
            .envs(
                command
                    .get_envs()
                    .map(|(name, value)| (name, value.unwrap())),
            )
            .stdin(Stdio::null())
            .stdout(said.try_clone().unwrap())
            .stderr(said.try_clone().unwrap());
        let status = enter.status().expect("`nsenter` starts (util-linux)");
        said.rewind().unwrap();
        let mut bytes = Vec::new();
        said.read_to_end(&mut bytes).unwrap();
        End {
            status,
            said: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// A file on the stick, as the test sees it.
    pub(crate) fn stick(&self, name: &str) -> PathBuf {
        let own = format!("/proc/{}/root", self.first.id());
        PathBuf::from(own + self.folder.path().to_str().unwrap())
            .join("stick")
            .join(name)
    }

    /// What the machine that signs has recorded.
    pub(crate) fn records(&self) -> Vec<Record> {
        let log = self.done(At::Enclave, "cat /var/log/signstar/audit.log");
        log.lines()
            .map(|line| Record::from_line(line).unwrap())
            .collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // End of input for the first process; all others end with it.
        drop(self.first.stdin.take());
        let _ = self.first.wait();
    }
}
