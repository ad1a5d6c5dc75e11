//! Tables of CSV files to typed tables: every check, types and times among them.

use std::fmt::Write as _;
use std::path::Path;

use divan::Bencher;
use leadscore_config::Config;
use leadscore_dataset::LoadOptions;
use leadscore_io::load;

fn main() {
    divan::main();
}

const LEADS: &str = "
[leads]
path = \"leads.csv\"
id = \"id\"
created_at = \"created\"
";

const OUTCOMES: &str = "
[outcomes]
path = \"outcomes.csv\"
lead = \"lead\"
closed_at = \"closed\"
result = \"result\"
won = [\"won\"]
lost = [\"lost\"]
";

const VISITS: &str = "
[activities.visits]
path = \"visits.csv\"
lead = \"lead\"
at = \"at\"
kind = [\"kind\"]
values = [\"pages\"]
";

const N_LEADS: usize = 20_000;

fn date(days: usize) -> String {
    format!("2024-{:02}-{:02}", 1 + days / 28 % 12, 1 + days % 28)
}

/// Leads with two numbers and two texts, an outcome each, and ten visits each.
fn write_tables(folder: &Path) {
    let mut leads = "id,created,seats,revenue,source,country\n".to_owned();
    let mut outcomes = "lead,closed,result\n".to_owned();
    let mut visits = "lead,at,kind,pages\n".to_owned();
    for lead in 0..N_LEADS {
        let (created, source, country) = (
            lead % 150,
            ["ads", "web", "fair"][lead % 3],
            ["Chile", "Peru"][lead % 2],
        );
        let (seats, revenue) = (lead * 7 % 500, lead * 31 % 100_000);
        let result = if lead % 5 == 0 { "won" } else { "lost" };
        let (born, closed) = (date(created), date(created + 40 + lead % 60));
        writeln!(
            leads,
            "L{lead},{born},{seats},{revenue}.50,{source},{country}"
        )
        .expect("a text takes all");
        writeln!(outcomes, "L{lead},{closed},{result}").expect("a text takes all");
        for visit in 0..10 {
            let (at, hour) = (date(created + 4 * visit), (lead + visit) % 24);
            let kind = ["page", "price", "demo"][(lead + visit) % 3];
            writeln!(visits, "L{lead},{at}T{hour:02}:15:30Z,{kind},{}", visit + 1)
                .expect("a text takes all");
        }
    }
    for (name, text) in [("leads", leads), ("outcomes", outcomes), ("visits", visits)] {
        std::fs::write(folder.join(name).with_extension("csv"), text)
            .expect("the folder can be written");
    }
}

fn load_csv(bencher: Bencher<'_, '_>, config: &str) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    write_tables(folder.path());
    let config = Config::parse(config).expect("the config is right");
    let options = LoadOptions::default();
    bencher.bench_local(|| load(&config, folder.path(), &options).expect("the tables are right"));
}

#[divan::bench(name = "load_csv_of_leads/20_000x6")]
fn leads(bencher: Bencher<'_, '_>) {
    load_csv(bencher, &format!("{LEADS}{OUTCOMES}"));
}

#[divan::bench(name = "load_csv_with_visits/200_000x4")]
fn visits(bencher: Bencher<'_, '_>) {
    load_csv(bencher, &format!("{LEADS}{OUTCOMES}{VISITS}"));
}
