//! `demo`: simulate, train on the past, prove on later data, score today's leads: the first thing a
//! newcomer runs.

use std::path::Path;

use leadscore::{Outputs, ScoreOptions, SimulationOptions, World, read_model, score, write_crm};

use crate::args::{
    ConfigArg, DemoArgs, EconomyArgs, EngineArgs, EvaluateArgs, FittingArgs, ModelArg,
    ReportFormat, StayArgs, TrainArgs,
};
use crate::commands::{Outcome, evaluate, train};
use crate::show;

/// The cut of the proof: nine months before the end of the simulated data, six of which mature.
const PROOF_CUT: &str = "2025-04-01";

pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<Outcome> {
    let folder = &args.out;
    show::remark(&format!(
        "1. simulating a CRM of {} in {}",
        show::counted(args.leads, "lead"),
        folder.display()
    ));
    write_crm(
        SimulationOptions {
            n_leads: args.leads,
            world: World::Linear,
            seed: args.seed,
        },
        folder,
        "csv",
        &show::terminal(),
    )?;
    let config = || ConfigArg {
        config: folder.join("leadscore.toml"),
    };
    show::remark(&format!(
        "2. training as of {PROOF_CUT}, and proving it on the snapshots that came later"
    ));
    show::quietly(|| {
        train::run(&train_args(
            config(),
            Some(PROOF_CUT.to_owned()),
            &folder.join("proof.leadscore"),
        ))
    })?;
    let report = folder.join("report.html");
    let evaluation = EvaluateArgs {
        model: ModelArg::file(&folder.join("proof.leadscore")),
        config: config(),
        from: None,
        to: None,
        output: report.clone(),
        json: Some(folder.join("report.json")),
        scores: None,
        format: vec![ReportFormat::Html],
        rules: Vec::new(),
        against: Vec::new(),
        threshold: None,
        economy: EconomyArgs::default(),
        backtest: false,
        allow_in_sample: false,
        other_leads: false,
    };
    let verdict = show::quietly(|| evaluate::report(&evaluation))?.text();
    show::remark("3. training on everything known today, and scoring every open lead");
    let model = folder.join("model.leadscore");
    show::quietly(|| train::run(&train_args(config(), None, &model)))?;
    let scores = folder.join("scores.csv");
    let fitted = read_model(&model)?;
    let scored = score(
        &show::open(&config())?.quiet(),
        &fitted,
        &ScoreOptions::default(),
    )?;
    let mut outputs = Outputs::default();
    scored.add_to(&mut outputs, &scores)?;
    outputs.publish()?;
    let best = scored.first(show::N_FIRST)?;
    show::result(&format!("\nThe ten best of the open leads:\n\n{best}"));
    show::result(&format!(
        "\nDoes it hold? As of {PROOF_CUT}, on what came later:\n\n{verdict}"
    ));
    show::result(&format!(
        "\nThe report: {}\nThe scores: {}\n\nTry next:\n  leadscore inspect {model} --html model.html\n  leadscore check -c {config}\n  leadscore init --leads YOUR_LEADS.csv --outcomes YOUR_DEALS.csv",
        report.display(),
        scores.display(),
        model = model.display(),
        config = config().config.display()
    ));
    Ok(Outcome::Done)
}

fn train_args(config: ConfigArg, as_of: Option<String>, output: &Path) -> TrainArgs {
    TrainArgs {
        config,
        engine: EngineArgs::default(),
        as_of,
        output: output.to_owned(),
        report: None,
        json: None,
        stay: StayArgs::default(),
        fitting: FittingArgs::default(),
    }
}
