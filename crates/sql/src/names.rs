//! Names of columns that a dialect keeps as they are and can tell apart.

use std::collections::BTreeMap;

use crate::dialect::Dialect;
use crate::error::SqlError;

/// Fails where the dialect cannot tell these columns apart.
pub(crate) fn check_names<'n>(
    dialect: Dialect,
    columns: impl Iterator<Item = &'n String>,
) -> Result<(), SqlError> {
    let mut known: BTreeMap<String, &String> = BTreeMap::new();
    for column in columns {
        if dialect == Dialect::Postgres && column.len() > 63 {
            return Err(SqlError::LongName {
                name: column.clone(),
                n_bytes: column.len(),
            });
        }
        if column.contains(['\0', '\r']) {
            return Err(SqlError::Name(column.clone()));
        }
        if let Some(first) = known.insert(dialect.folded(column), column)
            && first != column
        {
            return Err(SqlError::SameName {
                first: first.clone(),
                second: column.clone(),
                dialect,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, names: &[&str]) -> Result<(), SqlError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        check_names(dialect, names.iter())
    }

    #[test]
    fn postgres_cuts_names_by_bytes() {
        assert_eq!(check(Dialect::Postgres, &[&"a".repeat(63)]), Ok(()));
        let long = "é".repeat(32);
        let refused = SqlError::LongName {
            name: long.clone(),
            n_bytes: 64,
        };
        assert_eq!(check(Dialect::Postgres, &[&long]), Err(refused));
        assert_eq!(check(Dialect::DuckDb, &[&long]), Ok(()));
    }

    #[test]
    fn two_names_that_are_one() {
        let refused = SqlError::SameName {
            first: "seats".to_owned(),
            second: "Seats".to_owned(),
            dialect: Dialect::DuckDb,
        };
        assert_eq!(
            check(Dialect::DuckDb, &["seats", "x", "Seats"]),
            Err(refused)
        );
        assert_eq!(check(Dialect::Postgres, &["seats", "Seats"]), Ok(()));
        // A model may read one column twice.
        assert_eq!(check(Dialect::DuckDb, &["seats", "seats"]), Ok(()));
        assert_eq!(check(Dialect::DuckDb, &[]), Ok(()));
    }

    #[test]
    fn characters_that_no_statement_keeps() {
        for name in ["a\0", "a\rb"] {
            assert_eq!(
                check(Dialect::Sqlite, &[name]),
                Err(SqlError::Name(name.to_owned()))
            );
        }
        assert_eq!(check(Dialect::Sqlite, &["a\nb"]), Ok(()));
    }
}
