//! Keys that match: how many rows of a table name a lead, and why the others may not.

use hashbrown::{HashMap, HashSet};
use leadscore_config::{Doubt, Subject, listed, quoted};
use leadscore_dataset::Matched;
use leadscore_values::Sample;

/// Texts of keys that match nothing, of which so many are kept.
const MOST: usize = 500;

/// How many rows of a table name a row of another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matching {
    /// Rows that name something.
    pub(crate) n_rows: usize,
    /// Those that name what is there.
    pub(crate) n_matched: usize,
    /// Texts that match nothing, and ids that were met beside them.
    strangers: HashMap<String, Sample>,
}

impl Matching {
    /// What was counted elsewhere.
    pub(crate) fn of_counts(matched: Matched) -> Self {
        Self {
            n_rows: matched.n_rows,
            n_matched: matched.n_matched,
            strangers: HashMap::new(),
        }
    }

    /// The key of a row that was counted already, and matches nothing.
    pub(crate) fn stranger(&mut self, text: &str, row: usize) {
        if self.strangers.len() < MOST && !self.strangers.contains_key(text) {
            self.strangers.insert(
                text.to_owned(),
                Sample {
                    text: text.to_owned(),
                    row,
                    count: 1,
                },
            );
        }
    }

    /// A row that names something.
    pub(crate) fn add(&mut self, text: &str, row: usize, is_there: bool) {
        self.n_rows += 1;
        if is_there {
            self.n_matched += 1;
        } else if let Some(sample) = self.strangers.get_mut(text) {
            sample.count += 1;
        } else if self.strangers.len() < MOST {
            self.strangers.insert(
                text.to_owned(),
                Sample {
                    text: text.to_owned(),
                    row,
                    count: 1,
                },
            );
        }
    }

    /// Rows that name something that is there.
    pub(crate) fn add_matched(&mut self, n_rows: usize) {
        self.n_rows += n_rows;
        self.n_matched += n_rows;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.n_rows += other.n_rows;
        self.n_matched += other.n_matched;
        for (text, sample) in other.strangers {
            if let Some(own) = self.strangers.get_mut(&text) {
                *own = Sample {
                    count: own.count + sample.count,
                    row: own.row.min(sample.row),
                    text,
                };
            } else if self.strangers.len() < MOST {
                self.strangers.insert(text, sample);
            }
        }
    }

    pub(crate) fn n_unmatched(&self) -> usize {
        self.n_rows - self.n_matched
    }

    pub(crate) fn counts(&self) -> Matched {
        Matched {
            n_rows: self.n_rows,
            n_matched: self.n_matched,
        }
    }

    /// The first keys that match nothing.
    fn first_strangers(&self) -> Vec<&Sample> {
        let mut strangers: Vec<&Sample> = self.strangers.values().collect();
        strangers.sort_unstable_by_key(|sample| sample.row);
        strangers
    }

    pub(crate) fn first_row(&self) -> Option<usize> {
        self.strangers.values().map(|sample| sample.row).min()
    }
}

/// What the keys of a table are to match, and how many may not.
pub(crate) struct Expectation<'e> {
    /// The table of the config that holds the keys, and their column.
    pub(crate) table: &'e str,
    pub(crate) column: &'e str,
    /// What a row is: "outcomes", "events", "leads".
    pub(crate) rows: &'e str,
    /// What they are to name: "a lead of the leads table".
    pub(crate) target: &'e str,
    /// The share of rows that may match nothing, and its key in [data].
    pub(crate) allowed: f64,
    pub(crate) key: &'e str,
    /// Whether `separator` can be set for the table.
    pub(crate) can_split: bool,
}

/// Below this share nobody looks for a reason why keys do not match.
const WORTH_A_LOOK: f64 = 0.02;

impl Expectation<'_> {
    /// The doubt that keys leave which match nothing: too many of them, or most of them written
    /// otherwise than the ids are.
    pub(crate) fn doubt(
        &self,
        matching: &Matching,
        ids: &mut dyn Iterator<Item = &str>,
        place: &dyn Fn(usize) -> String,
    ) -> Option<Doubt> {
        let n = matching.n_unmatched();
        let share = n as f64 / matching.n_rows.max(1) as f64;
        let is_too_much = share > self.allowed;
        if n == 0 || !is_too_much && share <= WORTH_A_LOOK {
            return None;
        }
        let strangers = matching.first_strangers();
        let keys: Vec<&str> = strangers
            .iter()
            .map(|sample| sample.text.as_str())
            .collect();
        let (cause, some_ids) = likely_cause(&keys, ids);
        if !is_too_much && cause.is_none() {
            return None;
        }
        let per_cent = |share: f64| {
            if share >= 0.1 {
                format!("{:.0} %", 100.0 * share)
            } else {
                format!("{:.1} %", 100.0 * share)
            }
        };
        let mut found = format!(
            "{n} of {} {} ({}) do not name {}, such as {}",
            matching.n_rows,
            self.rows,
            per_cent(share),
            self.target,
            listed(
                strangers
                    .iter()
                    .take(3)
                    .map(|sample| (sample.text.as_str(), sample.count))
                    .collect::<Vec<_>>()
                    .into_iter()
            )
        );
        if !some_ids.is_empty() {
            found.push_str(&format!(
                "; what there is: {}",
                some_ids
                    .iter()
                    .map(|id| format!("`{id}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ));
        }
        if let Some(cause) = &cause {
            found.push_str(&format!("; {}", cause.words()));
        }
        let doubt = Doubt::new(Subject::Keys, self.table, found)
            .of_column(self.column)
            .at(strangers.first().map(|sample| place(sample.row)));
        let doubt = match cause {
            Some(Cause::Several(separator)) if self.can_split => {
                doubt.settled_by(format!("separator = {}", quoted(&separator)), "a cell names several, and its row counts for each")
            }
            Some(_) => doubt.advise("write the ids alike in both tables, best as the system that gives them does"),
            None if matching.n_matched == 0 => doubt.advise("name the column that holds the ids, and check that both tables are of the same export"),
            None => doubt,
        };
        if is_too_much && matching.n_matched > 0 {
            let enough = (100.0 * share).ceil() / 100.0;
            return Some(doubt.settled_in(
                "[data]",
                format!("{} = {enough}", self.key),
                "they are of others, and are left out",
            ));
        }
        Some(doubt)
    }
}

/// Why keys do not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    Several(String),
    Fraction,
    Scientific,
    Zeros,
    Salesforce,
    Case,
    Blanks,
    Marks,
    Prefix,
    Extra,
    Rounded,
}

impl Cause {
    fn words(&self) -> String {
        match self {
            Self::Several(separator) => format!("each cell has several ids, separated by `{separator}`"),
            Self::Fraction => "they would match without `.0` at their end, which whole numbers get beside missing cells".to_owned(),
            Self::Scientific => "they are in scientific notation, which has lost digits: export the column as text".to_owned(),
            Self::Zeros => "they would match but for zeros at the beginning, which one of the tables has lost".to_owned(),
            Self::Salesforce => "they would match by their first 15 characters: one table has ids of 15, the other of 18".to_owned(),
            Self::Case => "they would match in lower case".to_owned(),
            Self::Blanks => "they would match without blanks, quotes and characters that cannot be seen".to_owned(),
            Self::Marks => "they would match without hyphens, commas, quotes, brackets and letters of full width".to_owned(),
            Self::Extra => "they would match without the part after `@`, `:`, `/`, `#` or `|`".to_owned(),
            Self::Rounded => {
                "they would match by their first 15 digits, which is all that a spreadsheet keeps of a number: export the column as text".to_owned()
            }
            Self::Prefix => "they would match by their digits alone: one of the tables has letters before them".to_owned(),
        }
    }
}

/// A key without what systems add to it or take from it; the same of an id that it may match.
type Form = fn(&str) -> Option<String>;

const FORMS: [(Cause, Form); 10] = [
    (Cause::Fraction, |text| {
        let whole = text
            .split_once('.')
            .filter(|(_, fraction)| {
                !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0')
            })
            .map_or(text, |(whole, _)| whole);
        Some(whole.to_owned())
    }),
    (Cause::Zeros, |text| {
        Some(text.trim_start_matches('0').to_owned()).filter(|text| !text.is_empty())
    }),
    (Cause::Rounded, |text| {
        (text.len() > 15 && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text[..15].to_owned())
    }),
    (Cause::Salesforce, |text| {
        matches!(text.len(), 15 | 18)
            .then(|| text.get(..15).map(str::to_owned))
            .flatten()
    }),
    (Cause::Case, |text| Some(text.to_lowercase())),
    (Cause::Blanks, |text| {
        Some(
            text.chars()
                .filter(|c| {
                    !c.is_whitespace()
                        && !matches!(
                            c,
                            '\'' | '"' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}' | '='
                        )
                })
                .collect(),
        )
    }),
    (Cause::Marks, |text| {
        let plain = |c: char| match c {
            // Letters and digits of full width.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0),
            '-' | '{' | '}' | '_' | '(' | ')' | '[' | ']' | ',' | ';' | '\'' | '"' => None,
            c => (!c.is_whitespace()).then_some(c),
        };
        Some(
            text.chars()
                .filter_map(plain)
                .collect::<String>()
                .to_lowercase(),
        )
        .filter(|text| !text.is_empty())
    }),
    (Cause::Scientific, |text| {
        let value: f64 = text.parse().ok()?;
        // What notation with a few digits keeps of it.
        (value.is_finite() && value.abs() >= 1e5).then(|| format!("{value:.5e}"))
    }),
    (Cause::Extra, |text| {
        text.split(['@', ':', '/', '#', '|'])
            .next()
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
    }),
    (Cause::Prefix, |text| {
        let digits = text
            .trim_start_matches(|c: char| !c.is_ascii_digit())
            .trim_start_matches('0');
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.to_owned())
    }),
];

/// How keys that match nothing would match an id if both were written alike, in words.
pub(crate) fn why_unmatched(keys: &[&str], ids: &mut dyn Iterator<Item = &str>) -> Option<String> {
    let cause = likely_cause(&keys[..keys.len().min(MOST)], ids).0?;
    let is_writing = match cause {
        Cause::Fraction
        | Cause::Scientific
        | Cause::Zeros
        | Cause::Salesforce
        | Cause::Case
        | Cause::Blanks
        | Cause::Marks
        | Cause::Rounded => true,
        // They may be of something else.
        Cause::Several(_) | Cause::Extra | Cause::Prefix => false,
    };
    is_writing.then(|| cause.words())
}

/// The form in which most of these keys match an id, and three ids.
fn likely_cause(
    keys: &[&str],
    ids: &mut dyn Iterator<Item = &str>,
) -> (Option<Cause>, Vec<String>) {
    let mut comparison = Comparison::new(keys);
    for id in ids {
        comparison.add(id);
    }
    let cause = comparison.cause();
    (cause, comparison.some_ids)
}

/// What stands between several ids in a cell.
const SEPARATORS: [&str; 6] = [";", ",", "|", "/", " ", "\n"];

/// Whether a text is a number in scientific notation.
fn is_scientific(text: &str) -> bool {
    text.contains(['e', 'E']) && text.parse::<f64>().is_ok()
}

/// Keys that match nothing, in every form, against the ids.
struct Comparison<'k> {
    keys: &'k [&'k str],
    /// For each form, the position of the key that has it.
    forms: Vec<HashMap<String, usize>>,
    /// For each separator, the position of the key that has a part.
    parts: Vec<HashMap<&'k str, usize>>,
    /// For each form, the keys that match an id in it.
    hits: Vec<HashSet<usize>>,
    /// For each separator, the parts that are an id.
    hits_of_parts: Vec<HashSet<&'k str>>,
    some_ids: Vec<String>,
    n_ids: usize,
}

impl<'k> Comparison<'k> {
    fn new(keys: &'k [&'k str]) -> Self {
        let forms = FORMS.iter().map(|(_, form)| {
            keys.iter()
                .enumerate()
                .filter_map(|(position, key)| Some((form(key)?, position)))
                .collect()
        });
        let parts = SEPARATORS.iter().map(|separator| {
            let several = keys
                .iter()
                .enumerate()
                .filter(|(_, key)| key.contains(separator));
            several
                .flat_map(|(position, key)| {
                    key.split(separator)
                        .map(str::trim)
                        .filter(|part| !part.is_empty())
                        .map(move |part| (part, position))
                })
                .collect()
        });
        Self {
            keys,
            forms: forms.collect(),
            parts: parts.collect(),
            hits: vec![HashSet::new(); FORMS.len()],
            hits_of_parts: vec![HashSet::new(); SEPARATORS.len()],
            some_ids: Vec::new(),
            n_ids: 0,
        }
    }

    /// Compares an id with every key.
    fn add(&mut self, id: &str) {
        // The first three in order, since ids may come in any.
        let ids = &mut self.some_ids;
        if ids.len() < 3 || ids.last().is_some_and(|last| id < last.as_str()) {
            ids.push(id.to_owned());
            ids.sort_unstable();
            ids.truncate(3);
        }
        self.n_ids += 1;
        for (((cause, form), of_form), hits) in FORMS.iter().zip(&self.forms).zip(&mut self.hits) {
            if of_form.is_empty() || *cause == Cause::Salesforce && !matches!(id.len(), 15 | 18) {
                continue;
            }
            if let Some(&position) = form(id).and_then(|form| of_form.get(&form))
                && (*cause != Cause::Scientific
                    || is_scientific(id)
                    || is_scientific(self.keys[position]))
            {
                hits.insert(position);
            }
        }
        for (parts, hits) in self.parts.iter().zip(&mut self.hits_of_parts) {
            if let Some((part, _)) = parts.get_key_value(id) {
                hits.insert(part);
            }
        }
    }

    /// Why most keys match no id, as far as a form says so.
    fn cause(&self) -> Option<Cause> {
        let keys = self.keys;
        if self.n_ids == 0 {
            return None;
        }
        for ((separator, parts), hits) in
            SEPARATORS.iter().zip(&self.parts).zip(&self.hits_of_parts)
        {
            let positions: HashSet<usize> = parts.values().copied().collect();
            // Several ids in a cell: most parts of most such cells are there.
            if 2 * positions.len() >= keys.len()
                && 2 * hits.len() >= parts.len()
                && !parts.is_empty()
            {
                return Some(Cause::Several((*separator).to_owned()));
            }
        }
        let best = FORMS
            .iter()
            .zip(&self.hits)
            .filter(|(_, hits)| 2 * hits.len() >= keys.len().max(1))
            .max_by(|a, b| a.1.len().cmp(&b.1.len()).then(std::cmp::Ordering::Greater));
        let cause = best.map(|((cause, _), _)| cause.clone());
        // Digits that are lost match nothing.
        let n_scientific = keys.iter().filter(|key| is_scientific(key)).count();
        let are_scientific =
            2 * n_scientific > keys.len() || self.some_ids.iter().all(|id| is_scientific(id));
        cause.or(are_scientific.then_some(Cause::Scientific))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(keys: &[&str], ids: &[&str], expected: Option<Cause>) {
        assert_eq!(
            likely_cause(keys, &mut ids.iter().copied()).0,
            expected,
            "{keys:?} {ids:?}"
        );
    }

    #[test]
    fn why_keys_do_not_match() {
        check(&["123.0", "124.0"], &["123", "124"], Some(Cause::Fraction));
        check(&["123", "124"], &["123.0", "124.0"], Some(Cause::Fraction));
        check(
            &["1.23457E+14"],
            &["123456789012345"],
            Some(Cause::Scientific),
        );
        check(
            &["100007@crm", "100014@crm"],
            &["100007", "100014"],
            Some(Cause::Extra),
        );
        check(
            &["123456789012345000"],
            &["123456789012345678"],
            Some(Cause::Rounded),
        );
        check(
            &["1.02E+05", "1.03E+05"],
            &["101600", "102700"],
            Some(Cause::Scientific),
        );
        check(&["123", "7"], &["00123", "00007"], Some(Cause::Zeros));
        check(
            &["00Q5e00001abcde"],
            &["00Q5e00001abcdeEAA"],
            Some(Cause::Salesforce),
        );
        check(&["l17", "L18"], &["L17", "l18"], Some(Cause::Case));
        check(
            &["L 17", "\u{200b}L18"],
            &["L17", "L18"],
            Some(Cause::Blanks),
        );
        check(
            &["5d41402a-bc4b-2a76-b971-9d911017c592"],
            &["5D41402ABC4B2A76B9719D911017C592"],
            Some(Cause::Marks),
        );
        check(&["L0017"], &["17"], Some(Cause::Prefix));
        check(
            &["5002;5131", "5003;5002"],
            &["5002", "5131", "5003"],
            Some(Cause::Several(";".to_owned())),
        );
        check(
            &["5002, 5131"],
            &["5002", "5131", "5003"],
            Some(Cause::Several(",".to_owned())),
        );
        check(&["A", "B"], &["C", "D"], None);
    }
}
