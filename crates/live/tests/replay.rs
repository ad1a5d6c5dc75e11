//! The same bits online and offline: answers that were given while events came in are computed again
//! from the tables of the store, and none differs; and a row, a bit or an event that is not what it
//! was is found.

mod made;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use leadscore::{Config, Data, Inputs};
use leadscore_live::{
    EngineOptions, LiveEngine, ReplayInputs, ReplayOptions, ReplayReport, models_of, replay,
};
use leadscore_serve::{Engine, NoScore, QueueQuery};
use leadscore_store::{NewEvent, Store};
use made::{DAY, Made, Numbers};
use serde_json::{Value, json};

fn replayed(made: &Made, config: &Config, store: &Store) -> ReplayReport {
    try_replay(made, config, store).expect("tables and a log")
}

fn try_replay(
    made: &Made,
    config: &Config,
    store: &Store,
) -> Result<ReplayReport, Box<dyn std::error::Error>> {
    let data = Data::open(config, Inputs::default())?;
    let registry = made.registry();
    let inputs = ReplayInputs {
        config,
        data: &data,
        store,
        models: &models_of(&registry),
    };
    let log = made.folder.path().join("answers");
    Ok(replay(&log, &inputs, ReplayOptions::default())?)
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Tells threads to stop, also where a test fails before its end.
struct AtEnd<'s>(&'s AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Asks for scores at random until told to stop; returns how many there were.
fn ask(engine: &LiveEngine, leads: &[String], stop: &AtomicBool, seed: u64) -> usize {
    let mut random = Numbers(seed);
    let mut n = 0;
    let mut open: Vec<String> = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        // Most leads have closed.
        let some = if random.below(4) == 0 || open.is_empty() {
            leads
        } else {
            &open
        };
        let lead = &some[random.below(some.len() as u64) as usize].clone();
        match random.below(40) {
            0 => {
                let query = QueueQuery {
                    limit: 50,
                    search: (random.below(2) == 0).then(|| "1".to_owned()),
                    ..QueueQuery::default()
                };
                match engine.queue(&query) {
                    Ok(queue) => {
                        n += queue.rows.len();
                        open = queue.rows.into_iter().map(|row| row.score.lead).collect();
                    }
                    Err(NoScore::NotReady) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            1 => n += usize::from(engine.lead(lead).is_ok()),
            2 => {
                let at = "2025-05-01T10:00:00Z";
                let lead = json!({"lead_id": "raw", "created_at": at, "seats": random.below(90),
                    "activities": {"touches": [{"at": at, "touch_type": "webinar"}]}});
                engine.score_raw(&lead).expect("a lead that can be meant");
                n += 1;
            }
            _ => match engine.score(lead) {
                Ok(score) => {
                    n += 1;
                    let sum: f64 = score.reasons.iter().map(|reason| reason.log_odds).sum();
                    assert!((score.baseline + sum - score.log_odds).abs() < 1e-9);
                }
                Err(NoScore::NotOpen { .. } | NoScore::Unknown(_) | NoScore::Waiting(_)) => {}
                Err(
                    error @ (NoScore::Refused(_)
                    | NoScore::NotReady
                    | NoScore::Away(_)
                    | NoScore::Failed(_)),
                ) => {
                    panic!("{error:?}")
                }
            },
        }
    }
    n
}

#[test]
fn answers_are_the_bits_of_the_tables_and_what_changed_is_found() {
    let made = Made::new(2_000, 11);
    let store = Arc::new(made.create_store("events.store"));
    let end = made.arrivals.last().expect("rows").0;
    let begin = made
        .arrivals
        .partition_point(|(arrival, _)| *arrival < end - 200 * DAY);
    made.append(&store, &made.arrivals[..begin]);
    let n_answers = AtomicUsize::new(0);
    {
        let options = EngineOptions {
            reload_every: Duration::from_secs(3),
            poll_every: Duration::from_millis(100),
            refresh_every: Some(Duration::from_millis(500)),
            ..EngineOptions::new(made.config.clone(), Arc::clone(&store), made.clock())
        };
        let engine = LiveEngine::open(options).expect("an engine");
        assert_eq!(engine.model().id, made.models[0]);
        // Before there is a queue, scores are there.
        assert!(made.leads.iter().any(|lead| engine.score(lead).is_ok()));
        wait_until("there is a queue", || engine.ready().is_ok());
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _end = AtEnd(&stop);
            for seed in 0..2 {
                let (engine, stop, leads, n_answers) = (&engine, &stop, &made.leads, &n_answers);
                scope.spawn(move || {
                    n_answers.fetch_add(ask(engine, leads, stop, seed), Ordering::SeqCst);
                });
            }
            let later = &made.arrivals[begin..];
            for (number, chunk) in later.chunks(later.len().div_ceil(150)).enumerate() {
                if number == 75 {
                    made.promote(1);
                }
                made.set_clock(chunk.last().expect("a chunk has a row").0);
                let mut rows: Vec<Value> = chunk.iter().map(|(_, row)| row.clone()).collect();
                rows.reverse();
                let events = engine.read_events(&rows).expect("rows that can be meant");
                engine.append(events, Box::new(|done| assert!(done.is_ok(), "{done:?}")));
                std::thread::sleep(Duration::from_millis(80));
            }
            wait_until("the new champion serves", || {
                engine.model().id == made.models[1]
            });
            std::thread::sleep(Duration::from_millis(500));
        });
        let state = engine.state();
        assert_eq!(state.trouble, None);
        assert!(state.n_open.is_some_and(|n_open| n_open > 30), "{state:?}");
    }
    store.settle().expect("a store");
    let report = replayed(&made, &made.config, &store);
    assert_eq!(report.n_differ, 0, "{}", report.text());
    assert!(report.is_confirmed(), "{}", report.text());
    assert!(report.n >= n_answers.load(Ordering::SeqCst));
    assert!(report.n > 1_000, "{}", report.text());
    found(&made, &store);
}

/// Changes that a replay finds.
fn found(made: &Made, store: &Store) {
    let is_touch = |event: &NewEvent| event.table == "activities.touches";
    // An event is missing.
    let removed = copy(made, store, "removed.store", |number, event| {
        (number % 10 != 3 || !is_touch(&event)).then_some(event)
    });
    check_found(made, &removed, "removed.store", &["rows", "features"]);
    // A row has another value.
    let changed = copy(made, store, "changed.store", |number, mut event| {
        if number % 10 == 3 && is_touch(&event) {
            let text = event.row.replace("webinar", "email");
            event.row = text;
        }
        Some(event)
    });
    check_found(made, &changed, "changed.store", &["rows", "features"]);
    // A copy with all rows is the same.
    let same = copy(made, store, "same.store", |_, event| Some(event));
    let report = replayed(made, &config_of(made, "same.store"), &same);
    assert_eq!(report.n_differ, 0, "{}", report.text());
    drop(same);
    let segment = shorten(&made.folder.path().join("answers"));
    fields_are_found(made, store, &segment);
    columns_are_found(made, store, &segment);
}

/// A line with another value in one field; `None` where it lacks the field.
fn mutated(line: &str, lines: &[&str], field: &str, random: &mut Numbers) -> Option<String> {
    let read = |line: &str| -> Value { serde_json::from_str(line).expect("an answer") };
    let mut answer = read(line);
    let value = answer.get(field)?.clone();
    let flip = |text: &Value, random: &mut Numbers| {
        let text = text.as_str().expect("digits");
        let place = random.below(text.len() as u64) as usize;
        let digit = if &text[place..=place] == "0" {
            "1"
        } else {
            "0"
        };
        json!(format!("{}{digit}{}", &text[..place], &text[place + 1..]))
    };
    answer[field] = match field {
        // Of another refresh, whose tiers began elsewhere. (Where they began at the same place, the
        // answer is the same by both.)
        "edges_of" => {
            // A model that has learned next to nothing has the same likelihood for all, and no tiers.
            if line.contains("\"7ff0000000000000\"") {
                return None;
            }
            let others = lines.iter().map(|line| read(line));
            let others = others.filter(|other| other["model"] == answer["model"]);
            let mut others = others.filter(|other| other[field].is_i64());
            let other = others.find(|other| other["edges"] != answer["edges"])?;
            other[field].clone()
        }
        // Nothing may have changed in a millionth of a second, but that is not when it was asked.
        "at" => json!(value.as_i64().expect("a moment") - 1),
        "lead" => json!("nobody"),
        "percent" => json!(value.as_f64().expect("a number") + 0.1),
        "tier" => json!(if value == "Low" { "Medium" } else { "Low" }),
        "edges" => {
            let which = random.below(3) as usize;
            let mut edges = value.clone();
            edges[which] = flip(&value[which], random);
            edges
        }
        "model" | "log_odds" | "likelihood" | "input" | "features" => flip(&value, random),
        "raw" => {
            let mut raw = value.clone();
            raw["seats"] = json!(1_000);
            raw
        }
        other => panic!("`{other}` is a field that nobody changes here"),
    };
    Some(answer.to_string())
}

/// What the report shows of a field that was changed; of the others, that there is no such model, or
/// no such lead.
fn shown_of(field: &str, is_raw: bool) -> Option<&'static str> {
    match field {
        "log_odds" => Some("log-odds"),
        "at" | "input" | "raw" => Some("rows"),
        "edges" | "edges_of" => Some("edges"),
        "likelihood" => Some("likelihood"),
        "percent" => Some("percent"),
        "tier" => Some("tier"),
        "features" => Some("features"),
        "lead" => Some(if is_raw { "  lead: " } else { "nobody" }),
        _ => None,
    }
}

/// Leaves a few hundred answers in one file, some of them of leads that were in no table.
fn shorten(log: &Path) -> PathBuf {
    let segments = leadscore_live::segments_of(log).expect("files");
    let texts = segments
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a file"));
    let text: String = texts.collect();
    let (raw, others): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.contains("\"raw\":"));
    fn some(lines: Vec<&str>, n: usize) -> impl Iterator<Item = &str> {
        let step = lines.len().div_ceil(n);
        lines.into_iter().step_by(step)
    }
    let kept: Vec<&str> = some(raw, 50).chain(some(others, 300)).collect();
    for path in &segments[1..] {
        std::fs::remove_file(path).expect("a file");
    }
    std::fs::write(&segments[0], kept.join("\n") + "\n").expect("a file");
    segments[0].clone()
}

/// Each field of a line is found, of leads of the tables and of others, and a line that is none.
fn fields_are_found(made: &Made, store: &Store, segment: &Path) {
    let mut random = Numbers(3);
    let text = std::fs::read_to_string(segment).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    let read = |line: &str| -> serde_json::Map<String, Value> {
        serde_json::from_str(line).expect("an answer")
    };
    let fields: BTreeSet<(bool, String)> = lines
        .iter()
        .map(|line| read(line))
        .flat_map(|answer| {
            let is_raw = answer.contains_key("raw");
            answer.into_iter().map(move |(field, _)| (is_raw, field))
        })
        .collect();
    assert_eq!(fields.len(), 12 + 11, "{fields:?}");
    for (is_raw, field) in fields {
        let of_kind =
            (0..lines.len()).filter(|number| lines[*number].contains("\"raw\":") == is_raw);
        let candidates: Vec<(usize, String)> = of_kind
            .filter_map(|number| {
                Some((number, mutated(lines[number], &lines, &field, &mut random)?))
            })
            .collect();
        let some = random.below(candidates.len() as u64) as usize;
        let (number, line) = candidates.get(some).unwrap_or_else(|| panic!("{field}"));
        let mut changed: Vec<&str> = lines.clone();
        changed[*number] = line;
        std::fs::write(segment, changed.join("\n") + "\n").expect("a file");
        let report = replayed(made, &made.config, store);
        let text = report.text();
        let n_unknown: usize = report.unknown_models.values().sum();
        let n_found = report.n_differ + report.n_damaged + report.n_unknown_leads + n_unknown;
        assert_eq!(
            (report.n, n_found, report.is_confirmed()),
            (lines.len(), 1, false),
            "{field} of {}: {text}",
            lines[*number]
        );
        let shown = shown_of(&field, is_raw);
        assert!(
            shown.is_none_or(|shown| text.contains(shown)),
            "{field}: {text}"
        );
        if let Some(found) = report.differing.first() {
            assert_eq!(found.line, number + 1);
        }
    }
    std::fs::write(segment, format!("{{\"at\":\n{text}")).expect("a file");
    let report = replayed(made, &made.config, store);
    assert_eq!(
        (report.n_differ, report.n_damaged, report.is_confirmed()),
        (0, 1, false),
        "{}",
        report.text()
    );
    std::fs::write(segment, text).expect("a file");
}

/// Each column of a row behind an answer is found when it is changed in the database, whatever table
/// the row is of.
fn columns_are_found(made: &Made, store: &Store, segment: &Path) {
    let text = std::fs::read_to_string(segment).expect("a file");
    let answers = text.lines().filter(|line| !line.contains("\"raw\":"));
    let answers: Vec<Value> = answers
        .map(|line| serde_json::from_str(line).expect("an answer"))
        .collect();
    let scan = |table: &str| {
        let mut rows = Vec::new();
        let all = store.scan(table, leadscore::Timestamp::MAX, |row| rows.push(row));
        all.expect("a store");
        rows
    };
    let leads = scan("leads");
    for table in [
        "leads",
        "activities.touches",
        "activities.visits",
        "lookups.accounts",
    ] {
        let rows = scan(table);
        let behind = answers.iter().find_map(|answer| {
            let (lead, at) = (answer["lead"].as_str()?, answer["at"].as_i64()?);
            let account = leads.iter().find_map(|row| {
                let cells: Value = serde_json::from_str(&row.row).ok()?;
                let is_own = row.entity.id() == lead;
                is_own.then(|| cells["account_id"].as_str().map(str::to_owned))?
            });
            let is_of = |id: &str| id == lead || Some(id) == account.as_deref();
            let mut seen = rows.iter().filter(|row| row.recorded.micros() + 1 < at);
            seen.find(|row| is_of(row.entity.id()))
        });
        let row = behind.unwrap_or_else(|| panic!("an answer read rows of {table}"));
        for column in columns_of(&made.folder.path().join("events.store")) {
            let change = match column.as_str() {
                // The number is found where it changes the order of the rows behind an answer.
                "seq" => "seq = 0",
                "id" => "id = id || 'x'",
                "table_id" => "table_id = (SELECT id FROM tables WHERE name = 'activities.web')",
                "entity" => "entity = entity || 'x'",
                "at" => "at = at + 1",
                "recorded" => "recorded = recorded + 1",
                "row" => "row = row || ' '",
                other => panic!("`{other}` is a column that nobody changes here"),
            };
            let is_found = column != "seq";
            let copy = made.folder.path().join("mutated.store");
            store.backup(&copy).expect("room");
            {
                let database = rusqlite::Connection::open(&copy).expect("a database");
                let statement = format!("UPDATE settled SET {change} WHERE seq = {}", row.seq);
                let n_rows = database.execute(&statement, []).expect("a statement");
                assert_eq!(n_rows, 1, "{statement}");
            }
            let mutated = Store::open_read(&copy).expect("a store");
            let report = try_replay(made, &config_of(made, "mutated.store"), &mutated);
            match report {
                Ok(report) => {
                    let text = report.text();
                    let has_rows = report.n_differ > 0 && text.contains("  rows: ");
                    assert!(has_rows || !is_found, "{column} of {table}: {text}");
                }
                // Rows of a lookup in a table of events are no tables at all.
                Err(error) => {
                    assert!(
                        is_found && column == "table_id",
                        "{column} of {table}: {error}"
                    );
                    assert!(error.to_string().contains(&row.id), "{error}");
                }
            }
            drop(mutated);
            std::fs::remove_file(copy).expect("a file");
        }
    }
}

/// The columns of the table that settled rows are in.
fn columns_of(store: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(store).expect("a database");
    let mut columns = database
        .prepare("SELECT name FROM pragma_table_info('settled')")
        .expect("a statement");
    let names = columns.query_map([], |row| row.get(0)).expect("columns");
    names.map(|name| name.expect("a name")).collect()
}

fn check_found(made: &Made, store: &Store, name: &str, fields: &[&str]) {
    let report = replayed(made, &config_of(made, name), store);
    assert!(report.n_differ > 0, "{}", report.text());
    let has = |field: &str| {
        let mut found = report.differing.iter().flat_map(|found| &found.fields);
        found.any(|found| found.field == field)
    };
    for field in fields {
        assert!(has(field), "{field}: {}", report.text());
    }
}

/// A copy of a store by its events, changed by `change`; `None` leaves an event out.
fn copy(
    made: &Made,
    from: &Store,
    name: &str,
    change: impl Fn(usize, NewEvent) -> Option<NewEvent>,
) -> Store {
    // The store's own time may be ahead of its clock.
    made.set_clock(made.now() + DAY);
    let to = made.create_store(name);
    let (mut seq, mut number) = (0, 0);
    loop {
        let events = from.since(seq, 5_000).expect("a store");
        let Some(last) = events.last() else {
            return to;
        };
        seq = last.seq;
        let copies: Vec<NewEvent> = events
            .into_iter()
            .filter_map(|event| {
                number += 1;
                let copy = NewEvent {
                    id: event.id,
                    table: event.table,
                    entity: event.entity,
                    at: event.at,
                    recorded: Some(event.recorded),
                    row: event.row,
                };
                change(number - 1, copy)
            })
            .collect();
        to.append(copies).expect("room");
    }
}

/// The config with another store.
fn config_of(made: &Made, name: &str) -> Config {
    let text = made.config.text().replace("events.store", name);
    Config::parse(text, made.config.path()).expect("a config")
}
