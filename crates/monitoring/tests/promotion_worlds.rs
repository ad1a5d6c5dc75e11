//! A small part of the worlds that `examples/promotion_worlds` tries at length.
#![allow(missing_docs, reason = "tests")]

#[path = "../examples/promotion_worlds/cycles.rs"]
mod cycles;
#[path = "../examples/promotion_worlds/drift.rs"]
mod drift;
#[path = "../examples/promotion_worlds/world.rs"]
mod world;

use leadscore_monitoring::Looks;

use self::cycles::{Edge, at_the_edge, without_drift, year};
use self::drift::{Change, two_years};
use self::world::Error;

#[test]
fn without_drift_hardly_any_promotion_is_truly_worse() {
    let [young, too_old] = without_drift(150, 9).expect("worlds");
    for cycles in [young, too_old] {
        // 2.5 % of 150, and two standard errors.
        assert!(
            cycles.worse_beyond_margin <= 7,
            "{}",
            cycles.worse_beyond_margin
        );
        assert!(
            cycles.could_be_wrong > 20 && cycles.near > 5,
            "the worlds are too easy"
        );
        assert!(cycles.promoted >= 10 && cycles.cannot_tell < 75);
    }
    assert!(
        young.better + 2 >= young.promoted,
        "{} of {}",
        young.better,
        young.promoted
    );
    assert!(too_old.promoted > young.promoted && too_old.near_promoted <= 2);
}

#[test]
fn at_the_edge_of_the_margin_the_level_holds() {
    for (n_rows, rate, edge) in [
        (1_000, 0.1, Edge::Both),
        (1_000, 0.4, Edge::Of(Error::Noise)),
        (3_000, 0.1, Edge::Of(Error::Level)),
        (3_000, 0.02, Edge::Of(Error::Slope)),
    ] {
        let (told, promoted) = at_the_edge((300, 4), (n_rows, rate, edge)).expect("worlds");
        // 2.5 % of 300 is 7.5; three standard errors above are 16.
        assert!(
            told > 290 && promoted <= 16,
            "{n_rows} {rate}: {promoted} of {told}"
        );
    }
}

#[test]
fn an_improvement_is_promoted_within_the_year() {
    let found = year((40, 5), (3_000, 0.1, 0.05), (false, Looks::One)).expect("worlds");
    assert!(
        found.within[3] > 0.95 && found.median <= Some(2),
        "{:?}",
        found.within
    );
    let found = year((40, 5), (3_000, 0.1, 0.05), (false, Looks::Any)).expect("worlds");
    assert!(found.within[3] > 0.95, "{:?}", found.within);
    // One that is worse by the margin is not, however often it is looked at.
    let found = year((40, 5), (1_000, 0.1, -0.005), (true, Looks::Any)).expect("worlds");
    assert!(found.within[3] <= 0.05, "{:?}", found.within);
}

#[test]
fn where_the_world_drifts_the_rule_follows() {
    let change = Change {
        walk: 0.08,
        breaks: false,
    };
    let found: Vec<_> = (0..6)
        .map(|seed| two_years(seed, (800, 0.2, change)).expect("a world"))
        .collect();
    let mean = |idx: usize| found.iter().map(|all| all[idx].loss).sum::<f64>() / 6.0;
    let [never, _, compared, refit, aged, oracle] = [0, 1, 2, 3, 4, 5].map(mean);
    assert!(
        aged < refit && refit < compared && compared < never,
        "{aged} {refit} {compared} {never}"
    );
    assert!(aged < 1.01 * oracle, "{aged} against {oracle}");
}
