//! Calls as people see them: which were delivered, which wait, and which were given up.

use leadscore_core::Timestamp;
use rusqlite::types::ToSql;
use rusqlite::{Connection, Row};
use schemars::JsonSchema;
use serde::Serialize;

use crate::StateError;

/// Calls at most in an answer.
const MOST: usize = 500;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It is tried, or will be.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It was given up.
    Dead,
}

impl DeliveryStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// As the file and JSON have it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// Which calls are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Only those with this status.
    pub status: Option<DeliveryStatus>,
    /// Only those of this lead.
    pub lead: Option<String>,
    /// Only this one, by its ID.
    pub id: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<i64>,
    /// Calls at most; 1 to 500, default 50.
    pub limit: Option<usize>,
}

impl DeliveryQuery {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(50).clamp(1, MOST)
    }
}

/// A call of a receiver.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Delivery {
    /// Its place among all calls.
    #[serde(skip)]
    seq: i64,
    /// The ID of its crossing, which the receiver gets as `webhook-id`.
    pub id: String,
    /// The lead.
    pub lead: String,
    /// Name of the threshold.
    pub threshold: String,
    /// What became of it.
    pub status: DeliveryStatus,
    /// Moment of the crossing.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub created: Timestamp,
    /// How often it was tried.
    pub n_tries: u32,
    /// When it is tried next; none if it is not the first of its line, or settled.
    #[serde(serialize_with = "as_text_or_null")]
    #[schemars(with = "Option<String>")]
    pub next_try: Option<Timestamp>,
    /// The last HTTP status.
    pub answer: Option<u16>,
    /// Why the last try failed.
    pub problem: Option<String>,
    /// When it was delivered or given up.
    #[serde(serialize_with = "as_text_or_null")]
    #[schemars(with = "Option<String>")]
    pub settled: Option<Timestamp>,
}

/// Calls, latest first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DeliveryPage {
    /// The calls.
    pub deliveries: Vec<Delivery>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<i64>,
}

impl DeliveryPage {
    /// A page of calls of which there is at least one more than it takes, if there is a next page.
    fn cut(mut deliveries: Vec<Delivery>, limit: usize) -> Self {
        let has_more = deliveries.len() > limit;
        deliveries.truncate(limit);
        let last = deliveries.last().filter(|_| has_more);
        Self {
            next: last.map(|last| last.seq),
            deliveries,
        }
    }
}

/// Reads a page of those calls whose lead is seen, latest first.
pub(super) fn read_seen(
    query: &DeliveryQuery,
    sees: impl Fn(&str) -> bool,
    read: impl Fn(&DeliveryQuery) -> Result<DeliveryPage, StateError>,
) -> Result<DeliveryPage, StateError> {
    let limit = query.limit();
    let mut asked = DeliveryQuery {
        limit: Some(MOST),
        ..query.clone()
    };
    let mut seen = Vec::new();
    loop {
        let page = read(&asked)?;
        let deliveries = page.deliveries.into_iter();
        seen.extend(deliveries.filter(|delivery| sees(&delivery.lead)));
        asked.cursor = page.next;
        if page.next.is_none() || seen.len() > limit {
            return Ok(DeliveryPage::cut(seen, limit));
        }
    }
}

/// Reads a page of calls, latest first.
pub(super) fn read(
    connection: &Connection,
    query: &DeliveryQuery,
) -> rusqlite::Result<DeliveryPage> {
    let limit = query.limit();
    let status = query.status.map(DeliveryStatus::id);
    let mut sql = "SELECT seq, id, lead, threshold, status, created, n_tries, next_try, answer,
            problem, settled
         FROM deliveries WHERE 1"
        .to_owned();
    let mut values: Vec<&dyn ToSql> = Vec::new();
    let conditions: [(&str, Option<&dyn ToSql>); 4] = [
        ("status =", status.as_ref().map(|value| value as &dyn ToSql)),
        (
            "lead =",
            query.lead.as_ref().map(|value| value as &dyn ToSql),
        ),
        ("id =", query.id.as_ref().map(|value| value as &dyn ToSql)),
        (
            "seq <",
            query.cursor.as_ref().map(|value| value as &dyn ToSql),
        ),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            values.push(value);
            sql += &format!(" AND {condition} ?{}", values.len());
        }
    }
    // One more tells whether there is a next page.
    sql += &format!(" ORDER BY seq DESC LIMIT {}", limit + 1);
    let rows: Vec<Delivery> = connection
        .prepare_cached(&sql)?
        .query_map(&*values, delivery)?
        .collect::<Result<_, _>>()?;
    Ok(DeliveryPage::cut(rows, limit))
}

/// How many calls have each status.
pub(super) fn counts(connection: &Connection) -> rusqlite::Result<Vec<(DeliveryStatus, i64)>> {
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM deliveries WHERE status = ?1")?;
    DeliveryStatus::ALL
        .into_iter()
        .map(|status| {
            Ok((
                status,
                statement.query_row([status.id()], |row| row.get(0))?,
            ))
        })
        .collect()
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let status: String = row.get("status")?;
    let status = DeliveryStatus::ALL
        .into_iter()
        .find(|known| known.id() == status)
        .unwrap_or(DeliveryStatus::Dead);
    let moment = |name| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(name)?.map(Timestamp::from_micros))
    };
    let next_try = moment("next_try")?;
    let created = Timestamp::from_micros(row.get("created")?);
    Ok(Delivery {
        seq: row.get("seq")?,
        id: row.get("id")?,
        lead: row.get("lead")?,
        threshold: row.get("threshold")?,
        status,
        created,
        n_tries: row.get("n_tries")?,
        // What is due at once has no time of its own.
        next_try: next_try.map(|at| at.max(created)),
        answer: row.get("answer")?,
        problem: row.get("problem")?,
        settled: moment("settled")?,
    })
}

fn as_text<S: serde::Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
fn as_text_or_null<S: serde::Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => to.collect_str(at),
        None => to.serialize_none(),
    }
}
