//! Tables of configurations in at most 80 columns: the settings on the left, what is known of each on the right.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use mlp_results::text::shorten;

use crate::output::Output;

/// What a terminal shows without wrapping.
const WIDTH: usize = 80;
/// No column of settings is made narrower than this for the sake of another.
const LEAST_WIDTH: usize = 8;

/// One column: its head and a cell for each line.
pub(crate) struct Column {
    head: String,
    cells: Vec<String>,
}

/// A table of configurations.
pub(crate) struct Table {
    /// One for each key that varies.
    settings: Vec<Column>,
    /// Numbers, the most important first; a table that is too wide drops the last ones, but for `n_needed`.
    numbers: Vec<Column>,
    n_needed: usize,
}

impl Column {
    pub(crate) fn new(head: impl Into<String>, cells: impl IntoIterator<Item = String>) -> Column {
        Column { head: head.into(), cells: cells.into_iter().collect() }
    }

    /// Cuts the cells to `width` characters: at the end, or where that makes different ones alike, in the middle.
    fn cut(&mut self, width: usize) {
        let n_different = |cells: &[String]| cells.iter().collect::<BTreeSet<_>>().len();
        let at_the_end: Vec<String> = self.cells.iter().map(|cell| cut(cell, width)).collect();
        self.cells = if n_different(&at_the_end) == n_different(&self.cells) {
            at_the_end
        } else {
            self.cells.iter().map(|cell| shorten(cell, width)).collect()
        };
    }

    fn width(&self) -> usize {
        self.cells.iter().chain([&self.head]).map(|text| text.chars().count()).max().unwrap_or(0)
    }
}

impl Table {
    /// A table whose lines have these settings: keys with their values, the same keys in each.
    pub(crate) fn new<'a>(
        lines: &[&'a [(String, String)]],
        numbers: impl IntoIterator<Item = Column>,
        n_needed: usize,
    ) -> Table {
        let keys = lines.first().into_iter().flat_map(|line| line.iter().enumerate());
        let settings = keys.map(|(place, (key, _))| {
            let values: Vec<&'a str> = lines.iter().map(|line| line[place].1.as_str()).collect();
            Column::new(key.clone(), short_values(&values))
        });
        let mut table = Table { settings: settings.collect(), numbers: numbers.into_iter().collect(), n_needed };
        let needed: usize = table.settings.iter().map(|column| column.width() + 2).sum();
        while table.numbers.len() > table.n_needed && table.room() < needed {
            table.numbers.pop();
        }
        table
    }

    /// Prints the head and the first `n_lines`; `remark` is what stands behind each.
    pub(crate) fn print(mut self, n_lines: usize, remark: impl Fn(usize) -> String, output: &mut Output) {
        let widths = fitting_widths(&self.settings, self.room());
        for (column, &width) in self.settings.iter_mut().zip(&widths) {
            column.cut(width);
        }
        output.line(self.line(&widths, |column| &column.head));
        let n_cells = self.settings.iter().chain(&self.numbers).map(|column| column.cells.len()).min().unwrap_or(0);
        for place in 0..n_cells.min(n_lines) {
            output.line(with_remark(self.line(&widths, |column| &column.cells[place]), &remark(place)));
        }
    }

    /// What the numbers leave for the settings.
    fn room(&self) -> usize {
        WIDTH.saturating_sub(self.numbers.iter().map(|column| column.width() + 2).sum())
    }

    fn line(&self, widths: &[usize], text: impl Fn(&Column) -> &str) -> String {
        let mut line = String::new();
        for (column, &width) in self.settings.iter().zip(widths) {
            let _ = write!(line, "{:width$}  ", cut(text(column), width));
        }
        for column in &self.numbers {
            let _ = write!(line, "{:>width$}  ", text(column), width = column.width());
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// The line with what is remarked of it, behind it where there is room, or else below.
fn with_remark(line: String, remark: &str) -> String {
    let is_wide = line.chars().count() + remark.chars().count() > WIDTH;
    if is_wide && !remark.is_empty() { format!("{line}\n  {remark}") } else { line + remark }
}

fn cut(text: &str, width: usize) -> String {
    let is_long = text.chars().count() > width;
    if is_long { text.chars().take(width - 1).chain(['…']).collect() } else { text.to_owned() }
}

/// A text behind its name, broken between words so that no line is wider than a terminal; the next ones begin under it.
pub(crate) fn wrapped(name: &str, text: &str, indent: usize) -> String {
    let mut lines = vec![format!("{name:indent$}")];
    for word in text.split(' ') {
        let n_characters = lines.last().map_or(0, |line| line.chars().count());
        let is_first = n_characters <= indent;
        if !is_first && n_characters + 1 + word.chars().count() > WIDTH {
            lines.push(" ".repeat(indent));
        }
        if let Some(line) = lines.last_mut() {
            if line.chars().count() > indent {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// Values of which a parameter that all of one name share is left out: `adam` for `adam (beta1 0.9, …)` where all are alike.
fn short_values(values: &[&str]) -> Vec<String> {
    let parts = |value: &str| -> Option<(String, Vec<String>)> {
        let (name, parameters) = value.strip_suffix(')')?.split_once(" (")?;
        Some((name.to_owned(), parameters.split(", ").map(str::to_owned).collect()))
    };
    let short = |value: &&str| {
        let Some((name, parameters)) = parts(value) else { return (*value).to_owned() };
        // The name alone is another value: every parameter tells this one apart from it.
        if values.contains(&name.as_str()) {
            return (*value).to_owned();
        }
        let alike: Vec<BTreeSet<String>> = values
            .iter()
            .filter_map(|other| parts(other).filter(|(other, _)| *other == name))
            .map(|(_, parameters)| parameters.into_iter().collect())
            .collect();
        let own: Vec<String> =
            parameters.into_iter().filter(|parameter| !alike.iter().all(|other| other.contains(parameter))).collect();
        if own.is_empty() { name } else { format!("{name} ({})", own.join(", ")) }
    };
    values.iter().map(short).collect()
}

/// Widths of the columns of settings that together, two blanks behind each, fit into `room` as far as they can: the widest
/// give way.
fn fitting_widths(keys: &[Column], room: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = keys.iter().map(Column::width).collect();
    while widths.iter().map(|width| width + 2).sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max().filter(|width| **width > LEAST_WIDTH) else { break };
        *widest -= 1;
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_shown_only_where_they_differ() {
        let adam = |epsilon: &str| format!("adam (beta1 0.9, beta2 0.999, epsilon {epsilon})");
        let (one, other) = (adam("1e-8"), adam("1e-7"));
        assert_eq!(short_values(&[&one, "sgd", &one]), ["adam", "sgd", "adam"]);
        assert_eq!(short_values(&[&one, "sgd", &other]), ["adam (epsilon 1e-8)", "sgd", "adam (epsilon 1e-7)"]);
        assert_eq!(short_values(&["[512, 256]", "[8]"]), ["[512, 256]", "[8]"]);
        let glorot = ["glorot-uniform", "glorot-uniform (gain 2.0)"];
        assert_eq!(short_values(&glorot), glorot);
    }

    #[test]
    fn a_text_is_broken_where_the_terminal_ends() {
        let text = "word ".repeat(30);
        let wrapped = wrapped("varies", text.trim(), 9);
        assert!(wrapped.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(wrapped.split_whitespace().collect::<Vec<_>>().join(" "), format!("varies {}", text.trim()));
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with("         w")));
    }

    #[test]
    fn a_remark_that_does_not_fit_behind_its_line_stands_below_it() {
        let line = "9".repeat(70);
        assert_eq!(with_remark(line.clone(), "  1 died"), format!("{line}  1 died"));
        assert_eq!(with_remark(line.clone(), "  3 of 5 diverged"), format!("{line}\n    3 of 5 diverged"));
    }

    #[test]
    fn what_is_cut_stays_different() {
        let mut column = Column::new("hidden", ["[512, 256, 128, 64, 8]", "[512, 256, 128, 64, 4]"].map(String::from));
        column.cut(12);
        assert_eq!(column.cells, ["[512, …4, 8]", "[512, …4, 4]"]);
        let mut column = Column::new("hidden", ["[512, 256]", "[8, 8]"].map(String::from));
        column.cut(6);
        assert_eq!(column.cells, ["[512,…", "[8, 8]"]);
    }

    #[test]
    fn the_widest_columns_give_way_until_all_fit() {
        let column = |width: usize| Column { head: String::new(), cells: vec!["x".repeat(width)] };
        assert_eq!(fitting_widths(&[column(30), column(5)], 27), [18, 5]);
        assert_eq!(fitting_widths(&[column(30), column(30)], 10), [LEAST_WIDTH, LEAST_WIDTH]);
    }
}
