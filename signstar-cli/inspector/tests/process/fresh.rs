//! Whether the release binary is that of the sources here: these tests would say nothing of an older one.
//!
//! cargo writes down beside a program which files it was built from. Where the program is that of another
//! folder's build, as a staged tree can be, what counts is that the files here are the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The folders at the top of the tree that have sources of the inspector.
const TOP: [&str; 2] = ["/signstar-core/", "/signstar-cli/"];

/// Fails with a reason if `program` was not built from the sources below `root`; cargo has written to
/// `listed` what it was built from.
pub(crate) fn check(program: &Path, listed: &Path, root: &Path) -> Result<(), String> {
    let text = fs::read_to_string(listed)
        .map_err(|_| format!("nobody knows what it was built from: {listed:?} is missing"))?;
    let (_, sources) = text.split_once(": ").ok_or("it has no sources")?;
    let built = modified(program);
    for source in sources.split_whitespace().map(Path::new) {
        if modified(source) > built {
            return Err(format!("it is older than {}", source.display()));
        }
        let here = below(root, source).ok_or("it has sources of another project")?;
        if fs::read(source).ok() != fs::read(&here).ok() {
            return Err(format!("it was built from another {}", here.display()));
        }
    }
    Ok(())
}

/// When it was changed last; of what is gone, just now.
fn modified(path: &Path) -> SystemTime {
    let time = fs::metadata(path).and_then(|file| file.modified());
    time.unwrap_or_else(|_| SystemTime::now())
}

/// The same file in this tree.
fn below(root: &Path, source: &Path) -> Option<PathBuf> {
    let text = source.to_str()?;
    let start = TOP.iter().filter_map(|top| text.rfind(top)).max()?;
    Some(root.join(&text[start + 1..]))
}

#[test]
fn a_binary_that_is_older_or_of_other_sources_is_told() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let write = |name: &str, text: &str, age: u64| {
        fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        let file = fs::File::create(path(name)).unwrap();
        fs::write(path(name), text).unwrap();
        let time = SystemTime::now() - std::time::Duration::from_secs(age);
        file.set_modified(time).unwrap();
    };
    let source = "signstar-core/src/lib.rs";
    let (built, here) = (format!("built/{source}"), format!("here/{source}"));
    write(&built, "one", 20);
    write(&here, "one", 0);
    write("program", "", 10);
    let list = format!(
        "{}: {}\n",
        path("program").display(),
        path(&built).display()
    );
    write("program.d", &list, 10);
    let judged = || {
        check(&path("program"), &path("program.d"), &path("here")).map_err(|why| {
            let place = format!("{}/", place.path().display());
            why.replace(&place, "")
        })
    };
    assert_eq!(judged(), Ok(()));
    write(&here, "two", 30);
    let expected = format!("it was built from another here/{source}");
    assert_eq!(judged(), Err(expected));
    write(&here, "one", 0);
    write(&built, "one", 5);
    assert_eq!(judged(), Err(format!("it is older than built/{source}")));
    fs::remove_file(path(&built)).unwrap();
    assert_eq!(judged(), Err(format!("it is older than built/{source}")));
    fs::remove_file(path("program.d")).unwrap();
    assert!(judged().unwrap_err().starts_with("nobody knows"));
}
