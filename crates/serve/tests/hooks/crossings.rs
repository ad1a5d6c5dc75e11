//! When a lead crosses a threshold, and when it does not.

use leadscore_config::{OneOrMany, ThresholdConfig};
use leadscore_core::Timestamp;
use leadscore_serve::{Cause, MatrixCell, Measured, PointsOfRules, Removed};

use super::server::{Result, START, Server, config, score};

/// Names of the thresholds that each score crosses, with the cause.
fn crossed(server: &Server, scores: &[(i64, f64)]) -> Result<Vec<Vec<(String, Cause)>>> {
    scores
        .iter()
        .map(|(second, likelihood)| {
            let score = score("L1", *second, *likelihood);
            let crossings = server.thresholds.observe(&score, None)?;
            let names = crossings.into_iter();
            Ok(names
                .map(|crossing| (crossing.threshold, crossing.cause))
                .collect())
        })
        .collect()
}

/// How many of the scores cross the only threshold.
fn n_crossed(server: &Server, scores: &[(i64, f64)]) -> Result<Vec<usize>> {
    Ok(crossed(server, scores)?.iter().map(Vec::len).collect())
}

#[test]
fn only_rising_from_below_crosses() -> Result {
    let folder = tempfile::tempdir()?;
    let server = Server::without_calls(&folder.path().join("s"), &config(&[("hot", 40.0, None)]))?;
    let scores = [
        (1, 41.0), // seen for the first time
        (2, 39.0),
        (3, 40.0), // crosses
        (4, 55.0),
        (5, 39.9),
        (6, 12.0),
        (7, 99.0), // crosses
    ];
    assert_eq!(n_crossed(&server, &scores)?, [0, 0, 1, 0, 0, 0, 1]);
    let at = |second: i64| Timestamp::from_micros(START + second * 1_000_000);
    let all = server.thresholds.crossed(Timestamp::MIN)?;
    let hot = |second| ("L1".to_owned(), "hot".to_owned(), at(second));
    assert_eq!(all, [hot(3), hot(7)]);
    assert_eq!(server.thresholds.crossed(at(4))?, [hot(7)]);
    let of_lead = server.thresholds.crossed_by("L1", at(7))?;
    assert_eq!(of_lead, [("hot".to_owned(), at(7))]);
    assert_eq!(server.thresholds.crossed_by("L2", at(0))?, []);
    Ok(())
}

#[test]
fn a_jump_over_two_thresholds_crosses_both() -> Result {
    let folder = tempfile::tempdir()?;
    let config = config(&[("hot", 40.0, None), ("warm", 20.0, None)]);
    let server = Server::without_calls(&folder.path().join("s"), &config)?;
    let found = crossed(&server, &[(1, 5.0), (2, 60.0), (3, 30.0), (4, 60.0)])?;
    let hot = ("hot".to_owned(), Cause::Lead);
    let warm = ("warm".to_owned(), Cause::Lead);
    assert_eq!(found, [vec![], vec![hot.clone(), warm], vec![], vec![hot]]);
    Ok(())
}

#[test]
fn scores_that_come_late_or_twice_say_nothing() -> Result {
    let folder = tempfile::tempdir()?;
    let server = Server::without_calls(&folder.path().join("s"), &config(&[("hot", 40.0, None)]))?;
    // The one of second 2 is computed before, and observed after, the one of second 3.
    let scores = [(1, 10.0), (3, 50.0), (2, 10.0), (3, 50.0), (4, 51.0)];
    assert_eq!(n_crossed(&server, &scores)?, [0, 1, 0, 0, 0]);
    Ok(())
}

#[test]
fn a_restart_changes_nothing() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s");
    let scores = [
        (1, 10.0),
        (2, 50.0),
        (3, 50.0),
        (4, 10.0),
        (5, 10.0),
        (6, 41.0),
        (7, 45.0),
    ];
    let mut found = Vec::new();
    for score in scores {
        // A server for each score, which also sees its score twice.
        let server = Server::without_calls(&path, &config(&[("hot", 40.0, None)]))?;
        found.extend(n_crossed(&server, &[score])?);
        drop(server);
        let server = Server::without_calls(&path, &config(&[("hot", 40.0, None)]))?;
        assert_eq!(n_crossed(&server, &[score])?, [0]);
    }
    assert_eq!(found, [0, 1, 0, 0, 0, 1, 0]);
    Ok(())
}

#[test]
fn a_threshold_that_was_moved_is_crossed_by_nobody() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s");
    let server = Server::without_calls(&path, &config(&[("hot", 60.0, None)]))?;
    assert_eq!(n_crossed(&server, &[(1, 50.0)])?, [0]);
    drop(server);
    let server = Server::without_calls(&path, &config(&[("hot", 40.0, None)]))?;
    assert_eq!(
        n_crossed(&server, &[(2, 50.0), (3, 39.0), (4, 40.0)])?,
        [0, 0, 1]
    );
    Ok(())
}

#[test]
fn hysteresis_keeps_a_lead_above_until_it_falls_far_enough() -> Result {
    let folder = tempfile::tempdir()?;
    let mut config = config(&[("hot", 40.0, None)]);
    if let Some(threshold) = config.thresholds.get_mut("hot") {
        threshold.hysteresis = Some(3.0);
    }
    let server = Server::without_calls(&folder.path().join("s"), &config)?;
    let scores = [
        (1, 39.0),
        (2, 40.0),
        (3, 38.0),
        (4, 41.0),
        (5, 36.9),
        (6, 39.0),
        (7, 40.0),
    ];
    assert_eq!(n_crossed(&server, &scores)?, [0, 1, 0, 0, 0, 0, 1]);
    Ok(())
}

#[test]
fn a_new_model_is_recorded_and_told_only_if_asked() -> Result {
    for is_asked in [false, true] {
        let folder = tempfile::tempdir()?;
        let url = "http://127.0.0.1:9/hook";
        let mut config = config(&[("hot", 40.0, Some(url))]);
        if let Some(threshold) = config.thresholds.get_mut("hot") {
            threshold.on_model_change = is_asked;
        }
        let server = Server::without_calls(&folder.path().join("s"), &config)?;
        let leads: Vec<_> = (0..5_000).map(|lead| format!("L{lead}")).collect();
        let observe = |second, likelihood, model: &str| {
            let scores: Vec<_> = leads
                .iter()
                .map(|lead| {
                    let mut score = score(lead, second, likelihood);
                    model.clone_into(&mut score.model);
                    score
                })
                .collect();
            let scores = scores.iter().map(|score| (score, None));
            server.thresholds.observe_all(scores)
        };
        observe(1, 30.0, "m1")?;
        let crossings = observe(2, 50.0, "m2")?;
        assert_eq!(crossings.len(), 5_000);
        assert!(
            crossings
                .iter()
                .all(|crossing| crossing.cause == Cause::Model && crossing.is_told == is_asked)
        );
        let n_told = if is_asked { 5_000 } else { 0 };
        let n_deliveries: i64 = server.state.read(|connection| {
            connection.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0))
        })?;
        assert_eq!(n_deliveries, n_told);
        assert_eq!(
            server.thresholds.crossed(Timestamp::MIN)?.len() as i64,
            n_told
        );
        assert_eq!(server.thresholds.to_append(9_999)?.len() as i64, n_told);
        // By the same model, leads cross again by what they do.
        observe(3, 30.0, "m2")?;
        let crossings = observe(4, 50.0, "m2")?;
        assert!(crossings.iter().all(|crossing| crossing.is_told));
        assert_eq!(crossings.len(), 5_000);
    }
    Ok(())
}

#[test]
fn new_rules_are_to_points_what_a_new_model_is_to_likelihoods() -> Result {
    let folder = tempfile::tempdir()?;
    let mut config = config(&[]);
    let points = ThresholdConfig {
        points: Some(50.0),
        ..ThresholdConfig::default()
    };
    config.thresholds.insert("points".to_owned(), points);
    let server = Server::without_calls(&folder.path().join("s"), &config)?;
    let observe = |second, model: &str, rules: &str, points: Option<f64>| -> Result<Vec<_>> {
        let mut score = score("L1", second, 10.0);
        model.clone_into(&mut score.model);
        let points = of_rules(rules, points, None);
        let crossings = server.thresholds.observe(&score, Some(&points))?;
        Ok(crossings
            .into_iter()
            .map(|crossing| (crossing.cause, crossing.points))
            .collect())
    };
    assert_eq!(observe(1, "m1", "r1", Some(10.0))?, []);
    assert_eq!(
        observe(2, "m2", "r1", Some(60.0))?,
        [(Cause::Lead, Some(60.0))]
    );
    assert_eq!(observe(3, "m2", "r1", Some(f64::NAN))?, []);
    assert_eq!(observe(4, "m2", "r1", None)?, []);
    assert_eq!(observe(5, "m2", "r1", Some(10.0))?, []);
    assert_eq!(
        observe(6, "m2", "r2", Some(60.0))?,
        [(Cause::Model, Some(60.0))]
    );
    Ok(())
}

/// What rules make of a lead.
fn of_rules(rules: &str, points: Option<f64>, cell: Option<&str>) -> PointsOfRules {
    PointsOfRules {
        rules: rules.to_owned(),
        points,
        is_disqualified: false,
        cell: cell.map(|label| MatrixCell {
            label: label.to_owned(),
            action: None,
        }),
    }
}

#[test]
fn a_lead_crosses_when_it_enters_one_of_the_cells() -> Result {
    let folder = tempfile::tempdir()?;
    let mut config = config(&[]);
    let cells = ThresholdConfig {
        cell: Some(OneOrMany::Many(vec!["A1".to_owned(), "A2".to_owned()])),
        ..ThresholdConfig::default()
    };
    config.thresholds.insert("best".to_owned(), cells);
    let server = Server::without_calls(&folder.path().join("s"), &config)?;
    let mut found = Vec::new();
    for (second, cell) in (1..).zip([
        Some("B1"),
        Some("A2"), // crosses
        Some("A1"), // from one of them to the other
        Some("B2"),
        Some("A1"), // crosses
        None,       // below the lowest band
        Some("A2"), // crosses
    ]) {
        let points = of_rules("r1", Some(5.0), cell);
        let crossings = server
            .thresholds
            .observe(&score("L1", second, 10.0), Some(&points))?;
        let cells = crossings.into_iter().map(|crossing| crossing.cell);
        found.push(cells.flatten().collect::<Vec<_>>());
    }
    let none: [&str; 0] = [];
    assert_eq!(
        found,
        [&none[..], &["A2"], &none, &none, &["A1"], &none, &["A2"]]
    );
    // Who is disqualified is in no cell, whatever the groups' points are.
    let disqualified = PointsOfRules {
        is_disqualified: true,
        ..of_rules("r1", Some(0.0), Some("A1"))
    };
    for (second, points, n_crossed) in [
        (8, &disqualified, 0),
        (9, &of_rules("r1", Some(5.0), Some("A1")), 1),
    ] {
        let score = score("L1", second, 10.0);
        let crossings = server.thresholds.observe(&score, Some(points))?;
        assert_eq!(crossings.len(), n_crossed);
    }
    Ok(())
}

#[test]
fn only_another_side_or_another_source_is_news() -> Result {
    let folder = tempfile::tempdir()?;
    let server = Server::without_calls(&folder.path().join("s"), &config(&[("hot", 40.0, None)]))?;
    let is_news = |second, likelihood, model: &str| {
        let mut score = score("L1", second, likelihood);
        model.clone_into(&mut score.model);
        server.thresholds.is_news(&Measured::of(&score, None))
    };
    assert!(is_news(1, 10.0, "m1"));
    // Until it was observed, it still is.
    assert!(is_news(1, 10.0, "m1"));
    server.thresholds.observe(&score("L1", 1, 10.0), None)?;
    assert!(!is_news(2, 39.9, "m1"));
    assert!(is_news(3, 40.0, "m1"));
    assert!(is_news(3, 39.9, "m2"));
    assert!(!is_news(3, f64::NAN, "m2"));
    // What is no news is still later than what was on its way.
    assert!(!is_news(9, 12.0, "m1"));
    assert_eq!(server.thresholds.observe(&score("L1", 8, 50.0), None)?, []);
    assert_eq!(
        server
            .thresholds
            .observe(&score("L1", 10, 50.0), None)?
            .len(),
        1
    );
    Ok(())
}

#[test]
fn nobody_is_told_of_leads_that_are_held_back() -> Result {
    let folder = tempfile::tempdir()?;
    let url = "http://127.0.0.1:9/hook";
    let mut config = config(&[("hot", 40.0, Some(url))]);
    if let Some(threshold) = config.thresholds.get_mut("hot") {
        threshold.on_model_change = true;
    }
    let server = Server::without_calls(&folder.path().join("s"), &config)?;
    for (second, likelihood, model) in [
        (1, 10.0, "m1"),
        (2, 50.0, "m1"),
        (3, 10.0, "m1"),
        (4, 50.0, "m2"),
    ] {
        let mut score = score("L1", second, likelihood);
        score.held_back = true;
        model.clone_into(&mut score.model);
        for crossing in server.thresholds.observe(&score, None)? {
            assert!(crossing.cause == Cause::HeldBack && !crossing.is_told);
        }
    }
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        server
            .state
            .read(|c| c.query_row(&sql, [], |row| row.get::<_, i64>(0)))
    };
    assert_eq!(count("crossings")?, 2);
    assert_eq!(count("deliveries")?, 0);
    Ok(())
}

#[test]
fn a_lead_that_leaves_the_arm_above_a_threshold_has_not_crossed_it() -> Result {
    let folder = tempfile::tempdir()?;
    let server = Server::without_calls(&folder.path().join("s"), &config(&[("hot", 40.0, None)]))?;
    let mut told = Vec::new();
    for (second, likelihood, held_back) in [
        (1, 10.0, false),
        (2, 50.0, true), // it rises within the arm
        (3, 50.0, false),
        (4, 30.0, false),
        (5, 50.0, false), // it rises
        (6, 50.0, true),
        (7, 30.0, true),
        (8, 50.0, true),
    ] {
        let mut score = score("L1", second, likelihood);
        score.held_back = held_back;
        let crossings = server.thresholds.observe(&score, None)?.into_iter();
        told.extend(
            crossings
                .filter(|crossing| crossing.is_told)
                .map(|_| second),
        );
    }
    assert_eq!(told, [5]);
    Ok(())
}

#[test]
fn likelihoods_that_are_none_say_nothing() -> Result {
    let folder = tempfile::tempdir()?;
    let server = Server::without_calls(&folder.path().join("s"), &config(&[("hot", 40.0, None)]))?;
    let scores = [(1, 10.0), (2, f64::NAN), (3, f64::INFINITY), (4, 41.0)];
    assert_eq!(n_crossed(&server, &scores)?, [0, 0, 0, 1]);
    Ok(())
}

#[test]
fn crossings_wait_until_the_event_store_has_them() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s");
    let config = config(&[("hot", 40.0, None)]);
    let server = Server::without_calls(&path, &config)?;
    n_crossed(&server, &[(1, 10.0), (2, 50.0), (3, 10.0), (4, 50.0)])?;
    let first = server.thresholds.to_append(1)?;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].table, "activities.thresholds");
    server.thresholds.appended(&first)?;
    // A server that ends before it is told so gives the same event again.
    let second = server.thresholds.to_append(10)?;
    drop(server);
    let server = Server::without_calls(&path, &config)?;
    assert_eq!(server.thresholds.to_append(10)?, second);
    assert_eq!(second.len(), 1);
    assert_ne!(first[0].id, second[0].id);
    server.thresholds.appended(&second)?;
    assert_eq!(server.thresholds.to_append(10)?, []);
    Ok(())
}

#[test]
fn what_cannot_be_written_was_not_observed() -> Result {
    let folder = tempfile::tempdir()?;
    let server = Server::without_calls(&folder.path().join("s"), &config(&[("hot", 40.0, None)]))?;
    n_crossed(&server, &[(1, 10.0)])?;
    let read_only = |value: &str| {
        let pragma = format!("PRAGMA query_only = {value}");
        server
            .state
            .with(|connection| connection.execute_batch(&pragma))
    };
    read_only("ON")?;
    assert!(
        server
            .thresholds
            .observe(&score("L1", 2, 50.0), None)
            .is_err()
    );
    read_only("OFF")?;
    // The next score crosses, also one of the same moment.
    assert_eq!(n_crossed(&server, &[(2, 50.0)])?, [1]);
    Ok(())
}

#[test]
fn a_lead_that_is_forgotten_leaves_nothing_and_starts_anew() -> Result {
    let folder = tempfile::tempdir()?;
    let url = "http://127.0.0.1:9/hook";
    let config = config(&[("hot", 40.0, Some(url)), ("warm", 20.0, None)]);
    let server = Server::without_calls(&folder.path().join("s"), &config)?;
    let lead = "jane.doe@example.com";
    for lead in [lead, "L2"] {
        server.thresholds.observe(&score(lead, 1, 10.0), None)?;
        server.thresholds.observe(&score(lead, 2, 50.0), None)?;
    }
    let traces = |text| server.state.traces(text);
    assert!(traces(lead)? > 0);
    let expected = Removed {
        n_sides: 2,
        n_crossings: 2,
        n_deliveries: 1,
    };
    assert_eq!(server.thresholds.forget(lead)?, expected);
    assert_eq!(traces(lead)?, 0);
    assert_eq!(server.thresholds.crossed(Timestamp::MIN)?.len(), 2);
    let again = server.thresholds.observe(&score(lead, 3, 50.0), None)?;
    assert_eq!(again, []);
    Ok(())
}
