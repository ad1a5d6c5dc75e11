//! A row that lies years before its table would stop every command, so the door does not let it in.

#[expect(
    dead_code,
    unused_imports,
    reason = "other tests promote models and ask at random"
)]
mod made;

use std::sync::Arc;
use std::time::{Duration, Instant};

use leadscore_live::{EngineOptions, LiveEngine};
use leadscore_serve::Engine;
use made::Made;
use serde_json::json;

#[test]
fn a_row_years_before_its_table_is_refused() {
    let made = Made::new(2_000, 5);
    let store = Arc::new(made.create_store("events.store"));
    made.append(&store, &made.arrivals);
    made.set_clock(made.arrivals.last().expect("rows").0);
    let options = EngineOptions::new(made.config.clone(), store, made.clock());
    let engine = LiveEngine::open(options).expect("an engine");
    let began = Instant::now();
    while engine.ready().is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "there is a queue"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let lead = &made.leads[0];
    let event = |at: &str| {
        let row = json!({"lead_id": lead, "at": at, "touch_type": "webinar"});
        engine.read_events(&[json!({"id": at, "table": "activities.touches", "row": row})])
    };
    for early in ["2012-01-01T10:00:00Z", "1990-01-02"] {
        let errors = event(early).expect_err("nothing else is so old");
        assert_eq!(errors[0].pointer, "/0/row/at");
        assert!(
            errors[0].detail.contains("more than two years before"),
            "{errors:?}"
        );
        assert!(
            errors[0].hint.contains("`earliest` of [data]"),
            "{errors:?}"
        );
    }
    event("2023-06-01T10:00:00Z").expect("what came late");
    let lead = json!({"lead_id": "new", "created_at": "2012-01-01T10:00:00Z"});
    let errors = engine
        .read_events(&[json!({"id": "new", "table": "leads", "row": lead})])
        .expect_err("nothing else is so old");
    assert_eq!(errors[0].pointer, "/0/row/created_at");
}
