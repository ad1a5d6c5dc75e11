//! The files of one run: written without a name, and named together once all of them are whole.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use leadscore_inference::Model;
use leadscore_io::{
    FinishedFile, OutFile, OutTable, TableWriter, close_csv_for_people, close_table, publish,
};

use crate::error::Context;

/// Files that wait for their names; dropped before [`Outputs::publish`], none of them appears.
#[derive(Debug, Default)]
pub struct Outputs {
    finished: Vec<FinishedFile>,
    paths: Vec<PathBuf>,
}

impl Outputs {
    /// Adds a text.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn text(&mut self, path: &Path, text: &str) -> crate::Result<()> {
        self.bytes(path, text.as_bytes())
    }

    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn bytes(&mut self, path: &Path, bytes: &[u8]) -> crate::Result<()> {
        let mut file = OutFile::create(path)?;
        file.write_all(bytes)
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.add(path, file.close()?);
        Ok(())
    }

    /// Adds a table, in the format that the ending names.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn table(&mut self, path: &Path, table: &OutTable) -> crate::Result<()> {
        self.add(path, close_table(path, table)?);
        Ok(())
    }

    /// Adds a table of texts as CSV that a spreadsheet opens.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn csv_for_people(&mut self, path: &Path, table: &OutTable) -> crate::Result<()> {
        self.add(path, close_csv_for_people(path, table)?);
        Ok(())
    }

    /// Adds a table that was written batch by batch.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn written(&mut self, path: &Path, writer: TableWriter) -> crate::Result<()> {
        self.add(path, writer.close()?);
        Ok(())
    }

    /// Adds a model file.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn model(&mut self, path: &Path, model: &Model) -> crate::Result<()> {
        let mut file = OutFile::create(path)?;
        leadscore_inference::write_model(model, &mut file)
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.add(path, file.close()?);
        Ok(())
    }

    /// Adds a file that is whole already.
    pub fn add(&mut self, path: &Path, file: FinishedFile) {
        self.paths.push(path.to_owned());
        self.finished.push(file);
    }

    /// Gives all files their names, and returns these.
    ///
    /// # Errors
    ///
    /// A file cannot get its name; every target is then as it was before.
    pub fn publish(self) -> crate::Result<Vec<PathBuf>> {
        publish(self.finished)?;
        Ok(self.paths)
    }
}

/// Writes a model file, whole or not at all.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_model(model: &Model, path: &Path) -> crate::Result<()> {
    let mut outputs = Outputs::default();
    outputs.model(path, model)?;
    outputs.publish().map(drop)
}

/// Writes a text file, whole or not at all.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_text(path: &Path, text: &str) -> crate::Result<()> {
    write_bytes(path, text.as_bytes())
}

/// Writes a file, whole or not at all.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> crate::Result<()> {
    let mut outputs = Outputs::default();
    outputs.bytes(path, bytes)?;
    outputs.publish().map(drop)
}
