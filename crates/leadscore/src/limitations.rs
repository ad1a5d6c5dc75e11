//! What anyone who uses what was made of these tables should know.

use leadscore_dataset::Tables;

use crate::data::Data;

/// What every output of undated data says about its cost.
pub(crate) const FLAT_CAVEAT: &str = "undated data: the outcome has no date, so there is no horizon; the likelihood is that of ever being won as this export counts it, attributes are as of the export, and nothing can prove that they were known before the outcome";

/// What anyone who uses a model of these tables should know.
pub(crate) fn limitations(data: &Data, tables: &Tables) -> Vec<String> {
    let mut limitations = Vec::new();
    if data.config.is_flat() {
        limitations.push(FLAT_CAVEAT.to_owned());
        if tables.leads.order.is_none() {
            limitations.push(
                "there is no `order_by`, so rows have no order in time and the test rows are leads at random: real accuracy on new leads will be lower".to_owned(),
            );
        }
        return limitations;
    }
    if tables.history.attributes.is_empty()
        && !(tables.leads.attributes.is_empty()
            && tables
                .lookups
                .iter()
                .all(|lookup| lookup.rows.attributes.is_empty()))
    {
        limitations.push("attributes have no history: they are today's values, and one that is overwritten after the sale would know the outcome".to_owned());
    }
    let single: Vec<&str> = tables
        .activities
        .iter()
        .filter(|activities| activities.rows.visible.is_none())
        .map(|activities| activities.name.as_str())
        .collect();
    if !single.is_empty() {
        limitations.push(format!("event time only ({}): an event entered late counts from when it happened, not from when it was known", single.join(", ")));
    }
    limitations
}
