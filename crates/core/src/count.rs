//! Numbers of things in words: thousands apart, and the noun and the verb that agree.

/// A number with thousands apart, as people read it.
///
/// A negative number is written as 0: nothing is counted below that.
///
/// # Examples
///
/// ```
/// assert_eq!(leadscore_core::count(2310), "2,310");
/// ```
pub fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or_default().to_string();
    let parts: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|part| std::str::from_utf8(part).expect("digits"))
        .collect();
    parts.join(",")
}

/// So many of a thing, named by its singular.
///
/// # Examples
///
/// ```
/// use leadscore_core::counted;
///
/// assert_eq!(counted(1, "open lead"), "1 open lead");
/// assert_eq!(counted(0, "open lead"), "0 open leads");
/// assert_eq!(counted(1200, "history"), "1,200 histories");
/// ```
pub fn counted(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or_default();
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{} {}", count(number), plural(noun))
    }
}

/// The words that agree with a number: `one` with 1, `many` with every other.
///
/// # Examples
///
/// ```
/// assert_eq!(leadscore_core::agree(1, "has", "have"), "has");
/// assert_eq!(leadscore_core::agree(0, "has", "have"), "have");
/// ```
pub fn agree<'w>(number: impl TryInto<u64>, one: &'w str, many: &'w str) -> &'w str {
    if number.try_into().unwrap_or_default() == 1 {
        one
    } else {
        many
    }
}

/// The regular plural of the last word.
pub(crate) fn plural(words: &str) -> String {
    let before_last = words.chars().rev().nth(1);
    if words.ends_with('y') && !before_last.is_some_and(|letter| "aeiou".contains(letter)) {
        return format!("{}ies", &words[..words.len() - 1]);
    }
    let hisses = ["s", "x", "z", "ch", "sh"]
        .iter()
        .any(|ending| words.ends_with(ending));
    format!("{words}{}", if hisses { "es" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::{count, counted};

    #[test]
    fn thousands_are_apart() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(number), expected);
        }
    }

    #[test]
    fn nouns_agree_with_their_number() {
        for (number, noun, expected) in [
            (1, "pass", "1 pass"),
            (2, "pass", "2 passes"),
            (2, "day", "2 days"),
            (2, "activity", "2 activities"),
            (1001, "mature snapshot", "1,001 mature snapshots"),
        ] {
            assert_eq!(counted(number, noun), expected);
        }
    }
}
