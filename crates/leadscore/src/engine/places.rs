//! Where tables are on an engine, and where it writes.

use std::path::Path;

use leadscore_config::TableRef;
use leadscore_core::location_has_credentials;

use super::DIALECT;
use crate::data::Data;
use crate::error::bail;

/// Where a table is, as it stands behind FROM.
pub(super) fn place(data: &Data, table: &TableRef<'_>) -> crate::Result<String> {
    if let Some(query) = table.asked() {
        return Ok(format!("({query})"));
    }
    let mut parts = Vec::new();
    for path in table.file.location.paths() {
        let whole = if path.contains("://") {
            path.clone()
        } else {
            std::path::absolute(data.folder.join(path))?
                .to_string_lossy()
                .into_owned()
        };
        let name = whole.trim_end_matches('/');
        if !(name.ends_with(".parquet")
            || name.ends_with(".pq")
            || name.ends_with('*')
            || !Path::new(name)
                .file_name()
                .is_some_and(|name| name.to_string_lossy().contains('.')))
        {
            bail!(
                "{}: {path} is no Parquet file, and the engine reads nothing else from a path\n  hint: convert it, or give a `query` that reads it there",
                table.id.heading()
            );
        }
        parts.push(format!("SELECT * FROM {}", parquet(&whole)));
    }
    Ok(format!("({})", parts.join(" UNION ALL ")))
}

/// Parquet files as they stand behind FROM.
pub(super) fn parquet(path: &str) -> String {
    format!("parquet.{}", DIALECT.name(path))
}

/// The folder that is written, which must say by its name that it may be.
pub(super) fn target_of(target: &str) -> crate::Result<String> {
    if location_has_credentials(target) {
        bail!(
            "the folder to write has a user, a password or a key in it, which everyone on this machine sees\n  hint: take it out; the engine's own settings say who asks"
        );
    }
    if !target.trim_end_matches('/').ends_with(".parquet") {
        bail!(
            "{target}: an engine writes a folder of Parquet files, and replaces all that is in it\n  hint: give it a name that ends in .parquet"
        );
    }
    Ok(if target.contains("://") {
        target.to_owned()
    } else {
        std::path::absolute(target)?.to_string_lossy().into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_key_is_refused_and_not_repeated() {
        let error = target_of("s3a://AKIA:hush@bucket/matrix.parquet")
            .expect_err("it has a key")
            .to_string();
        assert!(
            error.contains("take it out") && !error.contains("hush"),
            "{error}"
        );
        assert!(target_of("s3a://bucket/matrix.parquet").is_ok());
    }
}
