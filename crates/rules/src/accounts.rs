//! What a score of accounts looks at: the events of all leads of an account together.

use std::ops::Range;
use std::sync::Arc;

use leadscore_config::ConfigError;
use leadscore_core::Timestamp;
use leadscore_dataset::{Activities, Lookup, MISSING, Tables};

/// The tables of events, each by accounts.
#[derive(Debug, Clone)]
pub(crate) struct Pooled {
    pub(crate) events: Arc<[Activities]>,
    account_of_lead: Arc<[u32]>,
}

impl Pooled {
    /// The events of accounts.
    ///
    /// # Errors
    ///
    /// The config does not name the account of a lead; `of` is the place that asks for it.
    pub(crate) fn new(tables: &Tables, of: &Range<usize>) -> Result<Self, ConfigError> {
        let Some(accounts) = &tables.leads.accounts else {
            return Err(ConfigError {
                message:
                    "[score] is of accounts, and the config does not name the account of a lead"
                        .to_owned(),
                help: Some("name the column as `account` of [leads] in leadscore.toml".to_owned()),
                span: (!of.is_empty()).then(|| of.clone()),
                is_unknown_key: false,
            });
        };
        let pooled = tables
            .activities
            .iter()
            .map(|activities| by_account(tables, activities, accounts));
        Ok(Self {
            events: pooled.collect(),
            account_of_lead: accounts.as_slice().into(),
        })
    }

    /// Whether a lead has an account.
    pub(crate) fn has_account(&self, lead: u32) -> bool {
        self.account_of_lead[lead as usize] != MISSING
    }
}

/// The events of leads as those of their accounts. Before a lead was created, nobody knew that its
/// events were of the account.
fn by_account(tables: &Tables, activities: &Activities, accounts: &[u32]) -> Activities {
    if activities.entity_of_lead.is_some() {
        return activities.clone();
    }
    let mut rows = activities.to_rows();
    let created = |lead: u32| tables.leads.known_since(lead).unwrap_or(Timestamp::MIN);
    let visible =
        (0..rows.at.len()).map(|event| rows.visible_at(event).max(created(rows.owners[event])));
    rows.visible = Some(visible.collect());
    for owner in &mut rows.owners {
        *owner = accounts[*owner as usize];
    }
    let n_accounts = tables.leads.account_names.len();
    Activities::new(&activities.name, Some(accounts.to_vec()), n_accounts, rows)
}

/// Whether all leads of an account have the same row of a lookup.
pub(crate) fn is_of_accounts(tables: &Tables, lookup: &Lookup) -> bool {
    let Some(accounts) = &tables.leads.accounts else {
        return false;
    };
    let mut entries: Vec<Option<u32>> = vec![None; tables.leads.account_names.len()];
    let mut leads = accounts.iter().zip(&lookup.entry_of_lead);
    leads.all(|(&account, &entry)| {
        account == MISSING || *entries[account as usize].get_or_insert(entry) == entry
    })
}
