//! The summary: one paragraph on who finds more customers with as many calls.

use leadscore_core::{count, counted};
use leadscore_metrics::{Comparison, NEARLY, PairedComparison, PairedVerdict, ScoreFigures};

use crate::format::{number, per_cent, signed_whole, whole, whole_number};

/// One paragraph: who finds more customers with as many calls, and how sure that is.
pub(crate) fn argument(
    comparison: &Comparison,
    pair: &PairedComparison,
    baseline: &ScoreFigures,
) -> String {
    let model = &comparison.scores[0];
    let sentences = [
        ranking(comparison.n_rows, pair, model, baseline),
        certainty(pair.verdict, &baseline.name),
        customers(pair, model, baseline),
        quartiles(model, baseline),
    ];
    sentences.join(" ")
}

/// Both AUCs and their difference.
fn ranking(
    n_rows: usize,
    pair: &PairedComparison,
    model: &ScoreFigures,
    baseline: &ScoreFigures,
) -> String {
    let (low, high) = (pair.auc_difference.low, pair.auc_difference.high);
    format!(
        "On the same {}, AUC is {} for the model and {} for {}: a difference of {:+.3} ({low:+.3} to {high:+.3}).",
        counted(n_rows, "snapshot"),
        number(model.ranking.roc_auc.value),
        number(baseline.ranking.roc_auc.value),
        baseline.name,
        pair.auc_difference.value,
    )
}

/// Whether the difference of AUCs is beyond chance.
fn certainty(verdict: PairedVerdict, baseline: &str) -> String {
    match verdict {
        PairedVerdict::Better => "That is beyond chance.".to_owned(),
        PairedVerdict::Worse => {
            format!("That is beyond chance: for now, keep {baseline}.")
        }
        PairedVerdict::NearlyTied => format!(
            "Whichever is better, it is so by less than {NEARLY}: for ranking, either will do."
        ),
        PairedVerdict::CannotTell => {
            "That may be chance: wait for more outcomes before you change anything.".to_owned()
        }
    }
}

/// Customers that either finds with the same calls, a month where that is known.
fn customers(pair: &PairedComparison, model: &ScoreFigures, baseline: &ScoreFigures) -> String {
    let (mine, theirs) = (&model.at_capacity, &baseline.at_capacity);
    let calls = counted(whole_number(mine.n_called), "call");
    if let (Some(difference), Some(own), Some(other)) = (
        pair.customers_a_month,
        mine.customers_a_month,
        theirs.customers_a_month,
    ) {
        return format!(
            "With the same {calls}, the model finds {:.1} customers a month and {} {:.1}: {:+.1} ({:+.1} to {:+.1}).",
            own.value,
            baseline.name,
            other.value,
            difference.value,
            difference.low,
            difference.high
        );
    }
    let difference = pair.customers_difference;
    format!(
        "With the same {calls}, the model finds {} and {} {}: {} ({} to {}).",
        counted(whole_number(mine.customers), "customer"),
        baseline.name,
        whole(theirs.customers),
        signed_whole(difference.value),
        signed_whole(difference.low),
        signed_whole(difference.high)
    )
}

/// Win rates of the quartiles of both.
fn quartiles(model: &ScoreFigures, baseline: &ScoreFigures) -> String {
    let rates = |score: &ScoreFigures| {
        score
            .tiers
            .iter()
            .map(|tier| per_cent(tier.win_rate))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let in_order = if baseline
        .tiers
        .windows(2)
        .all(|pair| pair[0].win_rate >= pair[1].win_rate)
    {
        ""
    } else {
        ", which are not even in order"
    };
    format!(
        "Win rates of its quartiles, top first: {}; of those of {}: {}{in_order}.",
        rates(model),
        baseline.name,
        rates(baseline)
    )
}

pub(crate) fn standing_alone(comparison: &Comparison) -> String {
    let model = &comparison.scores[0];
    let calls = whole_number(model.at_capacity.n_called);
    let found = match model.at_capacity.customers_a_month {
        Some(customers) => format!(
            "finds {:.1} customers a month ({:.1} to {:.1})",
            customers.value, customers.low, customers.high
        ),
        None => {
            let customers = whole_number(model.at_capacity.customers);
            format!("finds {}", counted(customers, "customer"))
        }
    };
    let ratio = model.top_to_bottom.map_or(String::new(), |ratio| {
        format!(" The top quartile wins {ratio:.1} times as often as the bottom one.")
    });
    format!(
        "With {}, the model {found}; precision at {}: {}.{ratio}",
        counted(calls, "call"),
        count(calls),
        per_cent(model.at_capacity.precision.value)
    )
}
