//! What is known of the model, of who works on leads, and of what became of earlier scores.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::views::{OwnerView, Owners, Record, TierView};
use crate::app::App;
use crate::auth::Reader;
use crate::compute::Work;
use crate::engine::TierRecord;
use crate::problem::{Problem, ProblemKind};

/// The model that scores.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Model")]
pub(crate) struct ModelView {
    /// Its ID in the registry, or the hash of its file.
    id: String,
    /// Its name under `/v2/models`.
    name: String,
    /// Days within which a win counts.
    horizon_days: f64,
    /// Until when it learned; `null`: not known.
    training_cutoff: Option<String>,
    /// Names of its features, in the order of `/v2`.
    features: Vec<String>,
    /// What limits it.
    limitations: Vec<String>,
    /// Why it is the model that scores.
    why: Option<String>,
}

pub(crate) async fn model(State(app): State<App>, _: Reader) -> Json<ModelView> {
    let facts = app.engine().model();
    Json(ModelView {
        id: facts.id,
        name: facts.name,
        horizon_days: facts.horizon_days,
        training_cutoff: facts.training_cutoff,
        features: facts
            .features
            .into_iter()
            .map(|feature| feature.name)
            .collect(),
        limitations: facts.limitations,
        why: facts.why,
    })
}

pub(crate) async fn owners(
    State(app): State<App>,
    Reader(caller): Reader,
) -> Result<Json<Owners>, Problem> {
    let owners = app.ask(Work::Quick, |engine| engine.owners()).await?;
    Ok(Json(Owners {
        owners: owners
            .into_iter()
            .filter(|(owner, _)| caller.sees(Some(owner)))
            .map(|(owner, n_leads)| OwnerView { owner, n_leads })
            .collect(),
    }))
}

pub(crate) async fn record(
    State(app): State<App>,
    Reader(caller): Reader,
) -> Result<Json<Record>, Problem> {
    if caller.owner.is_some() {
        return Err(Problem::new(
            ProblemKind::Forbidden,
            format!(
                "the token `{}` sees the leads of one owner, and the record is of all leads",
                caller.name
            ),
            "ask with a token that sees all leads",
        ));
    }
    let (tiers, held_back) = app
        .ask(Work::Quick, |engine| {
            (engine.track_record(), engine.track_record_of_held_back())
        })
        .await?;
    let views = |records: Vec<TierRecord>| records.iter().map(TierView::new).collect();
    Ok(Json(Record {
        tiers: views(tiers),
        held_back: views(held_back),
    }))
}
