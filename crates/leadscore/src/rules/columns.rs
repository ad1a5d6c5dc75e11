//! Names of the columns that `rules` writes, which must differ.

use std::collections::BTreeMap;

use leadscore_config::ConfigError;

use super::bench::{Bench, Scheme};
use super::read::ReadRules;
use crate::data::Data;
use crate::error::bail;

/// Columns that a table of points may have beside those that are the user's own.
const OWN: [&str; 12] = [
    "as_of",
    "n_leads",
    "label",
    "mature",
    "grade",
    "threshold",
    "cell",
    "action",
    "disqualified_by",
    "rules",
    "stage",
    "stage_since",
];

/// Fails where two columns of what `rules` writes would have one name, whichever of its commands is
/// called: names of scores and thresholds, and of the columns of the tables, are the user's own.
pub(super) fn check_columns(data: &Data, files: &[ReadRules]) -> crate::Result<()> {
    check_score_names(files)?;
    let mut taken = Taken::by_leads(data);
    for read in files {
        taken.add_columns(read, files.len())?;
    }
    // A score is not called as a column that it may have one day, either.
    taken.add_own();
    for read in files {
        taken.add_score(read)?;
    }
    Ok(())
}

/// Fails where two files have a score of one name.
fn check_score_names(files: &[ReadRules]) -> crate::Result<()> {
    for (position, read) in files.iter().enumerate() {
        let name = read.file.score.name.get_ref();
        if files[..position]
            .iter()
            .any(|known| known.file.score.name.get_ref() == name)
        {
            bail!(
                "two files of rules have a score named `{name}`\n  hint: give [score] of {} another `name`",
                read.path.display()
            );
        }
    }
    Ok(())
}

/// Names of columns, and whose each is, in words.
struct Taken(BTreeMap<String, String>);

impl Taken {
    /// The columns of the leads that a table of points has as well.
    fn by_leads(data: &Data) -> Self {
        let leads = &data.config.leads;
        let mut taken = BTreeMap::from([(
            leads.id.clone(),
            "the column with the ids of the leads".to_owned(),
        )]);
        taken.extend(leads.account.clone().map(|account| {
            (
                account,
                "the column with the accounts of the leads".to_owned(),
            )
        }));
        Self(taken)
    }

    /// Adds the columns of one of so many files.
    fn add_columns(&mut self, read: &ReadRules, n_files: usize) -> crate::Result<()> {
        for column in read.own_columns() {
            let name = own_column(n_files, read.file.score.name.get_ref(), &column);
            if let Some(owner) = self.0.insert(
                name.clone(),
                format!("a column of the score in {}", read.path.display()),
            ) {
                bail!(
                    "{} makes a column `{name}`, which is {owner}\n  hint: give the threshold, the score or the column of the leads another name",
                    read.path.display()
                );
            }
        }
        Ok(())
    }

    /// Adds the columns that any table of points may have.
    fn add_own(&mut self) {
        for name in OWN {
            self.0
                .entry(name.to_owned())
                .or_insert_with(|| "a column that `rules` writes beside it".to_owned());
        }
    }

    /// Adds the score of a file.
    fn add_score(&mut self, read: &ReadRules) -> crate::Result<()> {
        let name = &read.file.score.name;
        if let Some(owner) = self.0.insert(
            name.get_ref().clone(),
            format!("the score of {}", read.path.display()),
        ) {
            let message = format!("the score is named `{}`, which is {owner}", name.get_ref());
            let span = (!name.span().is_empty()).then(|| name.span());
            return Err(read.failure(ConfigError {
                message,
                help: Some("give [score] another `name`".to_owned()),
                span,
                is_unknown_key: false,
            }));
        }
        Ok(())
    }
}

/// With several files, the name of the score stands before what is one file's own.
pub(super) fn column_name(bench: &Bench<'_>, scheme: &Scheme, what: &str) -> String {
    own_column(
        bench.schemes.len(),
        scheme.rules.file().score.name.get_ref(),
        what,
    )
}

/// A column of one file's own, as it is called where there are so many files.
fn own_column(n_files: usize, score: &str, what: &str) -> String {
    if n_files == 1 {
        what.to_owned()
    } else {
        format!("{score}_{what}")
    }
}
