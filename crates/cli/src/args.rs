//! What can be typed.

use leadscore::front_end::{Bytes, LEAST_MEMORY, TierEdges};
use leadscore::{DEFAULT_TOP, Dialect, ListOptions};
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};

/// How likely each open lead is to become a customer within 90 days, with reasons, and proof on
/// later data.
#[derive(Debug, Parser)]
#[command(name = "leadscore", version, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulate a CRM, train, score and report: the first thing to run
    Demo(DemoArgs),
    /// Write a first leadscore.toml from your files, every guess beside its setting
    Init(InitArgs),
    /// Say what is wrong with the data, what leaks, and whether there is enough of it
    Check(CheckArgs),
    /// Write the feature matrix of all mature snapshots
    Features(FeaturesArgs),
    /// Learn a model from closed leads
    Train(TrainArgs),
    /// Score every open lead
    Score(ScoreArgs),
    /// Measure a model on snapshots that it has not seen, and write the report
    Evaluate(EvaluateArgs),
    /// Mend a model's percentages by outcomes that it has not seen, without fitting it again
    Recalibrate(RecalibrateArgs),
    /// Show what is in a model file
    Inspect(InspectArgs),
    /// Say why one lead has its score, and what would change its tier
    Explain(ExplainArgs),
    /// Write a model in another form
    #[command(subcommand)]
    Export(ExportCommand),
    /// Manual points: score leads by a rules.toml, explain a score, or check the rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Make a CRM with a known truth
    Simulate(SimulateArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Write man pages, one for each command
    Man(ManArgs),
    /// Print every family of features with its definition and an example
    Families,
    /// Print the JSON schema of leadscore.toml, for editors, or its reference, for people
    Schema(SchemaArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// At most so many rules of whole-number points, as a rules.toml, and what they lose against
    /// the model
    Points(ExportPointsArgs),
    /// One SELECT that scores a table of features, in the SQL of your warehouse
    Sql(ExportSqlArgs),
    /// An ONNX file, for runtimes of models: from the features to the likelihood
    Onnx(ExportFileArgs),
    /// A PMML 4.4 file, for engines of decisions: from the features to the likelihood
    Pmml(ExportFileArgs),
    /// Everything that the model holds as JSON, for a scorer of your own (docs/exports.md has one)
    Json(ExportFileArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportFileArgs {
    /// The model file
    pub(crate) model: PathBuf,
    /// Where to write it; `score.onnx`, `score.pmml` or `score.json` if not given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportSqlArgs {
    /// The model file
    pub(crate) model: PathBuf,
    /// Whose SQL
    #[arg(long, value_parser = dialects())]
    pub(crate) dialect: Dialect,
    /// The table with the features, as it is written in SQL: columns as `leadscore features` names
    /// them
    #[arg(long, value_name = "TABLE", default_value = "features")]
    pub(crate) table: String,
    /// Columns of that table that go along
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        default_value = "lead_id,snapshot"
    )]
    pub(crate) key: Vec<String>,
    /// Compute the features, too, from the tables of the config, which stand in the database:
    /// DuckDB, PostgreSQL, Spark
    #[arg(long, conflicts_with_all = ["table", "key"])]
    pub(crate) features: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Where a table of the config is in the database, such as `activities.touches=crm.touches`; by
    /// its name if not given
    #[arg(long, value_name = "TABLE=SQL", requires = "features", value_parser = place)]
    pub(crate) place: Vec<(String, String)>,
    /// Score the leads that are open at this moment; those open when the statement runs if not
    /// given
    #[arg(long, value_name = "DATE", requires = "features")]
    pub(crate) as_of: Option<String>,
    /// Where tiers begin: `relative` (quartiles of the rows of the table), `frozen` (the model's
    /// own edges) or three likelihoods in per cent, such as 40,20,5; as `[tiers]` of the config
    /// says if not given, and quartiles without a config
    #[arg(long, value_name = "EDGES", value_parser = TierEdges::parse)]
    pub(crate) edges: Option<TierEdges>,
    /// Where to write the statement
    #[arg(short, long, value_name = "FILE", default_value = "score.sql")]
    pub(crate) output: PathBuf,
}

fn dialects() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::id))
        .map(|id| Dialect::named(&id).expect("one of the possible values"))
}

fn change(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((column, value)) if !column.trim().is_empty() => {
            Ok((column.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write the column, =, and its value, such as seats=40".to_owned()),
    }
}

fn place(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((table, place)) if !table.trim().is_empty() && !place.trim().is_empty() => Ok((table.trim().to_owned(), place.trim().to_owned())),
        _ => Err("write the table of the config, =, and what it is called in the database, such as leads=crm.leads".to_owned()),
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportPointsArgs {
    /// The model file
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Most rules
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) rules: u16,
    /// Where to write the rules
    #[arg(short, long, value_name = "FILE", default_value = "points.toml")]
    pub(crate) output: PathBuf,
    /// Forms of the rules, written beside each other: our rules, a table to type from, a page to
    /// print
    #[arg(
        long,
        value_name = "FORMATS",
        value_delimiter = ',',
        default_value = "toml"
    )]
    pub(crate) format: Vec<PointsFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PointsFormat {
    /// A file for `leadscore rules`
    Toml,
    /// A row a rule
    Csv,
    /// A page that prints well
    Html,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Points of every open lead, with the rules that gave them
    Score(RulesScoreArgs),
    /// The points of one lead, rule by rule
    Explain(RulesExplainArgs),
    /// Points as they would have stood at every past snapshot, with what became of the lead
    History(RulesFilesArgs),
    /// Whether the rules fit the tables, and to how many open leads each applies
    Check(RulesArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RulesArgs {
    /// The rules, such as rules.toml
    #[arg(value_name = "RULES")]
    pub(crate) rules: PathBuf,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Count what was known before this moment; the day after the latest time in the data if not
    /// given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RulesFilesArgs {
    /// The rules, such as rules.toml; several files give several scores side by side
    #[arg(value_name = "RULES", required = true)]
    pub(crate) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Count what was known before this moment; the day after the latest time in the data if not
    /// given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Where to write the points (.csv, .ndjson or .parquet)
    #[arg(short, long, value_name = "FILE", default_value = "points.csv")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RulesScoreArgs {
    #[command(flatten)]
    pub(crate) files: RulesFilesArgs,
    /// Also write when each threshold and stage was reached, day by day since the lead was created
    /// (takes long for old leads)
    #[arg(long)]
    pub(crate) crossings: bool,
    /// One row an account in place of one a lead: the largest, the sum or the mean of its open
    /// leads' points
    #[arg(long, value_name = "HOW", value_enum)]
    pub(crate) roll_up: Option<RollUp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RollUp {
    /// The largest
    Max,
    /// The sum
    Sum,
    /// The mean
    Mean,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RulesExplainArgs {
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
    /// The lead
    #[arg(value_name = "LEAD")]
    pub(crate) lead: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArg {
    /// The config; `leadscore.toml` of this folder if not given
    #[arg(short, long, value_name = "FILE", default_value = ConfigArg::DEFAULT)]
    pub(crate) config: PathBuf,
}

impl ConfigArg {
    pub(crate) const DEFAULT: &str = "leadscore.toml";
}

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Folder for everything that is made
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub(crate) out: PathBuf,
    /// Number of leads to simulate
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    pub(crate) leads: u32,
    /// Seed of the simulation
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// The leads
    #[arg(long, value_name = "FILE")]
    pub(crate) leads: PathBuf,
    /// Outcomes, where they stand in a file of their own
    #[arg(long, value_name = "FILE")]
    pub(crate) outcomes: Option<PathBuf>,
    /// Event tables
    #[arg(long, value_name = "FILE")]
    pub(crate) activities: Vec<PathBuf>,
    /// Where to write the config
    #[arg(short, long, value_name = "FILE", default_value = "leadscore.toml")]
    pub(crate) output: PathBuf,
    /// Overwrite an existing config
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {
    /// Print the reference as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
}

/// Where the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum EngineKind {
    /// Here
    #[default]
    Embedded,
    /// On Apache Spark, or Sail, by Spark Connect: the tables stay there
    Spark,
}

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct EngineArgs {
    /// Where the work is done
    #[arg(long, value_enum, default_value_t = EngineKind::Embedded, requires_if("spark", "connect"))]
    pub(crate) engine: EngineKind,
    /// Where the engine is: sc://host:port/;use_ssl=true, or env:NAME for a variable that holds
    /// such an address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) connect: Option<String>,
}

impl EngineArgs {
    /// The address of an engine elsewhere, if the work is done there; an address alone says so,
    /// too.
    pub(crate) fn elsewhere(&self) -> Option<&str> {
        self.connect.as_deref()
    }
}

/// How much memory the tables may take.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct LimitArgs {
    /// Memory to stay within, such as 2GB: what does not fit waits on disk; half of the machine's
    /// if not given
    #[arg(long, value_name = "SIZE", value_parser = parse_size, conflicts_with = "connect")]
    pub(crate) memory: Option<u64>,
    /// Folder for what waits on disk; that of the output if not given
    #[arg(long, value_name = "DIR", conflicts_with = "connect")]
    pub(crate) spill: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FeaturesArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Nothing known at or after this moment exists
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Where to write the matrix (.parquet, .csv or .ndjson), or its statement
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Exactly the features that this model reads, in place of those that the config asks for
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    /// In place of the matrix, write to FILE the statement that computes it from the same tables in
    /// a database
    #[arg(long, value_name = "DIALECT", requires = "output", value_parser = dialects())]
    pub(crate) sql: Option<Dialect>,
    /// Where a table of the config is in the database, such as `activities.touches=crm.touches`; by
    /// its name if not given
    #[arg(long, value_name = "TABLE=SQL", requires = "sql", value_parser = place)]
    pub(crate) place: Vec<(String, String)>,
    /// Print the dictionary of features, as a table or as Markdown
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "table")]
    pub(crate) describe: Option<DescribeFormat>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Nothing known at or after this moment exists
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Where to write the model
    #[arg(short, long, value_name = "MODEL", default_value = "model.leadscore")]
    pub(crate) output: PathBuf,
    /// Also write a report on the snapshots that were held out
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Also write that report's numbers as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) stay: StayArgs,
    #[command(flatten)]
    pub(crate) fitting: FittingArgs,
}

/// Whether the snapshots stay on the engine.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct StayArgs {
    /// For more snapshots than fit into this machine: a folder on the engine for them (.parquet,
    /// replaced); they stay there, and only a sample of the leads comes here
    #[arg(long, value_name = "FOLDER", requires = "connect")]
    pub(crate) coded: Option<String>,
    /// With --coded, how many leads come here, about
    #[arg(
        long,
        value_name = "LEADS",
        default_value_t = 200_000,
        requires = "coded"
    )]
    pub(crate) sample: u64,
}

/// How a model is fitted and measured.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct FittingArgs {
    /// Measure on all snapshots, each by a fit that has not seen its lead, in place of the latest
    /// fifth
    #[arg(long)]
    pub(crate) cross_validate: bool,
    /// Also say what more wins would change, by fits on shares of the leads (takes several times as
    /// long)
    #[arg(long)]
    pub(crate) learning_curve: bool,
    /// Train although there are too few wins or losses
    #[arg(long)]
    pub(crate) allow_too_few: bool,
    /// Train on attributes that are proven to know the outcome
    #[arg(long)]
    pub(crate) allow_leaks: bool,
    /// Who fits: our own solver, or linfa-logistic as the reference (straight lines only, and slow)
    #[arg(long, value_enum, default_value_t = SolverArg::Native)]
    pub(crate) solver: SolverArg,
}

impl From<FittingArgs> for leadscore::TrainOptions {
    fn from(args: FittingArgs) -> Self {
        Self {
            cross_validate: args.cross_validate,
            learning_curve: args.learning_curve,
            allow_too_few: args.allow_too_few,
            allow_leaks: args.allow_leaks,
            linfa: args.solver == SolverArg::Linfa,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SolverArg {
    /// Our own: curves and tables, all cores, a certificate
    #[default]
    Native,
    /// linfa-logistic
    Linfa,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ScoreArgs {
    /// The model file
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Score the leads as they stood at this moment; the day after the latest time in the data if
    /// not given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Where to write the scores, best first: .csv, .ndjson or .parquet; `scores.csv` if neither
    /// this nor --list is given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write the scores into this table of [database] in place of a file: one transaction, rows of
    /// the same lead and moment are replaced
    #[arg(long, value_name = "TABLE", conflicts_with = "output")]
    pub(crate) table: Option<String>,
    /// Also write the summary as JSON to this file: leads by tier and by reason, and what is unlike
    /// training
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Also write the 95 % interval of every likelihood
    #[arg(long)]
    pub(crate) intervals: bool,
    #[command(flatten)]
    pub(crate) list: ListArgs,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

/// The list for people.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ListArgs {
    /// Write the best leads as a list for people, with reasons in words: .xlsx, .html or .csv; may
    /// be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) list: Vec<PathBuf>,
    /// The list has so many leads
    #[arg(long, value_name = "N", requires = "list", default_value_t = DEFAULT_TOP, value_parser = parse_top)]
    pub(crate) top: usize,
    /// Columns of the leads table that the list shows, such as "First Name,Company"; one with a
    /// comma in quotation marks
    #[arg(long, value_name = "COLUMNS", requires = "list", value_parser = parse_names)]
    pub(crate) columns: Option<Names>,
    /// Column of the leads table with the lead's owner: in .xlsx each has a sheet
    #[arg(long, value_name = "COLUMN", requires = "list")]
    pub(crate) owner: Option<String>,
    /// An earlier score file: the list says which leads rose, fell, and are new
    #[arg(long, value_name = "FILE", requires = "list")]
    pub(crate) previous: Option<PathBuf>,
}

/// Names of columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(pub(crate) Vec<String>);

impl From<ListArgs> for ListOptions {
    fn from(args: ListArgs) -> Self {
        Self {
            top: args.top,
            columns: args.columns.unwrap_or_default().0,
            owner: args.owner,
            previous: args.previous,
        }
    }
}

fn parse_names(text: &str) -> Result<Names, String> {
    leadscore::front_end::split_names(text).map(Names)
}

fn parse_top(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&top| top > 0)
        .ok_or_else(|| "write how many leads the list has, 1 or more".to_owned())
}

#[derive(Debug, clap::Args)]
pub(crate) struct EvaluateArgs {
    /// The model file
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// First snapshot to look at; where the model's knowledge ends if not given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) from: Option<String>,
    /// Look only at snapshots before this moment
    #[arg(long, value_name = "MOMENT")]
    pub(crate) to: Option<String>,
    /// Where to write the report
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub(crate) output: PathBuf,
    /// Forms of the report, written beside each other; `vega` is a folder with a Vega-Lite
    /// specification of every chart
    #[arg(
        long,
        value_name = "FORMATS",
        value_delimiter = ',',
        default_value = "html"
    )]
    pub(crate) format: Vec<ReportFormat>,
    /// Also write the report's numbers as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Also write every evaluated snapshot with its prediction and label
    #[arg(long, value_name = "FILE")]
    pub(crate) scores: Option<PathBuf>,
    /// Compare with the points of these rules, computed as of each snapshot; may be given several
    /// times
    #[arg(long, value_name = "RULES")]
    pub(crate) rules: Vec<PathBuf>,
    /// Compare with another model; may be given several times
    #[arg(long, value_name = "MODEL")]
    pub(crate) against: Vec<PathBuf>,
    /// Points of the manual score from which a lead is called today
    #[arg(long, value_name = "POINTS", value_parser = parse_finite, allow_negative_numbers = true)]
    pub(crate) threshold: Option<f64>,
    #[command(flatten)]
    pub(crate) economy: EconomyArgs,
    /// Also say how often to retrain: fit again every two weeks, month, quarter and never, each on
    /// what was known then
    #[arg(long)]
    pub(crate) backtest: bool,
    /// Evaluate snapshots from before the model's knowledge ended, too; the report says so
    #[arg(long)]
    pub(crate) allow_in_sample: bool,
    /// These are not the leads of training, such as the other part of a split by lead: measure on
    /// all of their snapshots; refused where a lead of training is among them
    #[arg(long, conflicts_with_all = ["allow_in_sample", "backtest"])]
    pub(crate) other_leads: bool,
}

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct EconomyArgs {
    /// Leads that the team can call, such as 200/week; the best quarter if not given
    #[arg(long, value_name = "CALLS", value_parser = leadscore::Capacity::parse)]
    pub(crate) capacity: Option<leadscore::Capacity>,
    /// Cost of a call
    #[arg(long, value_name = "MONEY", value_parser = parse_money)]
    pub(crate) cost: Option<f64>,
    /// Value of a win
    #[arg(long, value_name = "MONEY", value_parser = parse_money)]
    pub(crate) value: Option<f64>,
}

impl From<EconomyArgs> for leadscore::Economy {
    fn from(args: EconomyArgs) -> Self {
        Self {
            capacity: args.capacity,
            cost: args.cost,
            value: args.value,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ReportFormat {
    /// One page that opens offline
    Html,
    /// Every number
    Json,
    /// A workbook, a sheet a table
    Xlsx,
    /// Markdown, the short tables
    Md,
    /// A folder with a Vega-Lite specification of every chart
    Vega,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecalibrateArgs {
    /// The model file
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Nothing known at or after this moment exists
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Learn from snapshots from this moment on; from where the model's knowledge ends if not given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) from: Option<String>,
    /// How percentages move; what later outcomes prefer if not given
    #[arg(long, value_name = "KIND", value_parser = ["shift", "line", "beta", "isotonic"])]
    pub(crate) kind: Option<String>,
    /// Where to write the recalibrated model
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ContributionsArg {
    /// Of concepts, as reasons are
    Concept,
    /// Of features
    Feature,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The model file
    pub(crate) model: PathBuf,
    /// The lead's id; none where --lead-json describes one, or --table or --importance ask for all
    /// open leads
    #[arg(required_unless_present_any = ["lead_json", "table", "importance"])]
    pub(crate) lead: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Look at the lead as it stood at this moment; if not given, the day after the latest time in
    /// the data, and with --lead-json now
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Explain the lead as it would be with another value in a column or feature that the model
    /// reads, such as seats=40 or accounts.industry=retail; nothing behind = is a missing value;
    /// may be given several times
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = change, requires = "lead", conflicts_with = "since")]
    pub(crate) what_if: Vec<(String, String)>,
    /// Explain a lead that is in no table: a JSON object with its columns, and its `activities` as
    /// lists of objects by table
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lead", "what_if", "since", "table", "importance"])]
    pub(crate) lead_json: Option<PathBuf>,
    /// Also say what changed since this earlier moment
    #[arg(long, value_name = "MOMENT", requires = "lead")]
    pub(crate) since: Option<String>,
    /// Write the contributions of all open leads, in log-odds, to this file: csv, ndjson or parquet
    #[arg(long, value_name = "FILE", conflicts_with = "lead")]
    pub(crate) table: Option<PathBuf>,
    /// Write the mean size of each contribution over all open leads to this file: csv, ndjson or
    /// parquet
    #[arg(long, value_name = "FILE", conflicts_with = "lead")]
    pub(crate) importance: Option<PathBuf>,
    /// What contributions in files are of
    #[arg(long, value_enum, default_value_t = ContributionsArg::Concept)]
    pub(crate) by: ContributionsArg,
    /// Print everything as JSON
    #[arg(long, conflicts_with_all = ["table", "importance"])]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The model file
    pub(crate) model: PathBuf,
    /// Also print every curve, level and table
    #[arg(long)]
    pub(crate) curves: bool,
    /// Also write every curve, level and table as a page
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArgs {
    /// Number of leads
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=99_999_999))]
    pub(crate) leads: u32,
    /// How leads come to be won
    #[arg(long, value_enum, default_value_t = WorldArg::Linear)]
    pub(crate) world: WorldArg,
    /// Seed: the same seed gives the same bytes
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Format of the tables
    #[arg(long, value_enum, default_value_t = FormatArg::Parquet)]
    pub(crate) format: FormatArg,
    /// Folder to write to
    #[arg(short, long, value_name = "DIR", default_value = "crm")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum WorldArg {
    /// Log-odds linear in attributes and activities
    Linear,
    /// Attributes act along curves
    Curved,
    /// Attributes act together
    Interactions,
    /// What matters changes over the years
    Drift,
    /// Nothing matters
    Noise,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DescribeFormat {
    /// A table for the terminal
    Table,
    /// Markdown, with the definition of each family
    Markdown,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum FormatArg {
    /// Parquet
    Parquet,
    /// CSV
    Csv,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Folder to write them to
    #[arg(long, value_name = "DIR", default_value = "man")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// A number that is neither infinite nor none.
fn parse_finite(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| "write a number such as 60".to_owned())
}

/// An amount of money, 0 or more.
fn parse_money(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|amount: &f64| amount.is_finite() && *amount >= 0.0)
        .ok_or_else(|| "write an amount such as 900 or 4.50".to_owned())
}

/// Bytes of memory, at least as many as the program needs for itself.
fn parse_size(text: &str) -> Result<u64, String> {
    match text.parse::<Bytes>()?.0 {
        ..LEAST_MEMORY => Err("at least 400MB are needed".to_owned()),
        bytes => Ok(bytes),
    }
}
