//! Real artifacts, through a real sshd.

use std::fs;
use std::io::Write;
use std::time::Duration;

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use signstar_core::{Field, InspectionCode as Code, Refusal};

use crate::scene::{configuration, package, refused, refused_by_inspector, world};
use crate::support::sshd::{MATCH, STRICT};
use crate::support::traces::{processes, until_no_process, Traces};
use crate::support::verifiers::all_take;
use crate::support::{artifacts, Sshd, World};

#[test]
fn each_kind_is_signed_as_what_it_is_and_refused_as_what_it_is_not() {
    let world = world("pacman-package", "");
    let package = artifacts::package(&world);
    let name = package.file_name().unwrap().to_str().unwrap().to_owned();
    let database = artifacts::database(&world, &name);
    let image = artifacts::image(&world, &name);
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let all = [
        ("pacman-package", &package, Some("signstar-trial"), "1-1"),
        ("pacman-database", &database, None, ""),
        ("iso", &image, Some("TRIAL"), ""),
    ];
    for (kind, artifact, name, version) in all {
        world.configure(&configuration(kind, ""));
        world.forget();
        let signature = client.sign(&fs::read(artifact).unwrap()).success();
        all_take(&world.key, &signature, artifact);
        let records = world.audit();
        assert_eq!(records.len(), 2);
        for record in &records {
            assert_eq!(record.get(Field::VerdictKind), Some(kind));
            assert_eq!(record.get(Field::VerdictName), name);
            assert_eq!(record.get(Field::VerdictVersion).unwrap_or(""), version);
            assert!(record.get(Field::VerdictUnpacked).is_some());
        }
        for (other, artifact, ..) in all.iter().filter(|(other, ..)| *other != kind) {
            world.forget();
            let outcome = client.sign(&fs::read(artifact).unwrap());
            let records = world.audit();
            let number = records[0].get(Field::VerdictCode).unwrap_or("none");
            println!("{other} as {kind}: {number}");
            assert_eq!((records.len(), outcome.stdout.len()), (1, 0));
            assert!(outcome.stderr.contains(&format!("refused {number}: ")));
        }
    }
}

#[test]
fn an_artifact_that_is_cut_or_changed_anywhere_is_refused() {
    let world = world("pacman-package", "");
    let whole = package(&world);
    for part in 1..64 {
        let cut = &whole[..whole.len() * part / 64];
        let outcome = world.shell().run(cut);
        refused_by_inspector(&world, &outcome, Code::ContainerDamaged);
    }
    for part in 1..16 {
        let mut changed = whole.clone();
        changed[whole.len() * part / 16] ^= 1;
        let outcome = world.shell().run(&changed);
        assert_eq!(outcome.stdout, b"", "{part}");
        assert_eq!(outcome.code(), 65, "{outcome:?}");
        world.forget();
    }
    let trailing = [whole.as_slice(), b"\0"].concat();
    let outcome = world.shell().run(&trailing);
    refused_by_inspector(&world, &outcome, Code::TrailingBytes);
}

#[test]
fn rules_of_key_account_and_caller_hold_together() {
    let key = "[key.packages.rules]\nname = [\"signstar-*\"]\nbuild-tool = [\"makepkg\"]";
    let world = world("pacman-package", key);
    let artifact = package(&world);
    assert_eq!(world.shell().run(&artifact).code(), 0);

    world.configure(&configuration(
        "pacman-package",
        &format!("{key}\nbuild-age-days-max = 1"),
    ));
    assert_eq!(world.shell().run(&artifact).code(), 0);

    let other = "[key.packages.rules]\nname = [\"linux\", \"systemd\"]";
    world.configure(&configuration("pacman-package", other));
    world.forget();
    let outcome = world.shell().run(&artifact);
    let record = refused_by_inspector(&world, &outcome, Code::RuleName);
    assert_eq!(record.get(Field::VerdictName), Some("signstar-trial"));
    assert_eq!(record.get(Field::VerdictVersion), Some("1-1"));

    // An account may have less than its key, and a caller less than the account.
    let user = "rules = { packager = [\"*@example.com>\"] }";
    world.configure(&configuration("pacman-package", key).user(user));
    let outcome = world.shell().run(&artifact);
    refused_by_inspector(&world, &outcome, Code::RulePackager);
    let theirs = "SHA256:ZWxmSHkLFbROhvZ6eCFZDEjJXyDHMsMo2oYR2IXgcYL";
    let stranger = format!("callers.ci = {{ ssh-key = \"{theirs}\" }}");
    world.configure(&configuration("pacman-package", key).user(&stranger));
    let outcome = world.shell().run(&artifact);
    refused(&world, &outcome, Refusal::CallerUnknown);
    world.configure(&configuration("pacman-package", key));
    world.shell().run(&artifact);
    let own = world.audit()[0].get(Field::SshKey).unwrap().to_owned();
    world.forget();
    let caller = format!("callers.ci = {{ ssh-key = \"{own}\", architecture = [\"x86_64\"] }}");
    world.configure(&configuration("pacman-package", key).user(&caller));
    let outcome = world.shell().run(&artifact);
    refused_by_inspector(&world, &outcome, Code::RuleArchitecture);
    let caller = format!("callers.ci = {{ ssh-key = \"{own}\", architecture = [\"any\"] }}");
    world.configure(&configuration("pacman-package", key).user(&caller));
    assert_eq!(world.shell().run(&artifact).code(), 0);
}

/// The inspector has no clock: how slowly an artifact may come is the login shell's affair.
#[test]
fn an_artifact_that_comes_byte_by_byte_is_signed_unless_it_comes_too_slowly() {
    let lines = "progress-seconds = 1\nprogress-bytes = 100";
    let configuration = configuration("pacman-package", "").user(lines);
    let world = World::configured(&configuration);
    let path = artifacts::package(&world);
    let artifact = fs::read(&path).unwrap();
    for (pause, signed) in [(Duration::ZERO, true), (Duration::from_millis(200), false)] {
        let mut running = world.shell().start();
        let mut stdin = running.stdin.take().unwrap();
        let sending = std::thread::scope(|scope| {
            let sending = scope.spawn(|| {
                artifact.iter().try_for_each(|byte| {
                    std::thread::sleep(pause);
                    stdin.write_all(&[*byte])
                })?;
                drop(stdin);
                std::io::Result::Ok(())
            });
            let outcome = running.outcome();
            if signed {
                assert_eq!(outcome.code(), 0, "{outcome:?}");
                all_take(&world.key, &outcome.stdout, &path);
                world.forget();
            } else {
                refused(&world, &outcome, Refusal::InputStalled);
            }
            sending.join().unwrap()
        });
        assert_eq!(sending.is_ok(), signed);
        until_no_process(&world, "signstar-inspec");
    }
}

#[test]
fn an_inspector_ends_with_its_session_however_that_ends() {
    let world = world("pacman-package", "");
    let before = Traces::of(&world);
    let running = world.shell().start();
    crate::support::until("an inspector runs", || {
        processes(&world)
            .values()
            .any(|name| name == "signstar-inspec")
    });
    let shell = Pid::from_raw(i32::try_from(running.id()).unwrap());
    kill(shell, Signal::SIGKILL).unwrap();
    running.outcome();
    until_no_process(&world, "signstar-inspec");
    before.settle(&world, "a killed session");
}
