//! `init`: a first config from the files.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use leadscore::front_end::{ProfileInput, columns_written_at_close, now, profile, refuse_inputs};
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
    let inputs: Vec<PathBuf> = [&args.leads]
        .into_iter()
        .chain(&args.outcomes)
        .chain(&args.activities)
        .cloned()
        .collect();
    refuse_inputs([args.output.as_path()], &inputs)?;
    // Paths are typed relative to this folder, and read relative to the config's.
    let here = std::env::current_dir().context("cannot tell the current folder")?;
    let folder = args
        .output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let relative = |path: &Path| {
        if folder == Path::new(".") || path.is_absolute() {
            path.to_owned()
        } else {
            here.join(path)
        }
    };
    let input = ProfileInput {
        leads: relative(&args.leads),
        outcomes: args.outcomes.as_deref().map(relative),
        activities: args.activities.iter().map(|path| relative(path)).collect(),
        now: Some(now()),
        leave_out: Vec::new(),
    };
    let first = profile(&input, folder)?;
    // What leads ended as says which of their columns were written then.
    let leave_out = columns_written_at_close(first.clone(), &args.output);
    let text = if leave_out.is_empty() {
        first
    } else {
        profile(&ProfileInput { leave_out, ..input }, folder)?
    };
    write_text(&args.output, &text)?;
    show::result(&text);
    let n_questions = text.matches("# question:").count();
    let questions = match n_questions {
        0 => String::new(),
        1 => " and answer the question".to_owned(),
        several => format!(" and answer the {}", show::counted(several, "question")),
    };
    show::remark(&format!(
        "wrote {}; look at the guesses{questions}, then run: leadscore check -c {}",
        args.output.display(),
        args.output.display()
    ));
    Ok(Outcome::Done)
}
