//! Where the rows of a score file go: a file, a table of a database, the history; they are made
//! once for all of them, part after part.

use std::path::{Path, PathBuf};

use leadscore::front_end::TableWriter;
use leadscore::{Data, Frame, OutTable, Outputs, Scores};
use leadscore_operate::{Addition, History};

use crate::show;

/// Where rows go beside the history.
pub(super) struct Rows<'a> {
    file: Option<(PathBuf, TableWriter)>,
    /// A table of a database, and what goes into it.
    table: Option<(&'a str, Vec<Frame>)>,
}

impl<'a> Rows<'a> {
    pub(super) fn of(output: Option<&Path>, table: Option<&'a str>) -> anyhow::Result<Self> {
        let file = match output {
            Some(path) => Some((path.to_owned(), TableWriter::create(path)?)),
            None => None,
        };
        Ok(Self {
            file,
            table: table.map(|table| (table, Vec::new())),
        })
    }

    /// Makes all rows: files wait in the outputs for their names, and the table is written.
    pub(super) fn write(
        mut self,
        data: &Data,
        scores: &Scores<'_>,
        history: Option<&History>,
        outputs: &mut Outputs,
    ) -> anyhow::Result<Option<Addition>> {
        let kept = match history {
            Some(history) => Some(history.add_with(scores, outputs, |part| self.take(part))?),
            None if self.file.is_none() && self.table.is_none() => None,
            None => {
                scores.for_each_part(|part| self.take(&part))?;
                None
            }
        };
        if let Some((path, writer)) = self.file {
            outputs.written(&path, writer)?;
        }
        if let Some((table, parts)) = self.table {
            let frame = Frame::stack(parts)?;
            let n_rows = data.upsert(table, &[scores.id_column(), "as_of"], &frame)?;
            show::remark(&format!(
                "wrote {} into {table}",
                show::counted(n_rows, "row")
            ));
        }
        Ok(kept)
    }

    fn take(&mut self, part: &OutTable) -> leadscore::Result<()> {
        if let Some((_, writer)) = &mut self.file {
            writer.write(part)?;
        }
        if let Some((_, parts)) = &mut self.table {
            parts.push(part.clone().into_frame()?);
        }
        Ok(())
    }
}
