//! `/v1/leads`: the queue, one lead, what sales says of it, and forgetting it.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use leadscore_core::{Timestamp, hex, printable};
use leadscore_store::{NewEvent, WORD_TABLE};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::api::events::durable;
use crate::api::seen::DetailOrNot;
use crate::api::views::{Accepted, ForgottenView, QueueView, Reasons, iso, tier};
use crate::api::visible::visible;
use crate::app::App;
use crate::audit::Trail;
use crate::auth::{Actor, Admin, Caller, Reader};
use crate::body;
use crate::compute::Work;
use crate::engine::{NoScore, QueueQuery, Word, WordKind};
use crate::held_back::may_say;
use crate::limits;
use crate::problem::{Problem, ProblemKind};
use crate::query::Query;
use crate::tokens;

/// Rows of a page if none are asked for, and at most.
const ROWS_DEFAULT: usize = 50;
const ROWS_AT_MOST: usize = 500;

/// An ID of a path; IDs may have any characters, percent-encoded.
fn id(
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<String, Problem> {
    let Path(id) = path.map_err(|_| {
        Problem::new(
            ProblemKind::BadRequest,
            "the ID in the address is not UTF-8",
            "write other characters than letters and digits as %XX of their UTF-8",
        )
    })?;
    if id.chars().count() > limits::ID_CHARS {
        return Err(Problem::no_lead("…"));
    }
    Ok(id)
}

type IdPath = Result<Path<String>, axum::extract::rejection::PathRejection>;

pub(crate) async fn list(
    State(app): State<App>,
    Reader(caller): Reader,
    RawQuery(raw): RawQuery,
) -> Result<Json<QueueView>, Problem> {
    let query = queue_query(&raw.unwrap_or_default(), &caller, app.thresholds())?;
    let queue = app
        .ask(Work::Quick, move |engine| engine.queue(&query))
        .await??;
    app.metrics().scored(queue.rows.len());
    Ok(Json(QueueView::new(&queue, Reasons::DEFAULT)))
}

/// Fails at a threshold that there is not: which ones there are, the config says.
fn check_threshold(asked: &str, names: &[String]) -> Result<(), Problem> {
    if names.iter().any(|name| name == asked) {
        return Ok(());
    }
    let hint = if names.is_empty() {
        "the config has no thresholds".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    };
    Err(Problem::new(
        ProblemKind::Invalid,
        format!("the query's \"crossed\" is {asked:?}, and there is no such threshold"),
        hint,
    ))
}

fn queue_query(
    raw: &str,
    caller: &Caller,
    thresholds: Option<&[String]>,
) -> Result<QueueQuery, Problem> {
    let mut given = Query::read(raw)?;
    let query = QueueQuery {
        tier: given.take("tier", "one of very_high, high, medium and low", |text| {
            tier(text)
        })?,
        owner: given.take("owner", "the name of an owner", |text| {
            Some(text.to_owned())
        })?,
        search: given
            .take("q", "a text", |text| Some(text.to_owned()))?
            .filter(|text| !text.trim().is_empty()),
        changed_since: given.take(
            "changed_since",
            "a moment such as 2026-05-01T09:30:00Z",
            |text| text.parse::<Timestamp>().ok(),
        )?,
        compare_with: None,
        crossed: given.take("crossed", "the name of a threshold", |text| {
            Some(text.to_owned())
        })?,
        cursor: given.take("cursor", "`next` of the page before", |text| {
            Some(text.to_owned())
        })?,
        limit: given
            .take(
                "limit",
                &format!("a number from 1 to {ROWS_AT_MOST}"),
                |text| text.parse().ok().filter(|n| (1..=ROWS_AT_MOST).contains(n)),
            )?
            .unwrap_or(ROWS_DEFAULT),
    };
    given.end()?;
    if let (Some(asked), Some(names)) = (&query.crossed, thresholds) {
        check_threshold(asked, names)?;
    }
    match (&caller.owner, &query.owner) {
        (Some(mine), Some(asked)) if mine != asked => Err(Problem::new(
            ProblemKind::NotFound,
            format!("there are no leads of an owner `{asked}`"),
            "/v1/owners has the owners",
        )),
        (Some(mine), _) => Ok(QueueQuery {
            owner: Some(mine.clone()),
            ..query
        }),
        (None, _) => Ok(query),
    }
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(caller): Reader,
    trail: Trail,
    path: IdPath,
) -> Result<Json<DetailOrNot>, Problem> {
    let lead = id(path)?;
    trail.lead(&lead);
    let detail = app
        .ask(Work::Quick, move |engine| {
            let detail = engine.lead(&lead);
            if let (Some(_), Ok(detail)) = (&caller.owner, &detail)
                && !caller.sees(detail.row.owner.as_deref())
            {
                return Err(Problem::no_lead(&lead));
            }
            match detail {
                Ok(detail) => Ok(DetailOrNot::new(&detail, &caller)),
                Err(error) => {
                    visible(engine, &caller, &lead)?;
                    Err(Problem::from(error))
                }
            }
        })
        .await??;
    app.metrics().scored(1);
    Ok(Json(detail))
}

/// What a salesperson says of a lead.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `said`")]
#[schemars(extend(
    "if" = {"required": ["said"], "properties": {"said": {"const": "wrong"}}},
    "then" = {"required": ["note"], "properties": {"note": {"type": "string", "pattern": "\\S"}}}
))]
pub(crate) struct WordRequest {
    /// called, not_now, won, lost or wrong.
    said: WordKind,
    /// Why, in their words; needed with `wrong`.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    note: Option<String>,
    /// An ID of the caller's choice, for this lead: sent again by the same user, the word counts once.
    /// With another word or note it is refused.
    #[serde(default)]
    #[schemars(length(min = 1, max = 1024))]
    id: Option<String>,
}

pub(crate) async fn word(
    State(app): State<App>,
    Actor(caller): Actor,
    trail: Trail,
    path: IdPath,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let lead = id(path)?;
    trail.lead(&lead);
    let request: WordRequest = body::read_json(&app, &headers, body).await?;
    let accepted = say(&app, &caller, &lead, request.said, request.note, request.id).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

/// Appends what a caller says of a lead as a row of `activities.word`.
pub(crate) async fn say(
    app: &App,
    caller: &Caller,
    lead: &str,
    said: WordKind,
    note: Option<String>,
    id: Option<String>,
) -> Result<Accepted, Problem> {
    if note
        .as_ref()
        .is_some_and(|note| note.chars().count() > limits::NOTE_CHARS)
    {
        return Err(Problem::field(
            "/note",
            format!("the note has more than {} characters", limits::NOTE_CHARS),
            "shorten it",
        ));
    }
    let note = note
        .map(|note| note.trim().to_owned())
        .filter(|note| !note.is_empty());
    if said == WordKind::Wrong && note.is_none() {
        return Err(Problem::field(
            "/note",
            "a score that is wrong needs a note",
            "write what the score does not know",
        ));
    }
    let event_id = event_id_of(caller, lead, id.as_deref())?;
    let row = json!({
        "id": event_id,
        "table": WORD_TABLE,
        "row": {"lead": lead, "at": iso(app.now()), "said": said, "by": caller.name, "note": note},
    });
    let given = Given {
        id: id.unwrap_or_default(),
        event_id,
        lead: lead.to_owned(),
        said,
        note,
    };
    let (lead, caller) = (lead.to_owned(), caller.clone());
    let events = app
        .ask(Work::Quick, move |engine| {
            visible(engine, &caller, &lead)?;
            // Of a lead that there is not, nothing can be said; of one that closed, it can.
            match engine.score(&lead) {
                Err(error @ NoScore::Unknown(_)) => return Err(error.into()),
                Ok(score) if !may_say(&caller, &score, said) => return Err(unseen()),
                Ok(_) | Err(_) => {}
            }
            engine.read_events(&[row]).map_err(Problem::invalid)
        })
        .await??;
    let duplicates = append_once(app, &given, events).await?;
    Ok(Accepted {
        accepted: 1,
        duplicates,
    })
}

/// The ID of the event that a word is. An ID of the caller's choice is one of this user and this
/// lead: the same text is another event for others. No ID of a lead can be read in it, since IDs of
/// events outlive leads that are forgotten.
fn event_id_of(caller: &Caller, lead: &str, id: Option<&str>) -> Result<String, Problem> {
    match id {
        Some(id) if !id.is_empty() && id.chars().count() <= limits::ID_CHARS => {
            let text = format!("{lead}\0{}\0{id}", caller.name);
            Ok(format!("word:{}", &tokens::hash(&text)[..32]))
        }
        Some(_) => Err(Problem::field(
            "/id",
            "the ID is empty, or too long",
            "leave it out",
        )),
        None => Ok(format!("word:{}", random_id()?)),
    }
}

/// A word as its caller gave it.
#[derive(Debug, Clone)]
struct Given {
    /// The ID of the caller's choice.
    id: String,
    event_id: String,
    lead: String,
    said: WordKind,
    note: Option<String>,
}

/// Appends the event of a word, unless the store has it; whether it had, as a number. Fails where
/// the store has another word with this ID.
async fn append_once(app: &App, given: &Given, events: Vec<NewEvent>) -> Result<usize, Problem> {
    // The store may know of the other word while it is being written: then it is there, or has
    // failed, at the second attempt.
    for _ in 0..2 {
        match durable(app, events.clone()).await {
            Ok(appended) if appended.n_duplicates == 0 => return Ok(0),
            // The same row, to the moment; or a word that was forgotten with its lead.
            Ok(_) => {}
            // The same ID at another moment: what was said then?
            Err(problem) if problem.kind == ProblemKind::Conflict => {}
            Err(problem) => return Err(problem),
        }
        let (lead, event_id) = (given.lead.clone(), given.event_id.clone());
        let known = app
            .ask(Work::Quick, move |engine| engine.word(&lead, &event_id))
            .await??;
        if let Some(known) = known {
            return given.same_as(&known).map(|()| 1);
        }
    }
    Ok(1)
}

impl Given {
    /// Fails where another word has the ID.
    fn same_as(&self, known: &Word) -> Result<(), Problem> {
        let id = printable(&self.id);
        let differs = if known.said != self.said {
            let (before, now) = (known.said.key(), self.said.key());
            format!("you said `{before}` of this lead with the ID `{id}`, and now `{now}`")
        } else if known.note != self.note {
            format!("your word with the ID `{id}` on this lead has another note")
        } else {
            return Ok(());
        };
        Err(Problem::new(
            ProblemKind::Conflict,
            differs,
            "give each word an ID of its own; to correct yourself, give another word",
        ))
    }
}

/// A score that nobody sees who works on the lead cannot be wrong.
fn unseen() -> Problem {
    Problem::field(
        "/said",
        "the lead is held back from prioritizing, and has no score that could be wrong for you",
        "say called, not_now, won or lost",
    )
}

pub(crate) async fn forget(
    State(app): State<App>,
    Admin(caller): Admin,
    trail: Trail,
    query: RawQuery,
    path: IdPath,
) -> Result<Json<ForgottenView>, Problem> {
    if query.0.is_some() {
        // An ID with a question mark that was not encoded is another lead's.
        return Err(Problem::new(
            ProblemKind::BadRequest,
            "forgetting a lead takes no query",
            "write a `?` within an ID as %3F",
        ));
    }
    let lead = id(path)?;
    let name = format!("forgotten:{}", random_id()?);
    trail.replace(&name);
    let asked = lead.clone();
    let forgetters = app.forgetters().to_vec();
    let (n_others, removed) = app
        .ask(Work::Long, move |engine| {
            visible(engine, &caller, &asked)?;
            // The engine first: while it has the lead, it may cross a threshold again, and what
            // the others have just forgotten would come back. If one of them fails, the same
            // request finds the lead unknown to the engine, and goes on with the others.
            let removed = match engine.forget(&asked) {
                Ok(removed) => Some(removed),
                Err(NoScore::Unknown(_)) => None,
                Err(error) => return Err(Problem::from(error)),
            };
            let mut n_others = 0;
            for forgetter in &forgetters {
                n_others += forgetter(&asked).map_err(|why| Problem::internal().because(why))?;
            }
            Ok((n_others, removed))
        })
        .await??;
    let n_audit_lines = app
        .audit()
        .forget(&lead, name.clone())
        .await
        .map_err(|error| {
            Problem::new(
                ProblemKind::Unavailable,
                "the lead is forgotten, except in the audit log",
                "send the request again when the log can be written",
            )
            .because(error.to_string())
        })?;
    if removed.is_none() && n_others + n_audit_lines == 0 {
        return Err(Problem::no_lead(&lead));
    }
    let removed = removed.unwrap_or_default();
    Ok(Json(ForgottenView {
        forgotten: name,
        n_events: removed.n_events,
        n_scores: removed.n_scores,
        n_audit_lines,
        n_others,
        n_left: removed.n_left,
    }))
}

fn random_id() -> Result<String, Problem> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Problem::internal().because(error.to_string()))?;
    Ok(hex(&bytes))
}
