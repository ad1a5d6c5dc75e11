//! `POST /v1/score`: scores of leads of the store, or of one that is in no table.

use std::fmt;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::api::seen::{NoScoreView, ScoreOrNot, Scores};
use crate::api::views::Reasons;
use crate::api::visible::visible;
use crate::app::App;
use crate::audit::Trail;
use crate::auth::{Caller, Reader};
use crate::body;
use crate::compute::Work;
use crate::engine::{Engine, LeadScore, NoScore};
use crate::json;
use crate::limits;
use crate::problem::{Problem, ProblemKind};

/// Exactly one of `leads` and `lead`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `leads` or `lead`")]
#[schemars(extend("oneOf" = [{"required": ["leads"]}, {"required": ["lead"]}]))]
pub(crate) struct ScoreRequest {
    /// IDs of leads of the store, at most 1,000.
    #[serde(default, deserialize_with = "present")]
    #[schemars(
        with = "Vec<String>",
        length(min = 1, max = 1000),
        inner(length(max = 1024))
    )]
    leads: Option<Vec<String>>,
    /// A lead that is in no table: its columns, and `activities` and `lookups` by table.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Map<String, Value>", extend("minProperties" = 1))]
    lead: Option<Map<String, Value>>,
    /// How many reasons of each score: a number, or "all"; default 3.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "HowMany")]
    reasons: Option<HowMany>,
}

/// A field that may be absent, and is not null.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

/// A number, or all.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum HowMany {
    Number(u16),
    Word(AllWord),
}

/// "all".
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum AllWord {
    All,
}

impl<'de> Deserialize<'de> for HowMany {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(HowManyVisitor)
    }
}

struct HowManyVisitor;

impl Visitor<'_> for HowManyVisitor {
    type Value = HowMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 0 to {}, or \"all\"", u16::MAX)
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<HowMany, E> {
        let wrong = |_| E::invalid_value(Unexpected::Unsigned(n), &self);
        u16::try_from(n).map(HowMany::Number).map_err(wrong)
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<HowMany, E> {
        Err(E::invalid_value(Unexpected::Signed(n), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<HowMany, E> {
        match text {
            "all" => Ok(HowMany::Word(AllWord::All)),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

impl HowMany {
    fn reasons(&self) -> Reasons {
        match self {
            Self::Number(n) => Reasons::First(usize::from(*n)),
            Self::Word(AllWord::All) => Reasons::All,
        }
    }
}

pub(crate) async fn score(
    State(app): State<App>,
    Reader(caller): Reader,
    trail: Trail,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Scores>, Problem> {
    let mut value = body::read_value(&app, &headers, body).await?;
    // What a lead has the engine reads; to make the same value once more of it takes as long as the
    // score.
    let lead = value.get_mut("lead").and_then(Value::as_object_mut);
    let lead = lead.map(std::mem::take);
    let mut request: ScoreRequest = json::request(value)?;
    request.lead = lead.or(request.lead);
    let reasons = request
        .reasons
        .as_ref()
        .map_or(Reasons::DEFAULT, HowMany::reasons);
    let scores = match (request.leads, request.lead) {
        (Some(leads), None) => {
            check(&leads)?;
            trail.leads(&leads);
            let work = if leads.len() <= limits::SCORES_QUICK {
                Work::Quick
            } else {
                Work::Long
            };
            let asker = caller.clone();
            app.ask(work, move |engine| {
                leads
                    .iter()
                    .map(|lead| one(engine, &asker, lead, reasons))
                    .collect::<Vec<_>>()
            })
            .await?
        }
        (None, Some(lead)) => {
            let score = app
                .ask(Work::Quick, move |engine| {
                    engine.score_raw(&Value::Object(lead))
                })
                .await?
                .map_err(within_lead)?;
            vec![Ok(ScoreOrNot::new(&score, &caller, reasons))]
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::field(
                "",
                "the request has to have one of `leads` and `lead`",
                "write {\"leads\": [\"L1\"]} for leads of the store",
            ));
        }
    };
    app.metrics()
        .scored(scores.iter().filter(|score| score.is_ok()).count());
    let mut views = Vec::with_capacity(scores.len());
    for score in scores {
        views.push(match score {
            Ok(view) => view,
            Err(refused) => {
                let (lead, problem) = *refused;
                // A server that is not ready, or that failed, has no answer for any lead.
                if problem.kind == ProblemKind::NotReady {
                    return Err(problem);
                }
                if let Some(cause) = &problem.cause {
                    app.log(cause);
                }
                ScoreOrNot::NoScore(Box::new(NoScoreView {
                    lead,
                    error: problem.view(None),
                }))
            }
        });
    }
    Ok(Json(Scores { scores: views }))
}

fn check(leads: &[String]) -> Result<(), Problem> {
    if leads.is_empty() {
        return Err(Problem::field(
            "/leads",
            "there is no lead in `leads`",
            "name at least one",
        ));
    }
    if leads.len() > limits::LEADS {
        return Err(Problem::field(
            "/leads",
            format!("`leads` has {} leads", leads.len()),
            format!("ask for at most {} in a request", limits::LEADS),
        ));
    }
    match leads
        .iter()
        .position(|lead| lead.chars().count() > limits::ID_CHARS)
    {
        Some(at) => Err(Problem::field(
            format!("/leads/{at}"),
            "the ID is longer than that of any lead",
            "",
        )),
        None => Ok(()),
    }
}

fn one(
    engine: &dyn Engine,
    caller: &Caller,
    lead: &str,
    reasons: Reasons,
) -> Result<ScoreOrNot, Box<(String, Problem)>> {
    let scored: Result<LeadScore, Problem> =
        visible(engine, caller, lead).and_then(|()| engine.score(lead).map_err(Problem::from));
    scored
        .map(|score| ScoreOrNot::new(&score, caller, reasons))
        .map_err(|problem| Box::new((lead.to_owned(), problem)))
}

/// Pointers of the engine begin in the lead; those of the answer in the body.
fn within_lead(error: NoScore) -> Problem {
    let mut problem = Problem::from(error);
    for error in &mut problem.errors {
        if !error.pointer.starts_with("/lead/") && error.pointer != "/lead" {
            error.pointer = format!("/lead{}", error.pointer);
        }
    }
    problem
}
