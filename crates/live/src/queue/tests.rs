//! The queue against the slow way: sort, filter, cut.

use leadscore_config::TierEdges;
use leadscore_inference::{quartile_tiers, tiers_by_edges};
use proptest::prelude::*;

use super::*;

fn entry(lead: &str, log_odds: f64, at: i64) -> Entry {
    let probability = leadscore_core::log_odds_to_probability(log_odds);
    let number = lead.len() + lead.bytes().map(usize::from).sum::<usize>();
    Entry {
        lead: lead.to_owned(),
        log_odds,
        probability,
        at: Timestamp::from_micros(at),
        owner: ["Ann", "Bob"].get(number % 3).map(|&name| name.to_owned()),
        searched: format!("{} gmbh", lead.to_lowercase()),
        points: None,
        moved: Timestamp::from_micros(at),
        anchor: probability,
    }
}

/// The leads that match, best first, the slow way.
fn slow(leads: &HashMap<String, Entry>, query: &QueueQuery, ranking: &Ranking) -> Vec<String> {
    let mut found: Vec<&Entry> = leads
        .values()
        .filter(|entry| query.owner.is_none() || query.owner == entry.owner)
        .filter(|entry| query.tier.is_none() || query.tier == Some(ranking.tier(entry.probability)))
        .filter(|entry| {
            let search = query.search.as_ref().map(|text| text.to_lowercase());
            search.is_none_or(|text| entry.searched.contains(&text))
        })
        .collect();
    found.sort_by(|a, b| b.log_odds.total_cmp(&a.log_odds).then(a.lead.cmp(&b.lead)));
    found.into_iter().map(|entry| entry.lead.clone()).collect()
}

proptest! {
    #[test]
    fn pages_are_the_sorted_matching_leads(
        first in prop::collection::vec((0u8..40, -30i8..30), 0..60),
        changes in prop::collection::vec((0u8..60, -30i8..30, 0u8..4), 0..60),
        owner in 0usize..4,
        tier in 0usize..6,
        search in 0usize..3,
        limit in 1usize..9,
    ) {
        let name = |number: u8| format!("L{number}");
        let mut leads: HashMap<String, Entry> = HashMap::new();
        for (number, score) in first {
            leads.insert(name(number), entry(&name(number), f64::from(score) / 8.0, 0));
        }
        let all: Vec<f64> = leads.values().map(|entry| entry.probability).collect();
        let edges = tier_edges(TierEdges::Relative, [0.7, 0.5, 0.2], &all);
        let mut ranking =
            Ranking::new(leads.values().cloned().collect(), Edges::of_one(edges), Timestamp::from_micros(0));
        for (at, (number, score, what)) in (1i64..).zip(changes) {
            if what == 0 {
                ranking.remove(&name(number), Timestamp::from_micros(at));
                leads.remove(&name(number));
            } else {
                let new = entry(&name(number), f64::from(score) / 8.0, at);
                ranking.put(new.clone());
                leads.insert(name(number), new);
            }
        }
        prop_assert_eq!(ranking.len(), leads.len());
        let mut query = QueueQuery {
            owner: ["Ann", "Bob", "Nobody"].get(owner).map(|&name| name.to_owned()),
            tier: ContactPriority::QUARTILES.get(tier).copied(),
            search: ["L1", "GmbH"].get(search).map(|&text| text.to_owned()),
            limit,
            ..QueueQuery::default()
        };
        let expected = slow(&leads, &query, &ranking);
        let mut found = Vec::new();
        loop {
            let page = ranking.page(&query, None).expect("a cursor of ours");
            prop_assert_eq!(page.n_matching, expected.len());
            for (rank, entry) in &page.rows {
                found.push(entry.lead.clone());
                prop_assert_eq!(*rank, found.len());
            }
            match page.next {
                Some(next) => query.cursor = Some(next.text()),
                None => break,
            }
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn edges_give_each_lead_the_tier_of_score(scores in prop::collection::vec(0u8..30, 20..80)) {
        let probabilities: Vec<f64> = scores.iter().map(|&score| f64::from(score) / 31.0).collect();
        let edges = tier_edges(TierEdges::Relative, [0.0; 3], &probabilities);
        prop_assert_eq!(tiers_by_edges(&probabilities, &edges), quartile_tiers(&probabilities));
    }
}

#[test]
fn a_lead_has_moved_when_it_is_a_point_away() {
    let at = Timestamp::from_micros;
    let with = |probability: f64, micros: i64| Entry {
        probability,
        anchor: probability,
        ..entry("L1", 0.0, micros)
    };
    let mut ranking = Ranking::new(vec![with(0.20, 1)], Edges::of_one([0.5, 0.4, 0.3]), at(1));
    // Half a point twice is a point.
    for (probability, micros, moved) in [(0.205, 2, 1), (0.2101, 3, 3), (0.2102, 4, 3)] {
        ranking.put(with(probability, micros));
        assert_eq!(ranking.get("L1").expect("a lead").moved, at(moved));
    }
    let query = |since: i64| QueueQuery {
        changed_since: Some(at(since)),
        limit: 5,
        ..QueueQuery::default()
    };
    assert_eq!(ranking.page(&query(3), None).expect("a page").n_matching, 1);
    assert_eq!(ranking.page(&query(4), None).expect("a page").n_matching, 0);
    // A score that comes late does not replace a later one.
    ranking.put(with(0.9, 2));
    assert_eq!(ranking.get("L1").expect("a lead").at, at(4));
}

#[test]
fn a_cursor_that_no_page_gave_is_refused() {
    let ranking = Ranking::new(
        vec![entry("L1", 0.0, 0)],
        Edges::of_one([0.5; 3]),
        Timestamp::from_micros(0),
    );
    for text in [
        "",
        "x",
        "0000000000000000",
        "000000000000000g-L1",
        "€€€€€€€€-L1",
    ] {
        let query = QueueQuery {
            cursor: Some(text.to_owned()),
            limit: 1,
            ..QueueQuery::default()
        };
        assert_eq!(ranking.page(&query, None), Err(BadCursor));
    }
}
