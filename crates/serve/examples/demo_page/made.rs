//! An engine over made leads: as many as asked for, each from its number alone, so that pictures and
//! tests of the page need no model.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use leadscore_core::{
    ContactPriority, FeatureKind, Span, Timestamp, log_odds_to_probability, stable_hash,
};
use leadscore_serve::{
    Change, Engine, EventLine, FeatureFacts, FieldError, Forgotten, HeldBack, HeldBackQuery,
    HeldBackRow, InferColumn, LeadDetail, LeadScore, ModelFacts, NextTier, NoScore, PathPoint,
    Queue, QueueQuery, QueueRow, Reason, TierRecord, Word, WordKind,
};
use leadscore_store::{Appended, Entity, NewEvent};
use serde_json::Value;

/// What the made leads are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As people have them.
    Usual,
    /// Names, notes and values that try to be more than text.
    Hostile,
    /// The scores are not there yet.
    Starting,
}

/// Texts that try to be more.
pub(crate) const HOSTILE: [&str; 8] = [
    "<script>document.title=\"owned\"</script>",
    "\"><img src=x onerror=\"document.title=1\">",
    "https://evil.example/?a=1&b=<i>2</i>",
    "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN",
    "\u{202e}gpj.exe\u{2066} won\u{2028}\u{0}",
    "",
    "..",
    "a/../b?c#d%2e'&amp;`{{7*7}}",
];

const COMPANIES: [&str; 12] = [
    "Harbor Freight Lines",
    "Nordwind Energie",
    "Acme Tools",
    "Café Lumière",
    "Blue Fjord Media",
    "Kepler Optics",
    "Marlow & Sons",
    "Ostrava Steel",
    "Tanaka Foods",
    "Rio Verde Farms",
    "Quill Press",
    "Sable Robotics",
];
const CITIES: [&str; 8] = [
    "Hamburg", "Lyon", "Boston", "Osaka", "Porto", "Gdańsk", "Leeds", "Austin",
];
const OWNERS: [&str; 6] = ["Kim", "Lee", "Ada", "Noor", "Sam", "Jo"];

/// Tokens of four people, each its own name.
pub(crate) fn tokens() -> String {
    [
        ("admin", "admin", ""),
        ("kim", "act", "owner = \"Kim\"\n"),
        ("reader", "read", ""),
        ("sender", "ingest", ""),
        ("seller", "act", ""),
        ("boss", "admin", "owner = \"Kim\"\n"),
        ("hasty", "act", "rate = 0.01\n"),
    ]
    .iter()
    .map(|(name, role, more)| {
        let hash = leadscore_serve::tokens::hash(name);
        format!("[[token]]\nname = \"{name}\"\nrole = \"{role}\"\n{more}sha256 = \"{hash}\"\n")
    })
    .collect()
}

/// A reason that a lead can have: concept, words for it and against it, most log-odds either way.
const REASONS: [(&str, &str, &str, f64); 14] = [
    (
        "touches",
        "Opened the pricing page 3 times in the last 7 days",
        "No visit in the last 30 days",
        0.9,
    ),
    (
        "demo",
        "Asked for a demo 4 days ago",
        "Never asked for a demo",
        1.1,
    ),
    (
        "seats",
        "120 seats, more than most",
        "2 seats, fewer than most",
        0.7,
    ),
    (
        "source",
        "Came by a partner, of which many were won",
        "Came by an advertisement, of which few were won",
        0.6,
    ),
    ("role", "Role ‘head of operations’", "Role ‘student’", 0.5),
    (
        "reply",
        "Answered within 2 hours",
        "Has not answered the last 3 mails",
        0.8,
    ),
    ("age", "Created 6 days ago", "Created 210 days ago", 0.6),
    (
        "industry",
        "Industry ‘logistics’",
        "Industry ‘education’",
        0.3,
    ),
    ("calls", "2 calls in the last 14 days", "No call yet", 0.4),
    ("country", "Country ‘Germany’", "Country ‘unknown’", 0.2),
    (
        "company",
        "2 other leads of the company are won",
        "Other leads of the company are lost",
        0.5,
    ),
    (
        "trial",
        "Used the trial on 5 days",
        "The trial ended without use",
        0.7,
    ),
    (
        "event",
        "Visited the booth in October",
        "No event visited",
        0.2,
    ),
    (
        "mail",
        "Opened 4 of the last 5 mails",
        "Opened none of the last 5 mails",
        0.3,
    ),
];
const BASELINE: f64 = -1.62;
const HORIZON: f64 = 90.0;

/// The engine.
pub(crate) struct Made {
    kind: Kind,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    start: Timestamp,
    /// Log-odds and number of each lead, best first.
    order: Vec<(f64, usize)>,
    capacity: Option<usize>,
    words: Mutex<HashMap<String, Vec<Word>>>,
    /// IDs of events, with the word that each is.
    seen: Mutex<HashMap<String, Option<Word>>>,
}

/// A number of 0 to 1 that a lead has for a purpose.
fn draw(number: usize, purpose: &str) -> f64 {
    (stable_hash(&format!("{number} {purpose}")) >> 11) as f64 / (1_u64 << 53) as f64
}

fn pick<'t>(number: usize, purpose: &str, of: &[&'t str]) -> &'t str {
    of[(stable_hash(&format!("{number} {purpose}")) % of.len() as u64) as usize]
}

fn is_held_back(number: usize) -> bool {
    number.is_multiple_of(23)
}

fn reasons(number: usize) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = REASONS
        .iter()
        .map(|(concept, up, down, most)| {
            let log_odds = (2.0 * draw(number, concept) - 1.0) * most;
            let text = if log_odds < 0.0 { *down } else { *up };
            Reason {
                concept: (*concept).to_owned(),
                text: text.to_owned(),
                log_odds,
            }
        })
        .collect();
    reasons.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
    reasons
}

fn log_odds(number: usize) -> f64 {
    BASELINE
        + reasons(number)
            .iter()
            .map(|reason| reason.log_odds)
            .sum::<f64>()
}

fn likelihood(log_odds: f64) -> f64 {
    100.0 * log_odds_to_probability(log_odds)
}

impl Made {
    /// So many leads.
    pub(crate) fn new(
        kind: Kind,
        n_leads: usize,
        capacity: Option<usize>,
        clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Self {
        let mut order: Vec<(f64, usize)> = (1..=n_leads)
            .map(|number| (log_odds(number), number))
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let start = clock();
        Self {
            kind,
            clock,
            start,
            order,
            capacity,
            words: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    /// Words that were given on a lead.
    pub(crate) fn words_on(&self, lead: &str) -> Vec<Word> {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.get(lead).cloned().unwrap_or_default()
    }

    fn id(&self, number: usize) -> String {
        match self.kind {
            Kind::Usual | Kind::Starting => format!("L{number}"),
            Kind::Hostile if number <= HOSTILE.len() => HOSTILE[number - 1].to_owned(),
            Kind::Hostile => format!("{}{number}", HOSTILE[number % HOSTILE.len()]),
        }
    }

    fn number(&self, id: &str) -> Option<usize> {
        match self.kind {
            Kind::Usual | Kind::Starting => id.strip_prefix('L').and_then(|text| text.parse().ok()),
            Kind::Hostile => (1..=self.order.len()).find(|number| self.id(*number) == id),
        }
        .filter(|number| (1..=self.order.len()).contains(number))
    }

    fn name(&self, number: usize) -> String {
        match self.kind {
            Kind::Usual | Kind::Starting => {
                format!("{} {}", pick(number, "company", &COMPANIES), number)
            }
            Kind::Hostile => HOSTILE[number % HOSTILE.len()].to_owned(),
        }
    }

    fn owner(&self, number: usize) -> Option<String> {
        let owner = pick(number, "owner", &OWNERS);
        match (self.kind, number % 9) {
            (Kind::Usual | Kind::Starting, 0) => None,
            (Kind::Usual | Kind::Starting, _) => Some(owner.to_owned()),
            (Kind::Hostile, n) => Some(HOSTILE[(n + 1) % HOSTILE.len()].to_owned()),
        }
    }

    fn tier_at(&self, place: usize) -> ContactPriority {
        ContactPriority::QUARTILES[(4 * place / self.order.len().max(1)).min(3)]
    }

    fn score_of(&self, number: usize, log_odds: f64, place: usize, at: Timestamp) -> LeadScore {
        LeadScore {
            lead: self.id(number),
            at,
            model: "2026-11-20-c41f07".to_owned(),
            likelihood: likelihood(log_odds),
            log_odds,
            baseline: BASELINE,
            tier: self.tier_at(place),
            reasons: match self.kind {
                Kind::Usual | Kind::Starting => reasons(number),
                Kind::Hostile => reasons(number)
                    .into_iter()
                    .map(|reason| Reason {
                        text: format!("Role ‘{}’", HOSTILE[number % HOSTILE.len()]),
                        ..reason
                    })
                    .collect(),
            },
            outside: (number.is_multiple_of(31))
                .then(|| "seats of 900, where training had 1 to 400".to_owned()),
            held_back: is_held_back(number),
            input_hash: format!("{:016x}", stable_hash(&format!("input {number}"))),
            feature_hash: format!("{:016x}", stable_hash(&format!("features {number}"))),
        }
    }

    fn row(&self, rank: usize, place: usize, at: Timestamp, before: Option<Timestamp>) -> QueueRow {
        let (log_odds, number) = self.order[place];
        let score = self.score_of(number, log_odds, place, at);
        let moved = Self::moved(number);
        let word = self.words_on(&score.lead).into_iter().next_back();
        QueueRow {
            rank,
            name: self.name(number),
            owner: self.owner(number),
            shown: vec![
                ("city".to_owned(), pick(number, "city", &CITIES).to_owned()),
                (
                    "seats".to_owned(),
                    format!("{} seats", 1 + (400.0 * draw(number, "n")) as u32),
                ),
            ],
            change: moved.map(|points| Change {
                // Hostile leads have yesterday's scores, whatever is asked for.
                since: before
                    .filter(|_| self.kind != Kind::Hostile)
                    .unwrap_or(at - Span::from_days(1)),
                points,
                because: score
                    .reasons
                    .iter()
                    .find(|reason| (reason.log_odds < 0.0) == (points < 0.0))
                    .map(|reason| reason.text.clone()),
            }),
            score,
            age_days: 400.0 * draw(number, "days").powi(3),
            points: Some(5.0),
            cell: None,
            word: word.or_else(|| self.made_word(number)),
            crossed: if number.is_multiple_of(13) {
                vec![("hot".to_owned(), at - Span::from_micros(7_200_000_000))]
            } else {
                Vec::new()
            },
        }
    }

    fn place(&self, number: usize) -> usize {
        let mut order = self.order.iter();
        let place = order.position(|(_, each)| *each == number);
        place.expect("each number is in the order")
    }

    fn moved(number: usize) -> Option<f64> {
        (draw(number, "moves") < 0.4).then(|| 24.0 * draw(number, "move") - 8.0)
    }

    fn made_word(&self, number: usize) -> Option<Word> {
        (draw(number, "word") < 0.25).then(|| Word {
            at: self.start - Span::from_days(1 + (20.0 * draw(number, "word day")) as u32),
            by: pick(number, "owner", &OWNERS).to_lowercase(),
            said: if draw(number, "said") < 0.7 {
                WordKind::Called
            } else {
                WordKind::NotNow
            },
            note: match self.kind {
                Kind::Hostile => Some(HOSTILE[number % HOSTILE.len()].repeat(20)),
                Kind::Usual | Kind::Starting => None,
            },
        })
    }

    fn matches(&self, query: &QueueQuery, place: usize) -> bool {
        let number = self.order[place].1;
        !is_held_back(number)
            && query.tier.is_none_or(|tier| self.tier_at(place) == tier)
            && query
                .owner
                .as_ref()
                .is_none_or(|owner| self.owner(number).as_ref() == Some(owner))
            && query
                .changed_since
                .is_none_or(|_| Self::moved(number).is_some_and(|points| points.abs() >= 1.0))
            && query
                .crossed
                .as_ref()
                .is_none_or(|name| name == "hot" && number.is_multiple_of(13))
            && self.is_found(number, query.search.as_deref())
    }

    fn is_found(&self, number: usize, search: Option<&str>) -> bool {
        search.is_none_or(|text| {
            let text = text.to_lowercase();
            [self.id(number), self.name(number)]
                .iter()
                .any(|have| have.to_lowercase().contains(&text))
        })
    }

    /// Numbers of held-back leads of an owner and a search, the latest first.
    fn held(&self, owner: Option<&String>, search: Option<&str>) -> Vec<usize> {
        (1..=self.order.len())
            .rev()
            .filter(|number| is_held_back(*number))
            .filter(|number| owner.is_none() || self.owner(*number).as_ref() == owner)
            .filter(|number| self.is_found(*number, search))
            .collect()
    }
}

impl Engine for Made {
    fn model(&self) -> ModelFacts {
        ModelFacts {
            id: "2026-11-20-c41f07".to_owned(),
            name: "leads".to_owned(),
            horizon_days: HORIZON,
            training_cutoff: Some("2026-08-22".to_owned()),
            features: (0..212)
                .map(|n| FeatureFacts {
                    name: format!("f{n}"),
                    kind: FeatureKind::Number,
                })
                .collect(),
            limitations: vec![
                "Leads with more than 400 seats were not seen in training.".to_owned(),
                "Of leads from Brazil there were 12; their likelihoods are near the average.".to_owned(),
            ],
            why: Some("Champion since 20 Nov 2026: its log-loss on the last 12 weeks is 1.8 % lower than that of the model before.".to_owned()),
        }
    }

    fn ready(&self) -> Result<(), String> {
        match self.kind {
            Kind::Usual | Kind::Hostile => Ok(()),
            Kind::Starting => Err("scores are being computed".to_owned()),
        }
    }

    fn read_events(&self, rows: &[Value]) -> Result<Vec<NewEvent>, Vec<FieldError>> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        rows.iter()
            .enumerate()
            .map(|(n, row)| {
                let wrong = |field: &str| {
                    vec![FieldError {
                        pointer: format!("/{n}/{field}"),
                        detail: format!("`{field}` is missing"),
                        hint: "add it".to_owned(),
                    }]
                };
                Ok(NewEvent {
                    id: text(&row["id"]).ok_or_else(|| wrong("id"))?,
                    table: text(&row["table"]).ok_or_else(|| wrong("table"))?,
                    entity: Entity::Lead(
                        text(&row["row"]["lead"]).ok_or_else(|| wrong("row/lead"))?,
                    ),
                    at: row["row"]["at"]
                        .as_str()
                        .and_then(|at| at.parse().ok())
                        .ok_or_else(|| wrong("row/at"))?,
                    recorded: None,
                    row: row["row"].to_string(),
                })
            })
            .collect()
    }

    fn append(
        &self,
        events: Vec<NewEvent>,
        done: Box<dyn FnOnce(leadscore_serve::AppendResult) + Send>,
    ) {
        let mut appended = Appended::default();
        for event in events {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.contains_key(&event.id) {
                appended.n_duplicates += 1;
                continue;
            }
            appended.n_new += 1;
            seen.insert(event.id.clone(), None);
            let (Entity::Lead(lead), Ok(row)) =
                (event.entity, serde_json::from_str::<Value>(&event.row))
            else {
                continue;
            };
            let Ok(said) = serde_json::from_value(row["said"].clone()) else {
                continue;
            };
            let word = Word {
                at: event.at,
                by: row["by"].as_str().unwrap_or_default().to_owned(),
                said,
                note: row["note"].as_str().map(str::to_owned),
            };
            seen.insert(event.id, Some(word.clone()));
            self.words
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(lead)
                .or_default()
                .push(word);
        }
        done(Ok(appended));
    }

    fn word(&self, _: &str, event: &str) -> Result<Option<Word>, NoScore> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(seen.get(event).cloned().flatten())
    }

    fn score(&self, lead: &str) -> Result<LeadScore, NoScore> {
        Ok(self.lead(lead)?.row.score)
    }

    fn score_raw(&self, _: &Value) -> Result<LeadScore, NoScore> {
        Err(NoScore::Failed("made leads have no tables".to_owned()))
    }

    fn infer(&self, _: &[(String, InferColumn)]) -> Result<Vec<f64>, String> {
        Err("made leads have no features".to_owned())
    }

    fn queue(&self, query: &QueueQuery) -> Result<Queue, NoScore> {
        if self.ready().is_err() {
            return Err(NoScore::NotReady);
        }
        let skip = match query.cursor.as_deref().map(str::parse::<usize>) {
            None => 0,
            Some(Ok(skip)) => skip,
            Some(Err(_)) => {
                return Err(NoScore::Refused(vec![FieldError {
                    pointer: "/cursor".to_owned(),
                    detail: "the cursor is not one of this queue".to_owned(),
                    hint: "Start at the first page.".to_owned(),
                }]));
            }
        };
        let at = (self.clock)();
        let is_all = QueueQuery {
            compare_with: None,
            cursor: None,
            limit: 0,
            ..query.clone()
        } == QueueQuery::default();
        let matching: Vec<usize> = if is_all {
            (0..self.order.len())
                .filter(|place| !is_held_back(self.order[*place].1))
                .collect()
        } else {
            (0..self.order.len())
                .filter(|place| self.matches(query, *place))
                .collect()
        };
        let rows: Vec<QueueRow> = matching
            .iter()
            .enumerate()
            .skip(skip)
            .take(query.limit)
            .map(|(rank, place)| self.row(rank + 1, *place, at, query.compare_with))
            .collect();
        let end = skip + rows.len();
        Ok(Queue {
            at,
            ordered_at: at - Span::from_micros(42_000_000),
            n_matching: matching.len(),
            n_held_back: self
                .held(query.owner.as_ref(), query.search.as_deref())
                .len(),
            is_reordered: false,
            capacity: self.capacity,
            next: (end < matching.len()).then(|| end.to_string()),
            rows,
        })
    }

    fn held_back(&self, query: &HeldBackQuery) -> Result<HeldBack, NoScore> {
        if self.ready().is_err() {
            return Err(NoScore::NotReady);
        }
        let found = self.held(query.owner.as_ref(), query.search.as_deref());
        let skip: usize = query
            .cursor
            .as_deref()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let at = (self.clock)();
        let rows: Vec<HeldBackRow> = found
            .iter()
            .skip(skip)
            .take(query.limit)
            .map(|number| {
                let row = self.row(1, self.place(*number), at, None);
                HeldBackRow {
                    lead: row.score.lead,
                    name: row.name,
                    owner: row.owner,
                    shown: row.shown,
                    age_days: row.age_days,
                    word: row.word,
                }
            })
            .collect();
        let end = skip + rows.len();
        Ok(HeldBack {
            n_matching: found.len(),
            next: (end < found.len()).then(|| end.to_string()),
            rows,
        })
    }

    fn lead_since(&self, lead: &str, compare_with: Timestamp) -> Result<LeadDetail, NoScore> {
        let mut detail = self.lead(lead)?;
        if let Some(change) = &mut detail.row.change {
            change.since = compare_with;
        }
        Ok(detail)
    }

    fn lead(&self, lead: &str) -> Result<LeadDetail, NoScore> {
        if self.ready().is_err() {
            return Err(NoScore::NotReady);
        }
        if lead == "closed" {
            return Err(NoScore::NotOpen {
                lead: lead.to_owned(),
                why: "won on 2026-10-02".to_owned(),
            });
        }
        if lead == "waiting" {
            return Err(NoScore::Waiting(lead.to_owned()));
        }
        let number = self
            .number(lead)
            .ok_or_else(|| NoScore::Unknown(lead.to_owned()))?;
        let place = self.place(number);
        let at = (self.clock)();
        let row = self.row(place + 1, place, at, None);
        let better = ContactPriority::QUARTILES
            .into_iter()
            .rev()
            .find(|tier| *tier < row.score.tier);
        let words: Vec<Word> = self
            .words_on(lead)
            .into_iter()
            .rev()
            .chain(self.made_word(number))
            .collect();
        Ok(LeadDetail {
            path: (0..60)
                .map(|day| {
                    let wave = (f64::from(day) / 7.0 + 6.0 * draw(number, "wave")).sin() * 0.35
                        - f64::from(day) * 0.012;
                    let log_odds = row.score.log_odds + if day == 0 { 0.0 } else { wave };
                    PathPoint {
                        at: at - Span::from_days(day),
                        likelihood: likelihood(log_odds),
                        tier: row.score.tier,
                    }
                })
                .rev()
                .collect(),
            events: (0..(40.0 + 60.0 * draw(number, "events")) as u32)
                .map(|n| {
                    let when =
                        at - Span::from_micros(i64::from(n) * 53_000_000_000 + 3_700_000_000);
                    EventLine {
                        at: when,
                        recorded: if n % 17 == 3 {
                            when + Span::from_days(2)
                        } else {
                            when
                        },
                        table: if n % 5 == 0 { "calls" } else { "touches" }.to_owned(),
                        columns: vec![
                            (
                                "kind".to_owned(),
                                if n % 3 == 0 {
                                    "pricing page"
                                } else {
                                    "mail opened"
                                }
                                .to_owned(),
                            ),
                            (
                                "page".to_owned(),
                                if self.kind == Kind::Hostile {
                                    HOSTILE[n as usize % HOSTILE.len()].to_owned()
                                } else {
                                    "/pricing".to_owned()
                                },
                            ),
                        ],
                    }
                })
                .collect(),
            next_tier: better.map(|tier| NextTier {
                tier,
                from: {
                    let from = self.order.len()
                        * (ContactPriority::QUARTILES
                            .iter()
                            .position(|each| *each == tier)
                            .unwrap_or_default()
                            + 1)
                        / 4;
                    likelihood(self.order[from.saturating_sub(1)].0)
                },
                by: vec![
                    "A demo within 7 days: +12.4 points.".to_owned(),
                    "An answer to the last mail: +4.1 points.".to_owned(),
                ],
            }),
            points: vec![
                ("Head of operations".to_owned(), 20.0),
                ("Pricing page in the last 7 days".to_owned(), 15.0),
                ("Student".to_owned(), -30.0),
            ],
            words,
            row,
        })
    }

    fn forget(&self, lead: &str) -> Result<Forgotten, NoScore> {
        let words = self
            .words
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(lead);
        Ok(Forgotten {
            n_events: words.map_or(0, |words| words.len()),
            ..Forgotten::default()
        })
    }

    fn owners(&self) -> Vec<(String, usize)> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (_, number) in self.order.iter().take(5_000) {
            if let Some(owner) = self.owner(*number) {
                *counts.entry(owner).or_default() += 1;
            }
        }
        let mut owners: Vec<_> = counts.into_iter().collect();
        owners.sort();
        owners
    }

    fn track_record(&self) -> Vec<TierRecord> {
        if self.order.is_empty() {
            return Vec::new();
        }
        records([
            (100, 46, 44.2),
            (100, 21, 22.9),
            (100, 19, 9.1),
            (100, 2, 3.0),
        ])
    }

    fn track_record_of_held_back(&self) -> Vec<TierRecord> {
        if self.order.is_empty() {
            return Vec::new();
        }
        records([(40, 14, 16.9), (41, 8, 9.2), (38, 4, 3.6), (44, 1, 1.3)])
    }
}

/// What became of the leads of each tier, best first: how many, how many were won, and predicted.
fn records(of_tiers: [(usize, usize, f64); 4]) -> Vec<TierRecord> {
    let tiers = ContactPriority::QUARTILES.into_iter().zip(of_tiers);
    let record = |(tier, (n, n_won, predicted))| TierRecord {
        tier,
        n,
        n_won,
        predicted,
    };
    tiers.map(record).collect()
}
