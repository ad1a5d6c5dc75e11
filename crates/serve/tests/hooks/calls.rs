//! Receivers that answer, fail, hang, close and redirect.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use leadscore_config::SiteAddress;
use leadscore_serve::{DeliveryQuery, DeliveryStatus, Retry, SigningKeys, WebhookOptions};

use super::receiver::{Receiver, Reply};
use super::server::{Result, SECRET, START, Server, WALL, config, options, score};

/// Lets leads cross the threshold at 40, in order.
fn cross(server: &Server, leads: impl IntoIterator<Item = String>) -> Result<Vec<String>> {
    let leads: Vec<_> = leads.into_iter().collect();
    let low: Vec<_> = leads.iter().map(|lead| score(lead, 1, 10.0)).collect();
    let high: Vec<_> = leads.iter().map(|lead| score(lead, 2, 50.0)).collect();
    server
        .thresholds
        .observe_all(low.iter().map(|score| (score, None)))?;
    let crossings = server
        .thresholds
        .observe_all(high.iter().map(|score| (score, None)))?;
    Ok(crossings.into_iter().map(|crossing| crossing.id).collect())
}

fn names(n_leads: usize) -> impl Iterator<Item = String> {
    (0..n_leads).map(|lead| format!("L{lead}"))
}

const OK: Reply = Reply::Status(200, "");

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_signed_and_has_what_it_tells() -> Result {
    let receiver = Receiver::new(|_, _| OK)?;
    let folder = tempfile::tempdir()?;
    let mut config = config(&[("hot", 40.0, Some(&receiver.url))]);
    config.base = Some(SiteAddress::parse("https://leads.example.com/").expect("an address"));
    let server = Server::start(&folder.path().join("s"), &config, options())?;
    let ids = cross(&server, names(1))?;
    server.wait_until(DeliveryStatus::Delivered, 1).await?;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(request.id, ids[0]);
    assert_eq!(request.timestamp, (WALL / 1_000_000).to_string());
    let keys = SigningKeys::read(SECRET)?;
    let signature = keys.sign(&request.id, WALL / 1_000_000, &request.body);
    assert_eq!(request.signature, signature);
    assert_eq!(
        request.body,
        concat!(
            r#"{"type":"threshold.crossed","timestamp":"2025-06-01T10:00:02Z","data":{"#,
            r#""lead":"L0","threshold":"hot","likelihood":50.0,"tier":"High","#,
            r#""reasons":["opened pricing twice"],"model":"m1","#,
            r#""url":"https://leads.example.com/leads/L0"}}"#
        )
    );
    let delivery = &server.deliveries(None)?[0];
    assert_eq!((delivery.n_tries, delivery.answer), (1, Some(200)));
    assert_eq!((&delivery.problem, delivery.next_try), (&None, None));
    server.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_with_the_same_id() -> Result {
    for (reply, problem) in [
        (Reply::Status(500, ""), "answered 500"),
        (Reply::Status(404, ""), "answered 404"),
        (Reply::Status(429, "retry-after: 0\r\n"), "answered 429"),
        (Reply::Hang, "no answer within 0.4 s"),
        (Reply::Close, "the connection ended before the answer: "),
        (
            Reply::CloseInHead,
            "the connection ended before the answer: ",
        ),
        (
            Reply::Status(307, "location: http://127.0.0.1:9/\r\n"),
            "answered 307, a redirect, which is not followed",
        ),
    ] {
        let first = reply.clone();
        let receiver = Receiver::new(move |_, n| if n < 2 { first.clone() } else { OK })?;
        let folder = tempfile::tempdir()?;
        let config = config(&[("hot", 40.0, Some(&receiver.url))]);
        let mut options = options();
        options.first_wait = Duration::from_millis(300);
        options.most_wait = Duration::from_millis(300);
        let server = Server::start(&folder.path().join("s"), &config, options)?;
        cross(&server, names(1))?;
        receiver.wait_for(1);
        let start = Instant::now();
        let waiting = loop {
            let waiting = server.deliveries(None)?.remove(0);
            if waiting.n_tries > 0 || start.elapsed() > Duration::from_secs(10) {
                break waiting;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let found = waiting.problem.unwrap_or_default();
        assert!(found.starts_with(problem), "{reply:?}: {found}");
        assert_eq!(waiting.status, DeliveryStatus::Waiting);
        assert!(!found.contains("/hook"), "{found}");
        server.wait_until(DeliveryStatus::Delivered, 1).await?;
        let requests = receiver.requests();
        assert_eq!(requests.len(), 3, "{reply:?}");
        assert!(requests.iter().all(|request| request.id == waiting.id));
        server.stop().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_ends_after_its_status_is_an_answer() -> Result {
    let receiver = Receiver::new(|_, _| Reply::CloseInBody)?;
    let folder = tempfile::tempdir()?;
    let config = config(&[("hot", 40.0, Some(&receiver.url))]);
    let server = Server::start(&folder.path().join("s"), &config, options())?;
    cross(&server, names(3))?;
    server.wait_until(DeliveryStatus::Delivered, 3).await?;
    assert_eq!(receiver.requests().len(), 3);
    server.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_delays_nobody_else() -> Result {
    let hanging = Receiver::new(|_, _| Reply::Hang)?;
    let working = Receiver::new(|_, _| OK)?;
    let folder = tempfile::tempdir()?;
    let config = config(&[
        ("hangs", 40.0, Some(&hanging.url)),
        ("works", 40.0, Some(&working.url)),
    ]);
    let mut options = options();
    options.timeout = Duration::from_secs(20);
    let server = Server::start(&folder.path().join("s"), &config, options)?;
    let start = Instant::now();
    cross(&server, names(200))?;
    server.wait_until(DeliveryStatus::Delivered, 200).await?;
    assert!(start.elapsed() < Duration::from_secs(15));
    assert_eq!(working.requests().len(), 200);
    // No more than so many at once.
    assert_eq!(hanging.requests().len(), 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_that_is_refused_delays_no_other_lead() -> Result {
    let receiver = Receiver::new(|request, _| match request.lead.as_str() {
        "L0" => Reply::Status(400, ""),
        _ => OK,
    })?;
    let folder = tempfile::tempdir()?;
    let config = config(&[("hot", 40.0, Some(&receiver.url))]);
    let server = Server::start(&folder.path().join("s"), &config, options())?;
    cross(&server, names(100))?;
    server.wait_until(DeliveryStatus::Delivered, 99).await?;
    let waiting = server.deliveries(Some(DeliveryStatus::Waiting))?;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].lead, "L0");
    server.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_is_asked_gently_and_then_gets_everything() -> Result {
    let is_up = Arc::new(AtomicBool::new(false));
    let up = Arc::clone(&is_up);
    let receiver = Receiver::new(move |_, _| {
        if up.load(Ordering::Relaxed) {
            OK
        } else {
            Reply::Status(503, "")
        }
    })?;
    let folder = tempfile::tempdir()?;
    let config = config(&[("hot", 40.0, Some(&receiver.url))]);
    let options = WebhookOptions {
        // After they failed, calls wait long, unless the receiver is back.
        first_wait: Duration::from_secs(600),
        most_wait: Duration::from_secs(600),
        first_pause: Duration::from_millis(100),
        most_pause: Duration::from_millis(400),
        ..options()
    };
    let server = Server::start(&folder.path().join("s"), &config, options)?;
    cross(&server, names(300))?;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let n_calls = receiver.requests().len();
    assert!((4..=20).contains(&n_calls), "{n_calls} calls in 1.5 s");
    is_up.store(true, Ordering::Relaxed);
    server.wait_until(DeliveryStatus::Delivered, 300).await?;
    assert!(receiver.requests().len() <= 300 + n_calls + 2);
    server.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_can_be_seen_and_made_again() -> Result {
    let is_up = Arc::new(AtomicBool::new(false));
    let up = Arc::clone(&is_up);
    let receiver = Receiver::new(move |_, _| {
        if up.load(Ordering::Relaxed) {
            OK
        } else {
            Reply::Close
        }
    })?;
    let folder = tempfile::tempdir()?;
    let config = config(&[("hot", 40.0, Some(&receiver.url))]);
    let options = WebhookOptions {
        give_up_after: Duration::from_millis(1_500),
        ..options()
    };
    let server = Server::start(&folder.path().join("s"), &config, options)?;
    let ids = cross(&server, names(20))?;
    server.wait_until(DeliveryStatus::Dead, 20).await?;
    let dead = server.deliveries(Some(DeliveryStatus::Dead))?;
    assert!(
        dead.iter()
            .all(|call| call.problem.is_some() && call.settled.is_some())
    );
    assert!(dead.iter().any(|call| call.n_tries > 1));
    is_up.store(true, Ordering::Relaxed);
    let webhooks = server.webhooks.as_ref().ok_or("no calls are made")?;
    for id in &ids {
        assert_eq!(webhooks.retry(id)?, Retry::Queued);
    }
    server.wait_until(DeliveryStatus::Delivered, 20).await?;
    assert_eq!(webhooks.retry("crossing-none")?, Retry::Unknown);
    // One that was delivered can be asked for too.
    let n_calls = receiver.requests().len();
    assert_eq!(webhooks.retry(&ids[7])?, Retry::Queued);
    let requests = receiver.wait_for(n_calls + 1);
    assert_eq!(requests[n_calls].id, ids[7]);
    server.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_not_asked_again() -> Result {
    let receiver = Receiver::new(|_, _| Reply::Status(410, ""))?;
    let folder = tempfile::tempdir()?;
    let config = config(&[("hot", 40.0, Some(&receiver.url))]);
    let server = Server::start(&folder.path().join("s"), &config, options())?;
    cross(&server, names(5))?;
    server.wait_until(DeliveryStatus::Dead, 5).await?;
    assert_eq!(receiver.requests().len(), 5);
    server.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_change_get_what_waits_and_those_that_are_gone_do_not() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s");
    let nobody = "http://127.0.0.1:9/hook";
    let first = config(&[("gone", 40.0, Some(nobody)), ("hot", 40.0, Some(nobody))]);
    let server = Server::start(&path, &first, options())?;
    cross(&server, names(10))?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop().await;
    let receiver = Receiver::new(|_, _| OK)?;
    let second = config(&[("hot", 40.0, Some(&receiver.url))]);
    let server = Server::start(&path, &second, options())?;
    server.wait_until(DeliveryStatus::Delivered, 10).await?;
    let dead = server.deliveries(Some(DeliveryStatus::Dead))?;
    assert_eq!(dead.len(), 10);
    let webhooks = server.webhooks.as_ref().ok_or("no calls are made")?;
    assert_eq!(webhooks.retry(&dead[0].id)?, Retry::NoReceiver);
    assert!(dead.iter().all(|call| call.threshold == "gone"));
    server.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_jump_neither_stop_calls_nor_give_them_up() -> Result {
    const YEAR: i64 = 365 * 86_400_000_000;
    for jump in [YEAR, -YEAR] {
        let receiver = Receiver::new(|_, n| if n < 12 { Reply::Status(500, "") } else { OK })?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("s");
        let config = config(&[("hot", 40.0, Some(&receiver.url))]);
        let server = Server::start(&path, &config, options())?;
        cross(&server, names(3))?;
        receiver.wait_for(2);
        server.clock.fetch_add(jump, Ordering::Relaxed);
        receiver.wait_for(4);
        let start = Instant::now();
        server.stop().await;
        assert!(start.elapsed() < Duration::from_secs(5));
        // The next server starts after the jump.
        let clock = START + jump;
        let server = Server::start_at(&path, &config, options(), clock)?;
        server.wait_until(DeliveryStatus::Delivered, 3).await?;
        assert_eq!(server.deliveries(Some(DeliveryStatus::Dead))?, []);
        let last = receiver.requests().pop().ok_or("no call")?;
        assert_eq!(last.timestamp, (WALL / 1_000_000).to_string());
        server.stop().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "figures for whoever runs it")]
async fn ten_thousand_crossings_are_delivered_once_each() -> Result {
    let receiver = Receiver::new(|_, _| OK)?;
    let folder = tempfile::tempdir()?;
    let config = config(&[("hot", 40.0, Some(&receiver.url))]);
    let options = WebhookOptions {
        timeout: Duration::from_secs(10),
        ..options()
    };
    let server = Server::start(&folder.path().join("s"), &config, options)?;
    let start = Instant::now();
    let ids = cross(&server, names(10_000))?;
    let observed = start.elapsed();
    assert_eq!(ids.len(), 10_000);
    server.wait_until(DeliveryStatus::Delivered, 10_000).await?;
    let delivered = start.elapsed();
    let mut seen: Vec<_> = receiver
        .requests()
        .into_iter()
        .map(|request| request.id)
        .collect();
    seen.sort_unstable();
    let mut expected = ids;
    expected.sort_unstable();
    assert_eq!(seen, expected);
    assert!(observed < Duration::from_secs(5), "{observed:?}");
    assert!(delivered < Duration::from_secs(60), "{delivered:?}");
    let webhooks = server.webhooks.as_ref().ok_or("no calls are made")?;
    // Pages have every call once, latest first.
    let (mut n_seen, mut cursor) = (0, None);
    loop {
        let query = DeliveryQuery {
            cursor,
            limit: Some(499),
            ..DeliveryQuery::default()
        };
        let page = webhooks.deliveries(&query)?;
        n_seen += page.deliveries.len();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(n_seen, 10_000);
    assert_eq!(webhooks.problem(), None);
    println!("observed in {observed:?}, delivered in {delivered:?}");
    server.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_called_of_a_lead_that_has_become_held_back() -> Result {
    // A call that fails first, so that it waits while the lead moves into the arm.
    let receiver = Receiver::new(|_, n| if n < 1 { Reply::Status(500, "") } else { OK })?;
    let folder = tempfile::tempdir()?;
    let config = config(&[("hot", 40.0, Some(&receiver.url))]);
    let mut options = options();
    (options.first_wait, options.most_wait) = (Duration::from_secs(1), Duration::from_secs(1));
    let server = Server::start(&folder.path().join("s"), &config, options)?;
    let ids = cross(&server, names(1))?;
    while receiver.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let arm = |lead: &str| -> Result {
        let mut held_back = server.held_back.lock().map_err(|error| error.to_string())?;
        held_back.insert(lead.to_owned());
        Ok(())
    };
    arm("L0")?;
    server.wait_until(DeliveryStatus::Dead, 1).await?;
    let dead = &server.deliveries(Some(DeliveryStatus::Dead))?[0];
    let problem = "nobody was called: the lead is held back";
    assert_eq!(dead.problem.as_deref(), Some(problem));
    assert_eq!((dead.n_tries, dead.answer), (1, None));
    // Nor when somebody asks for it again; other leads of the receiver are told of.
    let webhooks = server.webhooks.as_ref().ok_or("no calls are made")?;
    assert_eq!(webhooks.retry(&ids[0])?, Retry::Queued);
    cross(&server, ["L1".to_owned()])?;
    server.wait_until(DeliveryStatus::Delivered, 1).await?;
    server.wait_until(DeliveryStatus::Dead, 1).await?;
    // While it cannot be known, a call waits.
    arm("?")?;
    cross(&server, ["?".to_owned()])?;
    server.wait_until(DeliveryStatus::Waiting, 1).await?;
    let reached: Vec<_> = receiver
        .requests()
        .into_iter()
        .map(|call| call.id)
        .collect();
    assert_eq!(reached.len(), 2, "{reached:?}");
    assert_eq!(reached[0], ids[0]);
    server.stop().await;
    Ok(())
}
