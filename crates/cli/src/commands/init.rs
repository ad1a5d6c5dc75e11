//! `init`: a first config from the files.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use leadscore::front_end::{
    ExportsInput, Product, ProfileInput, TablesError, columns_written_at_close, now, profile,
    profile_exports, refuse_inputs,
};
use leadscore::write_text;

use crate::args::InitArgs;
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &InitArgs) -> anyhow::Result<Outcome> {
    if args.output.exists() && !args.force {
        bail!(
            "{} exists already\n  hint: pass --force to overwrite it, or -o to write elsewhere",
            args.output.display()
        );
    }
    // Paths are typed relative to this folder, and read relative to the config's.
    let here = std::env::current_dir().context("cannot tell the current folder")?;
    let folder = args
        .output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let relative = |path: &PathBuf| {
        if folder == Path::new(".") || path.is_absolute() {
            path.clone()
        } else {
            here.join(path)
        }
    };
    let text = match &args.leads {
        Some(leads) => {
            let inputs = [leads].into_iter().chain(&args.outcomes);
            let inputs: Vec<PathBuf> = inputs.chain(&args.activities).cloned().collect();
            refuse_inputs([args.output.as_path()], &inputs)?;
            let input = ProfileInput {
                leads: relative(leads),
                outcomes: args.outcomes.as_ref().map(relative),
                activities: args.activities.iter().map(relative).collect(),
                now: Some(now()),
                leave_out: Vec::new(),
            };
            without_leaks(&args.output, |leave_out| {
                let input = input.clone();
                profile(&ProfileInput { leave_out, ..input }, folder)
            })?
        }
        None => {
            let files = files(&args.exports)?;
            refuse_inputs([args.output.as_path()], &files)?;
            let input = ExportsInput {
                files: files.iter().map(relative).collect(),
                product: args.from.map(Product::from),
                now: Some(now()),
                leave_out: Vec::new(),
            };
            without_leaks(&args.output, |leave_out| {
                let input = input.clone();
                profile_exports(&ExportsInput { leave_out, ..input }, folder)
            })?
        }
    };
    write_text(&args.output, &text)?;
    show::result(&text);
    let n_questions = text.matches("# question:").count();
    let questions = match n_questions {
        0 => String::new(),
        1 => " and answer the question".to_owned(),
        several => format!(" and answer the {}", show::counted(several, "question")),
    };
    let output = args.output.display().to_string();
    let typed = if output.contains(' ') {
        format!("\"{output}\"")
    } else {
        output.clone()
    };
    show::remark(&format!(
        "wrote {output}; look at the guesses{questions}, then run: leadscore check -c {typed}"
    ));
    Ok(Outcome::Done)
}

/// The text of a config that leaves out columns which were written when leads closed: only what leads
/// ended as shows them.
fn without_leaks(
    output: &Path,
    text: impl Fn(Vec<(String, String)>) -> Result<String, TablesError>,
) -> anyhow::Result<String> {
    let first = text(Vec::new())?;
    let leave_out = columns_written_at_close(first.clone(), output);
    Ok(if leave_out.is_empty() {
        first
    } else {
        text(leave_out)?
    })
}

/// The files that were named, and those of folders that were named, in the order of their names.
fn files(named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    const TABLES: [&str; 8] = [
        "csv", "tsv", "txt", "ndjson", "jsonl", "parquet", "arrow", "gz",
    ];
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let cannot = || format!("cannot read the folder {}", path.display());
        let entries = std::fs::read_dir(path).with_context(cannot)?;
        let mut own: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let file = entry.with_context(cannot)?.path();
            let ending = file.extension().map(|ending| ending.to_ascii_lowercase());
            let is_table = TABLES
                .iter()
                .any(|known| ending.as_deref().is_some_and(|ending| ending == *known));
            if file.is_file() && is_table {
                own.push(file);
            }
        }
        if own.is_empty() {
            bail!(
                "the folder {} has no tables\n  hint: save the exports there as CSV, NDJSON or Parquet; folders in it are not looked into",
                path.display()
            );
        }
        own.sort();
        files.append(&mut own);
    }
    Ok(files)
}
