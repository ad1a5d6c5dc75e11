//! What all cells of a column say about how its numbers are written.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::numbers::{
    Affix, CURRENCIES, NumberFormat, Parts, PointRole, Role, Shape, Sign, is_code, plain_number,
};

/// A text of a column with the row where it was first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The text.
    pub text: String,
    /// The row.
    pub row: usize,
    /// How many cells have it.
    pub count: usize,
}

/// Adds one to the count of what was seen, and keeps the earliest row.
fn see(sample: &mut Option<Sample>, text: &str, row: usize) {
    match sample {
        Some(sample) => sample.count += 1,
        None => {
            *sample = Some(Sample {
                text: text.to_owned(),
                row,
                count: 1,
            });
        }
    }
}

/// Cells by what their comma, or their point, can stand for.
#[derive(Debug, Clone, Default)]
struct Evidence {
    decimal: Option<Sample>,
    thousands: Option<Sample>,
    either: Option<Sample>,
}

impl Evidence {
    fn add(&mut self, role: Option<Role>, text: &str, row: usize) {
        match role {
            None => {}
            Some(Role::Decimal) => see(&mut self.decimal, text, row),
            Some(Role::Thousands) => see(&mut self.thousands, text, row),
            Some(Role::Either) => see(&mut self.either, text, row),
        }
    }
}

/// Distinct texts that are no numbers, of which so many are kept.
const MOST_OTHERS: usize = 200;
/// So many first cells have their words told apart in any case.
const CELLS_TOLD_APART: usize = 5_000;
/// Distinct numbers, of which so many are told apart.
const MOST_NUMBERS: usize = 32;

/// What the cells of a column say about its numbers, over as many batches as it takes to see them
/// all.
#[derive(Debug, Clone, Default)]
pub struct NumberCensus {
    /// Cells that are not missing.
    pub n_cells: usize,
    /// Those that are a number in some writing.
    pub n_numbers: usize,
    comma: Evidence,
    point: Evidence,
    bare: Option<Sample>,
    affixes: BTreeMap<Affix, Sample>,
    parentheses: Option<Sample>,
    /// Numbers that begin with a zero, as codes do.
    codes: Option<Sample>,
    /// Those that begin with two.
    n_padded: usize,
    /// Cells of digits alone, and their length while it is one.
    n_digits: usize,
    width: Option<usize>,
    widths_differ: bool,
    units: Units,
    numbers: Vec<String>,
    others: HashMap<String, (usize, usize)>,
    has_more_others: bool,
}

/// Cells that hold a number and something beside it, such as `12 people`, `1.1k`, `~12` or `12-`.
#[derive(Debug, Clone, Default)]
struct Units {
    n_cells: usize,
    /// What stands beside the numbers, each with how often.
    beside: HashMap<(String, String), usize>,
    /// Different numbers, of which so many are told apart.
    numbers: HashSet<String>,
    first: Option<Sample>,
}

impl Units {
    const MOST_UNITS: usize = 4;

    fn add(&mut self, text: &str, row: usize, n_before: usize) {
        if self.are_settled(n_before) {
            return;
        }
        let Some((before, number, behind)) = split_unit(text) else {
            return;
        };
        self.n_cells += 1;
        see(&mut self.first, text, row);
        *self
            .beside
            .entry((before.to_owned(), behind.to_owned()))
            .or_default() += 1;
        if self.numbers.len() < MOST_NUMBERS {
            self.numbers.insert(number.to_owned());
        }
    }

    /// Where the first hundred are none, the others are not looked at so closely; nor are those
    /// beside which too much stands.
    fn are_settled(&self, n_before: usize) -> bool {
        n_before > 100 && self.n_cells == 0 || self.beside.len() > Self::MOST_UNITS
    }

    /// Many different numbers, all with the same few things beside them, are no words.
    fn verdict(&self, n_numbers: usize, n_cells: usize) -> Option<NumberVerdict> {
        let are_many = 10 * (self.n_cells + n_numbers) >= 9 * n_cells
            && self.n_cells > n_numbers
            && self.numbers.len() >= MOST_NUMBERS / 2;
        if !are_many || self.beside.len() > Self::MOST_UNITS {
            return None;
        }
        Some(NumberVerdict::Unclear(Unclear::Units(self.first.clone()?)))
    }
}

/// Numbers in digits or with signs that no program reads: `１２`, `٢١`, `5_864`, `5·8`, `0x15`.
fn odd_writing(text: &str) -> Option<&'static str> {
    let (mut has_digit, mut is_odd) = (false, None);
    for c in text.trim().chars() {
        match c {
            '0'..='9' => has_digit = true,
            '_' => is_odd = Some("_"),
            '·' => is_odd = Some("·"),
            '.' | ',' | '-' | '+' => {}
            c if c.is_numeric() => (has_digit, is_odd) = (true, Some("digits of another script")),
            _ => {
                let hexadecimal = text
                    .trim()
                    .strip_prefix("0x")
                    .or_else(|| text.trim().strip_prefix("0X"))?;
                return (!hexadecimal.is_empty()
                    && hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()))
                .then_some("0x");
            }
        }
    }
    is_odd.filter(|_| has_digit)
}

/// What stands before and behind the one number of a text; `None` where that is a code, a range or
/// a sentence.
fn split_unit(text: &str) -> Option<(&str, &str, &str)> {
    if let Some(sign) = odd_writing(text) {
        return Some(("", text, sign));
    }
    let begin = text.find(|c: char| c.is_ascii_digit())?;
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (before, number, behind) = (text[..begin].trim(), &text[begin..end], text[end..].trim());
    Shape::of_digits(number)?;
    let is_about = |word: &str| {
        [
            "ca", "circa", "approx", "about", "over", "rund", "etwa", "env", "aprox",
        ]
        .contains(&word.to_lowercase().trim_end_matches('.'))
    };
    let may_stand_before = before.is_empty()
        || before
            .chars()
            .all(|c| !c.is_alphanumeric() && c != '-' && c != '_' && c != '#')
        || is_about(before);
    // 12-, and no 12-A.
    let may_stand_behind =
        behind.len() <= 12 && (behind == "-" || !behind.starts_with(['-', '_', '/', ':', '#']));
    (may_stand_before && may_stand_behind && !(before.is_empty() && behind.is_empty()))
        .then_some((before, number, behind))
}

/// What the numbers of a column are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberVerdict {
    /// Every cell is a number, all written so.
    Numbers(NumberFormat),
    /// Words or codes.
    Words,
    /// Every cell is a number, and their writing cannot be told, or two of them contradict each
    /// other.
    Unclear(Unclear),
    /// Most cells are numbers; these are not, the most frequent first.
    Mixed(Vec<Sample>),
}

/// Why the writing of numbers cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unclear {
    /// A sign with three digits behind it in every cell that has one: thousands or a fraction.
    EitherWay {
        /// `,` or `.`.
        sign: char,
        /// A cell with it.
        sample: Sample,
    },
    /// One cell says that the sign begins a fraction, the other that it parts thousands.
    Contradiction {
        /// `,` or `.`.
        sign: char,
        /// A cell where it begins a fraction.
        decimal: Sample,
        /// A cell where it parts thousands.
        thousands: Sample,
    },
    /// A comma begins a fraction here, a point there; or both part thousands.
    TwoSigns {
        /// A cell with a comma.
        comma: Sample,
        /// A cell with a point.
        point: Sample,
        /// Whether both begin a fraction.
        as_decimals: bool,
    },
    /// Some with a currency or `%`, some without or with another.
    Affixes(Vec<Sample>),
    /// `(12)` may be −12.
    Parentheses(Sample),
    /// `000012` may be 12, or a code.
    Padded(Sample),
    /// `12 people`: numbers with something beside them.
    Units(Sample),
}

impl NumberCensus {
    /// Looks at a cell that is not missing.
    pub fn add(&mut self, text: &str, row: usize) {
        self.n_cells += 1;
        // Few words make up a column of words.
        if self.n_cells > CELLS_TOLD_APART
            && self.n_numbers == 0
            && self.units.are_settled(self.n_cells)
            && self.others.contains_key(text)
        {
            return;
        }
        if let Some((_, point)) = plain_number(text) {
            let point = match point {
                PointRole::None => None,
                PointRole::Decimal => Some(Role::Decimal),
                PointRole::Either => Some(Role::Either),
            };
            return self.add_number(
                text,
                row,
                Shape { comma: None, point },
                Affix::Nothing,
                false,
            );
        }
        // What begins with a letter is no number unless the letter is that of a currency.
        let may_begin = text.as_bytes().first().is_some_and(|first| {
            !first.is_ascii_alphabetic() || CURRENCIES.iter().any(|one| one.as_bytes()[0] == *first)
        });
        let may_be_number = may_begin && text.bytes().any(|byte| byte.is_ascii_digit());
        let parts = if may_be_number {
            Parts::split(text)
        } else {
            None
        };
        match parts.and_then(|parts| Some((Shape::of_digits(parts.digits)?, parts))) {
            Some((shape, parts)) => {
                self.add_number(text, row, shape, parts.affix, parts.parentheses);
            }
            None => self.add_other(text, row),
        }
    }

    fn add_number(
        &mut self,
        text: &str,
        row: usize,
        shape: Shape,
        affix: Affix,
        parentheses: bool,
    ) {
        self.n_numbers += 1;
        self.comma.add(shape.comma, text, row);
        self.point.add(shape.point, text, row);
        match affix {
            Affix::Nothing => see(&mut self.bare, text, row),
            Affix::Percent | Affix::Currency(_) => {
                self.affixes
                    .entry(affix)
                    .and_modify(|sample| sample.count += 1)
                    .or_insert_with(|| Sample {
                        text: text.to_owned(),
                        row,
                        count: 1,
                    });
            }
        }
        if parentheses {
            see(&mut self.parentheses, text, row);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            if is_code(text) {
                see(&mut self.codes, text, row);
                self.n_padded += usize::from(text.starts_with("00") && text.len() > 2);
            }
            self.n_digits += 1;
            self.widths_differ |= self.width.is_some_and(|width| width != text.len());
            self.width = Some(text.len());
        }
        if self.numbers.len() < MOST_NUMBERS && !self.numbers.iter().any(|known| known == text) {
            self.numbers.push(text.to_owned());
        }
    }

    fn add_other(&mut self, text: &str, row: usize) {
        self.units.add(text, row, self.n_cells);
        // Which words there are matters where some cells are numbers.
        if self.n_cells > CELLS_TOLD_APART && 10 * self.n_numbers < self.n_cells {
            return;
        }
        if let Some((count, _)) = self.others.get_mut(text) {
            *count += 1;
        } else if self.others.len() < MOST_OTHERS {
            self.others.insert(text.to_owned(), (1, row));
        } else {
            self.has_more_others = true;
        }
    }

    /// What the column is, by all of its cells; `declared` says what its signs mean where the
    /// config does, and `parentheses` whether `(12)` is −12.
    pub fn verdict(&self, declared: Option<NumberFormat>, parentheses: bool) -> NumberVerdict {
        if let Some(verdict) = self.units.verdict(self.n_numbers, self.n_cells) {
            return verdict;
        }
        if self.n_numbers == 0 {
            return NumberVerdict::Words;
        }
        // 01234 and 98765 are codes, all of one length; 045 among 7 and 1250 is a doubt.
        let n_codes = self.codes.as_ref().map_or(0, |codes| codes.count);
        // All with a zero before them, and of several lengths: a program put it there.
        if n_codes == self.n_numbers
            && self.widths_differ
            && n_codes == self.n_cells
            && self.numbers.len() >= MOST_NUMBERS / 2
        {
            return NumberVerdict::Unclear(Unclear::Padded(
                self.codes.clone().expect("counted above"),
            ));
        }
        let are_codes = n_codes > 0 && (!self.widths_differ || 5 * n_codes > self.n_numbers);
        if are_codes && 10 * self.n_digits > 9 * self.n_numbers {
            // Of postcodes few begin with two zeros; of numbers that a program made as long as the
            // longest, most do.
            let padded = self
                .codes
                .clone()
                .filter(|_| 5 * self.n_padded > self.n_numbers && !self.widths_differ);
            return padded.map_or(NumberVerdict::Words, |sample| {
                NumberVerdict::Unclear(Unclear::Padded(sample))
            });
        }
        let mut strangers = self.strangers();
        strangers.extend(self.codes.clone());
        if !strangers.is_empty() || self.has_more_others {
            let n_strange = self.n_cells - self.n_numbers + n_codes;
            // Few words among many numbers are markers of something; words of their own kind are
            // not.
            let are_many_numbers = self.numbers.len() >= MOST_NUMBERS / 2;
            let is_mostly = 5 * n_strange <= self.n_cells
                || are_many_numbers && 4 * n_strange <= 3 * self.n_cells;
            let are_markers = !self.has_more_others
                && 4 * strangers.len() <= self.numbers.len()
                && 10 * self.n_numbers >= 3 * self.n_cells;
            // Two or three words among many different numbers mark something, however often they
            // are there.
            let are_few_markers = !self.has_more_others && strangers.len() <= 3 && are_many_numbers;
            if !is_mostly && !are_markers && !are_few_markers {
                return NumberVerdict::Words;
            }
            strangers.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.row.cmp(&b.row)));
            return NumberVerdict::Mixed(strangers);
        }
        match self.format(declared, parentheses) {
            Ok(format) => NumberVerdict::Numbers(format),
            Err(unclear) => NumberVerdict::Unclear(unclear),
        }
    }

    /// The same of a column that must be numbers: every cell that is none is a stranger, however
    /// many there are.
    pub fn verdict_of_numbers(
        &self,
        declared: Option<NumberFormat>,
        parentheses: bool,
    ) -> NumberVerdict {
        let mut strangers = self.strangers();
        if !strangers.is_empty() || self.has_more_others {
            strangers.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.row.cmp(&b.row)));
            return NumberVerdict::Mixed(strangers);
        }
        match self.format(declared, parentheses) {
            Ok(format) => NumberVerdict::Numbers(format),
            Err(unclear) => NumberVerdict::Unclear(unclear),
        }
    }

    fn strangers(&self) -> Vec<Sample> {
        self.others
            .iter()
            .map(|(text, &(count, row))| Sample {
                text: text.clone(),
                row,
                count,
            })
            .collect()
    }

    /// A cell that cannot be read with these signs.
    pub fn stranger_to(&self, format: NumberFormat) -> Option<Sample> {
        let of = |evidence: &Evidence, sign: Option<Sign>| match sign {
            None => evidence
                .decimal
                .clone()
                .or_else(|| evidence.thousands.clone())
                .or_else(|| evidence.either.clone()),
            Some(Sign::Decimal) => evidence.thousands.clone(),
            Some(Sign::Thousands) => evidence.decimal.clone(),
        };
        of(&self.comma, format.comma).or_else(|| of(&self.point, format.point))
    }

    /// The writing that all cells share.
    fn format(
        &self,
        declared: Option<NumberFormat>,
        parentheses: bool,
    ) -> Result<NumberFormat, Unclear> {
        if self.n_numbers == 0 {
            return Ok(declared.unwrap_or(NumberFormat::PLAIN));
        }
        let affix = match (&self.bare, self.affixes.len()) {
            (Some(_), 0) => Affix::Nothing,
            (None, 1) => *self.affixes.keys().next().expect("there is one"),
            _ => {
                return Err(Unclear::Affixes(
                    self.bare
                        .iter()
                        .chain(self.affixes.values())
                        .cloned()
                        .collect(),
                ));
            }
        };
        if let Some(sample) = self.parentheses.as_ref().filter(|_| !parentheses) {
            return Err(Unclear::Parentheses(sample.clone()));
        }
        if let Some(declared) = declared {
            return Ok(NumberFormat {
                affix,
                parentheses,
                ..declared
            });
        }
        let comma = sign_of(',', &self.comma)?;
        let point = sign_of('.', &self.point)?;
        let sample = |evidence: &Evidence| {
            evidence
                .decimal
                .clone()
                .or_else(|| evidence.thousands.clone())
                .expect("a sign that is known was seen")
        };
        if comma.is_some() && comma == point {
            return Err(Unclear::TwoSigns {
                comma: sample(&self.comma),
                point: sample(&self.point),
                as_decimals: comma == Some(Sign::Decimal),
            });
        }
        let (comma, point) = if comma.is_none() && point.is_none() {
            (None, Some(Sign::Decimal))
        } else {
            (comma, point)
        };
        Ok(NumberFormat {
            comma,
            point,
            affix,
            parentheses,
        })
    }
}

/// What a sign stands for in a whole column: only a cell that can be read one way says so.
fn sign_of(sign: char, evidence: &Evidence) -> Result<Option<Sign>, Unclear> {
    match (&evidence.decimal, &evidence.thousands, &evidence.either) {
        (Some(decimal), Some(thousands), _) => Err(Unclear::Contradiction {
            sign,
            decimal: decimal.clone(),
            thousands: thousands.clone(),
        }),
        (Some(_), None, _) => Ok(Some(Sign::Decimal)),
        (None, Some(_), _) => Ok(Some(Sign::Thousands)),
        (None, None, Some(either)) => Err(Unclear::EitherWay {
            sign,
            sample: either.clone(),
        }),
        (None, None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn census(cells: &[&str]) -> NumberCensus {
        let mut census = NumberCensus::default();
        cells
            .iter()
            .enumerate()
            .for_each(|(row, cell)| census.add(cell, row));
        census
    }

    #[track_caller]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the test fails at any other"
    )]
    fn check(cells: &[&str], expected: &[f64]) {
        match census(cells).verdict(None, false) {
            NumberVerdict::Numbers(format) => {
                let values: Vec<Option<f64>> =
                    cells.iter().map(|cell| format.parse(cell)).collect();
                assert_eq!(
                    values,
                    expected
                        .iter()
                        .map(|&value| Some(value))
                        .collect::<Vec<_>>(),
                    "{format:?}"
                );
            }
            other => panic!("{cells:?}: {other:?}"),
        }
    }

    #[track_caller]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the test fails at any other"
    )]
    fn unclear(cells: &[&str]) -> Unclear {
        match census(cells).verdict(None, false) {
            NumberVerdict::Unclear(unclear) => unclear,
            other => panic!("{cells:?}: {other:?}"),
        }
    }

    #[test]
    fn writings_that_whole_columns_agree_on() {
        check(
            &["1", "2.5", "-3", "+4", "1e3", "2.5E-1"],
            &[1.0, 2.5, -3.0, 4.0, 1000.0, 0.25],
        );
        check(&["1,090", "18,280.50", "950"], &[1090.0, 18280.5, 950.0]);
        check(&["1,234,567", "1,090"], &[1_234_567.0, 1090.0]);
        check(&["77.610,00", "1.090", "3,5"], &[77_610.0, 1090.0, 3.5]);
        check(&["2,5", "10"], &[2.5, 10.0]);
        check(&["1'090", "18’280.5", "950"], &[1090.0, 18_280.5, 950.0]);
        check(&["1 090", "18\u{202f}280,5"], &[1090.0, 18_280.5]);
        check(&["$ 1200", "-$ 5", "$-7.25"], &[1200.0, -5.0, -7.25]);
        check(&["12,50 €", "3,00 €"], &[12.5, 3.0]);
        check(&["45%", "7 %"], &[45.0, 7.0]);
        check(&["12,34,567", "1,234"], &[1_234_567.0, 1234.0]);
        check(&["−3", "4"], &[-3.0, 4.0]);
        check(&["0.125", "1.250"], &[0.125, 1.25]);
        check(&["1234.567", "1.250"], &[1234.567, 1.25]);
    }

    #[test]
    fn writings_that_nobody_can_tell() {
        assert!(matches!(
            unclear(&["1,090", "950"]),
            Unclear::EitherWay { sign: ',', .. }
        ));
        assert!(matches!(
            unclear(&["1.090", "18.280", "950"]),
            Unclear::EitherWay { sign: '.', .. }
        ));
        assert!(matches!(
            unclear(&["1,090", "950.5"]),
            Unclear::EitherWay { sign: ',', .. }
        ));
        assert!(matches!(
            unclear(&["1,234,567", "0,5"]),
            Unclear::Contradiction { sign: ',', .. }
        ));
        assert!(matches!(
            unclear(&["2,5", "2.5"]),
            Unclear::TwoSigns {
                as_decimals: true,
                ..
            }
        ));
        assert!(matches!(
            unclear(&["1,234,567", "1.234.567"]),
            Unclear::TwoSigns {
                as_decimals: false,
                ..
            }
        ));
        assert!(matches!(unclear(&["$ 5", "€ 5"]), Unclear::Affixes(_)));
        assert!(matches!(unclear(&["5", "5%"]), Unclear::Affixes(_)));
        assert!(matches!(unclear(&["(12)", "5"]), Unclear::Parentheses(_)));
        assert!(matches!(
            unclear(&["000012", "000190", "018250"]),
            Unclear::Padded(_)
        ));
    }

    #[test]
    fn numbers_with_something_beside_them_are_no_words() {
        let written = |write: &dyn Fn(usize) -> String| {
            let cells: Vec<String> = (3..60).map(write).collect();
            census(&cells.iter().map(String::as_str).collect::<Vec<_>>()).verdict(None, false)
        };
        let of: [&dyn Fn(usize) -> String; 7] = [
            &|n| format!("{n} people"),
            &|n| format!("{n}.5k"),
            &|n| format!("~{n}"),
            &|n| format!(">{n}"),
            &|n| format!("{n}-"),
            &|n| format!("ca. {n}"),
            &|n| {
                if n == 5 {
                    format!("{n} person")
                } else {
                    format!("{n} people")
                }
            },
        ];
        for write in of {
            assert!(
                matches!(written(write), NumberVerdict::Unclear(Unclear::Units(_))),
                "{}",
                write(12)
            );
        }
        let words: [&dyn Fn(usize) -> String; 6] = [
            &|n| format!("C-{n}"),
            &|n| format!("Room {n}"),
            &|n| format!("{n}-DE"),
            &|n| format!("{n}{}", char::from(b'a' + (n % 26) as u8)),
            &|n| format!("{} months", n % 4),
            &|n| format!("{n}-{}", n + 9),
        ];
        for write in words {
            assert_eq!(written(write), NumberVerdict::Words, "{}", write(12));
        }
    }

    #[test]
    fn words_and_codes_are_no_numbers() {
        for cells in [
            &["a", "b"][..],
            &["01234", "98765"],
            &["11-50", "1000+", "10"],
            &["2024-01-01", "12:30"],
            &["10.0.0.1", "192.168.1.1"],
        ] {
            assert_eq!(
                census(cells).verdict(None, false),
                NumberVerdict::Words,
                "{cells:?}"
            );
        }
        let mut numbers: Vec<String> = (0..700).map(|number| number.to_string()).collect();
        numbers.push("?".to_owned());
        numbers.push("?".to_owned());
        numbers.push("n.a.".to_owned());
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let NumberVerdict::Mixed(strangers) = census(&numbers).verdict(None, false) else {
            panic!("a doubt")
        };
        assert_eq!(
            strangers[0],
            Sample {
                text: "?".to_owned(),
                row: 700,
                count: 2
            }
        );
        assert_eq!(strangers.len(), 2);
    }

    #[test]
    fn markers_among_numbers_are_a_doubt_even_where_they_are_many() {
        let mut cells: Vec<String> = (0..600).map(|number| number.to_string()).collect();
        cells.extend((0..500).map(|_| "unknown".to_owned()));
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        assert!(matches!(
            census(&cells).verdict(None, false),
            NumberVerdict::Mixed(_)
        ));
    }

    #[test]
    fn a_declared_writing_is_followed_or_refused() {
        let german = NumberFormat {
            comma: Some(Sign::Decimal),
            point: Some(Sign::Thousands),
            ..NumberFormat::PLAIN
        };
        assert_eq!(german.parse("1,090"), Some(1.09));
        assert_eq!(german.parse("1.090"), Some(1090.0));
        assert_eq!(german.parse("3.5"), None);
        assert_eq!(german.parse("1,680.19"), None);
        assert_eq!(german.parse("77.610,00"), Some(77_610.0));
        let english = NumberFormat {
            comma: Some(Sign::Thousands),
            ..NumberFormat::PLAIN
        };
        assert_eq!(english.parse("1,090"), Some(1090.0));
        assert_eq!(english.parse("1,09"), None);
        assert_eq!(NumberFormat::PLAIN.parse("1,090"), None);
        assert_eq!(NumberFormat::PLAIN.parse("1.090"), Some(1.09));
        assert_eq!(
            NumberFormat {
                parentheses: true,
                ..NumberFormat::PLAIN
            }
            .parse("(12.5)"),
            Some(-12.5)
        );
        assert_eq!(NumberFormat::PLAIN.parse("(12.5)"), None);
        assert_eq!(NumberFormat::PLAIN.parse("inf"), None);
    }
}
