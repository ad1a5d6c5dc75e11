//! Numbers as people write them: one writing for a whole column, found from all of its cells or
//! declared, and never guessed.

use leadscore_core::Writing;

/// What a comma or a point in a number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It begins the fraction.
    Decimal,
    /// It parts thousands.
    Thousands,
}

/// What stands before or behind every number of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Affix {
    /// Nothing.
    Nothing,
    /// `%`.
    Percent,
    /// A sign or code of a currency.
    Currency(&'static str),
}

/// How the numbers of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberFormat {
    /// `None` where no number may hold one.
    pub comma: Option<Sign>,
    /// `None` where no number may hold one.
    pub point: Option<Sign>,
    /// What stands before or behind every number.
    pub affix: Affix,
    /// Whether `(12)` is −12.
    pub parentheses: bool,
}

impl NumberFormat {
    /// As programs write numbers: `1234.5`.
    pub const PLAIN: Self = Self {
        comma: None,
        point: Some(Sign::Decimal),
        affix: Affix::Nothing,
        parentheses: false,
    };

    /// What begins a fraction and what parts thousands; `None` where no cell has shown either.
    pub fn writing(&self) -> Option<Writing> {
        match (self.comma, self.point) {
            (Some(Sign::Decimal), point) => Some(Writing {
                decimal: ',',
                thousands: point.map(|_| '.'),
            }),
            (Some(Sign::Thousands), _) => Some(Writing {
                decimal: '.',
                thousands: Some(','),
            }),
            (None, Some(Sign::Thousands)) => Some(Writing {
                decimal: ',',
                thousands: Some('.'),
            }),
            (None, Some(Sign::Decimal) | None) => None,
        }
    }

    /// The number of a cell; `None` where it is not written so.
    pub fn parse(&self, text: &str) -> Option<f64> {
        if *self == Self::PLAIN && is_plain(text) {
            return text.parse().ok();
        }
        let parts = Parts::split(text)?;
        if parts.affix != self.affix || parts.parentheses && !self.parentheses {
            return None;
        }
        let shape = Shape::of_digits(parts.digits)?;
        let fits = |seen: Option<Role>, sign: Option<Sign>| match (seen, sign) {
            (None, _)
            | (Some(Role::Either), Some(_))
            | (Some(Role::Decimal), Some(Sign::Decimal))
            | (Some(Role::Thousands), Some(Sign::Thousands)) => true,
            (Some(_), _) => false,
        };
        if !fits(shape.comma, self.comma) || !fits(shape.point, self.point) {
            return None;
        }
        let mut plain = String::with_capacity(parts.digits.len() + 1);
        if parts.is_negative {
            plain.push('-');
        }
        for c in parts.digits.chars() {
            match c {
                ',' if self.comma == Some(Sign::Decimal) => plain.push('.'),
                '.' if self.point == Some(Sign::Decimal) => plain.push('.'),
                '0'..='9' | 'e' | 'E' | '+' | '-' => plain.push(c),
                _ => {}
            }
        }
        plain.parse().ok()
    }
}

/// A number as programs write it, and whether its point could as well part thousands; `None` for
/// anything else.
pub fn plain_number(text: &str) -> Option<(f64, PointRole)> {
    if !is_plain(text) {
        return None;
    }
    let value = text.parse().ok()?;
    let role = match text.split_once('.') {
        None => PointRole::None,
        Some((whole, fraction)) => {
            let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
            let is_either = fraction.len() == 3
                && (1..=3).contains(&digits.len())
                && !digits.starts_with('0')
                && fraction.bytes().all(|byte| byte.is_ascii_digit());
            if is_either {
                PointRole::Either
            } else {
                PointRole::Decimal
            }
        }
    };
    Some((value, role))
}

/// What the point of a plain number can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointRole {
    /// There is none.
    None,
    /// It begins a fraction.
    Decimal,
    /// A fraction, or thousands.
    Either,
}

/// Digits with at most one point, a sign and an exponent: what [`f64`] reads by itself, less words
/// such as `inf`.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E'))
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a text is a code and not a number, although it has only digits: `007`.
pub fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit()
}

pub(super) const CURRENCIES: [&str; 49] = [
    "US$", "R$", "A$", "C$", "$", "€", "£", "¥", "₹", "₽", "₺", "₩", "₪", "₫", "₴", "฿", "zł",
    "kr.", "kr", "Kč", "Ft", "Fr.", "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "BRL", "AUD",
    "CAD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "RUB", "TRY", "MXN", "ZAR", "SGD",
    "HKD", "NZD", "KRW", "AED", "ILS",
];

/// A cell without what stands around its digits.
pub(super) struct Parts<'a> {
    pub(super) digits: &'a str,
    pub(super) affix: Affix,
    pub(super) is_negative: bool,
    pub(super) parentheses: bool,
}

impl<'a> Parts<'a> {
    pub(super) fn split(text: &'a str) -> Option<Self> {
        let mut rest = text.trim();
        let mut parts = Self {
            digits: rest,
            affix: Affix::Nothing,
            is_negative: false,
            parentheses: false,
        };
        if let Some(inner) = rest
            .strip_prefix('(')
            .and_then(|inner| inner.strip_suffix(')'))
        {
            (parts.parentheses, parts.is_negative, rest) = (true, true, inner.trim());
        }
        // A sign may stand on either side of the currency: -$5, $-5.
        for _ in 0..2 {
            if let Some(signed) = rest.strip_prefix(['-', '−']).filter(|_| !parts.is_negative) {
                (parts.is_negative, rest) = (true, signed.trim_start());
            } else if let Some(signed) = rest.strip_prefix('+') {
                rest = signed.trim_start();
            }
            if parts.affix == Affix::Nothing
                && !rest.starts_with(|c: char| c.is_ascii_digit())
                && let Some(currency) = CURRENCIES
                    .iter()
                    .find(|currency| rest.starts_with(**currency))
            {
                (parts.affix, rest) = (
                    Affix::Currency(currency),
                    rest[currency.len()..].trim_start(),
                );
            }
        }
        if parts.affix == Affix::Nothing && !rest.ends_with(|c: char| c.is_ascii_digit()) {
            if let Some(number) = rest.strip_suffix('%') {
                (parts.affix, rest) = (Affix::Percent, number.trim_end());
            } else if let Some(currency) = CURRENCIES
                .iter()
                .find(|currency| rest.ends_with(**currency))
            {
                (parts.affix, rest) = (
                    Affix::Currency(currency),
                    rest[..rest.len() - currency.len()].trim_end(),
                );
            }
        }
        parts.digits = rest;
        Some(parts)
    }
}

/// What a comma or a point of one cell can stand for, by that cell alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Decimal,
    Thousands,
    /// `1,090` may be 1.09 or 1090.
    Either,
}

/// How one cell may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) comma: Option<Role>,
    pub(super) point: Option<Role>,
}

/// Signs that may part thousands beside comma and point.
const GROUP_MARKS: [char; 6] = ['\'', '’', ' ', '\u{a0}', '\u{202f}', '\u{2009}'];

impl Shape {
    /// `None` where the text is no number in any writing.
    pub(super) fn of_digits(digits: &str) -> Option<Self> {
        if let Some(at) = digits.find(['e', 'E']) {
            // Nobody parts thousands beside an exponent.
            let exponent = digits[at + 1..]
                .strip_prefix(['+', '-'])
                .unwrap_or(&digits[at + 1..]);
            let mantissa = Self::of_digits(&digits[..at])?;
            let is_decimal = |role: Option<Role>| {
                role.map(|role| {
                    if role == Role::Either {
                        Role::Decimal
                    } else {
                        role
                    }
                })
            };
            let shape = Self {
                comma: is_decimal(mantissa.comma),
                point: is_decimal(mantissa.point),
            };
            let fits = !exponent.is_empty()
                && exponent.bytes().all(|byte| byte.is_ascii_digit())
                && !digits[..at].contains(GROUP_MARKS);
            return (fits
                && shape.comma != Some(Role::Thousands)
                && shape.point != Some(Role::Thousands))
            .then_some(shape);
        }
        let has = |sign: char| digits.contains(sign);
        if !digits.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (mut comma, mut point) = (None, None);
        let mut any = false;
        for decimal in ['.', ','] {
            for group in [None, Some(','), Some('.'), Some('\'')] {
                if group == Some(decimal) || !is_written(digits, decimal, group) {
                    continue;
                }
                any = true;
                let role = |sign: char| {
                    if decimal == sign {
                        Role::Decimal
                    } else {
                        Role::Thousands
                    }
                };
                let joined = |known: Option<Role>, new: Role| {
                    Some(known.map_or(new, |known| if known == new { known } else { Role::Either }))
                };
                if has(',') {
                    comma = joined(comma, role(','));
                }
                if has('.') {
                    point = joined(point, role('.'));
                }
            }
        }
        any.then_some(Self { comma, point })
    }
}

/// Whether digits are written with this sign before the fraction and this one between thousands
/// (`'` for any mark that is neither comma nor point).
fn is_written(digits: &str, decimal: char, group: Option<char>) -> bool {
    let (whole, fraction) = digits
        .split_once(decimal)
        .map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    if !fraction
        .unwrap_or("")
        .bytes()
        .all(|byte| byte.is_ascii_digit())
    {
        return false;
    }
    let is_mark = |c: char| match group {
        None => false,
        Some('\'') => GROUP_MARKS.contains(&c),
        Some(sign) => c == sign,
    };
    if !whole.contains(is_mark) {
        // A mark between thousands is asked for, and there is none: the same number as without.
        return whole.bytes().all(|byte| byte.is_ascii_digit()) && group.is_none();
    }
    let runs: Vec<&str> = whole.split(is_mark).collect();
    let (first, rest) = runs.split_first().expect("a split has a part");
    let (last, middle) = rest.split_last().expect("there is a mark");
    // 1.234.567, and in India 12,34,567.
    let is_run = |run: &str, length: usize| {
        run.len() == length && run.bytes().all(|byte| byte.is_ascii_digit())
    };
    let begins = (1..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_digit())
        && !first.starts_with('0');
    begins
        && is_run(last, 3)
        && (middle.iter().all(|run| is_run(run, 3))
            || first.len() < 3 && middle.iter().all(|run| is_run(run, 2)))
}
