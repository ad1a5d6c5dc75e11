//! What the door lets in, how it is kept, and what is said of what it refuses.

use leadscore::Config;
use leadscore_core::Timestamp;
use leadscore_live::Door;
use leadscore_store::{Entity, NewEvent};
use serde_json::{Value, json};

const CONFIG: &str = r#"
[leads]
path = "leads.csv"
id = "lead_id"
created_at = "created_at"
attributes = ["source", "seats", "renewal"]
types = { seats = "number", renewal = "days" }

[lookups.accounts]
path = "accounts.csv"
key = "account_id"

[lookups.regions]
key = "region"

[activities.touches]
path = "touches.csv"
lead = "lead_id"
at = "at"
recorded_at = "entered_at"
kind = ["touch_type"]
values = ["minutes"]
time_format = { at = "%d.%m.%Y" }

[activities.visits]
path = "visits.csv"
account = "account_id"
at = "at"
time_zone = "Europe/Berlin"

[outcomes]
path = "deals.csv"
lead = "lead_id"
closed_at = "closed_at"
result = "stage"
won = ["won"]
lost = ["lost"]
open = ["open"]
"#;

fn now() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().expect("a moment")
}

fn door() -> Door {
    let config = Config::parse(CONFIG, "leadscore.toml").expect("a config");
    Door::new(config.settings(), None, &[]).expect("a config for a store")
}

fn let_in(event: Value) -> NewEvent {
    door()
        .read(&[event], now())
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .remove(0)
}

/// The row that is kept of a row.
#[track_caller]
fn check_row(table: &str, row: Value, expected: Value) {
    let kept = let_in(json!({"id": "e", "table": table, "row": row})).row;
    assert_eq!(
        serde_json::from_str::<Value>(&kept).expect("JSON"),
        expected
    );
}

/// Where the first error of an event is, and what it says.
#[track_caller]
fn check_refused(event: Value, pointer: &str, words: &[&str]) {
    let errors = door().read(&[event], now()).expect_err("it is refused");
    let error = &errors[0];
    assert_eq!(error.pointer, pointer, "{errors:?}");
    let said = format!("{}; {}", error.detail, error.hint);
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[track_caller]
fn check_refused_row(table: &str, row: Value, pointer: &str, words: &[&str]) {
    check_refused(
        json!({"id": "e", "table": table, "row": row}),
        pointer,
        words,
    );
}

#[test]
fn cells_are_kept_in_one_writing() {
    check_row(
        "leads",
        json!({"lead_id": 17, "created_at": "2025-06-01 10:00:00+02:00", "source": " web ", "seats": "12"}),
        json!({"lead_id": "17", "created_at": "2025-06-01T08:00:00Z", "source": "web", "seats": 12.0}),
    );
    check_row(
        "leads",
        json!({"lead_id": "L1", "source": true, "seats": null, "renewal": "2026-01-31"}),
        json!({"lead_id": "L1", "source": "true", "seats": null, "renewal": "2026-01-31"}),
    );
    // What means missing is missing.
    check_row(
        "leads",
        json!({"lead_id": "L1", "source": "N/A", "seats": "NA"}),
        json!({"lead_id": "L1", "source": null, "seats": null}),
    );
    // As the config says that its times are written, or in ISO 8601.
    check_row(
        "activities.touches",
        json!({"lead_id": "L1", "at": "01.06.2025"}),
        json!({"lead_id": "L1", "at": "2025-06-01"}),
    );
    check_row(
        "activities.touches",
        json!({"lead_id": "L1", "at": "2025-06-01T00:00:00Z", "minutes": 1.5, "touch_type": 3}),
        json!({"lead_id": "L1", "at": "2025-06-01T00:00:00Z", "minutes": 1.5, "touch_type": "3"}),
    );
    // A time without a zone is of that of the table; a day stays one.
    check_row(
        "activities.visits",
        json!({"account_id": "A", "at": "2025-06-01T10:00:00"}),
        json!({"account_id": "A", "at": "2025-06-01T08:00:00Z"}),
    );
    check_row(
        "activities.visits",
        json!({"account_id": "A", "at": "2025-06-01"}),
        json!({"account_id": "A", "at": "2025-06-01"}),
    );
}

#[test]
fn events_are_of_their_lead_account_or_key() {
    let event = let_in(
        json!({"id": " e1 ", "table": "activities.visits", "row": {"account_id": "A", "at": "2025-06-01"}}),
    );
    assert_eq!(
        (event.id.as_str(), &event.entity),
        ("e1", &Entity::Account("A".to_owned()))
    );
    // A day of Berlin ends before that of UTC does.
    assert_eq!(event.at.to_string(), "2025-06-01T21:59:59.999999Z");
    let event = let_in(
        json!({"id": "e", "table": "outcomes", "row": {"lead_id": "L", "closed_at": "2025-06-02T01:00:00Z", "stage": "won"}}),
    );
    assert_eq!(
        (&event.entity, event.at.to_string().as_str()),
        (&Entity::Lead("L".to_owned()), "2025-06-02T01:00:00Z")
    );
    let event = let_in(
        json!({"id": "e", "table": "lookups.regions", "row": {"region": "north", "wealth": 3}}),
    );
    let key = Entity::Lookup {
        name: "regions".to_owned(),
        key: "north".to_owned(),
    };
    assert_eq!((event.entity, event.at, event.recorded), (key, now(), None));
    // Every store knows what salespeople say.
    let event = let_in(
        json!({"id": "e", "table": "activities.word", "row": {"lead": "L", "at": "2025-06-15T11:00:00Z", "said": "called", "by": "Ada", "note": null}}),
    );
    assert_eq!(event.entity, Entity::Lead("L".to_owned()));
}

#[test]
fn what_is_no_event_is_refused() {
    check_refused(json!(3), "/0", &["an event is an object", "the number 3"]);
    check_refused(
        json!({"id": "e", "row": {}}),
        "/0/table",
        &["the table is nothing", "`leads`"],
    );
    check_refused(
        json!({"id": "e", "table": "activities.touch", "row": {}}),
        "/0/table",
        &[
            "no table `activities.touch`",
            "did you mean `activities.touches`?",
        ],
    );
    check_refused(
        json!({"id": "e", "table": "[leads]", "row": {}}),
        "/0/table",
        &["no table"],
    );
    check_refused(
        json!({"id": "e", "table": "leads"}),
        "/0/row",
        &["the row is nothing"],
    );
    check_refused(
        json!({"table": "leads", "row": {"lead_id": "L"}}),
        "/0/id",
        &["no `id`", "the same ID again is the same event"],
    );
    check_refused(
        json!({"id": "", "table": "leads", "row": {"lead_id": "L"}}),
        "/0/id",
        &["no `id`"],
    );
    check_refused(
        json!({"id": "a\u{7}b", "table": "leads", "row": {"lead_id": "L"}}),
        "/0/id",
        &["that nobody sees"],
    );
    check_refused(
        json!({"id": "x".repeat(300), "table": "leads", "row": {"lead_id": "L"}}),
        "/0/id",
        &["300 characters"],
    );
    check_refused(
        json!({"id": 1.5, "table": "leads", "row": {"lead_id": "L"}}),
        "/0/id",
        &["a text or a whole number"],
    );
    check_refused(
        json!({"id": "e", "table": "leads", "row": {"lead_id": "L"}, "recorded_at": "2025-01-01"}),
        "/0/recorded_at",
        &["the store says when"],
    );
}

#[test]
fn rows_that_cannot_be_meant_are_refused() {
    check_refused_row(
        "leads",
        json!({"lead_id": "L", "seets": 3}),
        "/0/row/seets",
        &["no column `seets`", "did you mean `seats`?"],
    );
    check_refused_row(
        "activities.touches",
        json!({"lead_id": "L", "at": "2025-06-01", "mood": 3}),
        "/0/row/mood",
        &["no column `mood`"],
    );
    check_refused_row(
        "leads",
        json!({"source": "web"}),
        "/0/row",
        &["no lead", "`lead_id`"],
    );
    check_refused_row(
        "leads",
        json!({"lead_id": null}),
        "/0/row/lead_id",
        &["no lead"],
    );
    check_refused_row(
        "activities.visits",
        json!({"at": "2025-06-01"}),
        "/0/row",
        &["no account"],
    );
    check_refused_row(
        "activities.touches",
        json!({"lead_id": "L"}),
        "/0/row",
        &["no `at`"],
    );
    check_refused_row(
        "activities.touches",
        json!({"lead_id": "L", "at": "soon"}),
        "/0/row/at",
        &["no time", "%d.%m.%Y"],
    );
    check_refused_row(
        "activities.touches",
        json!({"lead_id": "L", "at": 1_748_772_000}),
        "/0/row/at",
        &["no time"],
    );
    check_refused_row(
        "activities.touches",
        json!({"lead_id": "L", "at": "2025-06-17"}),
        "/0/row/at",
        &["yet to come"],
    );
    check_refused_row(
        "activities.touches",
        json!({"lead_id": "L", "at": "1899-12-30"}),
        "/0/row/at",
        &["no time can lie there", "1990"],
    );
    check_refused_row(
        "leads",
        json!({"lead_id": "L", "created_at": "2025-02-30"}),
        "/0/row/created_at",
        &["no time"],
    );
    check_refused_row(
        "leads",
        json!({"lead_id": "L", "seats": "many"}),
        "/0/row/seats",
        &["expected a number"],
    );
    check_refused_row(
        "leads",
        json!({"lead_id": "L", "seats": true}),
        "/0/row/seats",
        &["expected a number"],
    );
    check_refused_row(
        "leads",
        json!({"lead_id": "L", "seats": [1]}),
        "/0/row/seats",
        &["a list, expected one value"],
    );
    check_refused_row(
        "leads",
        json!({"lead_id": "L", "seats": 9_007_199_254_740_993_u64}),
        "/0/row/seats",
        &["too large"],
    );
    check_refused_row(
        "activities.touches",
        json!({"lead_id": "L", "at": "2025-06-01", "minutes": 1e16}),
        "/0/row/minutes",
        &["beyond what sums"],
    );
    check_refused_row(
        "activities.touches",
        json!({"lead_id": "L", "at": "2025-06-01", "entered_at": "2025-06-01"}),
        "/0/row/entered_at",
        &["when the row was recorded", "leave it out"],
    );
    check_refused_row(
        "leads",
        json!({"lead_id": "L", "source": "x".repeat(20_000)}),
        "/0/row/source",
        &["20000 characters"],
    );
    check_refused_row(
        "outcomes",
        json!({"lead_id": "L", "closed_at": "2025-06-01", "stage": "win"}),
        "/0/row/stage",
        &["no result", "`won`, `lost`, `open`"],
    );
    check_refused_row(
        "lookups.accounts",
        json!({"account_id": "A"}),
        "/0/table",
        &["the place that the config names"],
    );
}

#[test]
fn all_errors_of_all_rows_are_said_and_nothing_is_let_in() {
    let rows = [
        json!({"id": "e", "table": "leads", "row": {"lead_id": "L"}}),
        json!({"id": "", "table": "leads", "row": {"lead_id": "L", "seats": "x", "sauce": 1}}),
        json!({"id": "e", "table": "leads", "row": {"lead_id": "", "a/b~c": 1}}),
    ];
    let errors = door().read(&rows, now()).expect_err("two rows are wrong");
    let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/1/id",
            "/1/row/sauce",
            "/1/row/seats",
            "/2/row/a~1b~0c",
            "/2/row/lead_id"
        ]
    );
}

#[test]
fn the_first_value_decides_what_a_column_is() {
    let door = door();
    let row = |value: Value| {
        [json!({"id": "e", "table": "lookups.regions", "row": {"region": "n", "wealth": value}})]
    };
    assert!(door.read(&row(json!(3)), now()).is_ok());
    assert!(door.read(&row(json!("4.5")), now()).is_ok());
    let errors = door
        .read(&row(json!("much")), now())
        .expect_err("a word among numbers");
    assert!(errors[0].detail.contains("has numbers"), "{errors:?}");
    // A store that is opened again goes on as it was.
    let later = self::door();
    later.remember("lookups.regions", r#"{"region": "n", "wealth": "much"}"#);
    let kept = later
        .read(&row(json!(3)), now())
        .expect("a word")
        .remove(0)
        .row;
    assert_eq!(kept, r#"{"region":"n","wealth":"3"}"#);
}

/// What tables read as missing is no ID, of a lead or of what it belongs to.
#[test]
fn words_for_missing_are_no_ids() {
    for missing in ["NULL", " n/a ", "", "null"] {
        check_refused(
            json!({"id": "e", "table": "leads", "row": {"lead_id": missing}}),
            "/0/row/lead_id",
            &["the row has no lead"],
        );
        check_refused(
            json!({"id": "e", "table": "activities.visits", "row": {"account_id": missing, "at": "2025-01-01"}}),
            "/0/row/account_id",
            &["the row has no account"],
        );
        check_row(
            "leads",
            json!({"lead_id": "L", "account_id": missing}),
            json!({"lead_id": "L", "account_id": null}),
        );
    }
    check_row(
        "leads",
        json!({"lead_id": "L", "account_id": 17}),
        json!({"lead_id": "L", "account_id": "17"}),
    );
    check_refused(
        json!({"id": "e", "table": "leads", "row": {"lead_id": "L", "account_id": 3.0}}),
        "/0/row/account_id",
        &["a text or a whole number"],
    );
    check_refused(
        json!({"id": "e", "table": "leads", "row": {"lead_id": "L", "account_id": "A\u{200b}"}}),
        "/0/row/account_id",
        &["that nobody sees"],
    );
}

/// A lead that is in no table is refused at the cell, also in its events and lookups.
#[test]
fn a_lead_in_no_table_is_refused_at_the_cell() {
    let refused = |lead: Value| -> Vec<String> {
        let errors = door().raw_lead(&lead, now()).expect_err("it is refused");
        errors.into_iter().map(|error| error.pointer).collect()
    };
    let lead = |activities: Value, lookups: Value| json!({"lead_id": "L", "created_at": "2025-05-01", "activities": activities, "lookups": lookups});
    assert_eq!(refused(json!(["L"])), [""]);
    assert_eq!(refused(json!({"lead_id": "L"})), ["/created_at"]);
    assert_eq!(
        refused(json!({"lead_id": "L\u{200b}", "created_at": "soon", "seats": "7,5"})),
        ["/created_at", "/lead_id", "/seats"]
    );
    assert_eq!(
        refused(lead(
            json!({"touches": [{"at": "2025-05-02"}, {"at": ""}, {"at": "2025-05-03", "minutes": "many"}, 3]}),
            json!(null)
        )),
        [
            "/activities/touches/1",
            "/activities/touches/2/minutes",
            "/activities/touches/3"
        ]
    );
    assert_eq!(
        refused(lead(
            json!({"touch": [], "touches": {}, "visits": [{"at": "2025-05-02"}]}),
            json!({"a/b": {}})
        )),
        [
            "/activities/touch",
            "/activities/touches",
            "/activities/visits",
            "/lookups/a~1b"
        ]
    );
    assert_eq!(
        refused(lead(
            json!({"touches": [{"at": "2025-05-02", "lead_id": "another"}]}),
            json!({"accounts": [1]})
        )),
        ["/activities/touches/0/lead_id", "/lookups/accounts"]
    );
    let read = door().raw_lead(
        &json!({"lead_id": 7, "created_at": "2025-05-01", "activities": null,
            "lookups": {"accounts": null}, "renewal": "2026-01-01"}),
        now(),
    );
    assert_eq!(
        read.expect("a lead"),
        json!({"lead_id": "7", "created_at": "2025-05-01", "renewal": "2026-01-01",
            "lookups": {"accounts": null}})
    );
}
