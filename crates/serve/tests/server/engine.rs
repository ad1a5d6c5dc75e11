//! An engine in memory: a lead's log-odds are a baseline, and what each of its touches adds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use leadscore_core::{ContactPriority, FeatureKind, Timestamp};
use leadscore_serve::{
    AppendResult, Engine, EventLine, FeatureFacts, FieldError, Forgotten, InferColumn, LeadDetail,
    LeadScore, ModelFacts, NoScore, Queue, QueueQuery, QueueRow, Reason, TierRecord, Word,
};
use leadscore_store::{Appended, Entity, NewEvent};
use serde_json::Value;

/// 2026-01-01.
pub(crate) const START: i64 = 1_767_225_600_000_000;

#[derive(Default)]
pub(crate) struct Memory {
    rows: Mutex<Vec<NewEvent>>,
    clock: AtomicI64,
    /// How long a score computes.
    work: Duration,
    /// Whether appends fail, as on a full disk.
    pub(crate) is_full: AtomicBool,
    /// Whether the queue is there.
    pub(crate) is_starting: AtomicBool,
    /// Whether the model has a feature that is a category.
    has_categories: bool,
}

impl Memory {
    /// One whose scores compute so many milliseconds.
    pub(crate) fn slow(milliseconds: u64) -> Self {
        Self {
            work: Duration::from_millis(milliseconds),
            ..Self::default()
        }
    }

    /// One whose model has a category, `industry`, beside two numbers.
    pub(crate) fn with_categories() -> Self {
        Self {
            has_categories: true,
            ..Self::default()
        }
    }

    pub(crate) fn rows(&self) -> MutexGuard<'_, Vec<NewEvent>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> Timestamp {
        Timestamp::from_micros(START + self.clock.fetch_add(1, Ordering::Relaxed))
    }

    /// The owner of each lead that has a row of `leads`.
    fn leads(&self) -> BTreeMap<String, Option<String>> {
        let mut leads = BTreeMap::new();
        for event in self.rows().iter().filter(|event| event.table == "leads") {
            if let Entity::Lead(lead) = &event.entity {
                let row: Value = serde_json::from_str(&event.row).unwrap_or_default();
                leads.insert(lead.clone(), row["owner"].as_str().map(ToOwned::to_owned));
            }
        }
        leads
    }

    fn of(&self, lead: &str) -> Vec<NewEvent> {
        let whose = Entity::Lead(lead.to_owned());
        self.rows()
            .iter()
            .filter(|event| event.entity == whose)
            .cloned()
            .collect()
    }

    pub(crate) fn made(&self, lead: &str, n_touches: usize) -> LeadScore {
        let until = Instant::now() + self.work;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        let reasons: Vec<Reason> = (0..n_touches)
            .map(|n| Reason {
                concept: "touches".to_owned(),
                text: format!("touch {n}"),
                log_odds: 0.25,
            })
            .collect();
        let log_odds = -2.0 + reasons.iter().map(|reason| reason.log_odds).sum::<f64>();
        LeadScore {
            lead: lead.to_owned(),
            at: self.moment(),
            model: "m1".to_owned(),
            likelihood: 100.0 / (1.0 + (-log_odds).exp()),
            log_odds,
            baseline: -2.0,
            tier: if log_odds > 0.0 {
                ContactPriority::VeryHigh
            } else {
                ContactPriority::Low
            },
            reasons,
            outside: None,
            held_back: false,
            input_hash: format!("{n_touches:x}"),
            feature_hash: format!("{n_touches:x}"),
        }
    }

    fn row(&self, rank: usize, lead: &str, owner: Option<String>) -> Result<QueueRow, NoScore> {
        Ok(QueueRow {
            rank,
            name: lead.to_owned(),
            owner,
            shown: Vec::new(),
            score: self.score(lead)?,
            change: None,
            age_days: 1.0,
            points: None,
            cell: None,
            word: None,
            crossed: Vec::new(),
        })
    }
}

fn wrong(pointer: String, detail: &str) -> FieldError {
    FieldError {
        pointer,
        detail: detail.to_owned(),
        hint: "see the config".to_owned(),
    }
}

fn event(at: usize, row: &Value) -> Result<NewEvent, FieldError> {
    let text = |pointer: &str| {
        row.pointer(pointer)
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
            .ok_or_else(|| wrong(format!("/{at}{pointer}"), "expected a text"))
    };
    let table = text("/table")?;
    let entity = match table.as_str() {
        "leads" | "activities.touches" | "activities.word" => {
            let key = if table == "activities.word" {
                "/row/lead"
            } else {
                "/row/lead_id"
            };
            Entity::Lead(text(key)?)
        }
        "accounts" => Entity::Account(text("/row/account_id")?),
        "panic" => panic!("an engine that breaks its promise"),
        _ => return Err(wrong(format!("/{at}/table"), "there is no such table")),
    };
    Ok(NewEvent {
        id: text("/id")?,
        table,
        entity,
        at: Timestamp::from_micros(START),
        recorded: None,
        row: row["row"].to_string(),
    })
}

impl Engine for Memory {
    fn model(&self) -> ModelFacts {
        ModelFacts {
            id: "m1".to_owned(),
            name: "leads".to_owned(),
            horizon_days: 90.0,
            training_cutoff: None,
            features: [
                ("touches", FeatureKind::Number),
                ("seats", FeatureKind::Number),
                ("industry", FeatureKind::Category),
            ]
            .into_iter()
            .filter(|(_, kind)| self.has_categories || *kind == FeatureKind::Number)
            .map(|(name, kind)| FeatureFacts {
                name: name.to_owned(),
                kind,
            })
            .collect(),
            limitations: Vec::new(),
            why: None,
        }
    }

    fn ready(&self) -> Result<(), String> {
        if self.is_starting.load(Ordering::Relaxed) {
            return Err("scores are being computed".to_owned());
        }
        Ok(())
    }

    fn read_events(&self, rows: &[Value]) -> Result<Vec<NewEvent>, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut events = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            match event(at, row) {
                Ok(event) => events.push(event),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(events)
        } else {
            Err(errors)
        }
    }

    fn append(&self, events: Vec<NewEvent>, done: Box<dyn FnOnce(AppendResult) + Send>) {
        if self.is_full.load(Ordering::Relaxed) {
            return done(Err(leadscore_store::StoreError::Closed));
        }
        let mut appended = Appended::default();
        let mut rows = self.rows();
        for event in events {
            if rows.iter().any(|other| other.id == event.id) {
                appended.n_duplicates += 1;
            } else {
                appended.n_new += 1;
                rows.push(event);
            }
        }
        drop(rows);
        done(Ok(appended));
    }

    fn score(&self, lead: &str) -> Result<LeadScore, NoScore> {
        self.ready().map_err(|_| NoScore::NotReady)?;
        let events = self.of(lead);
        if events.is_empty() {
            return Err(NoScore::Unknown(lead.to_owned()));
        }
        if !events.iter().any(|event| event.table == "leads") {
            return Err(NoScore::Waiting(lead.to_owned()));
        }
        if lead == "broken" {
            return Err(NoScore::Failed(
                "the matrix of secret-42 is singular".to_owned(),
            ));
        }
        let n = events
            .iter()
            .filter(|event| event.table == "activities.touches")
            .count();
        Ok(self.made(lead, n))
    }

    fn score_raw(&self, lead: &Value) -> Result<LeadScore, NoScore> {
        let touches = lead
            .pointer("/activities/touches")
            .and_then(Value::as_array)
            .ok_or_else(|| {
                NoScore::Refused(vec![wrong("/activities".to_owned(), "is not there")])
            })?;
        Ok(self.made("raw", touches.len()))
    }

    /// Each text adds its number of characters.
    fn infer(&self, columns: &[(String, InferColumn)]) -> Result<Vec<f64>, String> {
        let n = columns.first().map_or(0, |(_, column)| column.n_rows());
        let value = |column: &InferColumn, at: usize| match column {
            InferColumn::Numbers(values) => Some(values[at]).filter(|value| !value.is_nan()),
            InferColumn::Texts(texts) => texts[at].as_ref().map(|text| text.len() as f64),
        };
        Ok((0..n)
            .map(|at| {
                let sum: f64 = columns
                    .iter()
                    .map(|(_, column)| value(column, at).unwrap_or(0.0))
                    .sum();
                1.0 / (1.0 + (-sum).exp())
            })
            .collect())
    }

    fn word(&self, lead: &str, event: &str) -> Result<Option<Word>, NoScore> {
        let event = self.of(lead).into_iter().find(|known| known.id == event);
        Ok(event.and_then(|event| {
            let row: Value = serde_json::from_str(&event.row).ok()?;
            Some(Word {
                at: event.at,
                by: row["by"].as_str()?.to_owned(),
                said: serde_json::from_value(row["said"].clone()).ok()?,
                note: row["note"].as_str().map(ToOwned::to_owned),
            })
        }))
    }

    fn queue(&self, query: &QueueQuery) -> Result<Queue, NoScore> {
        self.ready().map_err(|_| NoScore::NotReady)?;
        let mut rows = Vec::new();
        for (lead, owner) in self.leads() {
            let is_of_owner = query.owner.is_none() || query.owner == owner;
            if is_of_owner && query.search.as_ref().is_none_or(|text| lead.contains(text)) {
                rows.push(self.row(rows.len() + 1, &lead, owner)?);
            }
        }
        let n_matching = rows.len();
        let start: usize = query
            .cursor
            .as_ref()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let next = start + query.limit;
        let rows: Vec<QueueRow> = rows.into_iter().skip(start).take(query.limit).collect();
        Ok(Queue {
            at: self.moment(),
            ordered_at: Timestamp::from_micros(START),
            n_matching,
            n_held_back: 0,
            is_reordered: false,
            capacity: None,
            rows,
            next: (next < n_matching).then(|| next.to_string()),
        })
    }

    fn lead(&self, lead: &str) -> Result<LeadDetail, NoScore> {
        let owner = self.leads().remove(lead).flatten();
        Ok(LeadDetail {
            row: self.row(1, lead, owner)?,
            path: Vec::new(),
            events: self
                .of(lead)
                .iter()
                .map(|event| EventLine {
                    at: event.at,
                    recorded: event.at,
                    table: event.table.clone(),
                    columns: vec![("row".to_owned(), event.row.clone())],
                })
                .collect(),
            next_tier: None,
            points: Vec::new(),
            words: Vec::new(),
        })
    }

    fn forget(&self, lead: &str) -> Result<Forgotten, NoScore> {
        if self.of(lead).is_empty() {
            return Err(NoScore::Unknown(lead.to_owned()));
        }
        let whose = Entity::Lead(lead.to_owned());
        let mut rows = self.rows();
        let n_before = rows.len();
        rows.retain(|event| event.entity != whose);
        Ok(Forgotten {
            n_events: n_before - rows.len(),
            n_scores: 0,
            n_left: 0,
        })
    }

    fn owners(&self) -> Vec<(String, usize)> {
        let mut owners = BTreeMap::new();
        for owner in self.leads().into_values().flatten() {
            *owners.entry(owner).or_insert(0) += 1;
        }
        owners.into_iter().collect()
    }

    fn track_record(&self) -> Vec<TierRecord> {
        vec![TierRecord {
            tier: ContactPriority::VeryHigh,
            n: 100,
            n_won: 46,
            predicted: 44.5,
        }]
    }
}
