//! Sentences that several pages have: what became of a tier, and why there is no score.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse as _;
use leadscore_core::{agree, count, counted};

use super::Page;
use super::answer::Notice;
use super::guard::Visitor;
use super::words::{nearest, shown};
use crate::{NoScore, Problem, TierRecord};

/// Leads of a tier below which its record tells nothing.
const FEWEST: usize = 30;

/// "Of the last 100 leads in Very high, 46 were won; 44 were predicted."
pub(crate) fn record_sentence(record: &TierRecord) -> String {
    let tier = record.tier.name();
    if record.n == 0 {
        return format!("No lead of {tier} is old enough yet to know what became of it.");
    }
    let predicted = nearest(record.predicted);
    format!(
        "Of the last {} in {tier}, {} {} won; {predicted} {} predicted.",
        counted(record.n, "lead"),
        count(record.n_won),
        agree(record.n_won, "was", "were"),
        if predicted == "1" { "was" } else { "were" },
    )
}

/// Whether wins are within what chance explains, in words.
///
/// ```text
/// z = (won − predicted) / √(predicted · (1 − predicted / n))
/// ```
///
/// The root is at least the standard deviation of the number of wins, whatever the single
/// likelihoods are that add up to `predicted`; so a gap of two and more is rarer than 1 in 20.
pub(crate) fn record_verdict(record: &TierRecord) -> &'static str {
    if record.n < FEWEST {
        return "too few to tell";
    }
    let n = record.n as f64;
    let spread = (record.predicted * (1.0 - record.predicted / n))
        .max(0.0)
        .sqrt();
    let gap = record.n_won as f64 - record.predicted;
    if gap.abs() <= 2.0 * spread.max(0.5) {
        "as predicted, within chance"
    } else if gap > 0.0 {
        "more than predicted, beyond chance"
    } else {
        "fewer than predicted, beyond chance"
    }
}

/// The page of a lead, or of a queue, that has no score.
///
/// Whoever sees the leads of one owner learns nothing of others, not even that they are there.
pub(crate) fn refused(
    page: &Page,
    visitor: &Visitor,
    error: &NoScore,
    here: &str,
) -> Response<Body> {
    let is_scoped = visitor.caller.owner.is_some();
    let notice = match error {
        NoScore::Unknown(lead) => unknown(lead, is_scoped),
        NoScore::Waiting(lead) | NoScore::NotOpen { lead, .. } if is_scoped => unknown(lead, true),
        NoScore::Waiting(lead) => Notice::new(StatusCode::NOT_FOUND, "This lead is not there yet")
            .text(format!("There are events of “{}”, and no row of it in the leads yet. They count as soon as there is one.", shown(lead, 80)))
            .queue_link(),
        NoScore::NotOpen { lead, why } => Notice::new(StatusCode::NOT_FOUND, "This lead is not open")
            .text(format!("“{}” has no likelihood any more: {}.", shown(lead, 80), shown(why, 120)))
            .queue_link(),
        NoScore::Refused(fields) => fields.iter().fold(
            Notice::new(StatusCode::BAD_REQUEST, "This address cannot be meant"),
            |notice, field| notice
                .text(format!("{}.", shown(&field.detail, 300)))
                .text(shown(&field.hint, 300)),
        ).queue_link(),
        NoScore::NotReady => Notice::new(StatusCode::SERVICE_UNAVAILABLE, "Scores are being computed")
            .text("The server has just started, or has a new model. This takes seconds, with very many leads a minute.")
            .link("Look again", here)
            .retry(2),
        NoScore::Away(why) => {
            page.app.log(why);
            Notice::new(StatusCode::SERVICE_UNAVAILABLE, "Leads cannot be read right now")
                .text("The database of their events does not answer. Nothing is lost.")
                .link("Look again", here)
                .retry(2)
        }
        NoScore::Failed(_) => return Problem::from(error.clone()).into_response(),
    };
    visitor.plain(page, &notice)
}

/// There is no such lead, or none that they may see.
pub(crate) fn unknown(lead: &str, is_scoped: bool) -> Notice {
    let lead = shown(lead, 80);
    let notice = Notice::new(StatusCode::NOT_FOUND, "There is no such lead");
    if is_scoped {
        notice
            .text(format!("There is no open lead “{lead}” among yours."))
            .queue_link()
    } else {
        notice
            .text(format!("There is no lead “{lead}”."))
            .queue_link()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leadscore_core::ContactPriority;

    fn record(n: usize, n_won: usize, predicted: f64) -> TierRecord {
        TierRecord {
            tier: ContactPriority::VeryHigh,
            n,
            n_won,
            predicted,
        }
    }

    #[test]
    fn a_record_is_a_sentence() {
        for (n, won, predicted, expected) in [
            (
                100,
                46,
                44.3,
                "Of the last 100 leads in Very high, 46 were won; 44 were predicted.",
            ),
            (
                1,
                1,
                0.6,
                "Of the last 1 lead in Very high, 1 was won; 1 was predicted.",
            ),
            (
                1200,
                0,
                0.2,
                "Of the last 1,200 leads in Very high, 0 were won; 0 were predicted.",
            ),
            (
                0,
                0,
                0.0,
                "No lead of Very high is old enough yet to know what became of it.",
            ),
        ] {
            assert_eq!(record_sentence(&record(n, won, predicted)), expected);
        }
    }

    #[test]
    fn a_gap_is_told_from_chance() {
        // √(44 · 0.56) is 4.96: two of them are 9.9 wins.
        for (n, won, predicted, expected) in [
            (100, 46, 44.0, "as predicted, within chance"),
            (100, 53, 44.0, "as predicted, within chance"),
            (100, 54, 44.0, "more than predicted, beyond chance"),
            (100, 34, 44.0, "fewer than predicted, beyond chance"),
            (29, 29, 2.0, "too few to tell"),
            (100, 1, 0.0, "as predicted, within chance"),
            (100, 2, 0.0, "more than predicted, beyond chance"),
            (100, 100, 100.0, "as predicted, within chance"),
        ] {
            assert_eq!(
                record_verdict(&record(n, won, predicted)),
                expected,
                "{won} of {predicted}"
            );
        }
    }
}
