//! Points are those of the moment, and no lead that is held back crosses a threshold, whatever moves
//! it: events, age, another model, another share of the arm.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use leadscore::{Config, Data, Inputs, OutColumn, ReadRules, RulesOptions, Timestamp, rules_table};
use leadscore_config::{OneOrMany, ServeConfig, ThresholdConfig};
use leadscore_core::held_back;
use leadscore_live::{EngineOptions, LiveEngine, Watcher};
use leadscore_serve::{
    Cause, Crossing, Engine, LeadScore, Measured, PointsOfRules, QueueQuery, QueueRow, Receivers,
    State, Thresholds,
};
use leadscore_store::{Entity, Store};
use made::{DAY, Made};
use serde_json::{Map, Value, json};

#[expect(dead_code, unused_imports, reason = "another test uses the rest")]
mod made;

/// Points that change though nothing happens: by windows, by decay, by silence.
const RULES: &str = r#"
[score]
name = "warmth"
min = -20
max = "none"

[groups.fit]
cap = 40

[groups.engagement]
cap = 60

[[rule]]
name = "leads others"
group = "fit"
attribute = "role"
in = ["executive", "director", "manager"]
points = 20

[[rule]]
name = "ten seats and more"
group = "fit"
attribute = "seats"
min = 10
points = 15

[[rule]]
name = "visits fade"
group = "engagement"
activity = "web"
per_event = true
half_life = "9d"
points = 7.3

[[rule]]
name = "touches lose by the month"
group = "engagement"
activity = "touches"
per_event = true
monthly_decay = 0.3
points = 4.1

[[rule]]
name = "sales was there of late"
group = "engagement"
activity = "sales"
decay = [{ after = "10d", keep = 0.5 }, { after = "40d", keep = 0 }]
points = 9

[[rule]]
name = "nothing for three weeks"
activity = "web"
within = "21d"
at_most = 0
points = -6

[[rule]]
name = "the account looks at prices"
activity = "visits"
kind = "pricing"
within = "120d"
per_day = true
points = 2.2

[[rule]]
name = "often on the pages"
feature = "web.count.30d"
min = 2
points = 3.7

[[rule]]
name = "retail"
attribute = "accounts.industry"
equals = "retail"
points = 3

[[rule]]
name = "asked and did not come"
activity = "touches"
kind = "unsubscribe"
disqualifies = true

[matrix]
rows = "fit"
columns = "engagement"

[matrix.row_bands]
A = 30
B = 15
C = 0

[matrix.column_bands]
1 = 20
2 = 5
3 = 0
"#;

/// The same for what all leads of an account did.
const OF_ACCOUNTS: &str = r#"
[score]
name = "warmth"
of = "accounts"
max = "none"

[[rule]]
name = "visits fade"
activity = "web"
per_event = true
half_life = "9d"
points = 7.3

[[rule]]
name = "touches lose by the month"
activity = "touches"
per_event = true
monthly_decay = 0.3
points = 4.1

[[rule]]
name = "the account looks at prices"
activity = "visits"
kind = "pricing"
within = "120d"
per_day = true
points = 2.2
"#;

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A company whose leads have accounts, with these rules and more of the config.
fn company(n_leads: u32, seed: u64, rules: &str) -> (Made, Config) {
    let made = Made::new(n_leads, seed);
    std::fs::write(made.folder.path().join("rules.toml"), rules).expect("room");
    let config = with(&made, "\n[operation]\nholdback = 0\n");
    (made, config)
}

/// The config with leads of accounts, and more at its end.
fn with(made: &Made, more: &str) -> Config {
    let path = made.folder.path().join("leadscore.toml");
    let text = std::fs::read_to_string(&path).expect("a config");
    let text = text.replacen("[leads]\n", "[leads]\naccount = \"account_id\"\n", 1);
    Config::parse(format!("{text}{more}"), &path).expect("a config")
}

/// Points and cell of each open lead by the command, as of a moment.
fn by_command(
    config: &Config,
    rules: &Path,
    at: Timestamp,
) -> HashMap<String, (u64, Option<String>)> {
    let data = Data::open(config, Inputs::default()).expect("tables");
    let rules = [ReadRules::open(rules).expect("rules")];
    let table = rules_table(&data.as_of(at), &rules, RulesOptions::default()).expect("points");
    let column = |name: &str| {
        let found = table.columns.iter().find(|(known, _)| known == name);
        found.map(|(_, column)| column.clone())
    };
    let (Some(OutColumn::Text(leads)), Some(OutColumn::Number(points))) =
        (column("lead_id"), column("warmth"))
    else {
        panic!("leads and points");
    };
    let cells = match column("cell") {
        Some(OutColumn::Text(cells)) => cells,
        _ => vec![None; leads.len()],
    };
    let rows = leads.into_iter().flatten().zip(points).zip(cells);
    rows.map(|((lead, points), cell)| (lead, (points.to_bits(), cell)))
        .collect()
}

/// All rows of the queue, and the moment of asking.
fn queue(engine: &LiveEngine, crossed: Option<&str>) -> (Timestamp, Vec<QueueRow>) {
    let query = QueueQuery {
        limit: 500,
        crossed: crossed.map(str::to_owned),
        ..QueueQuery::default()
    };
    let queue = engine.queue(&query).expect("a queue");
    assert!(queue.next.is_none(), "more leads than a page has");
    (queue.at, queue.rows)
}

/// Sends rows that arrive before a moment, through the engine.
fn send(engine: &LiveEngine, made: &Made, rows: &[(i64, Value)]) {
    for chunk in rows.chunks(60) {
        made.set_clock(chunk.last().expect("a chunk has a row").0);
        append(engine, chunk.iter().map(|(_, row)| row.clone()).collect());
        wait_until("leads are scored", || engine.state().n_waiting == 0);
    }
}

fn append(engine: &LiveEngine, rows: Vec<Value>) {
    let events = engine.read_events(&rows).expect("rows that can be meant");
    let (done, ended) = std::sync::mpsc::channel();
    engine.append(
        events,
        Box::new(move |result| done.send(result.is_ok()).expect("the test waits")),
    );
    assert!(ended.recv().expect("an end"));
}

/// The server's points are those of the command, at many moments.
fn check_points(made: &Made, config: &Config, store: &Arc<Store>, places: Range<usize>) {
    let options = EngineOptions {
        poll_every: Duration::from_millis(20),
        refresh_every: Some(Duration::from_millis(100)),
        ..EngineOptions::new(config.clone(), Arc::clone(store), made.clock())
    };
    let engine = LiveEngine::open(options).expect("an engine");
    wait_until("there is a queue", || engine.ready().is_ok());
    let rules = made.folder.path().join("rules.toml");
    let mut seen: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let mut cells: BTreeSet<Option<String>> = BTreeSet::new();
    let later = &made.arrivals[places];
    for (number, chunk) in later.chunks(later.len().div_ceil(5)).enumerate() {
        // Time passes; then things happen.
        for step in 0..2 {
            if step == 0 {
                made.set_clock(made.now() + DAY / 3 + 1_234_567);
            } else {
                send(&engine, made, chunk);
            }
            let (at, rows) = queue(&engine, None);
            let expected = by_command(config, &rules, at);
            assert!(rows.len() > 4, "{} leads", rows.len());
            for row in &rows {
                let lead = &row.score.lead;
                let points = row.points.map(f64::to_bits);
                let cell = row.cell.as_ref().map(|cell| cell.label.clone());
                let (by_command, its_cell) = &expected[lead];
                assert_eq!(
                    (points, &cell),
                    (Some(*by_command), its_cell),
                    "{lead} at {at}, {number}.{step}: {:?}, {} by the command",
                    row.points,
                    f64::from_bits(*by_command)
                );
                seen.entry(lead.clone()).or_default().extend(points);
                cells.insert(cell);
            }
            let lead = &rows[number % rows.len()].score.lead;
            let detail = engine.lead(lead).expect("an open lead");
            let expected = by_command(config, &rules, detail.row.score.at);
            let points = detail.row.points.map(f64::to_bits);
            assert_eq!(points, Some(expected[lead].0));
        }
    }
    assert_eq!(engine.state().trouble, None);
    let n_moved = seen.values().filter(|points| points.len() > 3).count();
    assert!(n_moved > 4, "{n_moved} leads whose points moved");
    let has_matrix = std::fs::read_to_string(&rules)
        .expect("rules")
        .contains("[matrix]");
    assert_eq!(cells.len() > 4, has_matrix, "{cells:?}");
}

#[test]
fn points_are_those_of_the_command_at_the_moment_of_asking() {
    let (made, config) = company(1_200, 5, RULES);
    let store = Arc::new(made.create_store("events.store"));
    let end = made.arrivals.last().expect("rows").0;
    let begin = made
        .arrivals
        .partition_point(|(arrival, _)| *arrival < end - 90 * DAY);
    made.append(&store, &made.arrivals[..begin]);
    let middle = made.arrivals.len() - (made.arrivals.len() - begin) / 6;
    check_points(&made, &config, &store, begin..middle);
    // The same company by the points of its accounts.
    std::fs::write(made.folder.path().join("rules.toml"), OF_ACCOUNTS).expect("room");
    check_points(&made, &config, &store, middle..made.arrivals.len());
}

/// Thresholds that hear of scores at once.
struct Heard {
    thresholds: Thresholds,
    crossings: Mutex<Vec<Crossing>>,
}

impl Heard {
    fn new(config: &ServeConfig, state: &Arc<State>) -> Arc<Self> {
        let thresholds = Thresholds::new(config, &Receivers::default(), Arc::clone(state));
        Arc::new(Self {
            thresholds: thresholds.expect("a state"),
            crossings: Mutex::default(),
        })
    }

    fn take(&self) -> Vec<Crossing> {
        let mut crossings = self
            .crossings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut crossings)
    }
}

impl Watcher for Heard {
    fn is_news(&self, measured: &Measured<'_>) -> bool {
        self.thresholds.is_news(measured)
    }

    fn hear(&self, score: LeadScore, points: Option<PointsOfRules>) {
        let crossings = self.thresholds.observe(&score, points.as_ref());
        let mut known = self
            .crossings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.extend(crossings.expect("room"));
    }

    fn crossed(&self, since: Timestamp) -> Vec<(String, String, Timestamp)> {
        self.thresholds.crossed(since).expect("a state")
    }
}

fn thresholds(likelihood: f64) -> ServeConfig {
    let mut config = ServeConfig::default();
    let tells_models = ThresholdConfig {
        on_model_change: true,
        ..ThresholdConfig::default()
    };
    let of = [
        (
            "hot",
            ThresholdConfig {
                likelihood: Some(likelihood),
                ..tells_models.clone()
            },
        ),
        (
            "first",
            ThresholdConfig {
                tier: Some("High".to_owned()),
                ..tells_models.clone()
            },
        ),
        (
            "warm",
            ThresholdConfig {
                points: Some(20.0),
                ..tells_models.clone()
            },
        ),
        (
            "fits",
            ThresholdConfig {
                cell: Some(OneOrMany::Many(vec!["A1".to_owned(), "A2".to_owned()])),
                ..tells_models
            },
        ),
    ];
    for (name, threshold) in of {
        config.thresholds.insert(name.to_owned(), threshold);
    }
    config
}

/// The account that a lead had by its rows before a moment when it was created, or its ID.
fn unit(store: &Store, lead: &str, before: Timestamp) -> String {
    let entity = Entity::Lead(lead.to_owned());
    let mut rows = store.of_entity(&entity, before).expect("rows");
    rows.retain(|row| row.table == "leads" && row.recorded < before);
    rows.sort_by_key(|row| (row.recorded, row.seq));
    let (mut account, mut is_created) = (None, false);
    for row in rows {
        let row: Map<String, Value> = serde_json::from_str(&row.row).expect("a row");
        if let Some(value) = row.get("account_id").filter(|_| !is_created) {
            account = account.or_else(|| value.as_str().map(str::to_owned));
        }
        is_created |= row.contains_key("created_at");
    }
    account.unwrap_or_else(|| lead.to_owned())
}

/// One server after the other, over one store and one state.
struct Life {
    made: Made,
    store: Arc<Store>,
    state: Arc<State>,
    likelihood: f64,
    n_told: usize,
    n_held_back: usize,
    names: BTreeSet<String>,
}

impl Life {
    fn serve(&mut self, share: f64, work: impl FnOnce(&Made, &LiveEngine)) {
        let config = with(&self.made, &format!("\n[operation]\nholdback = {share}\n"));
        let heard = Heard::new(&thresholds(self.likelihood), &self.state);
        let watcher: Arc<dyn Watcher> = Arc::clone(&heard) as _;
        let options = EngineOptions {
            poll_every: Duration::from_millis(20),
            refresh_every: Some(Duration::from_millis(60)),
            reload_every: Duration::from_secs(2),
            watcher: Some(watcher),
            ..EngineOptions::new(config, Arc::clone(&self.store), self.made.clock())
        };
        let engine = LiveEngine::open(options).expect("an engine");
        wait_until("there is a queue", || engine.ready().is_ok());
        work(&self.made, &engine);
        self.refreshed(&engine);
        self.check(share, &engine, &heard);
    }

    /// Waits until the queue was put in order after now.
    fn refreshed(&self, engine: &LiveEngine) {
        refreshed(&self.made, engine);
    }

    fn check(&mut self, share: f64, engine: &LiveEngine, heard: &Heard) {
        assert_eq!(engine.state().trouble, None);
        let is_held_back = |lead: &str, at| held_back(&unit(&self.store, lead, at), share);
        for crossing in heard.take() {
            let arm = is_held_back(&crossing.lead, crossing.at);
            assert_eq!(crossing.is_told, !arm, "{crossing:?}");
            assert_eq!(crossing.cause == Cause::HeldBack, arm, "{crossing:?}");
            self.n_told += usize::from(!arm);
            self.n_held_back += usize::from(arm);
            self.names.extend((!arm).then_some(crossing.threshold));
        }
        let now = self.store.moment();
        for name in ["hot", "first", "warm", "fits"] {
            for row in queue(engine, Some(name)).1 {
                let lead = &row.score.lead;
                assert!(!is_held_back(lead, now) && !row.score.held_back, "{lead}");
                assert!(row.crossed.iter().any(|(crossed, _)| crossed == name));
            }
        }
        let mut n_arm = 0;
        for lead in &self.made.leads {
            let arm = is_held_back(lead, now);
            let found = engine.is_held_back(lead).expect("rows");
            assert_eq!(found, arm, "{lead}");
            // Everything of a lead takes a while: of some tens it is asked.
            if arm
                && n_arm < 40
                && let Ok(detail) = engine.lead(lead)
            {
                n_arm += 1;
                assert!(detail.row.score.held_back);
                assert_eq!(detail.row.crossed, []);
            }
        }
        assert_eq!(n_arm > 0, share > 0.0);
    }
}

fn refreshed(made: &Made, engine: &LiveEngine) {
    made.set_clock(made.now() + 1_000_000);
    let now = Timestamp::from_micros(made.now());
    wait_until("the queue is put in order", || {
        let state = engine.state();
        assert_eq!(state.trouble, None);
        state.n_waiting == 0 && state.refreshed_at.is_some_and(|at| at >= now)
    });
}

#[test]
fn nothing_that_moves_a_held_back_lead_is_told() {
    let (made, config) = company(3_500, 5, RULES);
    let store = Arc::new(made.create_store("events.store"));
    let end = made.arrivals.last().expect("rows").0;
    let place = |days: i64| {
        let before = end - days * DAY;
        made.arrivals
            .partition_point(|(arrival, _)| *arrival < before)
    };
    let places = [280, 180, 120, 80, 40].map(place);
    made.append(&store, &made.arrivals[..places[0]]);
    // The likelihood in the middle of the queue is one that many cross.
    let options = EngineOptions::new(config, Arc::clone(&store), made.clock());
    let engine = LiveEngine::open(options).expect("an engine");
    wait_until("there is a queue", || engine.ready().is_ok());
    let (_, rows) = queue(&engine, None);
    let likelihood = rows[rows.len() / 2].score.likelihood;
    drop(engine);
    let state = State::open(&made.folder.path().join("state")).expect("a state");
    let mut life = Life {
        made,
        store,
        state: Arc::new(state),
        likelihood,
        n_told: 0,
        n_held_back: 0,
        names: BTreeSet::new(),
    };
    // Loaded, then events, then age alone.
    life.serve(0.3, |made, engine| {
        send(engine, made, &made.arrivals[places[0]..places[1]]);
        refreshed(made, engine);
        for _ in 0..4 {
            made.set_clock(made.now() + DAY);
            refreshed(made, engine);
        }
    });
    let (n_told, n_held_back) = (life.n_told, life.n_held_back);
    assert!(n_told > 30 && n_held_back > 10, "{n_told} {n_held_back}");
    let names: Vec<&str> = life.names.iter().map(String::as_str).collect();
    assert_eq!(names, ["first", "fits", "hot", "warm"]);
    // Another model while it serves.
    life.serve(0.3, |made, engine| {
        made.promote(1);
        wait_until("the new champion serves", || {
            engine.model().id == made.models[1]
        });
        refreshed(made, engine);
        send(engine, made, &made.arrivals[places[1]..places[2]]);
    });
    // Leads move into the arm, and out of it, by another share.
    for (share, from) in [(0.5, 2), (0.1, 3)] {
        life.serve(share, |made, engine| {
            send(engine, made, &made.arrivals[places[from]..places[from + 1]]);
            refreshed(made, engine);
            made.set_clock(made.now() + DAY);
        });
    }
    // A row with another account moves nobody: what a lead belongs to stays.
    let n_told = life.n_told;
    life.serve(0.3, |made, engine| {
        let (_, rows) = queue(engine, None);
        for (number, row) in rows.iter().enumerate() {
            let row = json!({"id": format!("moved-{number}"), "table": "leads",
                "row": {"lead_id": row.score.lead, "account_id": format!("new-{}", number % 40)}});
            append(engine, vec![row]);
        }
        refreshed(made, engine);
        send(engine, made, &made.arrivals[places[4]..]);
        refreshed(made, engine);
        for _ in 0..3 {
            made.set_clock(made.now() + DAY);
            refreshed(made, engine);
        }
    });
    assert!(life.n_told > n_told);
}
