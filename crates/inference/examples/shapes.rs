//! Writes a model of every shape, the rows that it reads, and what it says of them: `shapes
//! FOLDER`.
//!
//! For each shape NAME.leadscore and NAME.json with `categories` (the features that are texts),
//! `rows` (a map from features to numbers or texts), `log_odds`, `likelihoods`, and tiers by
//! `quartiles` and by the model's own edges, `frozen`. The tests of exports run every export on
//! these.

use std::path::Path;

use leadscore_core::{
    AttributeTable, FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp,
    Unit,
};
use leadscore_inference::{
    Axis, BinsTerm, CalibrationCurve, Card, DataVerdict, LevelsTerm, LinearTerm, Model, PairTerm,
    Sufficiency, Term, quartile_edges, relative_tiers, score, tiers_by_edges, write_model,
};

type AnyError = Box<dyn std::error::Error>;

/// Rows of each shape.
const N_ROWS: usize = 240;

/// Levels that are easily written or compared wrongly: quotes, comments, escapes, ends of lines,
/// what looks like another type, letters that differ in case or composition alone, and a very long
/// one.
const LEVELS: [&str; 34] = [
    "it's",
    "''",
    "\"quoted\"",
    "`tick`",
    "back\\slash",
    "\\",
    "\\'",
    "\\n",
    "\\u0041",
    "carriage\rreturn",
    "line\nfeed",
    "both\r\nof them",
    "\r\n",
    "tab\tin it",
    "vertical\u{b}form\u{c}",
    "\u{1b}[0m",
    "\u{7f}",
    "\u{85}",
    "line\u{2028}separator\u{2029}",
    "\u{feff}mark",
    "-- comment",
    "/* comment */",
    "; SELECT 1",
    "$$ $1 ?1 :name @name %s {x}",
    "NULL",
    "1",
    "1.50",
    "TRUE",
    "Case",
    "case",
    "e\u{301}",
    "\u{e9}",
    "日本 😀",
    " blanks ",
];

/// A small generator, so that shapes are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// −1 to 1.
    fn around(&mut self) -> f64 {
        2.0 * self.uniform() - 1.0
    }
}

fn card() -> Card {
    let sufficiency = Sufficiency {
        verdict: DataVerdict::Enough,
        won_leads: 0,
        lost_leads: 0,
        n_parameters: 0,
        events_per_parameter: 0.0,
        reason: String::new(),
    };
    Card {
        model_id: String::new(),
        tool_version: "0".to_owned(),
        horizon: None,
        snapshots_from: String::new(),
        snapshots_to: String::new(),
        training_cutoff_micros: 0,
        training_cutoff: String::new(),
        ages: None,
        n_snapshots: 0,
        n_leads: 0,
        n_wins: 0,
        sufficiency,
        penalty: 1.0,
        penalty_choice: String::new(),
        fit: String::new(),
        kind: String::new(),
        certificate: None,
        challenges: Vec::new(),
        learning: None,
        evaluation: String::new(),
        metrics: Vec::new(),
        data_fingerprint: String::new(),
        limitations: Vec::new(),
    }
}

fn spec(name: &str, kind: FeatureKind) -> FeatureSpec {
    FeatureSpec {
        source: FeatureSource::Attribute {
            table: AttributeTable::Leads,
            column: name.to_owned(),
        },
        name: name.to_owned(),
        kind,
        unit: Unit::AsGiven,
    }
}

fn numbers(names: &[&str]) -> Vec<FeatureSpec> {
    names
        .iter()
        .map(|name| spec(name, FeatureKind::Number))
        .collect()
}

fn model(specs: Vec<FeatureSpec>, intercept: f64, terms: Vec<Term>) -> Model {
    Model {
        card: card(),
        specs,
        intercept,
        terms,
        tier_edges: [1.0; 3],
        counts: Vec::new(),
        covariance: None,
        calibration: None,
        data: None,
        scope: None,
        age_baseline: None,
        degrees: Vec::new(),
    }
}

fn linear(feature_idx: usize, weight: f64, range: (f64, f64)) -> Term {
    Term::Linear(LinearTerm {
        feature_idx,
        mean: 1.1,
        scale: 2.3,
        weight,
        missing: 0.07,
        average: 0.01,
        range,
    })
}

/// Edges that have no short decimal form among them.
fn edges(n: usize) -> Vec<f64> {
    (0..n)
        .map(|edge| (edge as f64 - n as f64 / 2.0) / 3.0 + 0.1)
        .collect()
}

/// Numbers whose shortest decimal form some releases of SQLite read as a neighbor.
const HARD: [f64; 6] = [
    -2.421975468233591,
    -2.217201290403503,
    -2.188194519535964,
    -2.056809102613397,
    -1.550236842839675,
    -1.031969334021411,
];

fn bins(random: &mut Random, feature_idx: usize, n_edges: usize, tilt: f64) -> Term {
    let edges = edges(n_edges);
    let centers = (0..=n_edges)
        .map(|bin| (bin as f64 - n_edges as f64 / 2.0) / 3.0 - 0.07)
        .collect();
    Term::Bins(BinsTerm {
        feature_idx,
        weights: edges
            .iter()
            .chain([&0.0])
            .map(|_| random.around())
            .collect(),
        edges,
        centers,
        tilt,
        range: (-2.7, 2.9),
        missing: -0.3,
        average: 0.02,
    })
}

fn levels(random: &mut Random, feature_idx: usize, names: &[&str], rare: &[&str]) -> Term {
    let mut levels: Vec<(String, f64)> = names
        .iter()
        .map(|name| ((*name).to_owned(), random.around()))
        .collect();
    levels.sort_by(|a, b| a.0.cmp(&b.0));
    let mut rare_levels: Vec<String> = rare.iter().map(|name| (*name).to_owned()).collect();
    rare_levels.sort();
    Term::Levels(LevelsTerm {
        feature_idx,
        levels,
        rare: 0.21,
        rare_levels,
        missing: -0.13,
        unseen: 0.05,
        average: 0.03,
    })
}

fn bins_axis(feature_idx: usize, n_edges: usize) -> Axis {
    Axis::Bins {
        feature_idx,
        edges: edges(n_edges),
    }
}

fn levels_axis(feature_idx: usize, names: &[&str]) -> Axis {
    let mut levels: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    levels.sort();
    Axis::Levels {
        feature_idx,
        levels,
    }
}

fn pair(random: &mut Random, first: Axis, second: Axis) -> Term {
    let weights = (0..first.n_cells() * second.n_cells())
        .map(|_| random.around())
        .collect();
    Term::Pair(PairTerm {
        first,
        second,
        weights,
        average: 0.0,
    })
}

/// A curve through so many knots, which bends and rises.
fn curve(n_knots: usize) -> CalibrationCurve {
    let last = n_knots as f64 - 1.0;
    let knot = |place: usize| {
        let x = 8.0 * place as f64 / last - 4.0;
        (x, 0.6 * x + 0.3 * x.sin() - 0.2)
    };
    CalibrationCurve {
        knots: (0..n_knots).map(knot).collect(),
        replicates: Vec::new(),
    }
}

/// Steps, as an isotonic curve has them: nearly level, and then steep.
fn steps() -> CalibrationCurve {
    let knots = vec![
        (-3.0, -2.5),
        (-1.0, -2.5 + 1e-6),
        (-1.0 + 1e-6, -0.9),
        (0.5, -0.9 + 1e-6),
        (0.5 + 1e-6, 1.1),
        (2.0, 1.1 + 1e-6),
    ];
    CalibrationCurve {
        knots,
        replicates: Vec::new(),
    }
}

/// Lines, levels, curves and tables over four numbers and two categories.
fn everything(random: &mut Random) -> Model {
    everything_with(random, &LEVELS)
}

fn everything_with(random: &mut Random, names: &[&str]) -> Model {
    let mut specs = numbers(&["seats", "visits.30d", "it's \"odd\"", "unread", "Größe"]);
    specs.extend(["source", "role"].map(|name| spec(name, FeatureKind::Category)));
    let terms = vec![
        linear(0, 0.7, (-2.5, 2.25)),
        bins(random, 1, 6, 0.11),
        levels(random, 5, &names[..12], &names[12..16]),
        pair(random, bins_axis(0, 3), levels_axis(6, &names[9..14])),
        linear(4, -0.4, LinearTerm::UNBOUNDED),
        pair(random, bins_axis(1, 2), bins_axis(2, 4)),
        bins(random, 2, 3, 0.0),
    ];
    model(specs, -0.8, terms)
}

fn calibrated(model: Model, curve: CalibrationCurve) -> Model {
    model.calibrated_by(curve).expect("rises")
}

fn shapes() -> Vec<(String, Model)> {
    let mut random = Random(88_172_645_463_325_252);
    let category = |name: &str| spec(name, FeatureKind::Category);
    let names = |n: usize| {
        (0..n)
            .map(|level| format!("level {level}"))
            .collect::<Vec<_>>()
    };
    let many = names(4_000);
    // Those that XML can keep.
    let printable: Vec<&str> = LEVELS
        .into_iter()
        .filter(|level| !level.contains(char::is_control))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = "long ".repeat(2_000);
    let range = (-2.5, 2.25);
    let nothing = || model(Vec::new(), -1.3, Vec::new());
    let unread = || model(numbers(&["seats", "age"]), -1.3, Vec::new());
    // Names that statements and graphs may use themselves.
    let own = [
        "x0",
        "y0",
        "x1",
        "total",
        "given",
        "added",
        "scored",
        "nothing",
        "any",
        "select",
        "sum_of_terms",
        "sum_calibrated",
        "term_1",
        "term_1_within_range",
        "term_2_step",
        "features",
        "ls_x0",
        "ls_total",
        "ls_term_1",
        " 1",
        "  2",
    ];
    let mut own_names = numbers(&own);
    own_names.push(category("term_3_first"));
    let mut own_terms: Vec<Term> = (0..own.len())
        .map(|idx| linear(idx, 0.1 * (idx as f64 - 10.0) / 7.0, range))
        .collect();
    own_terms[1] = bins(&mut random, 1, 4, 0.2);
    own_terms[2] = pair(&mut random, levels_axis(own.len(), &["a"]), bins_axis(2, 2));
    let mut shapes = vec![
        ("nothing".to_owned(), nothing()),
        (
            "nothing_shifted".to_owned(),
            nothing().recalibrated(0.4, 1.0),
        ),
        (
            "nothing_on_a_curve".to_owned(),
            calibrated(nothing(), curve(30)),
        ),
        ("unread".to_owned(), unread()),
        (
            "unread_on_a_line".to_owned(),
            unread().recalibrated(0.4, 0.8),
        ),
        (
            "lines".to_owned(),
            model(
                numbers(&["a", "b"]),
                0.2,
                vec![linear(0, 0.9, range), linear(1, -0.35, range)],
            ),
        ),
        ("lines_without_ends".to_owned(), {
            let narrow = LinearTerm {
                feature_idx: 1,
                mean: -0.2,
                scale: 0.01,
                weight: 0.35,
                missing: 0.1,
                average: 0.0,
                range: LinearTerm::UNBOUNDED,
            };
            let level = LinearTerm {
                feature_idx: 0,
                weight: 0.0,
                ..narrow.clone()
            };
            model(
                numbers(&["a", "b"]),
                0.2,
                vec![
                    linear(0, -0.9, LinearTerm::UNBOUNDED),
                    Term::Linear(narrow),
                    Term::Linear(level),
                ],
            )
        }),
        (
            "levels".to_owned(),
            model(
                vec![category("c")],
                0.1,
                vec![levels(&mut random, 0, &LEVELS[..25], &LEVELS[25..])],
            ),
        ),
        (
            "levels_long".to_owned(),
            model(
                vec![category("c")],
                0.1,
                vec![levels(&mut random, 0, &[&long, "short"], &[])],
            ),
        ),
        (
            "levels_rare_alone".to_owned(),
            model(
                vec![category("c")],
                0.1,
                vec![levels(&mut random, 0, &[], &LEVELS)],
            ),
        ),
        (
            "levels_none".to_owned(),
            model(
                vec![category("c")],
                0.1,
                vec![levels(&mut random, 0, &[], &[])],
            ),
        ),
        (
            "levels_many".to_owned(),
            model(
                vec![category("c")],
                0.1,
                vec![levels(&mut random, 0, &many[..3_000], &many[3_000..])],
            ),
        ),
        (
            "curves".to_owned(),
            model(
                numbers(&["a", "b"]),
                0.1,
                vec![bins(&mut random, 0, 31, 0.15), bins(&mut random, 1, 7, 0.0)],
            ),
        ),
        (
            "curves_of_one_bin".to_owned(),
            model(
                numbers(&["a", "b"]),
                0.1,
                vec![bins(&mut random, 0, 0, 0.4), bins(&mut random, 1, 0, 0.0)],
            ),
        ),
        ("curves_with_hard_edges".to_owned(), {
            let mut curve = bins(&mut random, 0, HARD.len(), 0.0);
            if let Term::Bins(term) = &mut curve {
                term.edges = HARD.to_vec();
            }
            model(numbers(&["a"]), 0.1, vec![curve])
        }),
        ("tables".to_owned(), {
            let mut specs = numbers(&["a", "b"]);
            specs.extend([category("c"), category("d")]);
            let terms = vec![
                pair(&mut random, bins_axis(0, 5), bins_axis(1, 4)),
                pair(&mut random, bins_axis(0, 0), levels_axis(2, &LEVELS[8..20])),
                pair(
                    &mut random,
                    levels_axis(2, &LEVELS[..6]),
                    levels_axis(3, &LEVELS[20..30]),
                ),
                pair(&mut random, levels_axis(3, &[]), bins_axis(1, 1)),
            ];
            model(specs, -0.2, terms)
        }),
        ("own_names".to_owned(), model(own_names, -0.1, own_terms)),
        (
            "far_out".to_owned(),
            model(
                numbers(&["a", "b"]),
                0.0,
                vec![
                    linear(0, 900.0, (-9.0, 9.0)),
                    linear(1, 9_000.0, (-9.0, 9.0)),
                ],
            ),
        ),
        (
            "far_below".to_owned(),
            model(numbers(&["a"]), -9_000.0, vec![linear(0, 0.9, range)]),
        ),
        (
            "far_above".to_owned(),
            model(numbers(&["a"]), 9_000.0, vec![linear(0, 0.9, range)]),
        ),
        ("many_terms".to_owned(), {
            let terms = (0..1_500)
                .map(|idx| linear(idx % 4, random.around() / 20.0, range))
                .collect();
            model(numbers(&["a", "b", "c", "d"]), -0.2, terms)
        }),
        ("everything".to_owned(), everything(&mut random)),
        (
            "printable".to_owned(),
            everything_with(&mut random, &printable),
        ),
        (
            "printable_on_a_line".to_owned(),
            everything_with(&mut random, &printable).recalibrated(0.3, 0.7),
        ),
        (
            "printable_on_a_beta_curve".to_owned(),
            calibrated(everything_with(&mut random, &printable), curve(120)),
        ),
        (
            "printable_in_steps".to_owned(),
            calibrated(everything_with(&mut random, &printable), steps()),
        ),
        ("printable_tables".to_owned(), {
            let specs = ["c", "d"]
                .map(|name| spec(name, FeatureKind::Category))
                .to_vec();
            model(
                specs,
                -0.2,
                vec![pair(
                    &mut random,
                    levels_axis(0, &printable[..9]),
                    levels_axis(1, &printable[9..]),
                )],
            )
        }),
        (
            "everything_shifted".to_owned(),
            everything(&mut random).recalibrated(0.3, 1.0),
        ),
        (
            "everything_on_a_line".to_owned(),
            everything(&mut random).recalibrated(-0.3, 0.7),
        ),
        (
            "everything_on_a_beta_curve".to_owned(),
            calibrated(everything(&mut random), curve(120)),
        ),
        ("many_curves_on_a_beta_curve".to_owned(), {
            let terms = (0..24)
                .map(|idx| bins(&mut random, idx % 4, 31, 0.01))
                .collect();
            calibrated(
                model(numbers(&["a", "b", "c", "d"]), -0.2, terms),
                curve(120),
            )
        }),
        (
            "everything_in_steps".to_owned(),
            calibrated(everything(&mut random), steps()),
        ),
        (
            "everything_on_a_curve_and_a_line".to_owned(),
            calibrated(everything(&mut random), curve(2)).recalibrated(0.2, 1.1),
        ),
        // What not every export can write.
        (
            "names_of_results".to_owned(),
            model(
                numbers(&[
                    "log_odds",
                    "likelihood_to_close",
                    "contact_priority",
                    "probability",
                ]),
                0.1,
                (0..4).map(|idx| linear(idx, 0.3, range)).collect(),
            ),
        ),
        (
            "levels_nul".to_owned(),
            model(
                vec![category("c")],
                0.1,
                vec![levels(
                    &mut random,
                    0,
                    &["nul\0inside", "\0", "nul"],
                    &["rare\0"],
                )],
            ),
        ),
        (
            "levels_empty".to_owned(),
            model(
                vec![category("c")],
                0.1,
                vec![levels(&mut random, 0, &["", "full"], &[])],
            ),
        ),
    ];
    for (_, model) in &mut shapes {
        model.card.model_id = model.compute_id().expect("encodes");
    }
    shapes
}

/// Texts that a category is tried with: those that the model knows, one that it does not, and
/// nothing.
#[expect(clippy::wildcard_enum_match_arm, reason = "an example")]
fn known_levels(model: &Model, feature_idx: usize) -> Vec<String> {
    let mut known = vec!["never seen".to_owned()];
    for term in &model.terms {
        match term {
            Term::Levels(term) if term.feature_idx == feature_idx => {
                known.extend(
                    term.levels
                        .iter()
                        .map(|(level, _)| level.clone())
                        .chain(term.rare_levels.iter().cloned()),
                );
            }
            Term::Pair(pair) => {
                for axis in [&pair.first, &pair.second] {
                    if let Axis::Levels {
                        feature_idx: own,
                        levels,
                    } = axis
                        && *own == feature_idx
                    {
                        known.extend(levels.iter().cloned());
                    }
                }
            }
            _ => {}
        }
    }
    known.sort();
    known.dedup();
    known
}

/// Numbers that a feature is tried with: ordinary ones, every edge and its neighbors, ends of
/// ranges, and what lies far beyond.
fn number(random: &mut Random, row: usize) -> f64 {
    match row % 10 {
        0 => f64::NAN,
        1 => edges(31)[random.below(31)],
        2 => edges([3, 4, 5, 6, 7][random.below(5)])[random.below(3)],
        3 if row % 20 == 3 => HARD[random.below(HARD.len())],
        3 => edges(31)[random.below(31)].next_up(),
        4 => edges(31)[random.below(31)].next_down(),
        5 => [
            -2.7,
            2.9,
            -2.5,
            2.25,
            0.0,
            -0.0,
            1e-310,
            1e9,
            -1e9,
            1e300,
            f64::MAX,
            f64::MIN,
        ][random.below(12)],
        6 => (5.0 * random.around()).round(),
        _ => 4.0 * random.around(),
    }
}

fn write(folder: &Path, name: &str, mut model: Model) -> Result<(), AnyError> {
    let mut random = Random(4_101_842_887_655_102_017);
    let mut columns = Vec::new();
    let mut values = Vec::new();
    for (feature_idx, spec) in model.specs.iter().enumerate() {
        let levels = if spec.kind == FeatureKind::Category {
            known_levels(&model, feature_idx)
        } else {
            Vec::new()
        };
        values.extend((0..N_ROWS).map(|row| match levels.len() {
            0 => number(&mut random, row + 3 * feature_idx),
            n if random.below(12) > 0 => {
                if row < n {
                    row as f64
                } else {
                    random.below(n) as f64
                }
            }
            _ => f64::NAN,
        }));
        columns.push((spec.clone(), levels));
    }
    let keys = (0..u32::try_from(N_ROWS)?)
        .map(|lead| Snapshot {
            lead,
            at: Timestamp::from_micros(0),
        })
        .collect();
    let matrix = FeatureMatrix::from_buffer(keys, columns, values)?;
    let scored = score(&model, &matrix)?;
    // As training has them: probabilities of some rows.
    model.tier_edges = quartile_edges(&scored.probabilities);
    model.card.model_id = model.compute_id()?;
    let cell = |row: usize, idx: usize| match model.specs[idx].kind {
        FeatureKind::Category => matrix
            .level(row, idx)
            .map_or(serde_json::Value::Null, serde_json::Value::from),
        // NaN is null.
        FeatureKind::Number => serde_json::Value::from(matrix.values()[[row, idx]]),
    };
    let row = |row: usize| {
        model
            .specs
            .iter()
            .enumerate()
            .map(|(idx, spec)| (spec.name.clone(), cell(row, idx)))
            .collect::<serde_json::Map<_, _>>()
    };
    let names = |tiers: Vec<leadscore_core::ContactPriority>| {
        tiers
            .into_iter()
            .map(|tier| tier.name())
            .collect::<Vec<_>>()
    };
    let content = serde_json::json!({
        "features": model.specs.iter().map(|spec| &spec.name).collect::<Vec<_>>(),
        "categories": model.specs.iter().filter(|spec| spec.kind == FeatureKind::Category).map(|spec| &spec.name).collect::<Vec<_>>(),
        "rows": (0..N_ROWS).map(row).collect::<Vec<_>>(),
        "log_odds": scored.log_odds,
        "likelihoods": scored.probabilities.iter().map(|probability| 100.0 * probability).collect::<Vec<_>>(),
        "quartiles": names(relative_tiers(&scored.probabilities, &model.tier_edges)),
        "percent": names(tiers_by_edges(&scored.probabilities, &[0.4, 0.2, 0.05])),
        "frozen": names(tiers_by_edges(&scored.probabilities, &model.tier_edges)),
    });
    std::fs::write(
        folder.join(format!("{name}.json")),
        serde_json::to_vec(&content)?,
    )?;
    write_model(
        &model,
        &mut std::fs::File::create(folder.join(format!("{name}.leadscore")))?,
    )?;
    Ok(())
}

fn main() -> Result<(), AnyError> {
    let folder = std::env::args().nth(1).ok_or("usage: shapes FOLDER")?;
    shapes()
        .into_iter()
        .try_for_each(|(name, model)| write(Path::new(&folder), &name, model))
}
