//! Manual points: each kind of rule by a worked example, the past as it stood, and nothing of the
//! future.
#![allow(missing_docs, reason = "tests")]

use std::sync::Arc;

use leadscore_config::Config;
use leadscore_core::{FeatureSpec, Snapshot, Timestamp};
use leadscore_dataset::{Activities, EventRows, LoadOptions, Tables};
use leadscore_features::scoring_snapshots;
use leadscore_io::load;
use leadscore_rules::{BoundRules, PointsScore, RulesFile};
use leadscore_tests::{figure, folder_with, leadscore, small_crm, succeed};

const CONFIG: &str = r#"
[leads]
path = "leads.csv"
id = "id"
created_at = "created"
attributes = ["role", "seats"]
[activities.visits]
path = "visits.csv"
lead = "lead"
at = "at"
kind = ["page"]
values = ["minutes"]
[outcomes]
path = "deals.csv"
lead = "lead"
closed_at = "closed"
[snapshots]
observation_end = "2020-07-01"
"#;

/// One lead of each sort: a director with visits of the price page, a student, somebody silent.
fn tables() -> Tables {
    let folder = folder_with(&[
        (
            "leads.csv",
            "id,created,role,seats\na,2020-01-01T00:00:00,Sales Director,40\nb,2020-01-01T00:00:00,student,\nc,2020-01-01T00:00:00,staff,7\n",
        ),
        (
            "visits.csv",
            "lead,at,page,minutes\na,2020-03-01T00:00:00,price,12\na,2020-03-31T00:00:00,price,\na,2020-03-31T00:00:00,home,3\na,2020-04-15T00:00:00,price,30\nb,2020-04-01T00:00:00,home,1\n",
        ),
        ("deals.csv", "lead,closed\n"),
        ("leadscore.toml", CONFIG),
    ]);
    load(
        &Config::parse(CONFIG).expect("a config"),
        folder.path(),
        &LoadOptions::default(),
    )
    .expect("tables")
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_iso(text).expect("a moment").0
}

/// Every feature of these tables.
fn features(tables: &Tables) -> Vec<FeatureSpec> {
    let config = Config::parse(CONFIG).expect("a config");
    let snapshots: Vec<Snapshot> = (0..3)
        .map(|lead| Snapshot {
            lead,
            at: at("2020-06-30T00:00:00"),
        })
        .collect();
    leadscore_features::survey(tables, &snapshots)
        .plan(&config.features)
        .specs
}

fn score(tables: &Tables, rules: &str, lead: &str, moment: &str) -> PointsScore {
    let rules = BoundRules::new(
        RulesFile::parse(rules).expect("rules"),
        tables,
        &features(tables),
    )
    .expect("they fit");
    let lead = tables
        .leads
        .ids
        .iter()
        .position(|id| id == lead)
        .expect("there") as u32;
    rules
        .score(
            tables,
            &[Snapshot {
                lead,
                at: at(moment),
            }],
        )
        .expect("computable")
        .remove(0)
}

/// Points of one rule with these keys, 10 points each, for a lead at a moment.
#[track_caller]
fn check_rule(keys: &str, lead: &str, moment: &str, expected: f64) {
    let text =
        format!("[score]\nmin = -200\nmax = 500\n[[rule]]\nname = \"r\"\npoints = 10\n{keys}\n");
    let found = score(&tables(), &text, lead, moment);
    assert!(
        (found.points - expected).abs() < 1e-9,
        "{keys} {lead} {moment}: {}, expected {expected}",
        found.points
    );
}

/// What a later event is called must not change which column an earlier one is read from.
#[test]
fn kind_is_looked_for_in_every_kind_column_of_the_event_itself() {
    let config = CONFIG.replace("kind = [\"page\"]", "kind = [\"page\", \"channel\"]");
    let points = |later: &str| {
        let visits = format!(
            "lead,at,page,channel,minutes\na,2020-03-01T00:00:00,home,form,1\n{later}b,2020-03-02T00:00:00,price,mail,\n"
        );
        let folder = folder_with(&[
            (
                "leads.csv",
                "id,created,role,seats\na,2020-01-01T00:00:00,Sales Director,40\nb,2020-01-01T00:00:00,student,\nc,2020-01-01T00:00:00,staff,7\n",
            ),
            ("visits.csv", &visits),
            ("deals.csv", "lead,closed\n"),
        ]);
        let tables = load(
            &Config::parse(&config).expect("a config"),
            folder.path(),
            &LoadOptions::default(),
        )
        .expect("tables");
        score(
            &tables,
            "[[rule]]\nname = \"r\"\npoints = 10\nactivity = \"visits\"\nkind = \"form\"\n",
            "a",
            "2020-03-15T00:00:00",
        )
        .points
    };
    assert_eq!(points("").to_bits(), 10.0_f64.to_bits());
    assert_eq!(
        points("b,2020-06-01T00:00:00,form,web,\n").to_bits(),
        10.0_f64.to_bits()
    );
}

#[test]
fn rules_on_attributes() {
    let now = "2020-05-01T00:00:00";
    for (keys, of_a, of_b, of_c) in [
        ("attribute = \"role\"\nequals = \"student\"", 0.0, 10.0, 0.0),
        (
            "attribute = \"role\"\nin = [\"student\", \"staff\"]",
            0.0,
            10.0,
            10.0,
        ),
        (
            "attribute = \"role\"\ncontains = \"director\"",
            10.0,
            0.0,
            0.0,
        ),
        ("attribute = \"role\"\nmatches = \"^st\"", 0.0, 10.0, 10.0),
        ("attribute = \"seats\"\nmin = 7\nmax = 39", 0.0, 0.0, 10.0),
        ("attribute = \"seats\"\nmin = 8", 10.0, 0.0, 0.0),
        ("attribute = \"seats\"\nequals = 40", 10.0, 0.0, 0.0),
        ("attribute = \"seats\"\nmissing = true", 0.0, 10.0, 0.0),
        ("attribute = \"seats\"\nmissing = false", 10.0, 0.0, 10.0),
    ] {
        for (lead, expected) in [("a", of_a), ("b", of_b), ("c", of_c)] {
            check_rule(keys, lead, now, expected);
        }
    }
}

#[test]
fn rules_on_activities() {
    let price = "activity = \"visits\"\nkind = \"price\"\n";
    // Visits of the price page on 1 and 31 March and on 15 April; an event at the moment itself is
    // not yet known.
    for (keys, moment, expected) in [
        ("", "2020-03-01T00:00:00", 0.0),
        ("", "2020-03-01T00:00:01", 10.0),
        ("at_least = 3", "2020-04-15T00:00:00", 0.0),
        ("at_least = 3", "2020-04-16T00:00:00", 10.0),
        ("at_most = 2", "2020-04-15T00:00:00", 10.0),
        ("at_most = 2", "2020-04-16T00:00:00", 0.0),
        ("within = \"30d\"\nat_most = 0", "2020-05-16T00:00:00", 10.0),
        ("within = \"30d\"\nat_most = 0", "2020-05-15T00:00:00", 0.0),
        ("per_event = true", "2020-05-01T00:00:00", 30.0),
        (
            "per_event = true\nmax_events = 2",
            "2020-05-01T00:00:00",
            20.0,
        ),
        ("per_event = true\ncap = 25", "2020-05-01T00:00:00", 25.0),
        (
            "per_event = true\nwithin = \"31d\"",
            "2020-05-01T00:00:00",
            20.0,
        ),
        // Ten points at half a month are five after one, and none after two.
        ("monthly_decay = 0.5", "2020-03-31T00:00:00", 5.0),
        ("monthly_decay = 0.5", "2020-06-14T00:00:00", 0.0),
        // The visits of 1 and 31 March, 45 and 15 days before.
        (
            "per_event = true\nmonthly_decay = 0.5",
            "2020-04-15T00:00:00",
            2.5 + 7.5,
        ),
        ("half_life = \"15d\"", "2020-04-30T00:00:00", 5.0),
        // In the 20 days before 16 April it saw the price page and nothing else but the home page
        // of 31 March.
        (
            "within = \"20d\"\nnothing_else = true",
            "2020-04-16T00:00:00",
            0.0,
        ),
        (
            "within = \"10d\"\nnothing_else = true",
            "2020-04-16T00:00:00",
            10.0,
        ),
        (
            "per_event = true\nhalf_life = \"15d\"",
            "2020-04-15T00:00:00",
            1.25 + 5.0,
        ),
    ] {
        check_rule(&format!("{price}{keys}"), "a", moment, expected);
    }
    // Conditions on columns of events: visits of 10 minutes and more, on 1 March (12) and 15 April
    // (30).
    for (keys, expected) in [
        ("where = { minutes = { min = 10 } }\nper_event = true", 20.0),
        (
            "where = { minutes = { above = 12 } }\nper_event = true",
            10.0,
        ),
        (
            "where = { minutes = { missing = true } }\nper_event = true",
            10.0,
        ),
        (
            "where = { minutes = { min = 1 }, page = { in = [\"home\"] } }\nper_event = true",
            10.0,
        ),
        (
            "where = { page = { matches = \"^p.*e$\" } }\nper_event = true",
            30.0,
        ),
    ] {
        check_rule(
            &format!("activity = \"visits\"\n{keys}"),
            "a",
            "2020-05-01T00:00:00",
            expected,
        );
    }
    // Any feature: three visits of any page in the 30 days before 30 April.
    check_rule(
        "feature = \"visits.count.30d\"\nmin = 3",
        "a",
        "2020-04-30T00:00:00",
        10.0,
    );
    check_rule(
        "feature = \"visits.count.30d\"\nmin = 4",
        "a",
        "2020-04-30T00:00:00",
        0.0,
    );
    check_rule(
        &format!("{price}at_most = 0"),
        "c",
        "2020-05-01T00:00:00",
        10.0,
    );
}

const SCHEME: &str = r#"
[groups.fit]
cap = 25
[[rule]]
name = "director"
group = "fit"
attribute = "role"
contains = "director"
points = 20
[[rule]]
name = "seats"
group = "fit"
attribute = "seats"
min = 10
points = 15
[[rule]]
name = "price"
activity = "visits"
kind = "price"
per_event = true
points = 40
[[rule]]
name = "student"
attribute = "role"
equals = "student"
disqualifies = true
"#;

#[test]
fn caps_bounds_and_disqualification_add_up() {
    let tables = tables();
    let found = score(&tables, SCHEME, "a", "2020-05-01T00:00:00");
    let sum: f64 = found
        .contributions
        .iter()
        .map(|contribution| contribution.points)
        .sum();
    assert_eq!(
        (sum, found.group_caps, found.bounds, found.points),
        (155.0, -10.0, -45.0, 100.0)
    );
    assert_eq!(sum + found.group_caps + found.bounds, found.points);
    let student = score(&tables, SCHEME, "b", "2020-05-01T00:00:00");
    assert_eq!((student.points, student.disqualified_by), (0.0, Some(3)));
}

/// Every event from a moment on becomes another one, and the points before it stay.
#[test]
fn points_know_nothing_of_what_comes_later() {
    let before = tables();
    let rules = "[[rule]]\nname = \"price\"\nactivity = \"visits\"\nkind = \"price\"\nper_event = true\npoints = 7\nhalf_life = \"9d\"\n[[rule]]\nname = \"any\"\nactivity = \"visits\"\npoints = 3\n";
    let mut noticed = false;
    for moment in [
        "2020-03-01T00:00:00",
        "2020-03-31T00:00:00",
        "2020-04-01T00:00:00",
        "2020-04-15T00:00:00",
        "2020-06-01T00:00:00",
    ] {
        let mut poisoned = before.clone();
        let EventRows {
            owners,
            at: times,
            visible,
            mut kinds,
            values,
        } = before.activities[0].to_rows();
        for (event, time) in times
            .iter()
            .enumerate()
            .filter(|(_, time)| **time >= at(moment))
        {
            let _ = time;
            kinds[0].codes[event] = 1 - kinds[0].codes[event];
        }
        let rows = EventRows {
            owners,
            at: times,
            visible,
            kinds,
            values,
        };
        Arc::make_mut(&mut poisoned.activities)[0] = Activities::new("visits", None, 3, rows);
        for lead in ["a", "b", "c"] {
            assert_eq!(
                score(&before, rules, lead, moment),
                score(&poisoned, rules, lead, moment),
                "{lead} {moment}"
            );
            noticed |= score(&before, rules, lead, "2020-07-01T00:00:00")
                != score(&poisoned, rules, lead, "2020-07-01T00:00:00");
        }
    }
    assert!(noticed, "a poison that nobody ever notices tests nothing");
}

const MATRIX: &str = r#"
[score]
only = { attribute = "role", in = ["Sales Director", "staff"] }
[groups.fit]
[groups.engagement]
cap = 20
[[rule]]
name = "director"
group = "fit"
attribute = "role"
contains = "director"
points = 40
[[rule]]
name = "price"
group = "engagement"
activity = "visits"
kind = "price"
per_event = true
points = 10
half_life = "30d"
[thresholds]
mql = 55
[stages]
lead = 0
interested = 50
[matrix]
rows = "fit"
columns = "engagement"
row_bands = { A = 30, B = 0 }
column_bands = { 1 = 15, 2 = 5 }
cells = { A1 = "call" }
"#;

#[test]
fn a_matrix_has_cells_and_a_score_has_its_leads() {
    let tables = tables();
    let rules =
        BoundRules::new(RulesFile::parse(MATRIX).expect("rules"), &tables, &[]).expect("they fit");
    // On 16 April three visits of the price page count 10, 10/√2 and 3.5 points: 20 at most.
    let director = score(&tables, MATRIX, "a", "2020-04-16T00:00:00");
    assert_eq!(
        (director.points, director.cell),
        (
            60.0 - 20.0 + director.contributions[1].points + director.group_caps,
            Some((0, 0))
        )
    );
    assert_eq!(rules.cell((0, 0)), Some(("A1".to_owned(), Some("call"))));
    assert_eq!(rules.cell((1, 1)), Some(("B2".to_owned(), None)));
    assert!(
        score(&tables, MATRIX, "b", "2020-04-16T00:00:00")
            .points
            .is_nan(),
        "a student is not among those that have this score"
    );
    assert_eq!(
        score(&tables, MATRIX, "c", "2020-04-16T00:00:00").cell,
        None,
        "below the lowest band there is no cell"
    );
}

#[test]
fn a_threshold_has_a_day_of_crossing() {
    let tables = tables();
    let rules =
        BoundRules::new(RulesFile::parse(MATRIX).expect("rules"), &tables, &[]).expect("they fit");
    let leads: Vec<u32> = ["a", "c"]
        .iter()
        .map(|id| {
            tables
                .leads
                .ids
                .iter()
                .position(|known| known == id)
                .expect("there") as u32
        })
        .collect();
    let (thresholds, stages) = (rules.file().thresholds(), rules.file().stages());
    let bands: Vec<_> = thresholds.iter().chain(&stages).cloned().collect();
    let found = rules
        .crossings(&tables, &leads, at("2020-05-20T12:00:00"), &bands)
        .expect("computable");
    for (idx, band) in bands.iter().enumerate() {
        // By hand: the first midnight at which `score` reaches the band, and the start of the last
        // run without a day below.
        let points = |day: u32| {
            score(
                &tables,
                MATRIX,
                "a",
                &at("2020-01-01T00:00:00").days_later(day),
            )
            .points
        };
        let days: Vec<bool> = (1..=140).map(|day| points(day) >= band.from).collect();
        let first = days.iter().position(|reached| *reached);
        assert_eq!(
            found[0][idx]
                .first
                .map(|at| at.to_string()[..10].to_owned()),
            first.map(|day| at("2020-01-02T00:00:00").days_later(day as u32)[..10].to_owned()),
            "{}",
            band.name
        );
        let since = days
            .iter()
            .rposition(|reached| !*reached)
            .map_or(0, |below| below + 1);
        let is_held = days.last() == Some(&true);
        assert_eq!(found[0][idx].since.is_some(), is_held, "{}", band.name);
        if let Some(at_since) = found[0][idx].since {
            assert_eq!(
                at_since.to_string()[..10],
                at("2020-01-02T00:00:00").days_later(since as u32)[..10],
                "{}",
                band.name
            );
        }
    }
    assert_eq!(found[1][0].first, None);
    assert!(
        found[0][0].first.is_some() && found[0][0].since.is_none(),
        "the points have decayed since"
    );
}

/// A moment so many days later, as text.
trait DaysLater {
    fn days_later(self, days: u32) -> String;
}

impl DaysLater for Timestamp {
    fn days_later(self, days: u32) -> String {
        let text = (self + leadscore_core::Span::from_days(days)).to_string();
        if text.len() == 10 {
            format!("{text}T00:00:00")
        } else {
            text
        }
    }
}

/// A part of the leads may lack what others have: rules see nothing there, and say what is not
/// there.
#[test]
fn a_part_of_the_leads_may_lack_a_kind() {
    let tables = tables();
    let text = "[[rule]]\nname = \"never\"\nactivity = \"visits\"\nkind = \"webinar\"\nat_most = 0\npoints = 10\n[[rule]]\nname = \"webinar\"\nactivity = \"visits\"\nkind = \"webinar\"\npoints = 50\n[[rule]]\nname = \"town\"\nattribute = \"town\"\nmissing = true\npoints = 5\n[[rule]]\nname = \"price\"\nactivity = \"visits\"\nkind = \"price\"\npoints = 1\n";
    let file = RulesFile::parse(text).expect("rules");
    assert!(
        BoundRules::new(file.clone(), &tables, &[])
            .expect_err("not there")
            .to_string()
            .contains("there is no kind `webinar`")
    );
    let (rules, unknown) = BoundRules::of_part(file, &tables, &[]).expect("a part may");
    assert_eq!(
        unknown.iter().map(Option::is_some).collect::<Vec<_>>(),
        [true, true, true, false, false]
    );
    let lead = tables
        .leads
        .ids
        .iter()
        .position(|id| id == "a")
        .expect("there") as u32;
    assert_eq!(
        rules
            .score(
                &tables,
                &[Snapshot {
                    lead,
                    at: at("2020-05-01T00:00:00")
                }]
            )
            .expect("computable")[0]
            .points,
        16.0
    );
    // Where nobody has the attribute that says whose score it is, nobody has the score.
    let text = format!("[score]\nonly = {{ attribute = \"town\", equals = \"Bonn\" }}\n{text}");
    let (rules, unknown) =
        BoundRules::of_part(RulesFile::parse(&text).expect("rules"), &tables, &[])
            .expect("a part may");
    assert!(unknown.last().is_some_and(|last| {
        last.as_ref()
            .is_some_and(|error| error.to_string().contains("there is no attribute `town`"))
    }));
    assert!(
        rules
            .score(
                &tables,
                &[Snapshot {
                    lead,
                    at: at("2020-05-01T00:00:00")
                }]
            )
            .expect("computable")[0]
            .points
            .is_nan()
    );
}

#[test]
fn several_scores_side_by_side_rolled_up_to_accounts() {
    let config = CONFIG.replace(
        "attributes = [\"role\", \"seats\"]",
        "attributes = [\"role\", \"seats\"]\naccount = \"company\"",
    );
    let folder = folder_with(&[
        ("leadscore.toml", &config),
        (
            "leads.csv",
            "id,created,role,seats,company\na,2020-01-01,Sales Director,40,X\nb,2020-01-01,student,,X\nc,2020-01-01,staff,7,Y\nd,2020-01-01,staff,9,\n",
        ),
        (
            "visits.csv",
            "lead,at,page,minutes\na,2020-03-01T00:00:00,price,12\nb,2020-04-01T00:00:00,home,1\nc,2020-04-02T00:00:00,price,1\n",
        ),
        ("deals.csv", "lead,closed\n"),
        (
            "fit.toml",
            "[score]\nname = \"fit\"\n[[rule]]\nname = \"seats\"\nattribute = \"seats\"\nmin = 1\npoints = 30\n[thresholds]\nmql = 30\n",
        ),
        (
            "act.toml",
            "[score]\nname = \"act\"\n[[rule]]\nname = \"visit\"\nactivity = \"visits\"\npoints = 10\n[[rule]]\nname = \"s\"\nattribute = \"role\"\nequals = \"student\"\ndisqualifies = true\n",
        ),
    ]);
    let run = |more: &[&str]| {
        let args: Vec<&str> = [
            "rules",
            "score",
            "fit.toml",
            "act.toml",
            "--as-of",
            "2020-05-01",
        ]
        .iter()
        .chain(more)
        .copied()
        .collect();
        succeed(folder.path(), &args);
        std::fs::read_to_string(folder.path().join("points.csv")).expect("written")
    };
    let text = run(&[]);
    assert!(text.starts_with("id,as_of,fit,fit_threshold,fit_disqualified_by,fit_rules,act,act_disqualified_by,act_rules"), "{text}");
    assert!(
        text.contains("a,2020-05-01,30,mql,,seats +30,10,,visit +10"),
        "{text}"
    );
    for (how, x, y) in [
        ("max", "30", "30"),
        ("sum", "30", "30"),
        ("mean", "15", "30"),
    ] {
        let text = run(&["--roll-up", how]);
        assert_eq!(
            text.lines().next(),
            Some("company,as_of,n_leads,fit_threshold,fit,act")
        );
        let row = |name: &str| {
            text.lines()
                .find(|line| line.starts_with(name))
                .expect("an account")
                .to_owned()
        };
        // Whoever is disqualified does not count: the student's visit is in no sum.
        assert!(
            row("X,").ends_with(&format!(
                ",2,{},{x},10",
                if how == "mean" { "" } else { "mql" }
            )),
            "{how} {text}"
        );
        assert!(
            row("Y,").ends_with(&format!(",1,mql,{y},10")),
            "{how} {text}"
        );
    }
    let text = run(&["--crossings"]);
    assert!(
        text.lines()
            .next()
            .expect("a header")
            .ends_with("fit_mql_first,fit_mql_since"),
        "{text}"
    );
    assert!(text.contains("2020-01-0"), "{text}");
    let output = leadscore(folder.path(), &["rules", "score", "fit.toml", "fit.toml"]);
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("two files of rules have a score named `fit`")
    );
}

#[test]
fn a_score_is_not_called_as_another_column() {
    let folder = small_crm();
    let error = |files: &[&str], command: &str| {
        let output = leadscore(folder.path(), &[&["rules", command], files].concat());
        assert_eq!(output.status.code(), Some(2), "{files:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let write = |file: &str, name: &str, more: &str| {
        let text = format!(
            "[score]\nname = \"{name}\"\n[[rule]]\nname = \"web\"\nattribute = \"source\"\nequals = \"web\"\npoints = 20\n{more}"
        );
        std::fs::write(folder.path().join(file), text).expect("written");
    };
    for name in [
        "id",
        "as_of",
        "grade",
        "threshold",
        "cell",
        "action",
        "rules",
        "disqualified_by",
        "label",
        "mature",
        "stage",
        "hot_since",
        "n_leads",
    ] {
        write("points.toml", name, "[thresholds]\nhot = 20\n");
        for command in ["score", "history", "check"] {
            let said = error(&["points.toml"], command);
            assert!(
                said.contains(&format!("the score is named `{name}`"))
                    && said.contains("give [score] another `name`"),
                "{said}"
            );
            // With the line and a caret.
            assert!(said.contains("name = "), "{said}");
        }
    }
    // Of two files, the columns of one have its name in front.
    write("points.toml", "fit", "[grades]\nA = 20\n");
    write("other.toml", "fit_grade", "");
    assert!(
        error(&["points.toml", "other.toml"], "score").contains(
            "the score is named `fit_grade`, which is a column of the score in points.toml"
        )
    );
    write("other.toml", "other", "");
    succeed(
        folder.path(),
        &["rules", "score", "points.toml", "other.toml"],
    );
    // A threshold may make two columns of one name with the stages.
    write(
        "points.toml",
        "fit",
        "[thresholds]\nstage = 20\n[stages]\nready = 10\n",
    );
    assert!(
        error(&["points.toml"], "score")
            .contains("points.toml makes a column `stage_since`, which is a column of the score")
    );
}

#[test]
fn the_command_scores_explains_and_points_at_what_is_wrong() {
    let folder = small_crm();
    let rules = "[[rule]]\nname = \"web\"\nattribute = \"source\"\nequals = \"web\"\npoints = 30\n[[rule]]\nname = \"page\"\nactivity = \"visits\"\nkind = \"page\"\npoints = 25\n[thresholds]\nmql = 30\n[grades]\nA = 50\nB = 20\n";
    std::fs::write(folder.path().join("rules.toml"), rules).expect("room");
    succeed(
        folder.path(),
        &["rules", "score", "rules.toml", "--as-of", "2020-05-01"],
    );
    let text = std::fs::read_to_string(folder.path().join("points.csv")).expect("written");
    let rows: Vec<&str> = text.lines().skip(1).collect();
    let config = Config::parse(
        &std::fs::read_to_string(folder.path().join("leadscore.toml")).expect("there"),
    )
    .expect("a config");
    let tables = load(&config, folder.path(), &LoadOptions::default()).expect("tables");
    assert_eq!(
        rows.len(),
        scoring_snapshots(&tables, at("2020-05-01T00:00:00"))
            .at_risk
            .len()
    );
    assert!(
        rows.iter().any(|row| row.ends_with(",30,B,mql,,web +30")),
        "{text}"
    );
    let id = rows
        .iter()
        .find(|row| row.ends_with(",25,B,,,page +25"))
        .and_then(|row| row.split(',').next())
        .expect("a lead that saw a page");
    let said = succeed(
        folder.path(),
        &[
            "rules",
            "explain",
            "rules.toml",
            id,
            "--as-of",
            "2020-05-01",
        ],
    );
    assert!(
        said.contains("5 points to `mql`") && said.contains("grade B"),
        "{said}"
    );
    let said = succeed(
        folder.path(),
        &["rules", "check", "rules.toml", "--as-of", "2020-05-01"],
    );
    assert!(said.contains("web") && said.contains("+30"), "{said}");
    // The past as it stood: what `score` says as of each day.
    succeed(
        folder.path(),
        &["rules", "history", "rules.toml", "-o", "history.csv"],
    );
    let history = std::fs::read_to_string(folder.path().join("history.csv")).expect("written");
    for day in ["2020-03-01", "2020-05-01"] {
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
        let mut expected: Vec<&str> = then.lines().skip(1).collect();
        let mut found: Vec<String> = history
            .lines()
            .filter(|row| row.contains(day))
            .map(|row| {
                row.rsplitn(3, ',')
                    .nth(2)
                    .expect("label and maturity")
                    .to_owned()
            })
            .collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert!(!expected.is_empty());
        assert_eq!(found, expected);
    }
    // Examples in the file: one that holds, and two that do not, each pointed at.
    let example = |lead: &str, points: u32| {
        format!("{rules}[[example]]\nlead = \"{lead}\"\nas_of = 2020-05-01\npoints = {points}\n")
    };
    for (text, holds, expected) in [
        (example(id, 25), true, ""),
        (
            example(id, 26),
            false,
            "has 25 points, and the example expects 26",
        ),
        (example("L999", 1), false, "there is no lead `L999`"),
    ] {
        std::fs::write(folder.path().join("examples.toml"), text).expect("room");
        let output = leadscore(
            folder.path(),
            &["rules", "check", "examples.toml", "--as-of", "2020-05-01"],
        );
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(i32::from(!holds)), "{said}");
        assert!(
            said.contains(expected) && (holds || said.contains("examples.toml:")),
            "{said}"
        );
    }
    for (from, to, expected) in [
        ("\"source\"", "\"sorce\"", "there is no attribute `sorce`"),
        (
            "attribute = \"source\"\nequals = \"web\"",
            "feature = \"visits.cont.30d\"\nmin = 1",
            "did you mean `visits.count.30d`?",
        ),
        (
            "kind = \"page\"",
            "kind = \"pages\"",
            "did you mean `page`?",
        ),
        ("equals = \"web\"", "min = 3", "`source` is no number"),
        ("mql = 30", "mql = 500", "which no lead can have"),
        (
            "A = 50\nB = 20",
            "A = 50\nB = 50",
            "`A` and `B` overlap: both begin at 50",
        ),
        (
            "equals = \"web\"",
            "matches = \"we(b\"",
            "`matches` is not a regular expression",
        ),
        (
            "kind = \"page\"",
            "where = { pag = { min = 3 } }",
            "there is no column `pag`",
        ),
        (
            "[[rule]]\nname = \"web\"",
            "[groups.fit]\ncap = 20\n[[rule]]\nname = \"web\"\ngroup = \"fit\"",
            "its points lie above the cap of its group, 20",
        ),
        (
            "[grades]",
            "[matrix]\nrows = \"fit\"\ncolumns = \"fit\"\nrow_bands = { A = 1 }\ncolumn_bands = { 1 = 1 }\n[grades]",
            "names the group `fit`, which is not there",
        ),
    ] {
        std::fs::write(folder.path().join("bad.toml"), rules.replacen(from, to, 1)).expect("room");
        let output = leadscore(
            folder.path(),
            &["rules", "check", "bad.toml", "--as-of", "2020-05-01"],
        );
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(2)
                && said.contains(expected)
                && said.contains("bad.toml:"),
            "{said}"
        );
    }
}

#[test]
fn ready_files_fit_a_simulated_crm() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", "3000", "--format", "csv", "--out", "crm",
        ],
    );
    let recipes = leadscore_tests::here()
        .parent()
        .expect("the project")
        .join("docs/recipes");
    let mut n_files = 0;
    for entry in std::fs::read_dir(recipes).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            continue; // schemes over tables of their own
        }
        let said = leadscore(
            folder.path(),
            &[
                "rules",
                "check",
                &path.to_string_lossy(),
                "-c",
                "crm/leadscore.toml",
                "--as-of",
                "2025-06-01",
            ],
        );
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.status.success(), "{}: {text}", path.display());
        assert!(
            !text.contains("no rule of these applies"),
            "{}: a rule that applies to nobody shows nothing: {text}",
            path.display()
        );
        n_files += 1;
    }
    assert!(n_files >= 5);
}

/// The report compares the model with the points of rules as of each snapshot, and they are the
/// ones that `history` says.
#[test]
fn a_model_is_measured_beside_rules() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", "6000", "--format", "csv", "--out", "crm",
        ],
    );
    let recipe = leadscore_tests::here()
        .parent()
        .expect("the project")
        .join("docs/recipes/hubspot-like.toml");
    let recipe = recipe.to_string_lossy();
    succeed(
        folder.path(),
        &[
            "train",
            "-c",
            "crm/leadscore.toml",
            "--as-of",
            "2025-04-01",
            "-o",
            "model",
        ],
    );
    let said = succeed(
        folder.path(),
        &[
            "evaluate",
            "model",
            "-c",
            "crm/leadscore.toml",
            "--rules",
            &recipe,
            "--json",
            "r.json",
            "--scores",
            "s.csv",
        ],
    );
    assert!(
        said.contains("Against the manual score, on the same")
            && said.contains("(hubspot-like.toml), on the same"),
        "{said}"
    );
    let page = std::fs::read_to_string(folder.path().join("report.html")).expect("written");
    assert!(
        page.contains("hubspot-like.toml, computed as of each snapshot"),
        "the page says what was compared"
    );
    // The model's own points are rules as well, and better ones.
    let table = succeed(
        folder.path(),
        &[
            "export",
            "points",
            "model",
            "-c",
            "crm/leadscore.toml",
            "--rules",
            "60",
            "-o",
            "own.toml",
        ],
    );
    assert!(
        table.contains("the model") && table.contains(" rules "),
        "{table}"
    );
    let own = std::fs::read_to_string(folder.path().join("own.toml")).expect("written");
    let n_rules = own.matches("[[rule]]").count();
    assert!((20..=60).contains(&n_rules), "{n_rules}");
    succeed(
        folder.path(),
        &[
            "evaluate",
            "model",
            "-c",
            "crm/leadscore.toml",
            "--rules",
            "own.toml",
            "--json",
            "own.json",
            "-o",
            "own.html",
        ],
    );
    let own_auc = figure(
        folder.path(),
        "own.json",
        "comparison.scores.2.ranking.roc_auc.value",
    );
    let model_auc = figure(
        folder.path(),
        "own.json",
        "evaluation.ranking.roc_auc.value",
    );
    let auc = figure(
        folder.path(),
        "r.json",
        "comparison.scores.2.ranking.roc_auc.value",
    );
    assert!(
        own_auc > auc && own_auc < model_auc + 0.01,
        "{auc} {own_auc} {model_auc}"
    );
    assert!(
        auc > 0.55 && auc < figure(folder.path(), "r.json", "evaluation.ranking.roc_auc.value"),
        "{auc}"
    );
    succeed(
        folder.path(),
        &[
            "rules",
            "history",
            &recipe,
            "-c",
            "crm/leadscore.toml",
            "-o",
            "h.csv",
        ],
    );
    let points =
        |file: &str, key: [&str; 2], value: &str| -> std::collections::HashMap<String, f64> {
            let mut reader = csv::Reader::from_path(folder.path().join(file)).expect("readable");
            let header = reader.headers().expect("a header").clone();
            let at = |name: &str| {
                header
                    .iter()
                    .position(|found| found == name)
                    .expect("a column")
            };
            let rows = reader.records().map(|row| row.expect("a row"));
            rows.map(|row| {
                (
                    format!("{} {}", &row[at(key[0])], &row[at(key[1])]),
                    // A model is compared with points that rank who is disqualified last.
                    match header.iter().position(|name| name == "disqualified_by") {
                        Some(by) if !row[by].is_empty() => -1.0,
                        Some(_) | None => row[at(value)].parse().expect("a number"),
                    },
                )
            })
            .collect()
        };
    let (evaluated, history) = (
        points(
            "s.csv",
            ["lead_id", "snapshot"],
            "points (hubspot-like.toml)",
        ),
        points("h.csv", ["lead_id", "as_of"], "points"),
    );
    assert!(evaluated.len() > 500);
    assert!(evaluated.values().any(|points| *points == -1.0));
    for (key, points) in &evaluated {
        assert_eq!(history.get(key), Some(points), "{key}");
    }
}
