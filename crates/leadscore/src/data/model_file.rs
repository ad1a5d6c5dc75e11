//! Models as files and as bytes.

use std::path::Path;

use leadscore_config::Bytes;
use leadscore_inference::Model;
use leadscore_io::read_at_most;

use crate::error::Context;

/// Largest model file: a hundred thousand features have some hundred megabytes.
const LARGEST_MODEL: Bytes = Bytes(1_000_000_000);

/// Reads and checks a model file.
///
/// # Errors
///
/// It cannot be read, or is not a model.
pub fn read_model(path: &Path) -> crate::Result<Model> {
    leadscore_io::complete_and_clean(leadscore_io::folder_of(path));
    let bytes = read_at_most(path, LARGEST_MODEL).with_context(|| {
        format!(
            "cannot read the model {}\n  hint: check the path; `leadscore train` writes a model",
            path.display()
        )
    })?;
    model_from_bytes(&bytes).with_context(|| format!("cannot use the model {}", path.display()))
}

/// A model by the bytes of its file.
///
/// # Errors
///
/// [`leadscore_inference::ModelFileError`].
pub fn model_from_bytes(bytes: &[u8]) -> crate::Result<Model> {
    Ok(leadscore_inference::read_model(bytes)?)
}
