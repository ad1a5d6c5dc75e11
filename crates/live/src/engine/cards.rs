//! What people see of a lead beside its score: how it is called, who works on it, what sales said
//! of it. It is read from the store once, and kept up with every event.

use std::collections::HashMap;

use leadscore_config::Config as Settings;
use leadscore_core::Timestamp;
use leadscore_serve::{Word, WordKind};
use leadscore_store::{Entity, StoredEvent, WORD_TABLE};
use serde_json::{Map, Value};

/// What people see of a lead.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Card {
    /// Whether there is a row of `leads`.
    pub(super) is_lead: bool,
    /// Whether a row said when it was created: what it belongs to stays from then on.
    is_created: bool,
    pub(super) name: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) account: Option<String>,
    /// Further columns, in the order of the config.
    pub(super) shown: Vec<Option<String>>,
    pub(super) created: Option<Timestamp>,
    /// What sales said, latest first.
    pub(super) words: Vec<Word>,
}

impl Card {
    /// Whether sales said last that it was won or lost: it leaves the queue until another word, and
    /// stays open until its outcome comes.
    pub(super) fn is_settled(&self) -> bool {
        self.words.first().is_some_and(|word| match word.said {
            WordKind::Won | WordKind::Lost => true,
            WordKind::Called | WordKind::NotNow | WordKind::Wrong => false,
        })
    }
}

/// The cards of all leads.
#[derive(Debug, Default)]
pub(super) struct Cards {
    columns: Columns,
    cards: HashMap<String, Card>,
    by_account: HashMap<String, Vec<String>>,
}

/// Which columns of `leads` are shown, and as what.
#[derive(Debug, Clone, Default)]
struct Columns {
    created_at: Option<String>,
    name: Option<String>,
    owner: Option<String>,
    account: Option<String>,
    shown: Vec<String>,
}

impl Cards {
    /// No card yet, of these settings.
    pub(super) fn new(settings: &Settings) -> Self {
        let serve = &settings.serve;
        Self {
            columns: Columns {
                created_at: settings.leads.created_at.clone(),
                name: serve.name.clone(),
                owner: serve.owner.clone(),
                account: settings.entity_column().ok().flatten().map(str::to_owned),
                shown: serve.show.clone(),
            },
            ..Self::default()
        }
    }

    /// The card of a lead; `None` where there is neither a row of it nor a word.
    pub(super) fn get(&self, lead: &str) -> Option<&Card> {
        self.cards.get(lead)
    }

    /// The leads of an account.
    pub(super) fn of_account(&self, account: &str) -> &[String] {
        self.by_account.get(account).map_or(&[], Vec::as_slice)
    }

    /// Columns that are shown beside the score, with what a lead has in them.
    pub(super) fn shown(&self, card: &Card) -> Vec<(String, String)> {
        let columns = self.columns.shown.iter().zip(&card.shown);
        columns
            .filter_map(|(column, value)| Some((column.clone(), value.clone()?)))
            .collect()
    }

    /// What is searched: ID, name and shown columns, in lower case.
    pub(super) fn searched(lead: &str, card: &Card) -> String {
        let mut text = lead.to_lowercase();
        for part in card.name.iter().chain(card.shown.iter().flatten()) {
            text.push('\n');
            text.push_str(&part.to_lowercase());
        }
        text
    }

    /// What the rows of a lead say, whatever their order.
    pub(super) fn card_of(&self, rows: &[StoredEvent]) -> Card {
        let is_own = |row: &&StoredEvent| match &row.entity {
            Entity::Lead(_) => true,
            Entity::Account(_) | Entity::Lookup { .. } => false,
        };
        let mut own: Vec<&StoredEvent> = rows.iter().filter(is_own).collect();
        own.sort_unstable_by_key(|row| (row.recorded, row.seq));
        let mut card = Card::default();
        for event in own {
            let is_word = event.table == WORD_TABLE;
            if event.table != "leads" && !is_word {
                continue;
            }
            let Ok(row) = serde_json::from_str::<Map<String, Value>>(&event.row) else {
                continue;
            };
            if is_word {
                card.words.extend(word_of(event.at, &row));
            } else {
                card.take(&self.columns, event.at, &row);
            }
        }
        card.words.sort_by_key(|word| std::cmp::Reverse(word.at));
        card
    }

    /// Keeps the card of a lead.
    pub(super) fn put(&mut self, lead: &str, card: Card) {
        let before = self.cards.get(lead).and_then(|card| card.account.clone());
        if before != card.account {
            if let Some(leads) = before.and_then(|account| self.by_account.get_mut(&account)) {
                leads.retain(|known| known != lead);
            }
            if let Some(account) = &card.account {
                let leads = self.by_account.entry(account.clone()).or_default();
                leads.push(lead.to_owned());
            }
        }
        self.cards.insert(lead.to_owned(), card);
    }

    /// Forgets a lead.
    pub(super) fn forget(&mut self, lead: &str) {
        if let Some(card) = self.cards.remove(lead)
            && let Some(leads) = card
                .account
                .and_then(|account| self.by_account.get_mut(&account))
        {
            leads.retain(|known| known != lead);
        }
    }
}

impl Card {
    /// Takes over the columns that a row of `leads` has.
    fn take(&mut self, columns: &Columns, at: Timestamp, row: &Map<String, Value>) {
        if !self.is_lead {
            self.created = Some(at);
        }
        self.is_lead = true;
        let take = |place: &mut Option<String>, column: Option<&String>| {
            if let Some(value) = column.and_then(|column| row.get(column)) {
                *place = text_of(value);
            }
        };
        take(&mut self.name, columns.name.as_ref());
        take(&mut self.owner, columns.owner.as_ref());
        // As in the tables, whose accounts these are.
        if !self.is_created && self.account.is_none() {
            take(&mut self.account, columns.account.as_ref());
        }
        let created_at = columns.created_at.as_ref();
        let created = created_at.and_then(|column| row.get(column));
        self.is_created |= created.is_some_and(|created| !created.is_null());
        self.shown.resize(columns.shown.len(), None);
        for (place, column) in self.shown.iter_mut().zip(&columns.shown) {
            take(place, Some(column));
        }
    }
}

/// A cell as people read it; `None` where it is empty.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => (!text.trim().is_empty()).then(|| text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string())
        }
    }
}

/// What a row of words says; `None` where it says nothing that is known.
fn word_of(at: Timestamp, row: &Map<String, Value>) -> Option<Word> {
    let said: WordKind = serde_json::from_value(row.get("said")?.clone()).ok()?;
    Some(Word {
        at,
        by: row.get("by").and_then(text_of).unwrap_or_default(),
        said,
        note: row.get("note").and_then(text_of),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_rows_change_the_columns_that_they_have() {
        let text = "[leads]\nid = \"id\"\ncreated_at = \"created\"\n";
        let config = leadscore::Config::parse(text, "x.toml").expect("a config");
        let mut settings = config.settings().clone();
        settings.serve.name = Some("company".to_owned());
        settings.serve.owner = Some("rep".to_owned());
        settings.serve.show = vec!["seats".to_owned()];
        settings.leads.account = Some("account".to_owned());
        let mut cards = Cards::new(&settings);
        let at = Timestamp::from_micros;
        let rows: Vec<StoredEvent> = [
            (
                "leads",
                1,
                r#"{"company": "Acme", "rep": "Ann", "seats": 5, "account": "A"}"#,
            ),
            (
                WORD_TABLE,
                3,
                r#"{"said": "called", "by": "Ann", "note": ""}"#,
            ),
            (
                "leads",
                1,
                r#"{"rep": "Bob", "seats": null, "account": "B"}"#,
            ),
            (
                WORD_TABLE,
                2,
                r#"{"said": "wrong", "by": "Bob", "note": "a <b>test</b>"}"#,
            ),
            (WORD_TABLE, 5, r#"{"said": "shouted", "by": "Bob"}"#),
            ("outcomes", 6, r#"{"company": "Other"}"#),
        ]
        .into_iter()
        .zip(0u32..6)
        .map(|((table, micros, row), seq)| StoredEvent {
            seq: u64::from(seq),
            id: seq.to_string(),
            table: table.to_owned(),
            entity: Entity::Lead("L1".to_owned()),
            at: at(micros),
            recorded: at(10),
            row: row.to_owned(),
        })
        .rev()
        .collect();
        let card = cards.card_of(&rows);
        cards.put("L1", cards.card_of(&rows[4..]));
        assert_eq!(cards.of_account("A"), ["L1"]);
        cards.put("L1", card.clone());
        assert_eq!(card.name.as_deref(), Some("Acme"));
        assert_eq!(card.owner.as_deref(), Some("Bob"));
        assert_eq!(card.created, Some(at(1)));
        assert_eq!(cards.shown(&card), []);
        let words: Vec<_> = card.words.iter().map(|word| (word.at, word.said)).collect();
        assert_eq!(words, [(at(3), WordKind::Called), (at(2), WordKind::Wrong)]);
        assert_eq!(Cards::searched("L1", &card), "l1\nacme");
        // A lead keeps its account.
        assert_eq!(cards.of_account("A"), ["L1"]);
        assert_eq!(cards.of_account("B"), [] as [String; 0]);
        cards.forget("L1");
        assert_eq!((cards.get("L1"), cards.of_account("A").len()), (None, 0));
    }
}
