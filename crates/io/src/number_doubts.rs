//! What a config must say of a column of numbers whose cells do not agree.

use leadscore_config::lines::{key, null_line, type_line};
use leadscore_config::{Doubt, Subject, listed, shortened};
use leadscore_values::{NumberVerdict, Sample, Unclear};

use crate::scan::Table;

/// The doubt that a verdict leaves; `must_be_numbers` where the column plays a part that only
/// numbers can.
pub(crate) fn doubt(
    table: &Table<'_>,
    column: &str,
    verdict: &NumberVerdict,
    must_be_numbers: bool,
) -> Doubt {
    let doubts = ColumnDoubts {
        table,
        column,
        must_be_numbers,
    };
    match verdict {
        NumberVerdict::Numbers(_) | NumberVerdict::Words => doubts.no_numbers(),
        NumberVerdict::Mixed(strangers) => doubts.mixed(strangers),
        NumberVerdict::Unclear(unclear) => doubts.unclear(unclear),
    }
}

/// The column that a doubt is about.
struct ColumnDoubts<'d> {
    table: &'d Table<'d>,
    column: &'d str,
    must_be_numbers: bool,
}

impl ColumnDoubts<'_> {
    /// A doubt whose first cell is this one.
    fn at(&self, found: String, sample: &Sample) -> Doubt {
        Doubt::new(Subject::Numbers, &self.table.name, found)
            .of_column(self.column)
            .at(Some(self.table.place(sample.row)))
    }

    /// The same, where the cells may as well be words.
    fn or_category(&self, doubt: Doubt) -> Doubt {
        if self.must_be_numbers {
            doubt
        } else {
            doubt.settled_by(
                type_line(self.column, "\"category\""),
                "the cells are words",
            )
        }
    }

    /// The same, where the cells may be codes.
    fn as_id(&self, doubt: Doubt) -> Doubt {
        doubt.settled_by(
            type_line(self.column, "\"id\""),
            "they are codes, and nothing is learned from them",
        )
    }

    /// The same, where zeros before a number mean nothing.
    fn as_padded_numbers(&self, doubt: Doubt) -> Doubt {
        doubt.settled_by(
            type_line(self.column, "\"number\""),
            "they are numbers: 007 is 7",
        )
    }

    /// Nothing is known of the cells but that they are no numbers of one writing.
    fn no_numbers(&self) -> Doubt {
        let found = if self.must_be_numbers {
            "its cells are no numbers"
        } else {
            "its cells are not told"
        };
        Doubt::new(Subject::Numbers, &self.table.name, found)
            .of_column(self.column)
            .advise("name a column of numbers")
    }

    /// Most cells are numbers, and these are none.
    fn mixed(&self, strangers: &[Sample]) -> Doubt {
        let first = strangers
            .iter()
            .min_by_key(|sample| sample.row)
            .expect("some cell is no number");
        let n: usize = strangers.iter().map(|sample| sample.count).sum();
        let found = if n == 1 {
            format!(
                "nearly all cells are numbers, and `{}` is none",
                shortened(&first.text)
            )
        } else {
            format!(
                "most cells are numbers, and {n} are not: {}",
                counted(strangers)
            )
        };
        let mut doubt = self.at(found, first);
        let codes = strangers
            .iter()
            .any(|sample| leadscore_values::is_code(&sample.text));
        if strangers.len() <= 12 && !codes {
            let texts: Vec<&str> = strangers
                .iter()
                .map(|sample| sample.text.as_str())
                .collect();
            doubt = doubt.settled_by(
                null_line(&self.table.file, self.column, &texts),
                "they mean that there is no number",
            );
        }
        if codes && !self.must_be_numbers {
            doubt = self.as_padded_numbers(self.as_id(doubt));
        }
        let doubt = self.or_category(doubt);
        if self.must_be_numbers && doubt.settings.is_empty() {
            doubt.advise("correct these cells, or name a column of numbers")
        } else {
            doubt
        }
    }

    /// All cells are numbers, which may be read two ways.
    fn unclear(&self, unclear: &Unclear) -> Doubt {
        const ALIKE: &str = "write all numbers of the column alike";
        let doubt = match unclear {
            Unclear::EitherWay { sign, sample } => self.either_way(*sign, sample),
            Unclear::Contradiction {
                sign,
                decimal,
                thousands,
            } => {
                let found = format!(
                    "in `{}` the `{sign}` begins a fraction, and in `{}` ({}) it parts thousands: one column has one writing",
                    decimal.text,
                    thousands.text,
                    self.table.place(thousands.row)
                );
                self.at(found, decimal).advise(ALIKE)
            }
            Unclear::TwoSigns {
                comma,
                point,
                as_decimals,
            } => {
                let what = if *as_decimals {
                    "begins a fraction"
                } else {
                    "parts thousands"
                };
                let found = format!(
                    "in `{}` a comma {what}, and in `{}` ({}) a point: one column has one writing",
                    comma.text,
                    point.text,
                    self.table.place(point.row)
                );
                self.at(found, comma).advise(ALIKE)
            }
            Unclear::Affixes(samples) => {
                let first = samples
                    .iter()
                    .min_by_key(|sample| sample.row)
                    .expect("there are some");
                let found = format!(
                    "some numbers have a currency or percent sign, and some have none or another: {}",
                    counted(samples)
                );
                self.at(found, first)
                    .advise("write all numbers of the column in one unit")
            }
            Unclear::Padded(sample) => {
                let found = format!(
                    "`{}` may be a number with zeros before it, or a code",
                    sample.text
                );
                self.as_id(self.as_padded_numbers(self.at(found, sample)))
            }
            Unclear::Units(sample) => {
                let found = format!(
                    "its cells are numbers with something beside them, such as `{}`, and each would be a word of its own",
                    shortened(&sample.text)
                );
                self.at(found, sample)
                    .advise("write the numbers alone, all in one unit")
            }
            Unclear::Parentheses(sample) => {
                let text = &sample.text;
                let found = format!(
                    "`{text}` may be a number below zero, as accounts write it; {} {} so",
                    leadscore_core::counted(sample.count, "cell"),
                    leadscore_core::agree(sample.count, "is", "are")
                );
                self.at(found, sample).settled_by(
                    format!(
                        "types.{} = {{ parentheses = \"negative\" }}",
                        key(self.column)
                    ),
                    format!("`{text}` is below zero"),
                )
            }
        };
        self.or_category(doubt)
    }

    /// A sign may begin a fraction or part thousands, in every cell that has it.
    fn either_way(&self, sign: char, sample: &Sample) -> Doubt {
        let text = &sample.text;
        let (as_fraction, as_thousands) = (text.replace(sign, "."), text.replace(sign, ""));
        let found = format!(
            "`{text}` may be {as_fraction} or {as_thousands}: in every cell that has a `{sign}` three digits follow it, and no cell shows which"
        );
        let (fraction, thousands) = if sign == ',' {
            (self.style(',', '.'), self.style('.', ','))
        } else {
            (self.style('.', ','), self.style(',', '.'))
        };
        self.at(found, sample)
            .settled_by(fraction, format!("`{text}` is {as_fraction}"))
            .settled_by(thousands, format!("`{text}` is {as_thousands}"))
    }

    /// `types.column = { decimal = ",", thousands = "." }`
    fn style(&self, decimal: char, thousands: char) -> String {
        format!(
            "types.{} = {{ decimal = \"{decimal}\", thousands = \"{thousands}\" }}",
            key(self.column)
        )
    }
}

/// The cells with how often each stands there.
fn counted(samples: &[Sample]) -> String {
    listed(
        samples
            .iter()
            .map(|sample| (sample.text.as_str(), sample.count)),
    )
}
