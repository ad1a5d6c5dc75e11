//! The body of a request, read within the limits of bytes, time and memory.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::json::{self, Budget};
use crate::limits;
use crate::problem::{Problem, ProblemKind};

/// The bytes of a body, and the permit that large ones have.
#[derive(Debug)]
pub(crate) struct Bytes {
    pub(crate) bytes: Vec<u8>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// What a body says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Ndjson,
}

/// The type of a body; a form or a text is none of ours.
pub(crate) fn media(headers: &HeaderMap, ndjson: bool) -> Result<Media, Problem> {
    let refuse = |detail: String| {
        let hint = if ndjson {
            "send the header `content-type: application/json`, or `application/x-ndjson`"
        } else {
            "send the header `content-type: application/json`"
        };
        Problem::new(ProblemKind::UnsupportedMedia, detail, hint)
    };
    if headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(refuse("the body is compressed".to_owned()));
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err(refuse("the request has no content type".to_owned()));
    };
    let text = value.to_str().unwrap_or("");
    let name = text
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    match name.as_str() {
        "application/json" => Ok(Media::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" if ndjson => {
            Ok(Media::Ndjson)
        }
        _ => Err(refuse(format!("the content type is {text:?}"))),
    }
}

/// Reads a whole body.
pub(crate) async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let limit = app.limits().body_bytes;
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    tokio::time::timeout(app.limits().body_time, collect(app, limit, body))
        .await
        .unwrap_or_else(|_| {
            Err(Problem::new(
                ProblemKind::SlowBody,
                format!("the body did not end within {:?}", app.limits().body_time),
                "send it faster, or in parts",
            ))
        })
}

async fn collect(app: &App, limit: usize, mut body: Body) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    let mut permit = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Problem::new(
                ProblemKind::BadRequest,
                format!("the body ended before its end: {error}"),
                "send as many bytes as the header says",
            )
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        if permit.is_none() && bytes.len() + data.len() > limits::SMALL_BODY_BYTES {
            permit = Some(app.large_body().ok_or_else(Problem::overloaded)?);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Bytes {
        bytes,
        _permit: permit,
    })
}

fn too_large(limit: usize) -> Problem {
    Problem::new(
        ProblemKind::TooLarge,
        format!("the body has more than {limit} bytes"),
        "send it in parts",
    )
}

/// Reads a body that is one JSON object, as a request.
pub(crate) async fn read_json<T: DeserializeOwned>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    json::request(read_value(app, headers, body).await?)
}

/// Reads a body that is one JSON value.
pub(crate) async fn read_value(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<Value, Problem> {
    media(headers, false)?;
    let read = read(app, headers, body).await?;
    json::parse(&read.bytes, &Budget::new(app.limits().rows), None)
}

/// Reads rows: one object, an array of them, or one a line; whether it was one object alone.
pub(crate) fn rows(bytes: &[u8], media: Media, rows: usize) -> Result<(Vec<Value>, bool), Problem> {
    let budget = Budget::new(rows);
    match media {
        Media::Json => match json::parse(bytes, &budget, None)? {
            Value::Array(rows) => Ok((rows, false)),
            row @ (Value::Object(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)) => Ok((vec![row], true)),
        },
        Media::Ndjson => {
            let mut rows = Vec::new();
            for line in bytes.split(|byte| *byte == b'\n') {
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                budget.row()?;
                rows.push(json::parse(line, &budget, Some(rows.len()))?);
            }
            Ok((rows, false))
        }
    }
}
