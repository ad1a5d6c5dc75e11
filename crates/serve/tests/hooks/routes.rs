//! Calls that were given up, seen and made again: what the routes read, and by what index.

use leadscore_serve::{DeliveryQuery, DeliveryStatus, State};

use super::server::{Result, Server, config, options, score};

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_found_by_status_lead_and_id() -> Result {
    let folder = tempfile::tempdir()?;
    // Nobody listens there.
    let config = config(&[("hot", 40.0, Some("http://127.0.0.1:9/hook"))]);
    let server = Server::start(&folder.path().join("s"), &config, options())?;
    let mut ids = Vec::new();
    for (lead, second) in [("L1", 1), ("L2", 3), ("L1", 5)] {
        server
            .thresholds
            .observe(&score(lead, second, 10.0), None)?;
        let crossings = server
            .thresholds
            .observe(&score(lead, second + 1, 50.0), None)?;
        ids.extend(crossings.into_iter().map(|crossing| crossing.id));
    }
    let webhooks = server.webhooks.as_ref().ok_or("no calls are made")?;
    let found = |query: DeliveryQuery| -> Result<Vec<String>> {
        let page = webhooks.deliveries(&query)?;
        Ok(page.deliveries.into_iter().map(|call| call.id).collect())
    };
    let lead = Some("L1".to_owned());
    let query = DeliveryQuery {
        lead,
        status: Some(DeliveryStatus::Waiting),
        ..DeliveryQuery::default()
    };
    assert_eq!(found(query.clone())?, [ids[2].clone(), ids[0].clone()]);
    let query = DeliveryQuery {
        limit: Some(1),
        ..query
    };
    let page = webhooks.deliveries(&query)?;
    assert_eq!((page.deliveries.len(), page.next.is_some()), (1, true));
    // The second call of the lead waits for the first one.
    assert_eq!(page.deliveries[0].next_try, None);
    let query = DeliveryQuery {
        cursor: page.next,
        ..query
    };
    let page = webhooks.deliveries(&query)?;
    assert_eq!((&page.deliveries[0].id, page.next), (&ids[0], None));
    let id = Some(ids[1].clone());
    let query = DeliveryQuery {
        id,
        ..DeliveryQuery::default()
    };
    assert_eq!(found(query)?, [ids[1].clone()]);
    let query = DeliveryQuery {
        status: Some(DeliveryStatus::Dead),
        ..DeliveryQuery::default()
    };
    assert_eq!(found(query)?, Vec::<String>::new());
    server.stop().await;
    Ok(())
}

#[test]
fn what_is_asked_with_every_call_reads_no_whole_table() -> Result {
    let folder = tempfile::tempdir()?;
    let state = State::open(&folder.path().join("s"))?;
    for sql in [
        "SELECT seq FROM deliveries WHERE status = 'waiting' AND receiver = ?1
            AND next_try IS NOT NULL AND next_try <= ?2 ORDER BY next_try, seq LIMIT ?3",
        "SELECT min(seq) FROM deliveries WHERE status = 'waiting' AND receiver = ?1 AND lead = ?2",
        "SELECT lead FROM crossings WHERE at >= ?1 AND is_told = 1 ORDER BY at, seq",
        "SELECT id FROM crossings WHERE is_told = 1 AND is_appended = 0 ORDER BY seq LIMIT ?1",
    ] {
        let plan: Vec<String> = state.read(|connection| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let rows = statement.raw_query().mapped(|row| row.get("detail"));
            rows.collect()
        })?;
        let plan = plan.join("; ");
        assert!(plan.contains("INDEX"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
    Ok(())
}
