//! The document of the interface, and routes and methods that there are not.

use std::path::Path;

use crate::talk::start;

/// To write it anew: `UPDATE_OPENAPI=1 cargo nextest run -p leadscore-serve openapi`.
#[test]
fn the_committed_document_is_the_one_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let text = serde_json::to_string_pretty(&leadscore_serve::openapi()).expect("JSON") + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &text).expect("a file");
    }
    let committed = std::fs::read_to_string(&path).expect("docs/openapi.json");
    assert!(
        committed == text,
        "docs/openapi.json is not the interface: UPDATE_OPENAPI=1 writes it"
    );
    let server = start();
    assert_eq!(
        server.get("/openapi.json").json(),
        leadscore_serve::openapi()
    );
}

#[test]
fn every_route_of_the_document_is_there_and_no_reference_is_empty() {
    let document = leadscore_serve::openapi();
    let server = start();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let concrete = path
            .replace("{model}", "leads")
            .replace("{version}", "m1")
            .replace("{id}", "a");
        for method in methods.as_object().expect("methods").keys() {
            let answer = server.ask(&method.to_uppercase(), &concrete, &[], b"");
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(!answer.body.contains("no such route"), "{method} {path}");
            assert!(
                methods[method]["responses"][answer.status.to_string()].is_object(),
                "{method} {path}: {answer:?}"
            );
        }
    }
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap_or("");
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn routes_and_methods_that_there_are_not_are_problems() {
    let server = start();
    for path in [
        "/v1",
        "/v1/lead",
        "/nothing",
        "/v1/leads/a/b",
        "//v1/leads",
        "/v1/../v1/leads",
        "/v1/events/",
    ] {
        server.get(path).problem(404, "not-found");
    }
    for (method, path, allow) in [
        ("DELETE", "/v1/events", "POST"),
        ("GET", "/v1/score", "POST"),
        ("PUT", "/v1/leads/a", "GET,HEAD,DELETE"),
        ("BREW", "/healthz", "GET,HEAD"),
    ] {
        let answer = server.ask(method, path, &[], b"");
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.headers["allow"], allow);
    }
    let answer = server.ask("OPTIONS", "/v1/score", &[], b"");
    assert_eq!(
        (answer.status, answer.headers["allow"].as_str()),
        (204, "POST")
    );
}
