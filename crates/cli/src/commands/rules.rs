//! `rules`: manual points of open leads, one lead's points rule by rule, and whether rules fit the
//! tables.

use std::path::PathBuf;

use leadscore::front_end::{check_table_target, write_table};
use leadscore::{ReadRules, RulesOptions, check_rules, explain_rules, rules_history, write_rules};

use crate::args::{
    RollUp, RulesArgs, RulesCommand, RulesExplainArgs, RulesFilesArgs, RulesScoreArgs,
};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(command: &RulesCommand) -> anyhow::Result<Outcome> {
    match command {
        RulesCommand::Score(args) => score(args),
        RulesCommand::Explain(args) => explain(args),
        RulesCommand::History(args) => history(args),
        RulesCommand::Check(args) => check(args),
    }
}

fn open_all(paths: &[PathBuf]) -> leadscore::Result<Vec<ReadRules>> {
    paths.iter().map(|path| ReadRules::open(path)).collect()
}

fn score(args: &RulesScoreArgs) -> anyhow::Result<Outcome> {
    check_table_target(&args.files.output)?;
    let files = open_all(&args.files.rules)?;
    let data = show::open(&args.files.config)?;
    data.refuse_inputs([&args.files.output], &args.files.rules)?;
    let roll_up = args.roll_up.map(|how| match how {
        RollUp::Max => leadscore::RollUp::Max,
        RollUp::Sum => leadscore::RollUp::Sum,
        RollUp::Mean => leadscore::RollUp::Mean,
    });
    let data = data.as_of_text("--as-of", args.files.as_of.as_ref())?;
    let options = RulesOptions {
        crossings: args.crossings,
        roll_up,
    };
    write_rules(&data, &files, options, &args.files.output)?;
    show::remark(&format!("wrote {}", args.files.output.display()));
    Ok(Outcome::Done)
}

fn history(args: &RulesFilesArgs) -> anyhow::Result<Outcome> {
    check_table_target(&args.output)?;
    let files = open_all(&args.rules)?;
    let data = show::open(&args.config)?;
    data.refuse_inputs([&args.output], &args.rules)?;
    let data = data.as_of_text("--as-of", args.as_of.as_ref())?;
    write_table(&args.output, &rules_history(&data, &files)?)?;
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(Outcome::Done)
}

fn explain(args: &RulesExplainArgs) -> anyhow::Result<Outcome> {
    let rules = ReadRules::open(&args.rules.rules)?;
    let data = show::open(&args.rules.config)?;
    let data = data.as_of_text("--as-of", args.rules.as_of.as_ref())?;
    show::result(&explain_rules(&data, rules, &args.lead)?);
    Ok(Outcome::Done)
}

fn check(args: &RulesArgs) -> anyhow::Result<Outcome> {
    let rules = ReadRules::open(&args.rules)?;
    let data = show::open(&args.config)?;
    let data = data.as_of_text("--as-of", args.as_of.as_ref())?;
    let check = check_rules(&data, rules)?;
    show::result(&check.table);
    for failed in &check.failed_examples {
        show::failure(failed);
    }
    Ok(if check.failed_examples.is_empty() {
        Outcome::Done
    } else {
        Outcome::No
    })
}
