//! The Open Inference Protocol.

use serde_json::json;

use crate::talk::start;

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
