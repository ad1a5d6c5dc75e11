//! The queue against the slow way: sort, filter, cut.

use leadscore_config::TierEdges;
use leadscore_inference::{quartile_tiers, tiers_by_edges};
use leadscore_serve::HeldBackQuery;
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
        created: None,
        held_back: number.is_multiple_of(5),
        moved: Timestamp::from_micros(at),
        anchor: probability,
    }
}

/// The leads that match, best first, the slow way.
fn slow(leads: &HashMap<String, Entry>, query: &QueueQuery, ranking: &Ranking) -> Vec<String> {
    let mut found: Vec<&Entry> = leads
        .values()
        .filter(|entry| !entry.held_back)
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
        line in 0usize..50,
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
        // The line is that of the whole queue.
        let mut above = slow(&leads, &QueueQuery::default(), &ranking);
        above.truncate(line);
        let n_above = expected.iter().filter(|lead| above.contains(lead)).count();
        let mut found = Vec::new();
        let now = Timestamp::from_micros(100);
        loop {
            let page = ranking.page(&query, None, line, now).expect("a cursor of ours");
            prop_assert!(!page.is_reordered);
            prop_assert_eq!(page.n_above, n_above);
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
    fn going_from_page_to_page_shows_each_lead_once(
        scores in prop::collection::vec(-30i8..30, 1..80),
        between in prop::collection::vec((0u8..90, -30i8..30, 0u8..8), 0..60),
        limit in 1usize..7,
        refresh in any::<bool>(),
    ) {
        let name = |number: usize| format!("L{number}");
        let first: Vec<Entry> = scores
            .iter()
            .enumerate()
            .map(|(number, score)| entry(&name(number), f64::from(*score) / 8.0, 0))
            .collect();
        let mut stayed: HashSet<String> = first
            .iter()
            .filter(|entry| !entry.held_back)
            .map(|entry| entry.lead.clone())
            .collect();
        let mut ranking = Ranking::new(first, Edges::of_one([0.7, 0.5, 0.2]), Timestamp::from_micros(0));
        let mut query = QueueQuery { limit, ..QueueQuery::default() };
        let mut found: Vec<String> = Vec::new();
        let mut changes = between.into_iter();
        for step in 1i64.. {
            let at = Timestamp::from_micros(step);
            let page = ranking.page(&query, None, usize::MAX, at).expect("a cursor of ours");
            prop_assert!(!page.is_reordered);
            found.extend(page.rows.iter().map(|(_, entry)| entry.lead.clone()));
            let Some(next) = page.next else { break };
            query.cursor = Some(next.text());
            for (number, score, what) in changes.by_ref().take(9) {
                let lead = name(usize::from(number));
                if what == 0 {
                    ranking.remove(&lead, at);
                    stayed.remove(&lead);
                } else {
                    ranking.put(entry(&lead, f64::from(score) / 8.0, step));
                }
            }
            if refresh {
                let entries = ranking.entries().cloned().collect();
                let mut fresh = Ranking::new(entries, Edges::of_one([0.6, 0.5, 0.2]), at);
                fresh.take_later(&ranking);
                fresh.keep_orders(&ranking);
                ranking = fresh;
            }
        }
        let once: HashSet<String> = found.iter().cloned().collect();
        prop_assert_eq!(once.len(), found.len());
        prop_assert!(stayed.is_subset(&once));
    }

    #[test]
    fn held_back_leads_come_in_their_order_and_nothing_of_the_score_moves_them(
        leads in prop::collection::vec((0u8..60, -30i8..30, 0i64..9), 0..60),
        limit in 1usize..5,
    ) {
        let mut ranking = Ranking::new(Vec::new(), Edges::of_one([0.7, 0.5, 0.2]), Timestamp::from_micros(0));
        let mut kept: BTreeMap<String, Entry> = BTreeMap::new();
        for (number, score, created) in leads {
            let lead = format!("L{number}");
            let created = (created > 0).then(|| Timestamp::from_micros(created));
            let entry = Entry { created, ..entry(&lead, f64::from(score) / 8.0, 1) };
            ranking.put(entry.clone());
            kept.insert(lead, entry);
        }
        let mut expected: Vec<&Entry> = kept.values().filter(|entry| entry.held_back).collect();
        expected.sort_by_key(|entry| std::cmp::Reverse(entry.created));
        let mut query = HeldBackQuery { limit, ..HeldBackQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = ranking.held_back(&query).expect("a cursor of ours");
            prop_assert_eq!(page.n_matching, expected.len());
            found.extend(page.rows.into_iter().map(|(lead, _)| lead));
            let Some(next) = page.next else { break };
            query.cursor = Some(next);
        }
        let expected: Vec<String> = expected.iter().map(|entry| entry.lead.clone()).collect();
        prop_assert_eq!(found, expected);
        let all = QueueQuery { limit: 500, ..QueueQuery::default() };
        let page = ranking.page(&all, None, usize::MAX, Timestamp::MAX).expect("a page");
        prop_assert!(page.rows.iter().all(|(_, entry)| !entry.held_back));
        prop_assert_eq!(page.n_held_back, kept.values().filter(|entry| entry.held_back).count());
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
    assert_eq!(
        ranking
            .page(&query(3), None, usize::MAX, at(9))
            .expect("a page")
            .n_matching,
        1
    );
    assert_eq!(
        ranking
            .page(&query(4), None, usize::MAX, at(9))
            .expect("a page")
            .n_matching,
        0
    );
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
        "1.2-L1",
        "1.2.+3-L1",
        "1.2.3.4-L1",
        "1..3-L1",
        "3ff0000000000000-L1",
        "€€€€€€€€-L1",
    ] {
        let query = QueueQuery {
            cursor: Some(text.to_owned()),
            limit: 1,
            ..QueueQuery::default()
        };
        assert_eq!(
            ranking.page(&query, None, usize::MAX, Timestamp::MAX),
            Err(BadCursor)
        );
    }
}

#[test]
fn an_order_that_is_kept_no_more_goes_on_behind_the_last_lead() {
    let at = Timestamp::from_micros;
    let lead = |name: &str, score: f64, micros| Entry {
        held_back: false,
        ..entry(name, score, micros)
    };
    let leads = ["A", "B", "C", "D"].iter().zip([4.0, 3.0, 2.0, 1.0]);
    let leads = leads.map(|(name, score)| lead(name, score, 0)).collect();
    let mut ranking = Ranking::new(leads, Edges::of_one([0.7, 0.5, 0.2]), at(0));
    let mut query = QueueQuery {
        limit: 2,
        ..QueueQuery::default()
    };
    let first = ranking
        .page(&query, None, usize::MAX, at(1))
        .expect("a page");
    query.cursor = first.next.map(|next| next.text());
    // The last lead of the first page falls behind the others.
    ranking.put(lead("B", 0.5, 2));
    let names = |page: Page| -> Vec<String> {
        let rows = page.rows.into_iter();
        rows.map(|(_, entry)| entry.lead).collect()
    };
    let soon = ranking
        .page(&query, None, usize::MAX, at(2))
        .expect("a page");
    assert!(!soon.is_reordered);
    assert_eq!(names(soon), ["C", "D"]);
    let late = ranking
        .page(&query, None, usize::MAX, at(700_000_002))
        .expect("a page");
    assert!(late.is_reordered);
    assert_eq!(names(late), ["C", "D"]);
}
