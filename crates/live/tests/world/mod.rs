//! A made CRM as rows of a store, with what happens to rows on their way.

use std::collections::BTreeMap;

use leadscore::{Config, Data, Inputs, SimulationOptions};
use leadscore_core::{Span, Timestamp};
use leadscore_live::LiveScorer;
use leadscore_store::{Entity, NewEvent, StoredEvent};
use serde_json::{Value, json};

/// A CRM on disk, and its config.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) leads: Vec<String>,
    _folder: tempfile::TempDir,
}

/// A moment by its text.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// Numbers that look random.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) % below
    }
}

impl World {
    /// A CRM of so many leads.
    pub(crate) fn simulated(n_leads: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = SimulationOptions {
            n_leads,
            world: leadscore::World::Linear,
            seed: 7,
        };
        leadscore::write_crm(options, folder.path(), "csv", &Inputs::default().listener)
            .expect("room on the disk");
        let path = folder.path().join("leadscore.toml");
        let text = std::fs::read_to_string(&path).expect("the config");
        let text = text.replace(
            "[snapshots]\n",
            "[guards]\noutside_training = 1.0\n\n[snapshots]\n",
        );
        let config = Config::parse(text, &path).expect("a config");
        let mut world = Self {
            config,
            leads: Vec::new(),
            _folder: folder,
        };
        let mut leads: Vec<String> = world
            .imported()
            .into_iter()
            .filter(|row| row.table == "leads")
            .map(|row| row.entity.id().to_owned())
            .collect();
        leads.dedup();
        world.leads = leads;
        world
    }

    fn events(&self) -> Vec<NewEvent> {
        let data = Data::open(&self.config, Inputs::default()).expect("files");
        data.import_rows(at("2026-06-01")).expect("rows").events
    }

    /// The rows of its tables.
    pub(crate) fn imported(&self) -> Vec<StoredEvent> {
        stored(self.events())
    }

    /// The same with leads and rows that came late, changes of attributes, days in place of moments, touches
    /// of which nobody knows the lead, and all of them in another order.
    pub(crate) fn disturbed(&self, seed: u64) -> Vec<StoredEvent> {
        let mut dice = Dice(seed);
        let mut events = self.events();
        let mut changes = Vec::new();
        for event in &mut events {
            let recorded = event.recorded.expect("imported");
            let is_event = event.table.starts_with("activities.");
            if is_event && dice.next(5) == 0 {
                let late = Span::from_micros(dice.next(20 * 86_400_000_000) as i64);
                event.recorded = Some(recorded + late);
            }
            if event.table == "activities.touches" && dice.next(7) == 0 {
                let mut row: BTreeMap<String, Value> =
                    serde_json::from_str(&event.row).expect("a row");
                let day = event.at.end_of_day();
                let text = event.at.to_string();
                row.insert("at".to_owned(), json!(text[..10]));
                event.row = json!(row).to_string();
                event.at = day;
            }
            if event.table == "leads" {
                // Some leads are entered weeks after they were created.
                if dice.next(6) == 0 {
                    let late = Span::from_micros(dice.next(40 * 86_400_000_000) as i64);
                    event.recorded = Some(recorded + late);
                }
                let recorded = event.recorded.expect("imported");
                for number in 0..dice.next(4) {
                    let later = Span::from_micros(dice.next(200 * 86_400_000_000) as i64);
                    let seats = dice.next(50);
                    let row = match dice.next(4) {
                        0 => json!({"lead_id": event.entity.id(), "seats": null}),
                        1 => {
                            json!({"lead_id": event.entity.id(), "hobby": "mining", "seats": seats})
                        }
                        2 => json!({"lead_id": event.entity.id(), "source": "referral"}),
                        _ => json!({"lead_id": event.entity.id(), "seats": seats}),
                    };
                    if recorded + later > at("2026-01-10") {
                        continue;
                    }
                    changes.push(NewEvent {
                        id: format!("{}:change{number}", event.id),
                        at: recorded + later,
                        recorded: Some(recorded + later),
                        row: row.to_string(),
                        ..event.clone()
                    });
                }
            }
        }
        events.extend(changes);
        events.push(NewEvent {
            id: "nobody".to_owned(),
            table: "activities.touches".to_owned(),
            entity: Entity::Lead("nobody".to_owned()),
            at: at("2025-03-03"),
            recorded: Some(at("2025-03-03")),
            row: json!({"lead_id": "nobody", "at": "2025-03-03T00:00:00Z", "touch_type": "call"})
                .to_string(),
        });
        events.sort_by_key(|event| event.recorded);
        let mut rows = stored(events);
        for position in (1..rows.len()).rev() {
            rows.swap(position, dice.next(position as u64 + 1) as usize);
        }
        rows
    }

    /// The rows that a score of the lead reads, in any order.
    pub(crate) fn rows_of(
        &self,
        scorer: &LiveScorer,
        rows: &[StoredEvent],
        lead: &str,
    ) -> Vec<StoredEvent> {
        let of = |entity: &Entity| {
            rows.iter()
                .filter(|row| row.entity == *entity)
                .cloned()
                .collect()
        };
        let mut own: Vec<StoredEvent> = of(&Entity::Lead(lead.to_owned()));
        for entity in scorer.beside(&own).expect("rows") {
            let others: Vec<StoredEvent> = of(&entity);
            own.extend(others);
        }
        own
    }
}

/// Events as a store numbers them.
fn stored(events: Vec<NewEvent>) -> Vec<StoredEvent> {
    let number = |(seq, event): (u64, NewEvent)| StoredEvent {
        seq,
        id: event.id,
        table: event.table,
        entity: event.entity,
        at: event.at,
        recorded: event.recorded.expect("imported"),
        row: event.row,
    };
    (1..).zip(events).map(number).collect()
}
