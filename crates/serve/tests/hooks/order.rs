//! Calls of a lead come in the order of its crossings, whatever the receiver answers.

use std::collections::HashMap;

use leadscore_serve::DeliveryStatus;
use proptest::prelude::*;

use super::receiver::{Receiver, Reply};
use super::server::{Result, Server, config, options, score};

/// What a receiver does, most often the right thing.
fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        4 => Just(Reply::Status(200, "")),
        1 => Just(Reply::Status(500, "")),
        1 => Just(Reply::Status(429, "retry-after: 0\r\n")),
        1 => Just(Reply::Status(404, "")),
        1 => Just(Reply::Status(302, "location: http://127.0.0.1:9/\r\n")),
        1 => Just(Reply::Close),
        1 => Just(Reply::CloseInHead),
        1 => Just(Reply::CloseInBody),
    ]
}

/// Leads that rise and fall in any order, in several servers one after the other.
fn check(steps: &[(u8, bool)], replies: Vec<Reply>, n_servers: usize) -> Result {
    let n_replies = replies.len();
    let receiver = Receiver::new(move |_, n| {
        let last = Reply::Status(200, "");
        replies.get(n).cloned().unwrap_or(last)
    })?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s");
    let config = config(&[
        ("hot", 60.0, Some(&receiver.url)),
        ("warm", 40.0, Some(&receiver.url)),
    ]);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut expected: HashMap<String, Vec<String>> = HashMap::new();
    let mut n_expected = 0;
    runtime.block_on(async {
        let length = steps.len().div_ceil(n_servers).max(1);
        for part in steps.chunks(length) {
            let server = Server::start(&path, &config, options())?;
            for (lead, is_hot) in part {
                let lead = format!("L{lead}");
                let second = i64::try_from(n_expected + expected.len())? * 10;
                for (offset, likelihood) in [(0, 10.0), (1, if *is_hot { 70.0 } else { 50.0 })] {
                    let at = second + offset + 1;
                    let crossings = server
                        .thresholds
                        .observe(&score(&lead, at, likelihood), None)?;
                    n_expected += crossings.len();
                    let ids = crossings.into_iter().map(|crossing| crossing.id);
                    expected.entry(lead.clone()).or_default().extend(ids);
                }
            }
            server.stop().await;
        }
        let server = Server::start(&path, &config, options())?;
        let n_calls = i64::try_from(n_expected)?;
        server
            .wait_until(DeliveryStatus::Delivered, n_calls)
            .await?;
        server.stop().await;
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    // No call comes before, or after, those of its lead that it must not.
    let mut places: HashMap<String, usize> = HashMap::new();
    let requests = receiver.requests();
    assert!(requests.len() <= n_expected + n_replies);
    for request in requests {
        let ids = &expected[&request.lead];
        let place = ids.iter().position(|id| *id == request.id);
        let place = place.ok_or("a call of no crossing")?;
        let last = places.entry(request.lead.clone()).or_insert(0);
        assert!(
            place == *last || place == *last + 1,
            "{} came after {}",
            place,
            *last
        );
        *last = place;
    }
    for (lead, ids) in expected.iter().filter(|(_, ids)| !ids.is_empty()) {
        assert_eq!(places.get(lead), Some(&(ids.len() - 1)), "{lead}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn calls_of_a_lead_are_in_order(
        steps in prop::collection::vec((0_u8..4, any::<bool>()), 1..25),
        replies in prop::collection::vec(reply(), 0..40),
        n_servers in 1_usize..4,
    ) {
        let checked = check(&steps, replies, n_servers).map_err(|error| error.to_string());
        prop_assert_eq!(checked, Ok(()));
    }
}
