//! A server that is killed between the commit of a crossing and its delivery.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use leadscore_serve::DeliveryStatus;

use super::receiver::{Receiver, Reply};
use super::server::{Result, SECRET, Server, config, options};

/// Beside this test, where cargo puts examples.
fn example() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent).ok_or("no folder")?;
    Ok(folder.join("examples").join("hooks_that_crash"))
}

/// Runs the example for some time, kills it, and gives the crossings that it said were durable.
fn run(path: &Path, url: &str, from: usize, calls: &str, time: Duration) -> Result<Vec<String>> {
    let mut child = Command::new(example()?)
        .args([&path.display().to_string(), url, &from.to_string(), calls])
        .env("HOOK_SECRET", SECRET)
        .stdout(Stdio::piped())
        .spawn()?;
    let out = child.stdout.take().ok_or("no output")?;
    let reader = thread::spawn(move || {
        let lines = BufReader::new(out).lines().map_while(std::io::Result::ok);
        // A line that was cut says nothing.
        lines.filter(|line| line.len() == 41).collect::<Vec<_>>()
    });
    thread::sleep(time);
    child.kill()?;
    child.wait()?;
    reader.join().map_err(|_| "the reader panicked".into())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "figures for whoever runs it")]
async fn crossings_of_a_server_that_is_killed_are_delivered() -> Result {
    let receiver = Receiver::new(|_, n| match n % 11 {
        3 => Reply::Status(500, ""),
        7 => Reply::Close,
        _ => Reply::Status(200, ""),
    })?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s");
    let mut durable = Vec::new();
    for round in 0..20 {
        let calls = if round % 4 == 0 { "none" } else { "call" };
        let time = Duration::from_millis(60 + 13 * (round % 7));
        let from = usize::try_from(round)? * 100_000;
        durable.extend(run(&path, &receiver.url, from, calls, time)?);
    }
    assert!(durable.len() > 100, "{} crossings", durable.len());
    let config = config(&[("hot", 40.0, Some(&receiver.url))]);
    let server = Server::start(&path, &config, options())?;
    server.wait_until(DeliveryStatus::Waiting, 0).await?;
    let requests = receiver.requests();
    let delivered: BTreeSet<_> = requests.iter().map(|request| &request.id).collect();
    let n_lost = durable.iter().filter(|id| !delivered.contains(id)).count();
    assert_eq!(n_lost, 0, "of {}", durable.len());
    assert_eq!(durable.iter().collect::<BTreeSet<_>>().len(), durable.len());
    // Each lead's calls are in order, also where one was repeated after a kill.
    let order: HashMap<String, i64> = server.state.read(|connection| {
        let mut statement = connection.prepare("SELECT id, seq FROM deliveries")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    })?;
    let mut last: HashMap<&str, i64> = HashMap::new();
    for request in &requests {
        let seq = order[&request.id];
        let before = last.insert(&request.lead, seq).unwrap_or(0);
        assert!(seq >= before, "{} came after a later one", request.id);
    }
    println!(
        "{} crossings, {} calls, 20 kills",
        durable.len(),
        requests.len()
    );
    server.stop().await;
    Ok(())
}
