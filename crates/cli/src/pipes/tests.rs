//! A run as Dagster hears of it: what is read of its variables, and what is sent.

use std::path::Path;

use flate2::write::ZlibEncoder;

use super::*;

// What `dagster_pipes.encode_param` of dagster-pipes 1.13.29 makes of `{'data': {'asset_keys':
// ['crm/lead_scores'], 'extras': {'checks': ['verdict', 'early_read']}}}`, `{'path':
// 'leadscore pipes/messages'}`, `{'stdio': 'stderr'}` and `{'bucket': 'b', 'key_prefix': 'k'}`.
const STEP: &str = "eJwly0EKgCAQRuGryL8O2neVEBnGgUIjmJFIxLtntXzwvYZIhbC4BjKTEpJUG7mC9ZizUAzGp4rBTw5yFyX7NG/C6ZeXaNy54AWkuQYdG3zv/QHjByAQ";
const TO_FILE: &str = "eJyrVipILMlQslJQyklNTClOzi9KVSjILEgt1s9NLS5OTE8tVqoFAOfNDQI=";
const TO_STDERR: &str = "eJyrViouScnMV7JSADFSi4qUagFBNAaS";
const TO_BUCKET: &str = "eJyrVkoqTc5OLVGyUlBKUtJRUMpOrYwvKEpNy6wACWUr1QIAutAKig==";

fn step(checks: &[&str]) -> Step {
    Step {
        asset: Some("crm/lead_scores".to_owned()),
        checks: checks.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn run() -> Value {
    json!({
        "decision": "kept", "because": "no gain", "verdict": "alarm", "as_of": "2025-07-01", "run": "5f0c",
        "champion": "a1", "challenger": null, "n_scored": 3021, "published": ["scores.parquet"],
        "stages": [
            { "stage": "check", "status": "done", "seconds": 1.2, "message": "" },
            { "stage": "score", "status": "done", "seconds": 3.5, "message": "3,021 leads" },
        ],
        "checks": [
            { "name": "early read", "passed": false, "severity": "ERROR",
              "message": "wins are 0.7 of the predicted ones", "figures": { "ratio": 0.7, "weeks": 6 } },
            { "name": "inputs", "passed": true, "severity": "WARN", "message": "as before", "figures": {} },
        ],
        "error": null,
    })
}

fn methods(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| text(&message["method"]))
        .collect()
}

#[test]
fn a_step_is_read_as_dagster_writes_it() -> anyhow::Result<()> {
    let context = context_data(&decoded(CONTEXT, STEP)?)?;
    assert_eq!(Step::of(&context)?, step(&["verdict", "early_read"]));
    let file = Channel::File(PathBuf::from("leadscore pipes/messages"));
    let channel = |variable| Channel::of(&decoded(MESSAGES, variable)?);
    assert_eq!(channel(TO_FILE)?, file);
    assert_eq!(channel(TO_STDERR)?, Channel::Stderr);
    let error = channel(TO_BUCKET).expect_err("a refusal").to_string();
    assert!(
        error.contains("has the keys `bucket`, `key_prefix`"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_run_is_a_materialization_and_the_checks_that_the_step_has() {
    let sent = messages(&run(), &step(&["verdict", "early_read", "hold_back_arm"]));
    let wanted = [
        "log",
        "log",
        "report_asset_materialization",
        "report_asset_check",
        "report_asset_check",
        "report_asset_check",
        "closed",
    ];
    assert_eq!(methods(&sent), wanted);
    let scores = &sent[2]["params"];
    assert_eq!(scores["asset_key"], "crm/lead_scores");
    assert_eq!(scores["data_version"], "5f0c");
    assert_eq!(
        scores["metadata"]["dagster/row_count"],
        json!({ "raw_value": 3021, "type": "int" })
    );
    assert_eq!(scores["metadata"]["challenger"], Value::Null);
    let verdict = &sent[3]["params"];
    assert_eq!(
        (&verdict["check_name"], &verdict["passed"]),
        (&json!("verdict"), &json!(false))
    );
    assert_eq!(
        verdict["metadata"]["message"]["raw_value"],
        "wins are 0.7 of the predicted ones"
    );
    let early = &sent[4]["params"];
    assert_eq!(early["check_name"], "early_read");
    assert_eq!(
        early["metadata"]["ratio"],
        json!({ "raw_value": 0.7, "type": "float" })
    );
    let absent = &sent[5]["params"];
    assert_eq!(absent["passed"], true);
    assert_eq!(
        absent["metadata"]["message"]["raw_value"],
        "this run did not look at it"
    );
}

#[test]
fn a_check_fails_by_its_verdict() {
    let check = |word: &str| {
        let mut run = run();
        run["verdict"] = json!(word);
        verdict(&run).map(|check| (check.is_passed, check.severity))
    };
    assert_eq!(check("ok"), Some((true, "ERROR")));
    assert_eq!(check("watch"), Some((false, "WARN")));
    assert_eq!(check("alarm"), Some((false, "ERROR")));
    assert_eq!(check("cannot tell"), Some((true, "ERROR")));
}

#[test]
fn findings_of_one_name_are_one_check() -> anyhow::Result<()> {
    let mut run = run();
    let second = json!({ "name": "Early read", "passed": true, "severity": "WARN", "message": "tier A as expected" });
    let third = json!({ "name": "early read", "passed": false, "severity": "WARN", "message": "slower", "action": "wait" });
    let findings = run["checks"].as_array_mut().context("a list")?;
    findings.extend([second, third]);
    findings[2]["name"] = json!("early-read");
    let checks = checks(&run, &step(&["early_read"]));
    let [check] = checks.as_slice() else {
        anyhow::bail!("{} checks", checks.len());
    };
    assert_eq!((check.is_passed, check.severity), (false, "ERROR"));
    let message = "wins are 0.7 of the predicted ones\nslower";
    assert_eq!(check.metadata["message"]["raw_value"], message);
    assert_eq!(check.metadata["what_to_do"]["raw_value"], "wait");
    assert_eq!(check.metadata["figures"]["type"], "json");
    Ok(())
}

#[test]
fn a_run_that_made_no_scores_is_no_materialization() {
    let sent_with = |change: fn(&mut Value)| {
        let mut run = run();
        change(&mut run);
        messages(&run, &step(&["verdict"]))
    };
    let planned = sent_with(|run| run["stages"][1]["status"] = json!("planned"));
    assert_eq!(methods(&planned), ["log", "log", "closed"]);
    let failed = sent_with(|run| {
        run["error"] = json!({ "message": "the disk is full", "hint": "make room" });
    });
    assert_eq!(methods(&failed), ["log", "log", "closed"]);
    assert_eq!(
        failed[2]["params"]["exception"]["message"],
        "the disk is full\n  hint: make room"
    );
    assert_eq!(
        methods(&messages(&run(), &Step::default())),
        ["log", "log", "closed"]
    );
}

#[test]
fn a_run_that_changed_nothing_is_the_version_of_the_one_before() {
    let before = run();
    let mut unchanged = run();
    unchanged["decision"] = json!("unchanged");
    unchanged["stages"][1]["status"] = json!("kept");
    let version = |run: &Value| messages(run, &step(&[]))[2]["params"]["data_version"].clone();
    assert_eq!(version(&before), "5f0c");
    assert_eq!(version(&unchanged), "5f0c");
}

#[test]
fn one_of_several_assets_is_named() -> anyhow::Result<()> {
    let assets = json!(["scores", "model"]);
    let several = Step::of(&json!({ "asset_keys": assets, "extras": {} }));
    assert!(
        several
            .expect_err("a refusal")
            .to_string()
            .contains("`scores`, `model`")
    );
    let wrong = Step::of(&json!({ "asset_keys": assets, "extras": { "asset_key": "score" } }));
    assert!(
        wrong
            .expect_err("a refusal")
            .to_string()
            .contains("no asset `score`")
    );
    let named = Step::of(&json!({ "asset_keys": assets, "extras": { "asset_key": "scores" } }));
    assert_eq!(named?.asset.as_deref(), Some("scores"));
    Ok(())
}

#[test]
fn what_is_no_variable_of_dagster_is_refused() {
    for variable in ["", "%", "aGVsbG8=", &STEP[..40]] {
        let error = decoded(CONTEXT, variable)
            .expect_err("a refusal")
            .to_string();
        assert!(
            error.contains("cannot read the variable DAGSTER_PIPES_CONTEXT\n  hint: "),
            "{error}"
        );
    }
}

#[test]
fn a_session_is_lines_of_a_file_and_ends_when_it_is_dropped() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let context = encoded(&json!({ "data": { "asset_keys": ["scores"], "extras": {} } }));
    let path = folder.path().join("messages");
    let open = || Session::of(&context, &encoded(&json!({ "path": path })));
    open()?.close(&run())?;
    let whole = lines(&path)?;
    let wanted = [
        "opened",
        "log",
        "log",
        "report_asset_materialization",
        "report_asset_check",
        "closed",
    ];
    assert_eq!(methods(&whole), wanted);
    std::fs::remove_file(&path)?;
    drop(open()?);
    let dropped = lines(&path)?;
    assert_eq!(methods(&dropped), ["opened", "closed"]);
    assert!(dropped[1]["params"]["exception"]["message"].is_string());
    Ok(())
}

#[test]
fn one_variable_alone_is_refused_and_none_is_no_step() -> anyhow::Result<()> {
    assert!(Session::from_variables(|_| None)?.is_none());
    for (here, missing) in [(CONTEXT, MESSAGES), (MESSAGES, CONTEXT)] {
        let alone = Session::from_variables(|name| (name == here).then(|| STEP.to_owned()));
        let error = alone.expect_err("one is missing").to_string();
        assert!(error.contains(&format!("the variable {here} is set, but {missing} is not")));
    }
    Ok(())
}

fn lines(path: &Path) -> anyhow::Result<Vec<Value>> {
    let text = std::fs::read_to_string(path)?;
    Ok(text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}

/// As `dagster_pipes.encode_param` does it.
fn encoded(value: &Value) -> String {
    let mut bytes = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    bytes
        .write_all(value.to_string().as_bytes())
        .expect("memory can be written");
    BASE64_STANDARD.encode(bytes.finish().expect("memory can be written"))
}
