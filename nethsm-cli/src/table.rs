//! Lines with columns.

/// The widest column, so that one long value does not push the others away.
const COLUMN_CHARACTERS_MAX: usize = 48;

/// Rows under their headers, without space at the ends of lines. Nothing where there is no row.
pub(crate) fn table<const COLUMNS: usize>(
    headers: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let widths = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells = cells.map(|cell| cell.chars().count());
        let header = headers.get(column).map_or(0, |header| header.len());
        cells
            .max()
            .unwrap_or(0)
            .min(COLUMN_CHARACTERS_MAX)
            .max(header)
    };
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.enumerate();
        let padded = cells.map(|(column, cell)| format!("{cell:<width$}", width = widths(column)));
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    let mut text = line(&mut headers.into_iter());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [
            ["packages".to_owned(), "RSA".to_owned()],
            ["x".to_owned(), String::new()],
        ];
        assert_eq!(
            super::table(["KEY", "TYPE"], &rows),
            "KEY       TYPE\npackages  RSA\nx\n"
        );
    }
}
