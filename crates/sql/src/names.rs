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
