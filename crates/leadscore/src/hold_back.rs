//! Which leads of a config's tables are held back: by account where the config names one, else by
//! lead.

use leadscore_config::Config;
use leadscore_core::HoldBack;
use leadscore_dataset::{MISSING, Tables};
use serde::Serialize;

/// The column of score files that marks leads that are held back.
pub(crate) const HELD_BACK: &str = "held_back";

/// The arm of held-back leads among the open ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HoldBackSummary {
    /// The share that `[operation] holdback` asks for.
    pub share: f64,
    /// What is held back as a whole: "account" or "lead".
    pub unit: &'static str,
    /// Open leads that are held back.
    pub n_leads: usize,
}

/// The rule of a config; `None` where nobody is held back.
pub(crate) fn rule_of(config: &Config) -> Option<HoldBack> {
    HoldBack::of_share(config.operation.holdback)
}

/// What is held back as a whole.
pub(crate) fn unit_of(config: &Config) -> &'static str {
    if config.leads.account.is_some() {
        "account"
    } else {
        "lead"
    }
}

/// Whether a lead is held back: with its account, where it has one.
pub(crate) fn holds(rule: HoldBack, tables: &Tables, lead: u32) -> bool {
    let leads = &tables.leads;
    let account = leads
        .accounts
        .as_ref()
        .map_or(MISSING, |accounts| accounts[lead as usize]);
    rule.holds(match account {
        MISSING => &leads.ids[lead as usize],
        account => &leads.account_names[account as usize],
    })
}
