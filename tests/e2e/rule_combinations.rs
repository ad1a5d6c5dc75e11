//! Rules that combine conditions, sequences, days, resets and steps of decay: random files against
//! a slow reference that knows only lists of events, the look-ahead proof over them, what
//! contradicts itself, and the schemes of marketing tools over their own columns.
#![allow(missing_docs, reason = "tests")]

use std::fmt::Write as _;

use leadscore_config::Config;
use leadscore_core::{Snapshot, Span, Timestamp};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_io::load;
use leadscore_rules::{BoundRules, PointsScore, RulesFile};
use leadscore_tests::{folder_with, here, leadscore, succeed};

const CONFIG: &str = r#"
[data]
repeated_rows = 1.0
contradicting_changes = 1.0
unmatched_rows = 1.0
[leads]
path = "leads.csv"
ends = "2021-06-01"
id = "id"
created_at = "created"
attributes = ["role", "seats"]
[activities.visits]
path = "visits.csv"
ends = "2021-06-01"
lead = "lead"
at = "at"
recorded_at = "recorded"
kind = ["what"]
[activities.forms]
path = "forms.csv"
ends = "2021-06-01"
lead = "lead"
at = "at"
recorded_at = "recorded"
kind = ["what"]
[outcomes]
path = "deals.csv"
ends = "2021-06-01"
lead = "lead"
closed_at = "closed"
[snapshots]
observation_end = "2021-01-01"
"#;

const TABLES: [&str; 2] = ["visits", "forms"];
const KINDS: [&str; 3] = ["a", "b", "c"];
const ROLES: [&str; 3] = ["ceo", "staff", "student"];
const N_LEADS: usize = 6;
/// Hours from 2020-01-01 in which things happen.
const LAST: i64 = 24 * 120;

/// Numbers that look random, the same ones in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).expect("31 bits") % n
    }

    fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(i64::try_from(values.len()).expect("few")) as usize]
    }

    fn maybe<T>(&mut self, n: i64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.one_in(n) {
            Some(make(self))
        } else {
            None
        }
    }
}

/// Times in hours.
#[derive(Debug, Clone)]
struct Event {
    table: usize,
    lead: usize,
    at: i64,
    recorded: i64,
    kind: usize,
}

#[derive(Debug, Clone)]
struct World {
    leads: Vec<(Option<usize>, Option<i64>)>,
    events: Vec<Event>,
}

fn event(dice: &mut Dice, from: i64) -> Event {
    // Times meet often: at noon and midnight of few days.
    let at = from + 12 * dice.below((LAST - from) / 12);
    Event {
        table: dice.of(&[0, 1]),
        lead: dice.of(&[0, 1, 2, 3, 4]),
        at,
        recorded: at
            + if dice.one_in(4) {
                12 * dice.below(40)
            } else {
                0
            },
        kind: dice.of(&[0, 1, 2]),
    }
}

fn world(dice: &mut Dice) -> World {
    World {
        leads: (0..N_LEADS)
            .map(|_| {
                (
                    Some(dice.below(4) as usize).filter(|role| *role < 3),
                    Some(dice.below(5)).filter(|seats| *seats > 0),
                )
            })
            .collect(),
        events: (0..150).map(|_| event(dice, 0)).collect(),
    }
}

fn moment(hours: i64) -> Timestamp {
    Timestamp::from_micros(
        Timestamp::from_ymd(2020, 1, 1).expect("exists").micros() + hours * 3_600_000_000,
    )
}

fn time(hours: i64) -> String {
    let naive = moment(hours).naive().expect("within the calendar");
    naive.format("%Y-%m-%dT%H:%M:%S").to_string()
}

fn tables(world: &World) -> Tables {
    let mut leads = "id,created,role,seats\n".to_owned();
    for (idx, (role, seats)) in world.leads.iter().enumerate() {
        let role = role.map_or("", |role| ROLES[role]);
        let seats = seats.map(|seats| seats.to_string()).unwrap_or_default();
        let _ = writeln!(leads, "L{idx},2019-12-01T00:00:00,{role},{seats}");
    }
    let mut texts = [
        "lead,at,recorded,what\n".to_owned(),
        "lead,at,recorded,what\n".to_owned(),
    ];
    for event in &world.events {
        let _ = writeln!(
            texts[event.table],
            "L{},{},{},{}",
            event.lead,
            time(event.at),
            time(event.recorded),
            KINDS[event.kind]
        );
    }
    let folder = folder_with(&[
        ("leads.csv", &leads),
        ("visits.csv", &texts[0]),
        ("forms.csv", &texts[1]),
        ("deals.csv", "lead,closed\n"),
    ]);
    let config = Config::parse(CONFIG).expect("a config");
    load(&config, folder.path(), &LoadOptions::default()).expect("tables")
}

/// Conditions as the reference has them: it never sees the text that the crate reads.
#[derive(Debug, Clone, Default)]
struct Node {
    look: Option<Look>,
    all: Option<Vec<Node>>,
    any: Option<Vec<Node>>,
    none: Option<Vec<Node>>,
}

#[derive(Debug, Clone)]
enum Look {
    /// Whether the role is one of these, or none of these.
    Role {
        is_in: bool,
        roles: Vec<usize>,
    },
    RoleMissing(bool),
    SeatsFrom(i64),
    Events(Events),
}

#[derive(Debug, Clone)]
struct Events {
    table: usize,
    kind: Option<usize>,
    within: Option<i64>,
    at_least: Option<u32>,
    at_most: Option<u32>,
    per_day: bool,
    /// Table, kind, days.
    then: Option<(usize, Option<usize>, Option<i64>)>,
    reset: Option<(usize, usize)>,
    /// 0 for not asked, 1 for its table, 2 for all.
    nothing_else: i64,
}

#[derive(Debug, Clone)]
struct Rule {
    node: Node,
    points: i64,
    per_event: bool,
    every: Option<u32>,
    max_events: Option<u32>,
    cap: Option<i64>,
    /// Steps of days and quarters that are kept.
    steps: Vec<(i64, i64)>,
    /// Half after every so many days.
    halves: Option<i64>,
}

fn events(dice: &mut Dice) -> Events {
    let per_day = dice.one_in(4);
    let at_most = if per_day {
        None
    } else {
        dice.maybe(4, |dice| dice.below(3) as u32)
    };
    let then = dice.maybe(3, |dice| {
        (
            dice.of(&[0, 1]),
            dice.maybe(2, |dice| dice.of(&[0, 1, 2])),
            dice.maybe(2, |dice| 1 + dice.below(20)),
        )
    });
    Events {
        table: dice.of(&[0, 1]),
        kind: dice.maybe(2, |dice| dice.of(&[0, 1, 2])),
        within: dice.maybe(2, |dice| 5 + dice.below(50)),
        at_least: dice
            .maybe(3, |dice| 1 + dice.below(4) as u32)
            .filter(|least| at_most.is_none_or(|most| *least <= most)),
        at_most,
        per_day,
        reset: dice.maybe(4, |dice| (dice.of(&[0, 1]), dice.of(&[0, 1, 2]))),
        nothing_else: if dice.one_in(3) {
            dice.below(if then.is_some() { 2 } else { 3 })
        } else {
            0
        },
        then,
    }
}

fn look(dice: &mut Dice) -> Look {
    match dice.below(6) {
        0 => Look::Role {
            is_in: dice.one_in(2),
            roles: (0..=dice.below(2)).map(|_| dice.of(&[0, 1, 2])).collect(),
        },
        1 => Look::RoleMissing(dice.one_in(2)),
        2 => Look::SeatsFrom(dice.below(5)),
        _ => Look::Events(events(dice)),
    }
}

fn node(dice: &mut Dice, depth: i64) -> Node {
    let combines = depth > 0 && dice.one_in(2);
    if !combines {
        return Node {
            look: Some(look(dice)),
            ..Node::default()
        };
    }
    let list = |dice: &mut Dice| -> Vec<Node> {
        (0..=dice.below(2)).map(|_| node(dice, depth - 1)).collect()
    };
    let mut made = Node {
        look: dice.maybe(2, look),
        all: dice.maybe(2, list),
        any: dice.maybe(2, list),
        none: dice.maybe(2, list),
    };
    if made.look.is_none() && made.all.is_none() && made.any.is_none() && made.none.is_none() {
        made.any = Some(list(dice));
    }
    made
}

fn rule(dice: &mut Dice) -> Rule {
    let node = node(dice, 2);
    let points = [-400, -7, 3, 10, 64, 1500][dice.below(6) as usize];
    let mut rule = Rule {
        node,
        points,
        per_event: false,
        every: None,
        max_events: None,
        cap: None,
        steps: Vec::new(),
        halves: None,
    };
    if let Some(Look::Events(events)) = &rule.node.look {
        if events.at_most.is_none() {
            match dice.below(3) {
                0 if !events.per_day => rule.per_event = true,
                1 if events.at_least.is_none() => rule.every = Some(2 + dice.below(3) as u32),
                _ => {}
            }
        }
        rule.max_events = dice.maybe(3, |dice| 1 + dice.below(4) as u32);
        rule.cap = dice.maybe(4, |dice| points.abs() + dice.below(100));
        match dice.below(3) {
            0 => rule.steps = vec![(10, 3), (10 + 1 + dice.below(20), 2), (60, dice.below(2))],
            1 => rule.halves = Some(1 + dice.below(30)),
            _ => {}
        }
    }
    rule
}

/// The keys of a node in TOML.
fn keys(node: &Node) -> Vec<String> {
    let mut keys = Vec::new();
    match &node.look {
        None => {}
        Some(Look::Role { is_in, roles }) => {
            let roles: Vec<&str> = roles.iter().map(|role| ROLES[*role]).collect();
            keys.push("attribute = \"role\"".to_owned());
            keys.push(match (is_in, roles.len()) {
                (true, 1) => format!("equals = {:?}", roles[0]),
                (true, _) => format!("in = {roles:?}"),
                (false, 1) => format!("not_equals = {:?}", roles[0]),
                (false, _) => format!("not_in = {roles:?}"),
            });
        }
        Some(Look::RoleMissing(missing)) => {
            keys.push("attribute = \"role\"".to_owned());
            keys.push(format!("missing = {missing}"));
        }
        Some(Look::SeatsFrom(seats)) => {
            keys.push("attribute = \"seats\"".to_owned());
            keys.push(format!("min = {seats}"));
        }
        Some(Look::Events(events)) => keys.extend(event_keys(events)),
    }
    for (key, nodes) in [("all", &node.all), ("any", &node.any), ("none", &node.none)] {
        if let Some(nodes) = nodes {
            let parts: Vec<String> = nodes
                .iter()
                .map(|node| format!("{{ {} }}", self::keys(node).join(", ")))
                .collect();
            keys.push(format!("{key} = [{}]", parts.join(", ")));
        }
    }
    keys
}

fn event_keys(events: &Events) -> Vec<String> {
    let mut keys = vec![format!("activity = {:?}", TABLES[events.table])];
    keys.extend(events.kind.map(|kind| format!("kind = {:?}", KINDS[kind])));
    keys.extend(events.within.map(|days| format!("within = \"{days}d\"")));
    keys.extend(events.at_least.map(|n| format!("at_least = {n}")));
    keys.extend(events.at_most.map(|n| format!("at_most = {n}")));
    keys.extend(events.per_day.then(|| "per_day = true".to_owned()));
    keys.extend(events.then.map(|(table, kind, days)| {
        let kind = kind.map_or(String::new(), |kind| format!(", kind = {:?}", KINDS[kind]));
        let days = days.map_or(String::new(), |days| format!(", within = \"{days}d\""));
        format!("then = {{ activity = {:?}{kind}{days} }}", TABLES[table])
    }));
    keys.extend(events.reset.map(|(table, kind)| {
        format!(
            "reset = {{ activity = {:?}, kind = {:?} }}",
            TABLES[table], KINDS[kind]
        )
    }));
    keys.extend(match events.nothing_else {
        1 => Some("nothing_else = true".to_owned()),
        2 => Some("nothing_else = \"all tables\"".to_owned()),
        _ => None,
    });
    keys
}

fn text(rules: &[Rule]) -> String {
    let mut text = "[score]\nbase = 1\nmin = -5000\nmax = \"none\"\n".to_owned();
    for (idx, rule) in rules.iter().enumerate() {
        let mut lines = vec![
            "[[rule]]".to_owned(),
            format!("name = \"r{idx}\""),
            format!("points = {}", rule.points),
        ];
        lines.extend(keys(&rule.node));
        lines.extend(rule.per_event.then(|| "per_event = true".to_owned()));
        lines.extend(rule.every.map(|every| format!("every = {every}")));
        lines.extend(rule.max_events.map(|n| format!("max_events = {n}")));
        lines.extend(rule.cap.map(|cap| format!("cap = {cap}")));
        lines.extend(
            rule.halves
                .map(|days| format!("decay = [{{ every = \"{days}d\", keep = 0.5 }}]")),
        );
        if !rule.steps.is_empty() {
            let steps: Vec<String> = rule
                .steps
                .iter()
                .map(|(days, quarters)| {
                    format!(
                        "{{ after = \"{days}d\", keep = {} }}",
                        *quarters as f64 / 4.0
                    )
                })
                .collect();
            lines.push(format!("decay = [{}]", steps.join(", ")));
        }
        text.push_str(&lines.join("\n"));
        text.push('\n');
    }
    text
}

/// What was known of a lead before a moment, oldest first.
fn seen(world: &World, lead: usize, now: i64, table: usize) -> Vec<Event> {
    let mut seen: Vec<Event> = world
        .events
        .iter()
        .filter(|event| {
            event.table == table && event.lead == lead && event.at < now && event.recorded < now
        })
        .cloned()
        .collect();
    seen.sort_by_key(|event| event.at);
    seen
}

/// The times of the events that count, oldest first; `None` where the condition does not hold.
fn counted(world: &World, lead: usize, now: i64, asked: &Events, least: u32) -> Option<Vec<i64>> {
    let reset = asked.reset.and_then(|(table, kind)| {
        let of_kind = seen(world, lead, now, table)
            .into_iter()
            .filter(|event| event.kind == kind);
        of_kind.map(|event| event.at).max()
    });
    let counts_from = |event: &Event| {
        asked.within.is_none_or(|days| event.at >= now - 24 * days)
            && reset.is_none_or(|reset| event.at >= reset)
    };
    let (mut times, mut n_others) = (Vec::new(), 0);
    for event in seen(world, lead, now, asked.table)
        .iter()
        .filter(|event| counts_from(event))
    {
        let followed = asked.then.is_none_or(|(table, kind, days)| {
            seen(world, lead, now, table).iter().any(|next| {
                next.at > event.at
                    && kind.is_none_or(|kind| next.kind == kind)
                    && days.is_none_or(|days| next.at <= event.at + 24 * days)
            })
        });
        if followed && asked.kind.is_none_or(|kind| event.kind == kind) {
            times.push(event.at);
        } else {
            n_others += 1;
        }
    }
    if asked.nothing_else == 2 {
        let other = seen(world, lead, now, 1 - asked.table);
        n_others += other.iter().filter(|event| counts_from(event)).count();
    }
    if asked.per_day {
        let all = times.clone();
        times.retain(|time| {
            !all.iter()
                .any(|other| other > time && other / 24 == time / 24)
        });
        times.dedup();
    }
    let n = times.len() as u32;
    let holds = n >= least
        && asked.at_most.is_none_or(|most| n <= most)
        && (asked.nothing_else == 0 || n_others == 0);
    holds.then_some(times)
}

fn least(asked: &Events, every: Option<u32>) -> u32 {
    match (asked.at_least, every, asked.at_most) {
        (Some(least), ..) => least,
        (None, Some(every), _) => every,
        (None, None, Some(_)) => 0,
        (None, None, None) => 1,
    }
}

fn holds(world: &World, lead: usize, now: i64, node: &Node) -> bool {
    let (role, seats) = world.leads[lead];
    let look = match &node.look {
        None => true,
        Some(Look::Role { is_in, roles }) => {
            role.is_some_and(|role| roles.contains(&role)) == *is_in
        }
        Some(Look::RoleMissing(missing)) => role.is_none() == *missing,
        Some(Look::SeatsFrom(from)) => seats.is_some_and(|seats| seats >= *from),
        Some(Look::Events(asked)) => counted(world, lead, now, asked, least(asked, None)).is_some(),
    };
    look && combined(world, lead, now, node)
}

fn combined(world: &World, lead: usize, now: i64, node: &Node) -> bool {
    let holds = |node: &Node| holds(world, lead, now, node);
    node.all
        .as_ref()
        .is_none_or(|nodes| nodes.iter().all(holds))
        && node
            .any
            .as_ref()
            .is_none_or(|nodes| nodes.iter().any(holds))
        && node
            .none
            .as_ref()
            .is_none_or(|nodes| !nodes.iter().any(holds))
}

fn weight(rule: &Rule, age: i64) -> f64 {
    if let Some(days) = rule.halves {
        let mut weight = 1.0;
        for _ in 0..age / (24 * days) {
            weight /= 2.0;
        }
        return weight;
    }
    let reached = rule.steps.iter().rev().find(|(days, _)| age >= 24 * days);
    reached.map_or(1.0, |(_, quarters)| *quarters as f64 / 4.0)
}

/// The points of a rule; `None` where it does not apply.
fn points(world: &World, lead: usize, now: i64, rule: &Rule) -> Option<f64> {
    let Some(Look::Events(asked)) = &rule.node.look else {
        return holds(world, lead, now, &rule.node).then_some(rule.points as f64);
    };
    let times = counted(world, lead, now, asked, least(asked, rule.every))?;
    if !combined(world, lead, now, &rule.node) {
        return None;
    }
    let mut paid: Vec<i64> = match rule.every {
        None => times.clone(),
        Some(every) => (1..=times.len())
            .filter(|number| number % every as usize == 0)
            .map(|number| times[number - 1])
            .collect(),
    };
    paid.reverse();
    let is_repeated = rule.per_event || asked.per_day || rule.every.is_some();
    paid.truncate(if is_repeated {
        rule.max_events.map_or(usize::MAX, |n| n as usize)
    } else {
        1
    });
    let share: f64 = if times.is_empty() {
        1.0
    } else {
        paid.iter().map(|at| weight(rule, now - at)).sum()
    };
    let points = rule.points as f64 * share;
    Some(
        rule.cap
            .map_or(points, |cap| points.min(cap as f64).max(-cap as f64)),
    )
}

fn bind(tables: &Tables, text: &str) -> BoundRules {
    let file = RulesFile::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    // A table may lack a kind that the file names.
    BoundRules::of_part(file, tables, &[])
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
        .0
}

fn snapshots(tables: &Tables, now: &[i64]) -> Vec<(usize, i64, Snapshot)> {
    let mut all = Vec::new();
    for lead in 0..N_LEADS {
        let id = format!("L{lead}");
        let place = tables
            .leads
            .ids
            .iter()
            .position(|known| *known == id)
            .expect("there") as u32;
        all.extend(now.iter().map(|&hours| {
            (
                lead,
                hours,
                Snapshot {
                    lead: place,
                    at: moment(hours),
                },
            )
        }));
    }
    all
}

fn bits(score: &PointsScore) -> (u64, Vec<(usize, u64)>, Option<usize>) {
    let parts = score
        .contributions
        .iter()
        .map(|part| (part.rule, part.points.to_bits()));
    (
        score.points.to_bits(),
        parts.collect(),
        score.disqualified_by,
    )
}

/// 500 files of four rules in 25 worlds, each at 6 leads × 8 moments.
#[test]
fn random_files_agree_with_a_slow_reference_and_see_no_future() {
    let mut dice = Dice(20_26);
    let (mut n_applied, mut n_not, mut n_noticed) = (0_usize, 0_usize, 0_usize);
    for _ in 0..25 {
        let world = world(&mut dice);
        let now: Vec<i64> = (0..8).map(|_| 12 * dice.below(LAST / 12 + 20)).collect();
        let whole = tables(&world);
        let asked = snapshots(&whole, &now);
        let keys: Vec<Snapshot> = asked.iter().map(|(.., snapshot)| *snapshot).collect();
        // What was not known at the first of these moments happens otherwise.
        let cut = now[0];
        let mut other = world.clone();
        other
            .events
            .retain(|event| event.at < cut && event.recorded < cut);
        other.events.extend(
            (0..80)
                .map(|_| event(&mut dice, cut.min(LAST - 24)))
                .filter(|event| event.at >= cut),
        );
        let poisoned = tables(&other);
        for _ in 0..20 {
            let rules: Vec<Rule> = (0..4).map(|_| rule(&mut dice)).collect();
            let text = text(&rules);
            let found = bind(&whole, &text)
                .score(&whole, &keys)
                .expect("computable");
            for ((lead, hours, _), score) in asked.iter().zip(&found) {
                let each: Vec<Option<f64>> = rules
                    .iter()
                    .map(|rule| points(&world, *lead, *hours, rule))
                    .collect();
                let parts: Vec<(usize, u64)> = each
                    .iter()
                    .enumerate()
                    .filter_map(|(idx, points)| Some((idx, (*points)?)))
                    .filter(|(_, points)| *points != 0.0)
                    .map(|(idx, points)| (idx, points.to_bits()))
                    .collect();
                let sum = 1.0 + each.iter().flatten().sum::<f64>();
                n_applied += parts.len();
                n_not += rules.len() - parts.len();
                assert_eq!(
                    bits(score),
                    (sum.max(-5000.0).to_bits(), parts, None),
                    "lead L{lead} at {}\n{text}",
                    time(*hours)
                );
            }
            let after = bind(&poisoned, &text)
                .score(&poisoned, &keys)
                .expect("computable");
            for (((lead, hours, _), before), after) in asked.iter().zip(&found).zip(&after) {
                if *hours == cut {
                    assert_eq!(
                        bits(before),
                        bits(after),
                        "L{lead} at {}\n{text}",
                        time(cut)
                    );
                } else if *hours > cut {
                    n_noticed += usize::from(bits(before) != bits(after));
                }
            }
        }
    }
    assert!(n_applied > 10_000 && n_not > 10_000, "{n_applied} {n_not}");
    assert!(
        n_noticed > 1000,
        "a poison that nobody notices tests nothing: {n_noticed}"
    );
}

/// The midnights of crossings are what each day's score says.
#[test]
fn crossings_of_combined_rules_are_what_each_day_said() {
    let mut dice = Dice(7);
    let world = world(&mut dice);
    let whole = tables(&world);
    let mut n_reached = 0;
    for _ in 0..10 {
        let rules: Vec<Rule> = (0..4).map(|_| rule(&mut dice)).collect();
        let text = format!("{}[thresholds]\nmql = 20\n", text(&rules));
        let bound = bind(&whole, &text);
        let thresholds = bound.file().thresholds();
        let leads: Vec<u32> = (0..N_LEADS as u32).collect();
        let found = bound
            .crossings(&whole, &leads, moment(LAST), &thresholds)
            .expect("computable");
        for lead in leads {
            let mut at = Timestamp::from_ymd(2019, 12, 2).expect("exists");
            let mut first = None;
            while at <= moment(LAST) {
                let score = bound
                    .score(&whole, &[Snapshot { lead, at }])
                    .expect("computable");
                if score[0].points >= 20.0 {
                    first = first.or(Some(at));
                }
                at = at + Span::from_days(1);
            }
            n_reached += usize::from(first.is_some());
            assert_eq!(found[lead as usize][0].first, first, "{text}");
        }
    }
    assert!(n_reached > 10, "{n_reached}");
}

#[test]
fn what_contradicts_itself_is_refused_at_its_place() {
    let check = |keys: &str, expected: &str, place: &str| {
        let text = format!("[[rule]]\nname = \"r\"\npoints = 5\n{keys}\n");
        let error = RulesFile::parse(&text).expect_err(&text);
        let said = format!("{error} {}", error.help.as_deref().unwrap_or_default());
        assert!(said.contains(expected), "{keys}: {said}");
        let span = error
            .span
            .clone()
            .unwrap_or_else(|| panic!("no place: {error}"));
        assert!(
            text[span.clone()].contains(place),
            "{keys}: {}",
            &text[span]
        );
    };
    for (keys, expected, place) in [
        ("all = []", "its `all` is empty", "r"),
        (
            "min = 5\nall = [{ activity = \"a\" }]",
            "neither `attribute`, `feature` nor `activity`",
            "r",
        ),
        (
            "per_event = true\nany = [{ activity = \"a\" }]",
            "neither `attribute`, `feature` nor `activity`",
            "r",
        ),
        (
            "all = [{ attribute = \"a\" }]",
            "no condition on what it looks at",
            "{ attribute",
        ),
        (
            "any = [{ activity = \"a\", attribute = \"b\", equals = 1 }]",
            "one of `attribute`",
            "{ activity",
        ),
        (
            "none = [{ all = [{ activity = \"a\", at_least = 3, at_most = 2 }] }]",
            "`at_least` lies above",
            "{ activity",
        ),
        (
            "all = [{ activity = \"a\", points = 3 }]",
            "points",
            "points",
        ),
        (
            "all = [{ attribute = \"a\", equals = 1, not_equals = 2 }]",
            "or several",
            "{ attribute",
        ),
        (
            "attribute = \"a\"\nequals = 1\nthen = { activity = \"b\" }",
            "keys of an activity",
            "r",
        ),
        (
            "attribute = \"a\"\nequals = 1\nreset = { activity = \"b\" }",
            "keys of an activity",
            "r",
        ),
        (
            "attribute = \"a\"\nequals = 1\nper_day = true",
            "keys of an activity",
            "r",
        ),
        (
            "activity = \"a\"\nper_event = true\nper_day = true",
            "keep one: ",
            "r",
        ),
        (
            "activity = \"a\"\nper_event = true\nevery = 3",
            "keep one: ",
            "r",
        ),
        ("activity = \"a\"\nevery = 1", "its `every` is 1", "r"),
        (
            "activity = \"a\"\nevery = 5\nat_least = 3",
            "`at_least` lies below its `every`",
            "r",
        ),
        (
            "activity = \"a\"\nevery = 5\nat_most = 9",
            "has an `at_most`",
            "r",
        ),
        (
            "activity = \"a\"\nthen = { activity = \"b\", within = \"0d\" }",
            "a length of zero",
            "{ activity",
        ),
        (
            "activity = \"a\"\nthen = { activity = \"b\", where = { x = { } } }",
            "`where` has no condition",
            "{ activity",
        ),
        (
            "activity = \"a\"\nnothing_else = \"all tables\"\nthen = { activity = \"b\" }",
            "nothing else in all tables",
            "r",
        ),
        (
            "activity = \"a\"\nnothing_else = \"everything\"",
            "\"all tables\"",
            "everything",
        ),
        (
            "activity = \"a\"\nhalf_life = \"3d\"\ndecay = [{ every = \"3d\", keep = 0.5 }]",
            "two kinds of decay",
            "r",
        ),
        ("activity = \"a\"\ndecay = []", "`decay` is empty", "r"),
        (
            "activity = \"a\"\ndecay = [{ after = \"3d\", keep = 1 }]",
            "keeps 1, which is not a share",
            "r",
        ),
        (
            "activity = \"a\"\ndecay = [{ keep = 0.5 }]",
            "one of `after` and `every`",
            "r",
        ),
        (
            "activity = \"a\"\ndecay = [{ after = \"3d\", keep = 0.5 }, { every = \"3d\", keep = 0.2 }]",
            "steps and an `every`",
            "r",
        ),
        (
            "activity = \"a\"\ndecay = [{ after = \"9d\", keep = 0.5 }, { after = \"3d\", keep = 0.2 }]",
            "not in order",
            "r",
        ),
        (
            "activity = \"a\"\ndecay = [{ after = \"9d\", keep = 0.5 }, { after = \"12d\", keep = 0.5 }]",
            "not in order",
            "r",
        ),
        (
            "activity = \"a\"\n[score]\nmax = \"nothing\"",
            "number of points or \"none\"",
            "nothing",
        ),
    ] {
        check(keys, expected, place);
    }
}

#[test]
fn schemes_of_marketing_tools_hold_over_their_own_columns() {
    let products = here()
        .parent()
        .expect("the project")
        .join("docs/recipes/products");
    let mut n_files = 0;
    for product in std::fs::read_dir(products).expect("a folder") {
        let folder = product.expect("a folder").path();
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("a file").path();
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            if !name.ends_with(".toml") || name == "leadscore.toml" {
                continue;
            }
            let output = leadscore(&folder, &["rules", "check", &name, "--as-of", "2026-03-01"]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{}: {said}", path.display());
            assert!(!said.contains("apply to any"), "{}: {said}", path.display());
            let file = RulesFile::parse(&std::fs::read_to_string(&path).expect("readable"))
                .expect("rules");
            assert!(file.examples.len() >= 3, "{}", path.display());
            n_files += 1;
        }
    }
    assert_eq!(n_files, 5);
}

/// A combined rule is explained by what it asks for, and a table of the past is what each day said.
#[test]
fn a_combined_rule_is_explained_and_has_a_history() {
    let hubspot = here()
        .parent()
        .expect("the project")
        .join("docs/recipes/products/hubspot");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for entry in std::fs::read_dir(hubspot).expect("a folder") {
        let path = entry.expect("a file").path();
        std::fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("room");
    }
    let said = succeed(
        folder.path(),
        &[
            "rules",
            "explain",
            "rules.toml",
            "101",
            "--as-of",
            "2026-03-01",
        ],
    );
    for expected in [
        "\"decides and reads the prices\" applies: pages \"pricing\" within 30d, and all of (jobtitle contains \"CEO\")",
        "\"read the prices, then asked for a demo\" applies: pages \"pricing\" then forms \"demo\" within 7d",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    succeed(
        folder.path(),
        &["rules", "history", "rules.toml", "-o", "history.csv"],
    );
    let history = std::fs::read_to_string(folder.path().join("history.csv")).expect("written");
    let mut n_days = 0;
    for row in history.lines().skip(1) {
        let day = row.split(',').nth(1).expect("a day");
        succeed(
            folder.path(),
            &[
                "rules",
                "score",
                "rules.toml",
                "--as-of",
                day,
                "-o",
                "then.csv",
            ],
        );
        let then = std::fs::read_to_string(folder.path().join("then.csv")).expect("written");
        let known = row.rsplitn(3, ',').nth(2).expect("label and maturity");
        assert!(then.lines().any(|line| line == known), "{known}\n{then}");
        n_days += 1;
    }
    assert!(n_days >= 4, "{history}");
}
