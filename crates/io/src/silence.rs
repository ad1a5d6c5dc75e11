//! Tables of events that end earlier than they did when a model was trained.

use leadscore_config::Config;
use leadscore_config::lines::key;
use leadscore_config::{Doubt, Subject};
use leadscore_core::{DataProfile, Span, Timestamp, counted};
use leadscore_dataset::Note;
use leadscore_dataset::TableEnd;

/// Tables of events that end well before the moment at which leads are scored, and further before
/// than at training: their leads look silent. Said, and a doubt beyond `silence`.
pub fn silence(
    config: &Config,
    ends: &[TableEnd],
    known: Option<&DataProfile>,
    as_of: Timestamp,
) -> (Vec<Note>, Vec<Doubt>) {
    let (mut notes, mut doubts) = (Vec::new(), Vec::new());
    for (name, activity) in &config.activities {
        let table = format!("[activities.{name}]");
        let Some(end) = ends
            .iter()
            .find(|end| end.table == table)
            .filter(|_| activity.ends.is_none())
        else {
            continue;
        };
        let at_training = known
            .and_then(|known| known.table(&table)?.reach.as_ref())
            .map_or(0, |reach| reach.lag_micros);
        let gap = as_of.micros().saturating_sub(end.end.micros());
        let beyond = Span::from_micros((gap - at_training).max(0));
        if !end.extent.is_silent_for(beyond) {
            continue;
        }
        let days = Span::from_micros(gap).days().floor();
        let found = format!(
            "ends at {}, {} before the leads are scored: they would look silent since",
            end.end,
            counted(days as u64, "day")
        );
        if beyond <= config.data.silence {
            notes.push(Note::new(&table, found));
            continue;
        }
        let doubt = Doubt::new(Subject::Ends, &table, found).settled_in(
            "[data]",
            format!("silence = \"{}d\"", days + 1.0),
            "such leads are scored all the same",
        );
        let doubt = doubt.settled_in(
            &format!("[activities.{}]", key(name)),
            format!(
                "ends = \"{}\"",
                end.end.to_string().split('T').next().unwrap_or("")
            ),
            "nothing happened since",
        );
        doubts.push(doubt.advise("or score as of a moment that the table reaches: --as-of"));
    }
    (notes, doubts)
}
