//! A tier in words and by shape: four bars, of which as many are full as there are tiers up to it.
//! No tier is told by color alone.

use leadscore_core::ContactPriority;
use maud::{Markup, html};

/// How many bars are full.
fn level(tier: ContactPriority) -> u8 {
    match tier {
        ContactPriority::VeryHigh => 4,
        ContactPriority::High => 3,
        ContactPriority::Medium => 2,
        ContactPriority::Low => 1,
        ContactPriority::ClosedWon => 0,
    }
}

/// As addresses have it.
pub(crate) fn key(tier: ContactPriority) -> &'static str {
    match tier {
        ContactPriority::VeryHigh => "very-high",
        ContactPriority::High => "high",
        ContactPriority::Medium => "medium",
        ContactPriority::Low => "low",
        ContactPriority::ClosedWon => "closed-won",
    }
}

/// The tier of an open lead by its key.
pub(crate) fn by_key(text: &str) -> Option<ContactPriority> {
    ContactPriority::QUARTILES
        .into_iter()
        .find(|tier| key(*tier) == text)
}

/// The tier, its shape first. The page must have [`shapes`] once.
pub(crate) fn tier(tier: ContactPriority) -> Markup {
    let shape = format!("#t{}", level(tier));
    html! {
        span.t { svg aria-hidden="true" { use href=(shape) {} } (tier.name()) }
    }
}

/// The shapes, drawn once a page.
pub(crate) fn shapes() -> Markup {
    html! {
        svg.shapes aria-hidden="true" {
            @for n in 0..=4_u8 {
                symbol id={ "t" (n) } viewBox="0 0 14 12" {
                    @for bar in 0..4_u8 {
                        rect class=[(bar >= n).then_some("off")] x=(0.5 + 3.5 * f64::from(bar)) y=(8.5 - 2.5 * f64::from(bar)) width="2" height=(3.0 + 2.5 * f64::from(bar)) {}
                    }
                }
            }
        }
    }
}
