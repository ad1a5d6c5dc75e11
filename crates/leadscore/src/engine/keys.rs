//! Which rows of an engine's tables name a lead.

use leadscore_dataset::Matched;
use leadscore_io::{Frame, TablesError, UnlinkedIds, key_doubt, unlinked_doubt};
use leadscore_sql::{KeysSql, UnlinkedSql, keys_sql};

use super::{DIALECT, Engine, whole};
use crate::data::Data;

impl Engine {
    /// How many rows of each table there name a lead, which takes a join for each; what that leaves
    /// in doubt is refused, as it is here.
    pub(super) fn look_at_keys(&mut self, data: &Data) -> crate::Result<Vec<(String, Matched)>> {
        let sources = self.sources.clone();
        let (mut found, mut doubts) = (Vec::new(), Vec::new());
        for KeysSql {
            table,
            counts,
            strangers,
            ids,
            unlinked,
        } in keys_sql(&data.config, &sources, DIALECT, data.known_before)?
        {
            let frame = self.rows(data, &format!("matching {table}"), &counts)?;
            let matched = Matched {
                n_rows: whole(&frame, "n_rows"),
                n_matched: whole(&frame, "n_matched"),
            };
            if matched.n_matched < matched.n_rows {
                let texts = |frame: Frame| {
                    frame
                        .texts("value")
                        .unwrap_or_default()
                        .into_iter()
                        .flatten()
                        .collect::<Vec<String>>()
                };
                let strangers = texts(self.rows(data, "looking at keys", &strangers)?);
                let ids = texts(self.rows(data, "looking at ids", &ids)?);
                doubts.extend(key_doubt(&data.config, &table, matched, &strangers, &ids));
            }
            if let Some(UnlinkedSql { link, counts }) = unlinked {
                let frame = self.rows(data, &format!("following {link} of {table}"), &counts)?;
                doubts.extend(unlinked_doubt(
                    &data.config,
                    &table,
                    &link,
                    unlinked_in(&frame),
                ));
            }
            found.push((table, matched));
        }
        if doubts.is_empty() {
            Ok(found)
        } else {
            Err(TablesError::Doubts(doubts).into())
        }
    }
}

/// What a count of ids that an association table lacks says.
fn unlinked_in(frame: &Frame) -> UnlinkedIds {
    let example = frame.texts("example").unwrap_or_default();
    UnlinkedIds {
        n_rows: whole(frame, "n_rows"),
        n_unlinked: whole(frame, "n_unlinked"),
        example: example.into_iter().flatten().next().unwrap_or_default(),
        is_swapped: whole(frame, "n_swapped") > 0,
    }
}
