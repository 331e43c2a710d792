//! Progress, colours and widths at a terminal.

use std::time::Duration;

use signstar_nethsm_simulator::Fault;

use crate::stage::Stage;
use crate::terminal::Terminal;
use crate::{with_backups, with_backups_of};

const ERASED: &str = "\x1b[K";
const BOLD: &str = "\x1b[1m";

fn shown(stage: &Stage, line: &str, columns: u16) -> String {
    let (status, shown) = Terminal::start(&mut stage.command(line), columns).end();
    assert_eq!(status, 0, "{shown}");
    shown
}

/// What stands on the screen in the end.
fn last(shown: &str) -> &str {
    shown.rsplit(ERASED).next().unwrap()
}

#[test]
fn what_takes_longer_than_a_second_shows_progress_which_goes() {
    let stage = with_backups_of(Stage::updatable());
    for (operation, line, progress) in [
        (
            "system_backup_post",
            "backup create --out b",
            "one makes a backup, 1 s",
        ),
        (
            "system_restore_post",
            "backup restore b --backup-passphrase-from file:backups.txt --yes",
            "one takes the backup [####",
        ),
        (
            "system_update_post",
            "update upload update.img",
            "one takes the image [####",
        ),
        (
            "keys_get",
            "--all key list",
            "devices [############............] 1 of 2",
        ),
    ] {
        // One is enough for `--all` to be several.
        if line.starts_with("--all") {
            let (status, _) = stage.cli("device add other 127.0.0.1:9");
            assert_eq!(status, 0);
        }
        let slow = Fault::Delay(Duration::from_millis(2_500));
        stage.device.fail_next(Some(operation), slow, 1);
        let (_, shown) = Terminal::start(&mut stage.command(line), 80).end();
        assert!(shown.contains(progress), "{line}: {shown:?}");
        assert!(!last(&shown).contains(" s\n"), "{line}: {shown:?}");
        assert!(!last(&shown).is_empty(), "{line}: {shown:?}");
    }
}

#[test]
fn nothing_is_drawn_for_what_is_quick_or_not_on_a_terminal() {
    let stage = with_backups();
    let quick = shown(&stage, "key list", 80);
    assert_eq!(quick, "packages\n");
    let slow = || {
        let slow = Fault::Delay(Duration::from_millis(1_500));
        stage.device.fail_next(Some("keys_get"), slow, 1);
    };
    slow();
    assert_eq!(stage.cli("key list"), (0, "packages\n".to_owned()));
    slow();
    let traced = shown(&stage, "--trace key list", 80);
    assert!(!traced.contains(ERASED), "{traced:?}");
    slow();
    let drawn = shown(&stage, "key list", 80);
    assert!(drawn.contains(ERASED), "{drawn:?}");
}

#[test]
fn tables_fit_the_terminal_and_files_have_all_of_them() {
    let stage = with_backups();
    let id = "a-key-with-a-name-that-is-rather-long-for-a-narrow-terminal";
    for line in [
        format!("key generate EC_P256 --id {id} --tag one --tag two --tag three"),
        format!("key label set {id} what-people-call-it"),
    ] {
        assert_eq!(stage.cli(&line).0, 0);
    }
    let list = "key list --long --color never";
    for columns in [30, 40, 60] {
        let text = shown(&stage, list, columns);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(columns.into()), "{text}");
        assert!(text.contains('…'), "{text}");
        // The narrowest columns are left, and no header goes.
        assert!(text.contains("USED") && text.contains("TYPE"), "{text}");
    }
    for text in [shown(&stage, list, 200), stage.cli(list).1] {
        assert!(text.contains(id) && !text.contains('…'), "{text}");
    }
}

#[test]
fn colours_are_for_terminals_and_those_who_want_them() {
    let stage = with_backups();
    let list = "key list --long";
    let coloured = shown(&stage, list, 80);
    assert!(coloured.contains(BOLD), "{coloured:?}");
    assert!(!stage.cli(list).1.contains('\x1b'));
    let always = stage.cli("key list --long --color always").1;
    assert!(always.contains(BOLD), "{always:?}");
    let never = shown(&stage, "key list --long --color never", 80);
    assert!(!never.contains('\x1b'), "{never:?}");
    let mut command = stage.command(list);
    let (status, plain) = Terminal::start(command.env("NO_COLOR", "1"), 80).end();
    assert!(status == 0 && !plain.contains('\x1b'), "{plain:?}");
    // An empty one means nothing.
    let mut command = stage.command(list);
    let (_, coloured) = Terminal::start(command.env("NO_COLOR", ""), 80).end();
    assert!(coloured.contains(BOLD), "{coloured:?}");
    let wrong = Terminal::start(&mut stage.command("key show absent"), 80)
        .end()
        .1;
    assert!(
        wrong.contains("\x1b[1;31mnethsm-cli:\x1b[0m one: "),
        "{wrong:?}"
    );
    // What programs read has none.
    let json = stage.cli("key list --long --color always --output json").1;
    assert!(!json.contains('\x1b'), "{json}");
}
