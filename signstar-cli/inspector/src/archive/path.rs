//! Which paths and texts an archive may have.

/// What Linux takes (`PATH_MAX`, `NAME_MAX`).
const PATH_BYTES_MAX: usize = 4095;
const NAME_BYTES_MAX: usize = 255;

/// Whether `text` has no control character in it.
pub(crate) fn is_text(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// `Some` if `path` is relative and goes nowhere but down, with nothing that two programs could
/// read differently.
pub(super) fn check_path(path: &str) -> Option<()> {
    let plain = |name: &str| {
        !name.is_empty() && name != "." && name != ".." && name.len() <= NAME_BYTES_MAX
    };
    (path.len() <= PATH_BYTES_MAX && is_text(path) && path.split('/').all(plain)).then_some(())
}
