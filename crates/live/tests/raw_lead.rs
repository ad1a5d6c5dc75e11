//! A lead that is in no table has the same bits without frames as by them and as the same lead in a
//! store, however it is written.

#[expect(dead_code, reason = "worlds are disturbed by other tests")]
mod world;

use std::fmt::Write as _;
use std::sync::Arc;

use leadscore::{Config, Data, Inputs, LeadReader, RawLead, TrainOptions};
use leadscore_core::{Span, Timestamp};
use leadscore_live::{Door, LiveScorer};
use leadscore_serve::{FieldError, NoScore};
use leadscore_store::{Entity, StoredEvent};
use serde_json::{Map, Value, json};

use world::{Dice, World, at};

const MOMENT: &str = "2025-06-15T08:00:00Z";

/// The model that the tables of a config make as of a day.
fn trained(config: &Config, day: &str) -> Arc<leadscore_inference::Model> {
    let data = Data::open(config, Inputs::default()).expect("files");
    let trained = leadscore::train(&data.as_of(at(day)), &TrainOptions::default());
    Arc::new(trained.expect("enough leads").into_model())
}

/// Both roads have the same answer where the short one has any.
fn check(reader: &LeadReader, lead: &Value, rows: &[StoredEvent], moment: Timestamp) -> bool {
    let beside = reader.beside_raw(lead);
    let rows = rows.iter().filter(|row| beside.contains(&row.entity));
    let rows: Vec<StoredEvent> = rows.cloned().collect();
    let without = reader
        .read_raw_without_frames(lead, moment, &rows)
        .expect("what the model reads");
    let Some(RawLead { id, row }) = without else {
        return false;
    };
    let by_frames = reader
        .read_raw_by_frames(lead, moment, &rows)
        .unwrap_or_else(|error| panic!("{}\n{lead:#}", leadscore::error_words(&error)));
    assert_eq!(id, by_frames.id);
    if !row.matrix.bit_equal(&by_frames.row.matrix) {
        for (idx, spec) in reader.model().specs.iter().enumerate() {
            let value = |read: &leadscore::LeadRow| {
                let level = read.matrix.level(0, idx).map(str::to_owned);
                (level, read.matrix.values()[[0, idx]].to_string())
            };
            let (short, long) = (value(&row), value(&by_frames.row));
            assert_eq!(short, long, "`{}` of {lead:#}", spec.name);
        }
        panic!("the matrices differ for {lead:#}");
    }
    assert_eq!(row.age.to_bits(), by_frames.row.age.to_bits());
    assert_eq!(row.outside, by_frames.row.outside);
    assert_eq!(row.is_held_back, by_frames.row.is_held_back);
    true
}

/// A moment before now in one of the ways in which people write it.
fn time(dice: &mut Dice, moment: Timestamp) -> Value {
    let before = Span::from_micros(dice.next(90 * 86_400) as i64 * 1_000_000 + 1);
    let text = (moment - before).to_string();
    let day = &text[..10];
    let clock = text.get(11..16).unwrap_or("00:00");
    match dice.next(60) {
        0 => json!(day),
        1 => json!(format!("{day}T{clock}")),
        2 => json!(format!("{day} {clock}:01")),
        3 => json!(format!("{day}T{clock}:00+05:30")),
        4 => json!(format!(" {day}T{clock}:00Z ")),
        5 => json!(format!("{}/{}/{}", &day[8..], &day[5..7], &day[..4])),
        6 => json!(1_749_000_000),
        7 => json!("soon"),
        8 => json!("1899-01-01"),
        9 => json!("2031-01-01T00:00:00Z"),
        10 => Value::Null,
        11 => json!("n/a"),
        _ => json!(text),
    }
}

/// A value of a column, mostly of those given.
fn value(dice: &mut Dice, usual: &[Value]) -> Value {
    let odd = [
        json!(null),
        json!(""),
        json!(" "),
        json!("n/a"),
        json!("NULL"),
        json!("-"),
        json!("?"),
        json!(0),
        json!(-1),
        json!(7),
        json!(0.5),
        json!(3.0),
        json!(1e300),
        json!(u64::MAX),
        json!("3"),
        json!("007"),
        json!(" 12 "),
        json!("99999999999999999999"),
        json!("3,5"),
        json!("1.000"),
        json!("(4)"),
        json!("12 %"),
        json!("inf"),
        json!(true),
        json!(false),
        json!("Ünïcode"),
        json!(" web "),
        json!("WEB"),
        json!([]),
        json!(["a", "b"]),
        json!({}),
        json!({"a": 1}),
    ];
    if dice.next(20) == 0 {
        odd[dice.next(odd.len() as u64) as usize].clone()
    } else {
        usual[dice.next(usual.len() as u64) as usize].clone()
    }
}

/// Adds a key that is not known, or takes one away, now and then.
fn disturb(dice: &mut Dice, object: &mut Map<String, Value>) {
    match dice.next(150) {
        0 => drop(object.insert("nobody knows".to_owned(), json!(1))),
        1 | 2 => {
            let keys: Vec<String> = object.keys().cloned().collect();
            if !keys.is_empty() {
                object.remove(&keys[dice.next(keys.len() as u64) as usize]);
            }
        }
        _ => {}
    }
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else {
        panic!("{value} is no object")
    };
    object
}

/// A lead of the simulated CRM.
fn lead_of_crm(dice: &mut Dice, moment: Timestamp) -> Value {
    let mut lead = object(json!({
        "lead_id": value(dice, &[json!("L1"), json!("x-9"), json!(17)]),
        "created_at": time(dice, moment),
        "source": value(dice, &[json!("web"), json!("referral"), json!("event")]),
        "seats": value(dice, &[json!(12), json!(3), json!(2.5)]),
    }));
    let mut of_table = |columns: &[(&str, &[Value])], has_recorded: bool| -> Value {
        let n_rows = dice.next(5) * dice.next(4);
        let rows = (0..n_rows).map(|_| {
            let mut row = Map::new();
            row.insert("at".to_owned(), time(dice, moment));
            if has_recorded && dice.next(2) == 0 {
                row.insert("recorded_at".to_owned(), time(dice, moment));
            }
            for (column, usual) in columns {
                row.insert((*column).to_owned(), value(dice, usual));
            }
            if dice.next(20) == 0 {
                row.insert("lead_id".to_owned(), value(dice, &[json!("L1")]));
            }
            disturb(dice, &mut row);
            Value::Object(row)
        });
        Value::Array(rows.collect())
    };
    let kinds = [json!("call"), json!("email_open"), json!("meeting")];
    let activities = json!({
        "touches": of_table(&[("touch_type", &kinds)], true),
        "web": of_table(&[("page_views", &[json!(3)]), ("minutes", &[json!(1.5)])], true),
        "sales": of_table(&[("activity_type", &kinds)], true),
    });
    let mut activities = object(activities);
    disturb(dice, &mut activities);
    lead.insert("activities".to_owned(), Value::Object(activities));
    disturb(dice, &mut lead);
    Value::Object(lead)
}

#[test]
fn leads_of_a_crm_are_read_as_frames_are() {
    let world = World::simulated(1_500);
    let model = trained(&world.config, "2025-04-01");
    let reader = LeadReader::new(&world.config, model, &[]).expect("ready");
    let moment = at(MOMENT);
    let mut dice = Dice(5);
    let n_short = (0..4_000)
        .filter(|_| check(&reader, &lead_of_crm(&mut dice, moment), &[], moment))
        .count();
    assert!(n_short > 400, "{n_short} leads were read without frames");
}

/// A CRM with accounts, lookups, dates, sets and an attribute whose changes count.
fn crm_with_accounts(folder: &std::path::Path) -> Config {
    let mut dice = Dice(3);
    let mut leads = "id,made,acct,plan,size,renewal,tags,industry_id\n".to_owned();
    let mut deals = "id,closed,stage\n".to_owned();
    let mut visits = "acct,at,pages,kind\n".to_owned();
    let mut calls = "id,at,minutes,seen\n".to_owned();
    let begin = at("2023-01-01");
    let plans = ["free", "pro", "team"];
    for number in 0..900 {
        let made = begin + Span::from_micros(dice.next(800 * 86_400_000_000) as i64);
        let size = dice.next(100);
        let renewal = (made + Span::from_days(dice.next(300) as u32)).to_string();
        writeln!(
            leads,
            "L{number},{made},A{},{},{size},{},{};{},{}",
            number % 300,
            plans[dice.next(3) as usize],
            &renewal[..10],
            ["red", "blue"][dice.next(2) as usize],
            ["x", "y"][dice.next(2) as usize],
            dice.next(6)
        )
        .expect("a text");
        let ends = made + Span::from_days(20 + dice.next(60) as u32);
        let is_won = dice.next(100) < 15 + size / 2;
        let stage = if is_won { "won" } else { "lost" };
        if ends < at("2025-05-01") {
            writeln!(deals, "L{number},{ends},{stage}").expect("a text");
        }
        for _ in 0..dice.next(4) {
            let day = made + Span::from_micros(dice.next(20 * 86_400_000_000) as i64);
            writeln!(visits, "A{},{day},{},web", number % 300, dice.next(9)).expect("a text");
            writeln!(calls, "L{number},{day},{},{day}", dice.next(30)).expect("a text");
        }
    }
    let mut accounts = "acct,region,staff\n".to_owned();
    for number in 0..300 {
        let region = ["north", "south"][number % 2];
        writeln!(accounts, "A{number},{region},{}", number % 40).expect("a text");
    }
    let industries =
        "id,name,growth\n0,steel,0.5\n1,wood,1.5\n2,food,\n3,n/a,2\n4,oil,-1\n5,tin,4\n";
    for (name, text) in [
        ("leads.csv", leads.as_str()),
        ("deals.csv", &deals),
        ("visits.csv", &visits),
        ("calls.csv", &calls),
        ("industries.csv", industries),
        ("accounts.csv", &accounts),
    ] {
        std::fs::write(folder.join(name), text).expect("room on the disk");
    }
    let text = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "made"
account = "acct"
types = { renewal = "days", tags = { set = ";" } }

[outcomes]
path = "deals.csv"
lead = "id"
closed_at = "closed"
result = "stage"
won = ["won"]
lost = ["lost"]

[activities.visits]
path = "visits.csv"
account = "acct"
at = "at"
kind = ["kind"]
values = ["pages"]

[activities.calls]
path = "calls.csv"
lead = "id"
at = "at"
recorded_at = "seen"
values = ["minutes"]

[lookups.industries]
path = "industries.csv"
key = "id"
leads_key = "industry_id"

[lookups.accounts]
path = "accounts.csv"
key = "acct"

[features]
families = ["attributes", "created", "age", "history", "counts", "values", "active_days", "latest"]

[operation]
holdback = 0.3
"#;
    Config::parse(text.to_owned(), folder.join("leadscore.toml")).expect("a config")
}

/// A lead of the CRM with accounts.
fn lead_of_accounts(dice: &mut Dice, moment: Timestamp) -> Value {
    let mut lead = object(json!({
        "id": value(dice, &[json!("L1"), json!("new")]),
        "made": time(dice, moment),
        "acct": value(dice, &[json!("A1"), json!("A2"), json!("A999")]),
        "plan": value(dice, &[json!("pro"), json!("free"), json!("other")]),
        "size": value(dice, &[json!(12), json!(99)]),
        "renewal": time(dice, moment),
        "tags": value(dice, &[json!("red;x"), json!("blue"), json!("; ;x;x"), json!("green;red")]),
        "industry_id": value(dice, &[json!(0), json!(1), json!("2"), json!(9)]),
    }));
    let mut events = |columns: &[(&str, &[Value])], key: &str| -> Value {
        let n_rows = dice.next(4) * dice.next(3);
        let rows = (0..n_rows).map(|_| {
            let mut row = Map::new();
            row.insert("at".to_owned(), time(dice, moment));
            for (column, usual) in columns {
                row.insert((*column).to_owned(), value(dice, usual));
            }
            if dice.next(8) == 0 {
                row.insert(key.to_owned(), value(dice, &[json!("A1"), json!("L1")]));
            }
            disturb(dice, &mut row);
            Value::Object(row)
        });
        Value::Array(rows.collect())
    };
    let mut activities = object(json!({
        "visits": events(&[("pages", &[json!(3)]), ("kind", &[json!("web"), json!(4)])], "acct"),
        "calls": events(&[("minutes", &[json!(3), json!(2.5)])], "id"),
    }));
    disturb(dice, &mut activities);
    lead.insert("activities".to_owned(), Value::Object(activities));
    if dice.next(3) == 0 {
        let mut lookups = Map::new();
        if dice.next(2) == 0 {
            let mut entry = object(json!({
                "name": value(dice, &[json!("steel"), json!("glass")]),
                "growth": value(dice, &[json!(0.5), json!(2)]),
            }));
            if dice.next(3) == 0 {
                entry.insert("id".to_owned(), value(dice, &[json!(0), json!(1)]));
            }
            disturb(dice, &mut entry);
            lookups.insert("industries".to_owned(), Value::Object(entry));
        }
        if dice.next(2) == 0 {
            let entry = json!({"region": value(dice, &[json!("north")]), "staff": 4});
            lookups.insert("accounts".to_owned(), entry);
        }
        lead.insert("lookups".to_owned(), Value::Object(lookups));
    }
    disturb(dice, &mut lead);
    Value::Object(lead)
}

#[test]
fn leads_with_accounts_and_lookups_are_read_as_frames_are() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = crm_with_accounts(folder.path());
    let model = trained(&config, "2025-02-01");
    let moment = at(MOMENT);
    let mut dice = Dice(6);
    // Lookups of files alone, and one that the store has, some of whose rows come later.
    let rows = rows_of_accounts(&mut dice, moment);
    for (tables, rows) in [
        (vec![], vec![]),
        (vec!["lookups.accounts".to_owned()], rows),
    ] {
        let reader = LeadReader::new(&config, Arc::clone(&model), &tables).expect("ready");
        let n_short = (0..2_000)
            .filter(|_| check(&reader, &lead_of_accounts(&mut dice, moment), &rows, moment))
            .count();
        assert!(n_short > 200, "{n_short} leads were read without frames");
    }
}

/// Rows of some accounts, each of which changes.
fn rows_of_accounts(dice: &mut Dice, moment: Timestamp) -> Vec<StoredEvent> {
    let row = |seq: u64| {
        let key = format!("A{}", 1 + dice.next(2));
        let recorded =
            moment - Span::from_days(30) + Span::from_micros(dice.next(40 * 86_400_000_000) as i64);
        let mut cells = object(json!({
            "region": value(dice, &[json!("north"), json!("east")]),
            "staff": value(dice, &[json!(3), json!(40)]),
        }));
        // The door lets only plain values in.
        cells.retain(|_, cell| !cell.is_array() && !cell.is_object());
        cells.insert("acct".to_owned(), json!(key));
        StoredEvent {
            seq,
            id: format!("e{seq}"),
            table: "lookups.accounts".to_owned(),
            entity: Entity::Lookup {
                name: "accounts".to_owned(),
                key,
            },
            at: recorded,
            recorded,
            row: Value::Object(cells).to_string(),
        }
    };
    (1..=12).map(row).collect()
}

/// The events that say of a store's lead what a lead in no table says of itself, with the pointer
/// that each row has in it; `None` where it has parts that are no rows.
fn events_of(lead: &Value, key: &str, account: &str) -> Option<Vec<(String, Value)>> {
    let lead = lead.as_object()?;
    let mut own = lead.clone();
    own.remove("activities");
    own.remove("lookups");
    if own.values().any(|cell| cell.is_array() || cell.is_object()) {
        return None;
    }
    // A lead in no table may be nameless.
    own.get(key).filter(|id| !id.is_null())?;
    // What an account is whose ID cannot be meant is said of the lead alone.
    if own.get(account).is_some_and(Value::is_f64) {
        return None;
    }
    let mut events = vec![(String::new(), "leads".to_owned(), own)];
    for (table, rows) in lead
        .get("activities")
        .into_iter()
        .flat_map(Value::as_object)
        .flatten()
    {
        for (number, row) in rows.as_array()?.iter().enumerate() {
            let mut row = row.as_object()?.clone();
            if row.values().any(|cell| cell.is_array() || cell.is_object()) {
                return None;
            }
            let is_of_account = table == "visits";
            let whose = if is_of_account { account } else { key };
            match row.get(whose).filter(|whose| !whose.is_null()) {
                None => drop(row.insert(whose.to_owned(), lead.get(whose)?.clone())),
                // A store takes rows of any lead.
                Some(said) if Some(said) != lead.get(whose) => return None,
                Some(_) => {}
            }
            let pointer = format!("/activities/{table}/{number}");
            events.push((pointer, format!("activities.{table}"), row));
        }
    }
    if lead.contains_key("lookups") {
        return None;
    }
    let event = |(number, (pointer, table, row)): (usize, (String, String, _))| {
        let row: Map<String, Value> = row;
        (
            pointer,
            json!({"id": format!("e{number}"), "table": table, "row": row}),
        )
    };
    Some(events.into_iter().enumerate().map(event).collect())
}

/// What a lead scores in a store to which its rows were sent, or where the door refused them.
fn stored(
    scorer: &LiveScorer,
    door: &Door,
    events: Vec<(String, Value)>,
    moment: Timestamp,
) -> Result<Result<leadscore_serve::LeadScore, NoScore>, Vec<FieldError>> {
    let (pointers, events): (Vec<String>, Vec<Value>) = events.into_iter().unzip();
    let events = door.read(&events, moment).map_err(|mut errors| {
        for error in &mut errors {
            let (number, field) = error.pointer[1..].split_once('/').unwrap_or(("0", ""));
            let number: usize = number.parse().expect("the number of a row");
            let field = field.strip_prefix("row").unwrap_or(field);
            error.pointer = format!("{}{field}", pointers[number]);
        }
        errors
    })?;
    let lead = events[0].entity.id().to_owned();
    let rows: Vec<StoredEvent> = events
        .into_iter()
        .enumerate()
        .map(|(seq, event)| StoredEvent {
            seq: seq as u64,
            id: event.id,
            // A lead that is given is known.
            recorded: if event.table == "leads" {
                at("2020-01-01")
            } else {
                event.at
            },
            at: event.at,
            table: event.table,
            entity: event.entity,
            row: event.row,
        })
        .collect();
    Ok(scorer.score(&lead, moment, &rows, None))
}

/// A lead in no table scores what it would in a store, and is refused where the store refuses it.
fn check_with_store(
    config: &Config,
    model: &Arc<leadscore_inference::Model>,
    lead_of: &mut dyn FnMut() -> Value,
    (key, account): (&str, &str),
) {
    let scorer = LiveScorer::new(config, Arc::clone(model), &[]).expect("ready");
    let door = Door::new(config.settings(), Some(model), &[]).expect("ready");
    let moment = at(MOMENT);
    let (mut n_scored, mut n_refused) = (0, 0);
    for _ in 0..3_000 {
        let lead = lead_of();
        let Some(events) = events_of(&lead, key, account) else {
            continue;
        };
        let raw = scorer
            .raw_lead(&lead, moment)
            .and_then(|raw| scorer.score_raw(&raw, &[], None));
        match (stored(&scorer, &door, events, moment), raw) {
            (Ok(Ok(stored)), Ok(raw)) => {
                n_scored += 1;
                assert_eq!(
                    stored.log_odds.to_bits(),
                    raw.log_odds.to_bits(),
                    "{lead:#}"
                );
                assert_eq!(stored.feature_hash, raw.feature_hash, "{lead:#}");
                assert_eq!(stored.outside, raw.outside, "{lead:#}");
            }
            (Err(stored), Err(NoScore::Refused(raw))) => {
                n_refused += 1;
                let where_of = |errors: &[FieldError]| -> Vec<String> {
                    errors.iter().map(|error| error.pointer.clone()).collect()
                };
                let (of_store, of_raw) = (where_of(&stored), where_of(&raw));
                // What is wrong with an owner is said once, of the lead.
                let is_owner =
                    |pointer: &str| [key, account].iter().any(|of| pointer.ends_with(of));
                for pointer in &of_store {
                    let is_said = of_raw.contains(pointer) || is_owner(pointer);
                    assert!(is_said, "{pointer} {raw:?}\n{lead:#}");
                }
            }
            // A lead that is not open has no score by either road.
            (Ok(Err(_)), Err(_)) => {}
            (stored, raw) => panic!("{stored:?}\n{raw:?}\n{lead:#}"),
        }
    }
    assert!(
        n_scored > 300 && n_refused > 300,
        "{n_scored} scored, {n_refused} refused"
    );
}

#[test]
fn leads_score_what_they_would_in_a_store() {
    let world = World::simulated(1_500);
    let model = trained(&world.config, "2025-04-01");
    let mut dice = Dice(7);
    let moment = at(MOMENT);
    let mut lead = || without_recorded(lead_of_crm(&mut dice, moment));
    check_with_store(&world.config, &model, &mut lead, ("lead_id", "none"));
}

#[test]
fn leads_with_accounts_score_what_they_would_in_a_store() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = crm_with_accounts(folder.path());
    let model = trained(&config, "2025-02-01");
    let mut dice = Dice(8);
    let moment = at(MOMENT);
    let mut lead = || lead_of_accounts(&mut dice, moment);
    check_with_store(&config, &model, &mut lead, ("id", "acct"));
}

/// The lead with activities that do not say when they were recorded, which a store says itself.
fn without_recorded(mut lead: Value) -> Value {
    let tables = lead.get_mut("activities").and_then(Value::as_object_mut);
    for rows in tables.into_iter().flat_map(Map::values_mut) {
        for row in rows.as_array_mut().into_iter().flatten() {
            row.as_object_mut().map(|row| row.remove("recorded_at"));
        }
    }
    lead
}
