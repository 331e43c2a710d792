//! Lines with columns.

use crate::screen;

/// The widest column that is padded.
const COLUMN_CHARACTERS_MAX: usize = 48;
/// What a column keeps where the terminal is narrow.
const COLUMN_CHARACTERS_MIN: usize = 4;
/// What stands between columns.
const GAP: &str = "  ";

/// Rows under their headers, without space at the ends of lines, as wide as the terminal at most. Nothing where
/// there is no row.
pub(crate) fn table<const COLUMNS: usize>(
    headers: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
) -> String {
    fitted(headers, rows, screen::columns())
}

fn fitted<const COLUMNS: usize>(
    headers: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
    columns: Option<usize>,
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut widths: Vec<usize> = (0..COLUMNS)
        .map(|column| width(headers.get(column).copied(), rows, column))
        .map(|(widest, header)| match columns {
            // At a terminal a column with nothing in it takes no room; in a file every column has its place.
            Some(_) if widest == 0 => 0,
            Some(_) => widest.max(header),
            // Where nothing is cut, one long value does not push the others away.
            None => widest.max(header).min(COLUMN_CHARACTERS_MAX),
        })
        .collect();
    if let Some(columns) = columns {
        let shown = widths.iter().filter(|width| **width > 0).count();
        let gaps = GAP.len() * shown.saturating_sub(1);
        shrink(&mut widths, columns.saturating_sub(gaps));
    }
    let line = |cells: [&str; COLUMNS], paint: fn(&str) -> String| {
        let cut = columns.is_some();
        let shown: Vec<(usize, &str)> = widths.iter().copied().zip(cells).collect();
        let last = shown
            .iter()
            .rposition(|(width, cell)| *width > 0 && !cell.is_empty());
        let mut text = String::new();
        for (column, (width, cell)) in shown.into_iter().enumerate() {
            if width == 0 {
                continue;
            }
            let shown = if cut {
                shortened(cell, width)
            } else {
                cell.to_owned()
            };
            let room = width.saturating_sub(shown.chars().count());
            text.push_str(&paint(&shown));
            if last.is_some_and(|last| column < last) {
                text.push_str(&" ".repeat(room));
                text.push_str(GAP);
            }
        }
        format!("{text}\n")
    };
    let mut text = line(headers, |text| match text {
        "" => String::new(),
        text => screen::header(text),
    });
    for row in rows {
        text.push_str(&line(row.each_ref().map(String::as_str), screen::cell));
    }
    text
}

/// What is in a column needs, and its header.
fn width<const COLUMNS: usize>(
    header: Option<&str>,
    rows: &[[String; COLUMNS]],
    column: usize,
) -> (usize, usize) {
    let cells = rows.iter().filter_map(|row| row.get(column));
    let cells = cells.map(|cell| cell.chars().count());
    let widest = cells.max().unwrap_or(0);
    (widest, header.unwrap_or_default().len())
}

/// Takes from the widest column until all of them fit, or none has anything to give.
fn shrink(widths: &mut [usize], columns: usize) {
    while widths.iter().sum::<usize>() > columns {
        let Some(widest) = widths.iter_mut().max() else {
            return;
        };
        if *widest <= COLUMN_CHARACTERS_MIN {
            return;
        }
        *widest -= 1;
    }
}

/// The beginning of `cell`, and a sign that there is more.
fn shortened(cell: &str, width: usize) -> String {
    if cell.chars().count() <= width {
        return cell.to_owned();
    }
    let kept: String = cell.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [
            ["packages".to_owned(), "RSA".to_owned()],
            ["x".to_owned(), String::new()],
        ];
        assert_eq!(
            table(["KEY", "TYPE"], &rows),
            "KEY       TYPE\npackages  RSA\nx\n"
        );
    }

    #[test]
    fn at_a_terminal_a_column_with_nothing_in_it_is_left_out() {
        let rows = [["x".to_owned(), String::new(), "y".to_owned(), String::new()]];
        let headers = ["KEY", "LABEL", "TYPE", "TAGS"];
        assert_eq!(fitted(headers, &rows, Some(80)), "KEY  TYPE\nx    y\n");
        let whole = "KEY  LABEL  TYPE  TAGS\nx           y\n";
        assert_eq!(fitted(headers, &rows, None), whole);
    }

    #[test]
    fn a_narrow_terminal_takes_from_the_widest_column() {
        let rows = [["x".repeat(30), "RSA".to_owned(), "y".repeat(12)]];
        let text = fitted(["KEY", "TYPE", "LABEL"], &rows, Some(30));
        let expected = format!("{}…  RSA   {}…", "x".repeat(10), "y".repeat(10));
        assert_eq!(text.lines().next_back().unwrap(), expected);
        // Nothing is cut that is not for a terminal, and there is an end to being narrow.
        let text = fitted(["KEY", "TYPE", "LABEL"], &rows, None);
        assert!(text.contains(&"x".repeat(30)));
        let text = fitted(["KEY", "TYPE", "LABEL"], &rows, Some(3));
        assert!(
            text.lines().all(|line| line.chars().count() <= 16),
            "{text}"
        );
    }
}
