//! Columns that are written at the close are proven in worlds of any cycle, and honest ones are not
//! accused.

use leadscore_core::{
    FeatureKind, FeatureMatrix, FeatureSource, FeatureSpec, Snapshot, Timestamp, stable_hash,
};
use leadscore_training::{FinalInput, FinalState, find_final_leaks};

/// Numbers as if drawn.
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        ((mixed ^ (mixed >> 33)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// One world: the columns in order, and what is found of them.
struct World {
    names: Vec<&'static str>,
    found: Vec<String>,
}

const PLANTED: [&str; 5] = [
    "every winner's level",
    "number of deals",
    "manager after the sale",
    "reason of closing",
    "contract number",
];

/// Leads that come for 900 days and close after a cycle, with five planted columns and four honest
/// ones.
fn world(seed: u64) -> World {
    let mut draws = Draws(stable_hash(&seed.to_string()));
    let n = 2_000 + (draws.uniform() * 4_000.0) as usize;
    let cycle = 20.0 * 20.0_f64.powf(draws.uniform());
    let share_won = 0.12 + 0.3 * draws.uniform();
    let strength = 0.5 + 1.8 * draws.uniform();
    let (mut states, mut created) = (Vec::new(), Vec::new());
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); 9];
    for _ in 0..n {
        let at = 900.0 * draws.uniform();
        let days = -cycle * (1.0 - draws.uniform()).ln();
        let will_win = draws.uniform() < share_won;
        let is_closed = at + days < 900.0;
        let state = match (is_closed, will_win) {
            (false, _) => FinalState::Open,
            (true, true) => FinalState::Won,
            (true, false) => FinalState::Lost,
        };
        let (is_won, is_open) = (state == FinalState::Won, state == FinalState::Open);
        let one_of = |draws: &mut Draws, n: f64| (draws.uniform() * n).floor();
        // A mistake in one of five hundred rows.
        let slips = draws.uniform() < 0.002;
        columns[0].push(if is_won != slips {
            0.0
        } else {
            1.0 + one_of(&mut draws, 3.0)
        });
        columns[1].push(if is_won {
            1.0 + one_of(&mut draws, 3.0)
        } else {
            f64::from(u8::from(draws.uniform() < 0.003))
        });
        let (before, after) = (one_of(&mut draws, 6.0), 6.0 + one_of(&mut draws, 3.0));
        columns[2].push(if is_won && draws.uniform() < 0.7 {
            after
        } else {
            before
        });
        columns[3].push(if is_open {
            f64::NAN
        } else {
            one_of(&mut draws, 4.0)
        });
        columns[4].push(if is_won {
            1e4 * draws.uniform()
        } else {
            f64::NAN
        });
        // Honest: known at creation, of those who will win and of those who will not.
        let lift = if will_win { strength } else { 0.0 };
        columns[5].push(draws.normal() + lift);
        columns[6].push(((draws.normal() + 0.7 * lift).clamp(-2.0, 3.9) + 2.0).floor());
        columns[7].push(if draws.uniform() < if will_win { 0.75 } else { 0.2 } {
            draws.normal()
        } else {
            f64::NAN
        });
        // Only asked for since the middle of the time.
        columns[8].push(if at > 450.0 {
            one_of(&mut draws, 3.0)
        } else {
            f64::NAN
        });
        states.push(state);
        created.push(at);
    }
    let names = vec![
        PLANTED[0],
        PLANTED[1],
        PLANTED[2],
        PLANTED[3],
        PLANTED[4],
        "strong number",
        "strong level",
        "often filled",
        "new field",
    ];
    let is_category = [true, false, true, true, false, false, true, false, true];
    let keys: Vec<Snapshot> = (0..n)
        .map(|lead| Snapshot {
            lead: lead as u32,
            at: Timestamp::from_micros(0),
        })
        .collect();
    let specs = names
        .iter()
        .zip(is_category)
        .zip(columns)
        .map(|((name, is_category), values)| {
            let kind = if is_category {
                FeatureKind::Category
            } else {
                FeatureKind::Number
            };
            let source = FeatureSource::Attribute {
                table: leadscore_core::AttributeTable::Leads,
                column: (*name).to_owned(),
            };
            let spec = FeatureSpec {
                name: (*name).to_owned(),
                kind,
                source,
                unit: leadscore_core::Unit::AsGiven,
            };
            (
                spec,
                if is_category {
                    (0..10).map(|level| format!("level {level}")).collect()
                } else {
                    Vec::new()
                },
                values,
            )
        });
    let matrix = FeatureMatrix::new(keys, specs.collect()).expect("columns of one length");
    let clusters: Vec<u64> = (0..n)
        .map(|lead| stable_hash(&format!("{seed} {lead}")))
        .collect();
    let input = FinalInput {
        matrix: &matrix,
        states: &states,
        created: &created,
        clusters: &clusters,
        are_accounts: false,
    };
    World {
        names,
        found: find_final_leaks(input, &[])
            .into_iter()
            .map(|finding| finding.feature)
            .collect(),
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the table that docs/verdicts.md has")]
fn planted_columns_are_proven_and_honest_ones_are_not() {
    let n_worlds: u64 = std::env::var("LEADSCORE_WORLDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(40);
    let worlds: Vec<World> = (0..n_worlds).map(world).collect();
    let share = |name: &str| {
        worlds
            .iter()
            .filter(|world| world.found.iter().any(|found| found == name))
            .count() as f64
            / n_worlds as f64
    };
    for name in &worlds[0].names {
        println!(
            "| {name} | {} | {:.1} % |",
            if PLANTED.contains(name) {
                "planted"
            } else {
                "honest"
            },
            100.0 * share(name)
        );
    }
    for name in &worlds[0].names {
        let found = share(name);
        if PLANTED.contains(name) {
            assert!(
                found >= 0.95,
                "`{name}` was proven in {found} of the worlds"
            );
        } else {
            assert!(
                found <= 0.01,
                "`{name}` was accused in {found} of the worlds"
            );
        }
    }
}
