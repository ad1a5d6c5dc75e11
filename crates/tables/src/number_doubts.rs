//! What a config must say of a column of numbers whose cells do not agree.

use crate::config_lines::{key, null_line, type_line};
use crate::doubt::{Doubt, Subject, listed, shortened};
use crate::scan::Table;
use crate::values::{NumberVerdict, Sample, Unclear};

/// The doubt that a verdict leaves; `must_be_numbers` where the column plays a part that only
/// numbers can.
pub(crate) fn doubt(
    table: &Table<'_>,
    column: &str,
    verdict: &NumberVerdict,
    must_be_numbers: bool,
) -> Doubt {
    let doubt = |found: String, sample: &Sample| {
        Doubt::new(Subject::Numbers, &table.name, found)
            .of_column(column)
            .at(Some(table.place(sample.row)))
    };
    let as_category = |doubt: Doubt| {
        if must_be_numbers {
            doubt
        } else {
            doubt.settled_by(type_line(column, "\"category\""), "the cells are words")
        }
    };
    let style = |decimal: char, thousands: char| {
        format!(
            "types.{} = {{ decimal = \"{decimal}\", thousands = \"{thousands}\" }}",
            key(column)
        )
    };
    match verdict {
        NumberVerdict::Numbers(_) | NumberVerdict::Words => {
            let found = if must_be_numbers {
                "its cells are no numbers"
            } else {
                "its cells are not told"
            };
            Doubt::new(Subject::Numbers, &table.name, found)
                .of_column(column)
                .advise("name a column of numbers")
        }
        NumberVerdict::Mixed(strangers) => {
            let first = strangers
                .iter()
                .min_by_key(|sample| sample.row)
                .expect("some cell is no number");
            let n: usize = strangers.iter().map(|sample| sample.count).sum();
            let cells = listed(
                strangers
                    .iter()
                    .map(|sample| (sample.text.as_str(), sample.count)),
            );
            let found = if n == 1 {
                format!(
                    "nearly all cells are numbers, and `{}` is none",
                    shortened(&first.text)
                )
            } else {
                format!("most cells are numbers, and {n} are not: {cells}")
            };
            let mut doubt = doubt(found, first);
            let codes = strangers
                .iter()
                .any(|sample| crate::values::is_code(&sample.text));
            if strangers.len() <= 12 && !codes {
                let texts: Vec<&str> = strangers
                    .iter()
                    .map(|sample| sample.text.as_str())
                    .collect();
                doubt = doubt.settled_by(
                    null_line(&table.file, column, &texts),
                    "they mean that there is no number",
                );
            }
            if codes && !must_be_numbers {
                doubt = doubt.settled_by(
                    type_line(column, "\"id\""),
                    "they are codes, and nothing is learned from them",
                );
                doubt = doubt.settled_by(
                    type_line(column, "\"number\""),
                    "they are numbers: 007 is 7",
                );
            }
            let doubt = as_category(doubt);
            if must_be_numbers && doubt.settings.is_empty() {
                doubt.advise("correct these cells, or name a column of numbers")
            } else {
                doubt
            }
        }
        NumberVerdict::Unclear(unclear) => match unclear {
            Unclear::EitherWay { sign, sample } => {
                let text = &sample.text;
                let found = format!(
                    "`{text}` may be {} or {}: in every cell that has a `{sign}` three digits stand behind it, and no cell shows which",
                    text.replace(*sign, "."),
                    text.replace(*sign, "")
                );
                let (fraction, thousands) = if *sign == ',' {
                    (style(',', '.'), style('.', ','))
                } else {
                    (style('.', ','), style(',', '.'))
                };
                let doubt = doubt(found, sample);
                as_category(
                    doubt
                        .settled_by(
                            fraction,
                            format!("`{text}` is {}", text.replace(*sign, ".")),
                        )
                        .settled_by(
                            thousands,
                            format!("`{text}` is {}", text.replace(*sign, "")),
                        ),
                )
            }
            Unclear::Contradiction {
                sign,
                decimal,
                thousands,
            } => {
                let found = format!(
                    "in `{}` the `{sign}` begins a fraction, and in `{}` ({}) it parts thousands: one column has one writing",
                    decimal.text,
                    thousands.text,
                    table.place(thousands.row)
                );
                as_category(doubt(found, decimal).advise("write all numbers of the column alike"))
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
                    table.place(point.row)
                );
                as_category(doubt(found, comma).advise("write all numbers of the column alike"))
            }
            Unclear::Affixes(samples) => {
                let first = samples
                    .iter()
                    .min_by_key(|sample| sample.row)
                    .expect("there are some");
                let found = format!(
                    "some numbers have a currency or percent sign, and some have none or another: {}",
                    listed(
                        samples
                            .iter()
                            .map(|sample| (sample.text.as_str(), sample.count))
                    )
                );
                as_category(
                    doubt(found, first).advise("write all numbers of the column in one unit"),
                )
            }
            Unclear::Padded(sample) => {
                let found = format!(
                    "`{}` may be a number with zeros before it, or a code",
                    sample.text
                );
                let doubt = doubt(found, sample).settled_by(
                    type_line(column, "\"number\""),
                    "they are numbers: 007 is 7",
                );
                as_category(doubt.settled_by(
                    type_line(column, "\"id\""),
                    "they are codes, and nothing is learned from them",
                ))
            }
            Unclear::Units(sample) => {
                let found = format!(
                    "its cells are numbers with something beside them, such as `{}`, and each would be a word of its own",
                    shortened(&sample.text)
                );
                as_category(doubt(found, sample).advise("write the numbers alone, all in one unit"))
            }
            Unclear::Parentheses(sample) => {
                let text = &sample.text;
                let doubt = doubt(
                    format!(
                        "`{text}` may be a number below zero, as accounts write it; {} cells are so",
                        sample.count
                    ),
                    sample,
                );
                as_category(doubt.settled_by(
                    format!("types.{} = {{ parentheses = \"negative\" }}", key(column)),
                    format!("`{text}` is below zero"),
                ))
            }
        },
    }
}
