//! A hostile PKCS#11 module of the tests' own: SoftHSM with attacks in it, `hostile/module.c`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::token::{Token, run};
use crate::worker::Worker;

/// The module, built into `folder`, which must be one that only root can change.
pub fn module(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile/module.c");
    let library = folder.join("hostile.so");
    run(Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .args(["-ldl", "-lpthread"]));
    library
}

/// What it tries with `ATTACK=try`, in order: while it initialises, signs, makes a key and takes one.
pub const ATTEMPTS: [&str; 18] = [
    "read-file",
    "list-folder",
    "make-file",
    "inet-socket",
    "unix-socket",
    "netlink-socket",
    "fork",
    "exec",
    "memfd",
    "parent-memory-file",
    "parent-memory-call",
    "parent-signal",
    "parent-trace",
    "personality",
    "set-limit",
    "executable-memory",
    "make-executable",
    "thread",
];

/// What a module may do while it initialises: map libraries, start threads.
pub const ALLOWED_AT_FIRST: [&str; 3] = ["executable-memory", "make-executable", "thread"];

/// A token with a key on it, a process that is to load the module for it, and the folder with the module.
pub struct Scene {
    /// The token.
    pub token: Token,
    /// The process.
    pub worker: Worker,
    folder: TempDir,
}

impl Scene {
    /// `worker`, which is for `token`, gets the module instead of the token's own, which attacks as `attack`
    /// says. `ground` is a folder that only root can change.
    pub fn new(token: Token, mut worker: Worker, attack: &str, ground: &str) -> Self {
        let folder = tempfile::tempdir_in(ground).unwrap();
        worker.settings.module = module(folder.path()).to_str().unwrap().to_owned();
        let mut scene = Self {
            token,
            worker,
            folder,
        };
        for (name, value) in [
            ("ATTACK", PathBuf::from(attack)),
            ("RESULT", scene.result()),
            ("FORBIDDEN", scene.forbidden()),
        ] {
            let value = value.into_os_string().into_string().unwrap();
            scene.worker.environment.push((name.to_owned(), value));
        }
        scene
    }

    /// A path beside the module, where it must not write.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The file that it tries to make.
    pub fn forbidden(&self) -> PathBuf {
        self.path("forbidden")
    }

    fn result(&self) -> PathBuf {
        self.token.tokens().join("result")
    }

    /// Has pkcs11-tool load the module, which nothing confines there, and do what `arguments` say.
    pub fn unconfined(&self, arguments: &[&str]) {
        let mut control = self.token.software.tool(&self.token.configuration());
        control
            .args(["--module", &self.worker.settings.module])
            .args(["--token-label", crate::token::LABEL])
            .args(["--login", "--pin", crate::token::PIN])
            .args(arguments)
            .envs(self.worker.environment.clone());
        run(&mut control);
    }

    /// What came of all attempts since this was asked last.
    pub fn outcomes(&self) -> Vec<String> {
        let text = fs::read_to_string(self.result()).unwrap();
        fs::remove_file(self.result()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

/// What is expected of all attempts at `stage`, of which some succeed.
pub fn expected(stage: &str, done: impl Fn(&str) -> bool) -> Vec<String> {
    let outcome = |name: &str| if done(name) { "done" } else { "refused" };
    ATTEMPTS
        .map(|name| format!("{stage} {name} {}", outcome(name)))
        .into()
}

/// What is expected where nothing confines the module.
pub fn everything(stages: [&str; 2]) -> Vec<String> {
    stages.map(|stage| expected(stage, |_| true)).concat()
}

/// What is expected where it is confined before it is loaded, and again before the PIN is sent.
pub fn confined([first, then]: [&str; 2]) -> Vec<String> {
    let first = expected(first, |name| ALLOWED_AT_FIRST.contains(&name));
    [first, expected(then, |_| false)].concat()
}
