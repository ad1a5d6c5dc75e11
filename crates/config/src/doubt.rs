//! Doubts: what would change numbers if it were read one way or the other, with the lines of config
//! that settle it.

use leadscore_core::{cut, escape_of, is_hostile, printable, printable_lines};
use serde::Serialize;

/// What a doubt is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// Times that nobody can mean, or whose writing is not known.
    Times,
    /// Numbers whose writing is not known, or a few cells that are none.
    Numbers,
    /// Types that are not read.
    Types,
    /// Ids that match no lead.
    Keys,
    /// Results that are not spelled out.
    Results,
    /// Tables that end at different times.
    Ends,
    /// Changes that cannot be put in order.
    Changes,
}

/// A line of config that would settle a doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The table of the config that it goes into, such as `[leads]`.
    pub section: String,
    /// The line.
    pub line: String,
    /// When it is the right one.
    pub meaning: String,
}

/// Something in the tables that would change numbers if it were read one way or the other: it is
/// refused until the config says how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// What it is about.
    pub subject: Subject,
    /// The table in the config, such as `[leads]`.
    pub table: String,
    /// The column.
    pub column: Option<String>,
    /// File and line, or row, of the first cell that it is about.
    pub place: Option<String>,
    /// What was found.
    pub found: String,
    /// Lines of config of which one settles it.
    pub settings: Vec<Setting>,
    /// What to do where no line of config is right.
    pub advice: Option<String>,
}

impl Doubt {
    /// A doubt about a table, such as `[leads]`, which nothing settles yet.
    pub fn new(subject: Subject, table: &str, found: impl Into<String>) -> Self {
        Self {
            subject,
            table: table.to_owned(),
            column: None,
            place: None,
            found: found.into(),
            settings: Vec::new(),
            advice: None,
        }
    }

    /// The same, about a column.
    #[must_use]
    pub fn of_column(self, column: &str) -> Self {
        Self {
            column: Some(column.to_owned()),
            ..self
        }
    }

    /// The same, with file and line of the first cell that it is about.
    #[must_use]
    pub fn at(self, place: Option<String>) -> Self {
        Self { place, ..self }
    }

    /// Adds a line for its own table of the config.
    #[must_use]
    pub fn settled_by(self, line: impl Into<String>, meaning: impl Into<String>) -> Self {
        let section = self.table.clone();
        self.settled_in(&section, line, meaning)
    }

    /// Adds a line for another table of the config.
    #[must_use]
    pub fn settled_in(
        mut self,
        section: &str,
        line: impl Into<String>,
        meaning: impl Into<String>,
    ) -> Self {
        self.settings.push(Setting {
            section: section.to_owned(),
            line: line.into(),
            meaning: meaning.into(),
        });
        self
    }

    /// The same, with what to do where no line of config is right.
    #[must_use]
    pub fn advise(self, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..self
        }
    }
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", printable(&self.table))?;
        if let Some(column) = &self.column {
            write!(f, " column `{}`", printable(column))?;
        }
        if let Some(place) = &self.place {
            write!(f, " ({})", printable(place))?;
        }
        write!(f, ": {}", printable(&self.found))?;
        if !self.settings.is_empty() {
            write!(f, "\n  hint: in the config,")?;
            let mut section = "";
            for (position, setting) in self.settings.iter().enumerate() {
                if setting.section != section {
                    section = &setting.section;
                    write!(f, "\n    {section}")?;
                }
                let or = if position > 0 { "or " } else { "" };
                write!(
                    f,
                    "\n    {}   # {or}{}",
                    printable_lines(&setting.line),
                    printable(&setting.meaning)
                )?;
            }
        }
        if let Some(advice) = &self.advice {
            write!(f, "\n  hint: {}", printable(advice))?;
        }
        Ok(())
    }
}

/// A share of rows beyond which `[data]` says that it is no accident; a few rows are no share.
pub struct Share {
    /// Rows that it is about.
    pub count: usize,
    /// Of so many.
    pub of: usize,
    /// The key of `[data]`, and what it says.
    pub key: &'static str,
    /// The share up to which it is taken for an accident.
    pub allowed: f64,
}

impl Share {
    const FEWEST: usize = 10;

    /// The doubt where it is more; `found` is what there is about so many rows.
    pub fn doubt(
        &self,
        subject: Subject,
        table: &str,
        found: &str,
        meaning: &str,
    ) -> Option<Doubt> {
        let share = self.count as f64 / self.of.max(1) as f64;
        if self.count < Self::FEWEST || share <= self.allowed {
            return None;
        }
        let found = format!(
            "{} of {} ({:.0} %) {found}",
            self.count,
            self.of,
            100.0 * share
        );
        let line = format!("{} = {:.2}", self.key, (100.0 * share).ceil() / 100.0);
        Some(Doubt::new(subject, table, found).settled_in("[data]", line, meaning))
    }
}

/// A text as TOML writes it, on one line; characters that act, or that nobody sees, as TOML escapes
/// them.
pub fn quoted(text: &str) -> String {
    if !text.chars().any(is_hostile) {
        return toml::Value::String(text.to_owned()).to_string();
    }
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' | '\r' | '\t' => escape_of(c),
        c if is_hostile(c) && u32::from(c) > 0xffff => format!("\\U{:08X}", u32::from(c)),
        c if is_hostile(c) => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// The texts, the first of many, with how often each stands there.
pub fn listed<'t>(samples: impl ExactSizeIterator<Item = (&'t str, usize)>) -> String {
    const MOST: usize = 8;
    let n = samples.len();
    let shown: Vec<String> = samples
        .take(MOST)
        .map(|(text, count)| format!("`{}` ({count})", shortened(text)))
        .collect();
    let more = if n > MOST {
        format!(" and {} more", n - MOST)
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

/// No more of a text than fits a line.
pub fn shortened(text: &str) -> String {
    cut(text, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_share(count: usize, of: usize, allowed: f64, line: Option<&str>) {
        let share = Share {
            count,
            of,
            key: "unmatched",
            allowed,
        };
        let doubt = share.doubt(Subject::Keys, "[outcomes]", "rows", "that is so");
        let found = doubt.map(|doubt| doubt.settings[0].line.clone());
        assert_eq!(found.as_deref(), line, "{count} of {of}");
        // The line settles it: with it, there is no doubt any more.
        if let Some(line) = line {
            let allowed = line
                .rsplit(' ')
                .next()
                .and_then(|number| number.parse().ok());
            check_share(count, of, allowed.expect("a number"), None);
        }
    }

    #[test]
    fn shares_above_what_is_allowed_are_doubts() {
        check_share(30, 100, 0.02, Some("unmatched = 0.30"));
        check_share(301, 1_000, 0.02, Some("unmatched = 0.31"));
        check_share(29, 100, 0.02, Some("unmatched = 0.29"));
        check_share(1_000, 1_000, 0.9, Some("unmatched = 1.00"));
        // As many as are allowed, and fewer than ten.
        check_share(20, 1_000, 0.02, None);
        check_share(9, 9, 0.02, None);
        check_share(0, 0, 0.02, None);
    }

    #[test]
    fn every_share_is_settled_by_its_line() {
        for of in [10, 11, 57, 99, 100, 1_000, 999_999] {
            for count in 10..=of.min(200) {
                let share = Share {
                    count,
                    of,
                    key: "k",
                    allowed: 0.0,
                };
                let doubt = share
                    .doubt(Subject::Keys, "t", "rows", "")
                    .expect("above 0");
                let allowed: f64 = doubt.settings[0].line["k = ".len()..]
                    .parse()
                    .expect("a number");
                assert!(
                    allowed >= count as f64 / of as f64,
                    "{count} of {of}: {allowed}"
                );
                assert!(
                    allowed < count as f64 / of as f64 + 0.0201,
                    "{count} of {of}: {allowed}"
                );
            }
        }
    }

    #[test]
    fn quoted_texts_are_read_as_they_were() {
        for text in [
            "",
            "plain",
            "it's",
            "say \"no\"",
            "both ' and \"",
            "back\\slash",
            "tab\there",
            "two\nlines",
            "\u{1b}[31m",
            "\u{202e}abc",
            "\u{e0041}",
            "Größe 日本",
            "\u{0}",
        ] {
            let quoted = quoted(text);
            assert!(!quoted.chars().any(is_hostile), "{quoted:?}");
            let table: toml::Table = format!("a = {quoted}").parse().expect("a line of TOML");
            assert_eq!(table["a"].as_str(), Some(text), "{quoted}");
        }
    }

    #[test]
    fn lists_end_after_eight() {
        let listed_of = |n: usize| {
            let names: Vec<String> = (0..n).map(|idx| format!("v{idx}")).collect();
            listed(names.iter().map(|name| (name.as_str(), 3)))
        };
        assert_eq!(listed_of(0), "");
        assert_eq!(listed_of(2), "`v0` (3), `v1` (3)");
        assert!(listed_of(8).ends_with("`v7` (3)"));
        assert!(listed_of(10).ends_with("`v7` (3) and 2 more"));
    }

    #[test]
    fn long_texts_end_with_a_mark() {
        assert_eq!(shortened(&"ö".repeat(60)), "ö".repeat(60));
        assert_eq!(shortened(&"ö".repeat(61)), format!("{}…", "ö".repeat(60)));
    }

    #[test]
    fn a_doubt_shows_sections_once_and_ways_as_ways() {
        let doubt = Doubt::new(Subject::Times, "[leads]", "`1/2/2024` is two days")
            .of_column("created")
            .at(Some("line 2".to_owned()))
            .settled_by("time_format = \"%d/%m/%Y\"", "day first")
            .settled_by("time_format = \"%m/%d/%Y\"", "month first")
            .settled_in("[data]", "x = 1", "neither");
        assert_eq!(
            doubt.to_string(),
            "[leads] column `created` (line 2): `1/2/2024` is two days\n  hint: in the config,\n    \
             [leads]\n    time_format = \"%d/%m/%Y\"   # day first\n    \
             time_format = \"%m/%d/%Y\"   # or month first\n    [data]\n    x = 1   # or neither"
        );
    }
}
