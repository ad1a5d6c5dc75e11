//! The commands: each a straight line that can be read aloud.

mod check;
mod demo;
mod elsewhere;
mod evaluate;
mod explain;
mod export;
mod features;
mod history;
mod init;
mod inspect;
mod models;
mod monitor;
mod recalibrate;
#[cfg(feature = "serve")]
mod replay;
mod rules;
mod run;
mod score;
#[cfg(feature = "serve")]
mod serve;
mod simulate;
#[cfg(feature = "serve")]
mod store;
#[cfg(feature = "serve")]
mod tokens;
mod train;

use anyhow::Context as _;
use clap::CommandFactory;

use crate::args::{Args, Command};
use crate::show;

/// How a command ended that did what it was asked.
pub(crate) enum Outcome {
    /// Done.
    Done,
    /// Ran, and the answer is no.
    No,
    /// The input was refused, and it was said why.
    Refused,
    /// It ended with a code of its own.
    Code(u8),
}

impl Outcome {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Refused => 2,
            Self::Code(code) => *code,
        }
    }
}

/// How the page of the config begins.
const CONFIG_PAGE: &str = "# The config

Everything that `leadscore.toml` may say, printed by `leadscore schema --markdown` from the types that read it. `leadscore init` writes a first one from your files; `leadscore schema` prints a JSON schema for editors. Unknown keys are errors that name the nearest known one.
";

pub(crate) fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Features(args) => features::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Recalibrate(args) => recalibrate::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Monitor(args) => monitor::run(&args),
        Command::Run(args) => run::run(&args),
        Command::History(args) => history::run(&args),
        Command::Export(command) => export::run(&command),
        Command::Rules(command) => rules::run(&command),
        Command::Models(command) => models::run(&command),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args),
        #[cfg(feature = "serve")]
        Command::Tokens(command) => tokens::run(&command),
        #[cfg(feature = "serve")]
        Command::Store(command) => store::run(&command),
        #[cfg(feature = "serve")]
        Command::Replay(args) => replay::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Args::command(), "leadscore", &mut script);
            show::result(String::from_utf8_lossy(&script).trim_end());
            Ok(Outcome::Done)
        }
        Command::Man(args) => {
            std::fs::create_dir_all(&args.out)
                .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
            clap_mangen::generate_to(Args::command(), &args.out)
                .with_context(|| format!("cannot write into {}", args.out.display()))?;
            show::remark(&format!("wrote man pages to {}", args.out.display()));
            Ok(Outcome::Done)
        }
        Command::Families => {
            show::result(&leadscore::reference_of_families());
            Ok(Outcome::Done)
        }
        Command::Schema(args) if args.markdown => {
            show::result(CONFIG_PAGE);
            show::result(&leadscore::reference_of_config());
            Ok(Outcome::Done)
        }
        Command::Schema(_) => {
            show::json(&serde_json::to_string_pretty(
                &leadscore::front_end::Settings::json_schema(),
            )?);
            Ok(Outcome::Done)
        }
    }
}
