//! The Open Inference Protocol.

use serde_json::json;

use crate::engine::Memory;
use crate::talk::{Running, start, start_with};

/// A server whose model has a feature that is a category, `industry`, beside two numbers.
fn start_with_categories() -> Running {
    start_with(Memory::with_categories(), |_| (), |_| ())
}

#[test]
fn categories_are_texts() {
    let server = start_with_categories();
    let model = server.get("/v2/models/leads").json();
    assert_eq!(
        model["inputs"][2],
        json!({"name": "industry", "datatype": "BYTES", "shape": [-1]})
    );
    let ask = |shape: serde_json::Value, data: serde_json::Value| {
        let body = json!({"inputs": [
            {"name": "industry", "shape": shape, "datatype": "BYTES", "data": data,
             "parameters": {"content_type": "str"}},
            {"name": "seats", "shape": [3], "datatype": "FP64", "data": [0, 0, null]},
            {"name": "touches", "shape": [3], "datatype": "FP32", "data": [1, 0, 0]},
        ]});
        let answer = server.post("/v2/models/leads/infer", &body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["outputs"][0]["data"].clone()
    };
    let likely = |sum: f64| 1.0 / (1.0 + (-sum).exp());
    let expected = json!([likely(5.0), 0.5, 0.5]);
    // What is missing is null, or an empty text, since most clients have arrays of texts alone.
    assert_eq!(ask(json!([3]), json!(["bank", null, ""])), expected);
    assert_eq!(
        ask(json!([3, 1]), json!([["bank"], [""], [null]])),
        expected
    );
}

#[test]
fn categories_that_are_none_are_refused_at_their_place() {
    let server = start_with_categories();
    let category = |tensor: serde_json::Value| {
        json!({"inputs": [
            {"name": "seats", "shape": [1], "datatype": "FP64", "data": [1]},
            {"name": "touches", "shape": [1], "datatype": "FP64", "data": [1]},
            tensor,
        ]})
    };
    let number = json!({"inputs": [
        {"name": "seats", "shape": [1], "datatype": "BYTES", "data": ["1"]},
    ]});
    let matrix = json!({"inputs": [
        {"name": "input-0", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]},
    ]});
    let of_matrix = "`input-0` is a matrix of numbers, and the feature \"industry\" is a category";
    for (body, pointer, detail) in [
        (
            category(json!({"name": "industry", "shape": [1], "datatype": "FP64", "data": [1]})),
            "/inputs/2/datatype",
            "the datatype of \"industry\" is \"FP64\"",
        ),
        (
            category(json!({"name": "industry", "shape": [1], "datatype": "BYTES", "data": [1]})),
            "/inputs/2/data/0",
            "\"industry\" has texts, and this is none",
        ),
        (
            category(
                json!({"name": "industry", "shape": [1], "datatype": "BYTES", "data": [["a", "b"]]}),
            ),
            "/inputs/2/data",
            "the tensor has 2 values, and its shape is [1]",
        ),
        (
            number,
            "/inputs/0/datatype",
            "the datatype of \"seats\" is \"BYTES\"",
        ),
        (matrix, "/inputs/0/name", of_matrix),
    ] {
        let problem = server
            .post("/v2/models/leads/infer", &body.to_string())
            .problem(422, "invalid");
        let error = &problem["errors"][0];
        assert_eq!(
            (error["pointer"].as_str(), error["detail"].as_str()),
            (Some(pointer), Some(detail)),
            "{body}: {problem}"
        );
    }
}

#[test]
fn one_tensor_a_feature_and_one_matrix_are_the_same() {
    let server = start();
    let by_name = json!({"id": "7", "inputs": [
        {"name": "seats", "shape": [3, 1], "datatype": "INT64", "data": [[0], [1], [null]]},
        {"name": "touches", "shape": [3], "datatype": "FP64", "data": [0.0, 0.5, 2]},
    ], "outputs": [{"name": "probability"}]});
    let answer = server.post("/v2/models/leads/infer", &by_name.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let tensor = answer.json()["outputs"][0].clone();
    assert_eq!(
        (&tensor["shape"], &tensor["datatype"], &tensor["data"][0]),
        (&json!([3]), &json!("FP64"), &json!(0.5))
    );
    let matrix = json!({"inputs": [
        {"name": "input-0", "shape": [3, 2], "datatype": "FP64", "data": [0.0, 0, 0.5, 1, 2, null]},
    ]});
    let path = "/v2/models/leads/versions/m1/infer";
    let other = server.ask("POST", path, &[], matrix.to_string().as_bytes());
    assert_eq!(other.json()["outputs"][0], tensor);
    assert_eq!(
        (&answer.json()["id"], &other.json()["id"]),
        (&json!("7"), &json!(null))
    );
}

#[test]
fn what_the_protocol_asks_is_answered() {
    let server = start();
    assert_eq!(server.get("/v2").json()["extensions"], json!([]));
    assert_eq!(
        server.get("/v2/health/ready").json(),
        json!({"ready": true})
    );
    assert_eq!(
        server.get("/v2/models/leads/ready").json(),
        json!({"name": "leads", "ready": true})
    );
    let model = server.get("/v2/models/leads/versions/m1").json();
    assert_eq!(
        model["inputs"][1],
        json!({"name": "seats", "datatype": "FP64", "shape": [-1]})
    );
    for path in [
        "/v2/models/other",
        "/v2/models/leads/versions/m2/ready",
        "/v2/nothing",
    ] {
        let problem = server.get(path).json();
        assert_eq!(problem["status"], 404);
    }
    // Clients of the protocol look for `error`.
    assert!(server.get("/v2/models/other").json()["error"].is_string());
}

#[test]
fn tensors_that_are_none_are_refused_at_their_place() {
    let server = start();
    let one = |tensor: serde_json::Value| json!({"inputs": [tensor]});
    for (body, pointer) in [
        (json!({"inputs": []}), "/inputs"),
        (
            one(json!({"name": "seats", "shape": [1], "datatype": "FP64", "data": [1]})),
            "/inputs",
        ),
        (
            one(json!({"name": "x", "shape": [1], "datatype": "FP64", "data": [1]})),
            "/inputs/0/name",
        ),
        (
            one(json!({"name": "seats", "shape": [2], "datatype": "FP64", "data": [1]})),
            "/inputs/0/data",
        ),
        (
            one(json!({"name": "seats", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]})),
            "/inputs/0/shape",
        ),
        (
            one(json!({"name": "seats", "shape": [1], "datatype": "BYTES", "data": ["a"]})),
            "/inputs/0/datatype",
        ),
        (
            one(json!({"name": "seats", "shape": [2], "datatype": "FP64", "data": [1, "a"]})),
            "/inputs/0/data/1",
        ),
        (
            one(json!({"name": "seats", "shape": [1], "datatype": "FP64"})),
            "/inputs/0/data",
        ),
        (
            one(json!({"name": "seats", "shape": [-1], "datatype": "FP64", "data": []})),
            "/inputs/0/shape/0",
        ),
        (
            one(json!({"name": "input-0", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]})),
            "/inputs/0/shape",
        ),
    ] {
        let problem = server
            .post("/v2/models/leads/infer", &body.to_string())
            .problem(422, "invalid");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{body}: {problem}"
        );
    }
    let huge = one(json!({"name": "seats", "shape": [u64::MAX], "datatype": "FP64", "data": []}));
    server
        .post("/v2/models/leads/infer", &huge.to_string())
        .problem(413, "too-large");
    let binary = [("inference-header-content-length", "10")];
    server
        .ask("POST", "/v2/models/leads/infer", &binary, b"{}        x")
        .problem(415, "unsupported-media");
}
