//! `/openapi.json`: the interface, built from the types that the routes read and answer.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::api::{facts, health, inference, leads, score, seen, views};
use crate::auth::{Right, Role};
use crate::hooks::DeliveryPage;
use crate::hooks::routes::Again;
use crate::limits;
use crate::problem::ProblemView;

pub(crate) async fn serve() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        openapi().to_string(),
    )
        .into_response()
}

/// The interface as OpenAPI 3.1.
pub fn openapi() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut paths = Paths {
        schemas: settings.into_generator(),
        paths: Map::new(),
    };
    paths.health();
    paths.events_and_scores();
    paths.leads();
    paths.facts();
    paths.inference();
    paths.deliveries();
    let problem = paths.schema::<ProblemView>();
    let Paths { mut schemas, paths } = paths;
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "leadscore",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Events in, scores out. Every answer has the header x-request-id; every \
                problem is application/problem+json (RFC 9457).",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Made by `leadscore tokens create`. Without a file of tokens, callers \
                    on the same machine need none.",
            }},
            "responses": {"Problem": {
                "description": "Why the request was not answered.",
                "headers": {"x-request-id": {"schema": {"type": "string"}}},
                "content": {"application/problem+json": {"schema": problem}},
            }},
            "schemas": schemas.take_definitions(true),
        },
    })
}

struct Paths {
    schemas: SchemaGenerator,
    paths: Map<String, Value>,
}

/// What a route reads and answers.
struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    right: Option<Right>,
    parameters: Vec<Value>,
    body: Option<Value>,
    status: &'static str,
    answer: Value,
    /// Statuses of problems that only this route has.
    problems: &'static [&'static str],
}

impl Paths {
    fn schema<T: JsonSchema>(&mut self) -> Value {
        self.schemas.subschema_for::<T>().to_value()
    }

    fn json<T: JsonSchema>(&mut self) -> Value {
        json!({"application/json": {"schema": self.schema::<T>()}})
    }

    fn add(&mut self, operation: Operation) {
        let mut responses = Map::new();
        responses.insert(
            operation.status.to_owned(),
            json!({
                "description": operation.summary,
                "headers": {"x-request-id": {"schema": {"type": "string"}}},
                "content": operation.answer,
            }),
        );
        let of_all = ["400", "403", "500", "503"];
        let of_tokens: &[&str] = if operation.right.is_some() {
            &["401", "429"]
        } else {
            &[]
        };
        let of_bodies: &[&str] = if operation.body.is_some() {
            &["408", "413", "415", "422"]
        } else {
            &[]
        };
        for status in of_all
            .iter()
            .chain(of_tokens)
            .chain(of_bodies)
            .chain(operation.problems)
        {
            responses.insert(
                (*status).to_owned(),
                json!({"$ref": "#/components/responses/Problem"}),
            );
        }
        let mut value = json!({
            "summary": operation.summary,
            "operationId": operation_id(operation.method, operation.path),
            "responses": responses,
        });
        match operation.right {
            Some(right) => {
                let roles: Vec<&str> = Role::ALL
                    .iter()
                    .filter(|role| role.may(right))
                    .map(|role| role.name())
                    .collect();
                value["description"] = json!(format!("Roles: {}.", roles.join(", ")));
            }
            None => value["security"] = json!([]),
        }
        if !operation.parameters.is_empty() {
            value["parameters"] = Value::Array(operation.parameters);
        }
        if let Some(body) = operation.body {
            value["requestBody"] = json!({"required": true, "content": body});
        }
        let path = self
            .paths
            .entry(operation.path)
            .or_insert_with(|| json!({}));
        path[operation.method] = value;
    }

    fn get<T: JsonSchema>(
        &mut self,
        path: &'static str,
        summary: &'static str,
        right: Option<Right>,
        parameters: Vec<Value>,
        problems: &'static [&'static str],
    ) {
        let answer = self.json::<T>();
        self.add(Operation {
            method: "get",
            path,
            summary,
            right,
            parameters,
            body: None,
            status: "200",
            answer,
            problems,
        });
    }

    fn health(&mut self) {
        self.get::<health::Health>("/healthz", "The server lives.", None, vec![], &[]);
        self.get::<health::Health>("/readyz", "The server can answer.", None, vec![], &[]);
        self.get::<Value>("/openapi.json", "This document.", None, vec![], &[]);
        self.add(Operation {
            method: "get",
            path: "/metrics",
            summary: "Counts as OpenMetrics text; any role.",
            right: Some(Right::Read),
            parameters: vec![],
            body: None,
            status: "200",
            answer: json!({"application/openmetrics-text": {"schema": {"type": "string"}}}),
            problems: &[],
        });
        self.paths["/metrics"]["get"]["description"] = json!("Roles: ingest, read, act, admin.");
    }

    fn events_and_scores(&mut self) {
        let row = json!({
            "type": "object",
            "required": ["id", "table", "row"],
            "additionalProperties": false,
            "properties": {
                "id": {"type": "string", "minLength": 1, "maxLength": 512, "description": "Of the sender's choice; the same ID again is the same event."},
                "table": {"type": "string", "minLength": 1, "description": "A table of the config, such as leads, outcomes or activities.touches."},
                "row": {"type": "object", "minProperties": 1, "description": "The columns of the table, as in the config."},
            },
        });
        let rows = json!({"oneOf": [
            row,
            {"type": "array", "items": row, "description": format!("At most {} rows.", limits::ROWS)},
        ]});
        let answer = self.json::<views::Accepted>();
        self.add(Operation {
            method: "post",
            path: "/v1/events",
            summary: "Appends rows, all of them or none; they are durable when the answer is there.",
            right: Some(Right::Append),
            parameters: vec![],
            body: Some(json!({
                "application/json": {"schema": rows},
                "application/x-ndjson": {"schema": {"type": "string", "description": "One row a line."}},
            })),
            status: "202",
            answer,
            problems: &["404", "409"],
        });
        let body = self.json::<score::ScoreRequest>();
        let answer = self.json::<seen::Scores>();
        self.add(Operation {
            method: "post",
            path: "/v1/score",
            summary: "Scores of leads of the store, or of a lead that is in no table.",
            right: Some(Right::Read),
            parameters: vec![],
            body: Some(body),
            status: "200",
            answer,
            problems: &["404", "409"],
        });
    }

    fn leads(&mut self) {
        self.get::<views::QueueView>(
            "/v1/leads",
            "Open leads, best first.",
            Some(Right::Read),
            queue_parameters(),
            &["404", "422"],
        );
        let id = || {
            vec![json!({
                "name": "id", "in": "path", "required": true,
                "description": "The lead; any characters, percent-encoded.",
                "schema": {"type": "string", "minLength": 1},
            })]
        };
        self.get::<seen::DetailOrNot>(
            "/v1/leads/{id}",
            "Everything of a lead.",
            Some(Right::Read),
            id(),
            &["404", "409"],
        );
        let answer = self.json::<views::ForgottenView>();
        self.add(Operation {
            method: "delete",
            path: "/v1/leads/{id}",
            summary: "Forgets a lead: its events, scores, logs.",
            right: Some(Right::Forget),
            parameters: id(),
            body: None,
            status: "200",
            answer,
            problems: &["404", "409"],
        });
        let body = self.json::<leads::WordRequest>();
        let answer = self.json::<views::Accepted>();
        self.add(Operation {
            method: "post",
            path: "/v1/leads/{id}/word",
            summary: "Appends what a salesperson says of a lead.",
            right: Some(Right::Act),
            parameters: id(),
            body: Some(body),
            status: "202",
            answer,
            problems: &["404", "409"],
        });
    }

    fn deliveries(&mut self) {
        let query = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "query", "description": description, "schema": schema});
        let text = || json!({"type": "string", "minLength": 1});
        let parameters = vec![
            query(
                "status",
                "Only calls with this status.",
                json!({"enum": ["waiting", "delivered", "dead"]}),
            ),
            query("lead", "Only calls of this lead.", text()),
            query("id", "Only this call.", text()),
            query(
                "limit",
                "Calls of a page; default 50.",
                json!({"type": "integer", "minimum": 1, "maximum": 500}),
            ),
            query(
                "cursor",
                "`next` of the page before.",
                json!({"type": "integer", "minimum": 1, "maximum": i64::MAX}),
            ),
        ];
        self.get::<DeliveryPage>(
            "/v1/deliveries",
            "Calls of webhooks, latest first; for a token with an owner, those of its leads.",
            Some(Right::Forget),
            parameters,
            &[],
        );
        let answer = self.json::<Again>();
        self.add(Operation {
            method: "post",
            path: "/v1/deliveries/{id}/retry",
            summary: "Makes a call again, with the same ID.",
            right: Some(Right::Forget),
            parameters: vec![json!({
                "name": "id", "in": "path", "required": true,
                "description": "The call, as /v1/deliveries has it.",
                "schema": {"type": "string", "minLength": 1},
            })],
            body: None,
            status: "202",
            answer,
            problems: &["404", "409"],
        });
    }

    fn facts(&mut self) {
        let read = Some(Right::Read);
        self.get::<facts::ModelView>("/v1/model", "The model that scores.", read, vec![], &[]);
        self.get::<views::Owners>("/v1/owners", "Owners of open leads.", read, vec![], &[]);
        let summary = "What became of the leads of each tier; not for tokens that have an owner.";
        self.get::<views::Record>("/v1/record", summary, read, vec![], &[]);
    }

    fn inference(&mut self) {
        let read = Some(Right::Read);
        let part = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}});
        let (model, version) = (part("model"), part("version"));
        self.get::<inference::ServerMetadata>("/v2", "The server.", read, vec![], &[]);
        self.get::<inference::Live>("/v2/health/live", "The server lives.", None, vec![], &[]);
        self.get::<inference::Ready>(
            "/v2/health/ready",
            "The server can answer.",
            None,
            vec![],
            &[],
        );
        for (path, ready, infer, parameters) in [
            (
                "/v2/models/{model}",
                "/v2/models/{model}/ready",
                "/v2/models/{model}/infer",
                vec![model.clone()],
            ),
            (
                "/v2/models/{model}/versions/{version}",
                "/v2/models/{model}/versions/{version}/ready",
                "/v2/models/{model}/versions/{version}/infer",
                vec![model, version],
            ),
        ] {
            let parameters = || parameters.clone();
            self.get::<inference::ModelMetadata>(path, "The model.", read, parameters(), &["404"]);
            self.get::<inference::Ready>(
                ready,
                "The model can answer.",
                read,
                parameters(),
                &["404"],
            );
            let body = self.json::<inference::InferRequest>();
            let answer = self.json::<inference::InferResponse>();
            self.add(Operation {
                method: "post",
                path: infer,
                summary: "Probabilities of rows of features.",
                right: read,
                parameters: parameters(),
                body: Some(body),
                status: "200",
                answer,
                problems: &["404"],
            });
        }
    }
}

fn queue_parameters() -> Vec<Value> {
    let query = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "query", "description": description, "schema": schema});
    vec![
        query(
            "tier",
            "Only this tier.",
            json!({"enum": ["very_high", "high", "medium", "low"]}),
        ),
        query(
            "owner",
            "Only leads of this owner.",
            json!({"type": "string"}),
        ),
        query(
            "q",
            "Only leads whose ID, name or shown columns have this text.",
            json!({"type": "string"}),
        ),
        query(
            "changed_since",
            "Only leads whose likelihood changed by a point or more since.",
            json!({"type": "string", "format": "date-time"}),
        ),
        query(
            "crossed",
            "Only leads that crossed this threshold in seven days.",
            json!({"type": "string"}),
        ),
        query(
            "limit",
            "Leads of a page; default 50.",
            json!({"type": "integer", "minimum": 1, "maximum": 500}),
        ),
        query(
            "cursor",
            "`next` of the page before.",
            json!({"type": "string", "minLength": 1}),
        ),
    ]
}

fn operation_id(method: &str, path: &str) -> String {
    let words: Vec<&str> = path
        .split(['/', '.'])
        .map(|part| part.trim_matches(['{', '}']))
        .filter(|part| !part.is_empty())
        .collect();
    format!("{method}_{}", words.join("_"))
}
