//! How long one lead with 200 activities takes from its rows to its score with all reasons.
//!
//! `cargo run --release --workspace --all-features --example score_speed`
#![expect(
    clippy::print_stdout,
    reason = "what a chore has measured is its output"
)]

use std::sync::Arc;
use std::time::Instant;

use leadscore::{Config, Data, Inputs, SimulationOptions, TrainOptions};
use leadscore_core::{Span, Timestamp};
use leadscore_live::LiveScorer;
use leadscore_store::{Entity, StoredEvent};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let options = SimulationOptions {
        n_leads: 4_000,
        world: leadscore::World::Linear,
        seed: 7,
    };
    leadscore::write_crm(options, folder.path(), "csv", &Inputs::default().listener)?;
    let config = Config::read(folder.path().join("leadscore.toml"))?;
    let past: Timestamp = "2025-04-01".parse()?;
    let data = Data::open(&config, Inputs::default())?.as_of(past);
    let model = Arc::new(leadscore::train(&data, &TrainOptions::default())?.into_model());
    let n_features = model.specs.len();
    let scorer = LiveScorer::new(&config, model, &[])?;
    let moment: Timestamp = "2025-06-01T12:00:00Z".parse()?;
    let rows = lead_with(200, moment);
    let score = scorer.score("L1", moment, &rows, None)?;
    println!(
        "{n_features} features, {} rows, {} reasons, likelihood {:.2}",
        rows.len(),
        score.reasons.len(),
        score.likelihood
    );
    let mut micros: Vec<u128> = Vec::new();
    for _ in 0..5_000 {
        let start = Instant::now();
        std::hint::black_box(scorer.score("L1", moment, &rows, None)?);
        micros.push(start.elapsed().as_nanos() / 1_000);
    }
    micros.sort_unstable();
    println!(
        "score from rows: p50 {} µs, p99 {} µs",
        micros[micros.len() / 2],
        micros[micros.len() * 99 / 100]
    );
    let touches: Vec<serde_json::Value> = (0..200)
        .map(|number| {
            let at = moment - Span::from_micros(1 + i64::from(number) * 7_000_000_000);
            json!({"at": at.to_string(), "recorded_at": at.to_string(), "touch_type": "email_open"})
        })
        .collect();
    let raw = json!({
        "lead_id": "L1", "created_at": "2025-05-01", "source": "web", "seats": 12,
        "activities": {"touches": touches},
    });
    let (mut micros, mut door): (Vec<u128>, Vec<u128>) = (Vec::new(), Vec::new());
    for _ in 0..2_000 {
        let start = Instant::now();
        let lead = scorer.raw_lead(&raw, moment)?;
        door.push(start.elapsed().as_nanos() / 1_000);
        std::hint::black_box(scorer.score_raw(&lead, &[], None)?);
        micros.push(start.elapsed().as_nanos() / 1_000);
    }
    micros.sort_unstable();
    door.sort_unstable();
    println!(
        "score of a raw lead: p50 {} µs, p99 {} µs; through the door: p50 {} µs",
        micros[micros.len() / 2],
        micros[micros.len() * 99 / 100],
        door[door.len() / 2]
    );
    Ok(())
}

/// The rows of a lead with so many activities.
fn lead_with(n_activities: u32, moment: Timestamp) -> Vec<StoredEvent> {
    let row = |seq: u64, table: &str, at: Timestamp, row: serde_json::Value| StoredEvent {
        seq,
        id: format!("e{seq}"),
        table: table.to_owned(),
        entity: Entity::Lead("L1".to_owned()),
        at,
        recorded: at,
        row: row.to_string(),
    };
    let created = moment - Span::from_days(30);
    let lead = json!({
        "lead_id": "L1", "created_at": created.to_string(), "source": "web", "seats": 12,
    });
    let mut rows = vec![row(1, "leads", created, lead)];
    for number in 0..n_activities {
        let at = created + Span::from_micros(1 + i64::from(number) * 12_000_000_000);
        let (table, cells) = match number % 3 {
            0 => (
                "activities.touches",
                json!({"lead_id": "L1", "at": at.to_string(), "touch_type": "email_open"}),
            ),
            1 => (
                "activities.web",
                json!({"lead_id": "L1", "at": at.to_string(), "page_views": 3, "minutes": 1.5}),
            ),
            _ => (
                "activities.sales",
                json!({"lead_id": "L1", "at": at.to_string(), "activity_type": "call"}),
            ),
        };
        rows.push(row(u64::from(number) + 2, table, at, cells));
    }
    rows
}
