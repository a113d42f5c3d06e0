//! Tables of few columns, aligned also where titles hold emoji or Cyrillic, and without a border.

use comfy_table::{ContentArrangement, Table, presets};

use crate::screen::{STRONG, paint};

/// Lines up rows under a heading; an empty heading prints none.
#[must_use]
pub fn table(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if !heading.is_empty() {
        table.set_header(heading.iter().map(|title| paint(STRONG, title)));
    }
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::GOOD;

    #[test]
    fn columns_line_up_whatever_they_hold() {
        let rows = [
            vec![paint(GOOD, "ok"), String::from("Сделка 77"), String::from("x")],
            vec![String::from("failed"), String::from("🎉"), String::from("y")],
        ];
        let shown = anstream::adapter::strip_str(&table(&[], rows)).to_string();
        assert_eq!(shown, "ok      Сделка 77  x\nfailed  🎉         y");
    }
}
