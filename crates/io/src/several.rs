//! Whether the cells of a column look as if each held several values, and which type would split
//! them.

use hashbrown::HashSet;
use leadscore_core::Tokenizer;

/// Separators of sets, the surest first.
const SEPARATORS: [char; 4] = [';', '|', '\n', ','];
/// Cells that are looked at.
const MOST: usize = 5_000;

/// The cells of a column, counted as sets.
#[derive(Debug, Default)]
pub(crate) struct SetLikes {
    n_cells: usize,
    separators: [OneSeparator; SEPARATORS.len()],
}

/// The cells of a column, counted as sets of one separator.
#[derive(Debug, Default)]
struct OneSeparator {
    n_with: usize,
    cells: HashSet<String>,
    members: HashSet<String>,
}

impl SetLikes {
    /// Looks at a cell.
    pub(crate) fn add(&mut self, text: &str) {
        if self.n_cells >= MOST {
            return;
        }
        self.n_cells += 1;
        for (separator, seen) in SEPARATORS.into_iter().zip(&mut self.separators) {
            // A column without separators need not be split.
            if seen.cells.is_empty() && !text.contains(separator) {
                continue;
            }
            seen.n_with += usize::from(text.contains(separator));
            if seen.cells.insert(text.to_owned()) {
                let members = text.split(separator).map(|member| member.trim().to_owned());
                seen.members
                    .extend(members.filter(|member| !member.is_empty()));
            }
        }
    }

    /// What parts the values, and how many different ones there are: few values in many
    /// combinations.
    pub(crate) fn separator(&self) -> Option<(char, usize)> {
        let is_set = |seen: &OneSeparator| {
            3 * seen.n_with >= self.n_cells
                && seen.cells.len() >= 8
                && 2 * seen.members.len() <= seen.cells.len()
        };
        SEPARATORS
            .into_iter()
            .zip(&self.separators)
            .find(|(_, seen)| is_set(seen))
            .map(|(separator, seen)| (separator, seen.members.len()))
    }
}

/// What columns of job titles are called.
const TITLES: &[&str] = &[
    "title",
    "jobtitle",
    "job",
    "position",
    "role",
    "titel",
    "beruf",
    "funktion",
    "poste",
    "fonction",
    "cargo",
    "puesto",
    "functie",
    "stanowisko",
    "должность",
    "役職",
    "职位",
    "职务",
];

/// How cells would be split that look as if they held several values, by the words in the name of
/// their column.
pub(crate) fn tokenizer(name_words: &[String], cells: &[&str]) -> Option<Tokenizer> {
    let mut sets = SetLikes::default();
    cells.iter().for_each(|cell| sets.add(cell));
    if let Some((separator, _)) = sets.separator() {
        return Some(Tokenizer::Set(separator.to_string()));
    }
    let some = &cells[..cells.len().min(MOST)];
    let distinct: HashSet<&str> = some.iter().copied().collect();
    let is_title = name_words
        .iter()
        .any(|word| TITLES.contains(&word.as_str()));
    (is_title && distinct.len() > 20).then_some(Tokenizer::Words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, cells: &[String], expected: Option<Tokenizer>) {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        assert_eq!(tokenizer(&[name.to_owned()], &cells), expected, "{cells:?}");
    }

    fn combinations(separator: &str) -> Vec<String> {
        let cell = |number: usize| {
            let chosen = (0..4).filter(|place| number >> place & 1 == 1);
            let members: Vec<String> = chosen.map(|place| format!("Part {place}, Inc.")).collect();
            members.join(separator)
        };
        (1..16).map(cell).collect()
    }

    #[test]
    fn few_values_in_many_combinations_are_a_set() {
        let set = |separator: &str| Some(Tokenizer::Set(separator.to_owned()));
        check("x", &combinations(";"), set(";"));
        check("x", &combinations("; "), set(";"));
        check("x", &combinations("|"), set("|"));
    }

    #[test]
    fn lists_of_places_and_single_values_are_none() {
        let places: Vec<String> = (0..40).map(|town| format!("Town {town}, Land")).collect();
        check("city", &places, None);
        let single: Vec<String> = (0..40).map(|number| format!("v{}", number % 4)).collect();
        check("x", &single, None);
    }

    #[test]
    fn titles_are_told_by_name_and_variety() {
        let titles: Vec<String> = (0..40).map(|number| format!("Head of {number}")).collect();
        check("title", &titles, Some(Tokenizer::Words));
        check("industry", &titles, None);
        check("title", &["Mr".to_owned(), "Mrs".to_owned()], None);
    }
}
