//! One of the two packages takes the place of the other: what ran goes on running. The scripts of both
//! packages are run as their package managers run them, with a `systemctl` that notes what is asked of it.

use crate::place::{packaging, Place};

/// What is put in the place of systemd. The file `running` says what runs.
const CHANGE: &str = r#"
mkdir "$1/bin" "$1/lib"
cat > "$1/bin/systemctl" <<END
#!/bin/sh
if [ "\$1" = list-units ]; then
    cat "$1/running"
else
    echo "systemctl \$*"
fi
END
for other in systemd-sysusers systemd-tmpfiles usermod; do
    printf '#!/bin/sh\n' > "$1/bin/$other"
done
chmod 0755 "$1"/bin/*
PATH=$1/bin:$PATH
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/signstar
"#;

/// What is asked of systemd, line by line, when `running` runs and `steps` change the package.
fn asked(running: &str, steps: &str) -> Vec<String> {
    let place = Place::new();
    place.put("running", running);
    let said = place.script(&format!("{CHANGE}{steps}"));
    let lines = said.lines().filter(|line| !line.contains("daemon-reload"));
    lines.map(str::to_owned).collect()
}

const RUNNING: &str = "\
signstar-credential@packages.pin.service loaded active exited Credential of Signstar
signstar-sshd.socket loaded active listening Port of Signstar's SSH server
";

const STOP: &str = "systemctl stop signstar-sshd.socket signstar-credential@*.service";
const START: &str = "systemctl start signstar-credential@packages.pin.service signstar-sshd.socket";

/// The steps of dpkg, as it takes a package away in favour of another, or by itself; and of pacman.
fn ways() -> [String; 3] {
    let debian = packaging().join("debian");
    let debian = debian.display();
    let arch = packaging().join("arch/signstar.install");
    let arch = arch.display();
    [
        format!(
            "sh {debian}/prerm remove in-favour signstar-devices 0.1.0-1\n\
             sh {debian}/postrm remove\nsh {debian}/postinst configure ''\n"
        ),
        format!(
            "sh {debian}/prerm remove\nsh {debian}/postrm remove\nsh {debian}/postinst configure 0.1.0-1\n"
        ),
        format!(". {arch}\npre_remove\npost_remove\npost_install\n"),
    ]
}

#[test]
fn what_ran_before_the_swap_is_started_after_it() {
    for way in ways() {
        // And once only: a second time is an upgrade, which starts nothing.
        let again = way.lines().last().unwrap();
        let asked = asked(RUNNING, &format!("{way}{again}\n"));
        assert_eq!(asked, [STOP, START], "{way}");
    }
}

#[test]
fn what_an_operator_has_stopped_stays_stopped() {
    for way in ways() {
        let asked = asked("", &way);
        assert!(asked.contains(&STOP.to_owned()), "{way}");
        assert!(
            !asked.iter().any(|line| line.contains(" start ")),
            "{asked:?}"
        );
    }
}
