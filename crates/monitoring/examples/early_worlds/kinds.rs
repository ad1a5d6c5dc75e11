//! The worlds that are tried, by name.

use crate::world::{Slower, World};

/// Name, what happens, and the world with so many open leads.
pub(crate) fn kinds(n_open: usize) -> Vec<(&'static str, &'static str, World)> {
    let quiet = World::quiet(n_open);
    let slower = |factor, of| World {
        slower: Some((factor, of)),
        ..quiet
    };
    vec![
        ("quiet", "nothing happens", quiet),
        (
            "fall-0.7",
            "wins × 0.7 from week 52",
            World {
                level: 0.7,
                ..quiet
            },
        ),
        (
            "fall-0.8",
            "wins × 0.8 from week 52",
            World {
                level: 0.8,
                ..quiet
            },
        ),
        (
            "rise-1.3",
            "wins × 1.3 from week 52",
            World {
                level: 1.3,
                ..quiet
            },
        ),
        (
            "season-2-years",
            "± 30 % over the year, two years of reference",
            World {
                season: 0.3,
                n_reference: 104,
                ..quiet
            },
        ),
        (
            "season-1-year",
            "± 30 % over the year, one year of reference",
            World {
                season: 0.3,
                ..quiet
            },
        ),
        (
            "season-26-weeks",
            "± 30 % over the year, 26 weeks of reference",
            World {
                season: 0.3,
                n_reference: 26,
                ..quiet
            },
        ),
        (
            "season-fall-0.7",
            "± 30 % over the year, two years of reference; wins × 0.7 from week 52",
            World {
                season: 0.3,
                n_reference: 104,
                level: 0.7,
                ..quiet
            },
        ),
        (
            "slower-new-1.3",
            "deals created from week 52 on take 1.3 times as long",
            slower(1.3, Slower::New),
        ),
        (
            "slower-new-1.5",
            "deals created from week 52 on take 1.5 times as long",
            slower(1.5, Slower::New),
        ),
        (
            "slower-all-1.3",
            "all deals take 1.3 times as long from week 52",
            slower(1.3, Slower::All),
        ),
        (
            "slower-all-1.5",
            "all deals take 1.5 times as long from week 52",
            slower(1.5, Slower::All),
        ),
        (
            "batches",
            "three of ten reps enter wins about every third week",
            World {
                batches: 3,
                ..quiet
            },
        ),
        (
            "batches-fall-0.7",
            "three of ten reps enter wins in batches; wins × 0.7 from week 52",
            World {
                batches: 3,
                level: 0.7,
                ..quiet
            },
        ),
        (
            "batches-1",
            "one of ten reps enters wins about every third week",
            World {
                batches: 1,
                ..quiet
            },
        ),
        (
            "shocks",
            "all wins of a week move together by ± 10 %, each week by itself",
            World {
                shocks: 0.1,
                ..quiet
            },
        ),
        (
            "accounts",
            "accounts of five leads, often won together",
            World {
                account_size: 5,
                ..quiet
            },
        ),
        (
            "accounts-fall-0.7",
            "accounts of five leads; wins × 0.7 from week 52",
            World {
                account_size: 5,
                level: 0.7,
                ..quiet
            },
        ),
        (
            "missing",
            "two weeks without a run",
            World {
                missing: [Some(20), Some(60)],
                ..quiet
            },
        ),
        (
            "outage",
            "no win is entered in week 40, and all of them in week 41",
            World {
                outage: Some(40),
                ..quiet
            },
        ),
        (
            "source-0.5",
            "wins of one source of five × 0.5 from week 52",
            World {
                level: 0.5,
                of_source: Some(0),
                ..quiet
            },
        ),
    ]
}
