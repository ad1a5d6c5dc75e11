//! Which CRM files were exported from, told by the names of their columns, and what each of its
//! tables is for.

mod applied;
mod dynamics;
mod hubspot;
mod odoo;
mod pipedrive;
mod recognition;
mod results;
mod salesforce;
mod sections;
mod writing;

use std::path::PathBuf;

use leadscore_core::Timestamp;

pub use writing::profile_exports;

/// A CRM whose exports are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// HubSpot: contacts, companies, deals, activities.
    HubSpot,
    /// Salesforce: leads or contacts, opportunities, tasks, campaigns, histories.
    Salesforce,
    /// Pipedrive: deals, which are the leads, and activities.
    Pipedrive,
    /// Microsoft Dynamics 365 Sales: leads, opportunities, activities.
    Dynamics,
    /// Odoo CRM: leads and opportunities, messages.
    Odoo,
}

impl Product {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::HubSpot,
        Self::Salesforce,
        Self::Pipedrive,
        Self::Dynamics,
        Self::Odoo,
    ];

    /// Its name, as it writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::HubSpot => "HubSpot",
            Self::Salesforce => "Salesforce",
            Self::Pipedrive => "Pipedrive",
            Self::Dynamics => "Dynamics 365",
            Self::Odoo => "Odoo",
        }
    }

    /// What it exports, in the order in which a file is compared with them.
    fn exports(self) -> &'static [Export] {
        match self {
            Self::HubSpot => hubspot::EXPORTS,
            Self::Salesforce => salesforce::EXPORTS,
            Self::Pipedrive => pipedrive::EXPORTS,
            Self::Dynamics => dynamics::EXPORTS,
            Self::Odoo => odoo::EXPORTS,
        }
    }
}

/// The exports to profile; paths are written as given.
#[derive(Debug, Clone, Default)]
pub struct ExportsInput {
    /// The files, in any order.
    pub files: Vec<PathBuf>,
    /// The CRM, if it should not be told by the columns.
    pub product: Option<Product>,
    /// What the clock says.
    pub now: Option<Timestamp>,
    /// Columns of the leads to leave out, and why, beside those that are left out anyhow.
    pub leave_out: Vec<(String, String)>,
}

/// The names that a column goes by, the likeliest first. Case, blanks and punctuation do not matter.
type Names = &'static [&'static str];

/// A table that a product exports.
struct Export {
    /// What the product calls it.
    what: &'static str,
    /// A file is one if it has a column of each.
    signature: &'static [Names],
    /// What it is for.
    parts: &'static [PartOf],
}

/// What a table is for, where the leads are those of one export.
struct PartOf {
    /// The export whose rows are the leads; any if empty.
    leads: &'static str,
    part: Part,
}

/// What a table is for.
enum Part {
    Leads(LeadColumns),
    Outcomes(OutcomeColumns),
    Activities(ActivityColumns),
    Link(LinkColumns),
    Lookup(LookupColumns),
    History(HistoryColumns),
    Merges(MergeColumns),
}

/// Of the leads.
#[derive(Clone, Copy)]
struct LeadColumns {
    id: Names,
    created_at: Names,
    account: Names,
    score: Names,
    /// Columns that the product or its users overwrite as a lead is worked, as patterns: `*` is
    /// anything.
    overwritten: Names,
    /// Patterns of columns that are categories, although they are called ids.
    categories: Names,
}

/// Of outcomes.
#[derive(Clone, Copy)]
struct OutcomeColumns {
    lead: Names,
    /// The link to go through, if it is there.
    via: &'static str,
    /// Cells may have several ids, with this between them.
    separator: &'static str,
    closed_at: Names,
    result: Names,
    /// The column that is true where a row was won, and the one where it closed.
    is_won: Names,
    is_closed: Names,
    amount: Names,
    /// What each code of `result` means: won, lost, open.
    codes: [&'static str; 3],
    rows: Rows,
}

/// Which rows of a table are outcomes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// Each row, by its result.
    ByResult,
    /// Rows with a time of closing have closed: they are lost where they are not won.
    LostUnlessWon,
    /// Rows with a time of closing are wins.
    WonIfDated,
}

/// Of events.
#[derive(Clone, Copy)]
struct ActivityColumns {
    /// The table's name in the config; that of the file if empty.
    name: &'static str,
    lead: Names,
    via: &'static str,
    separator: &'static str,
    at: Names,
    recorded_at: Names,
    kinds: &'static [Names],
}

/// Of an association table.
#[derive(Clone, Copy)]
struct LinkColumns {
    name: &'static str,
    from: Names,
    lead: Names,
    linked_at: Names,
    /// Ids of leads are also found.
    own_ids: bool,
}

/// Of a table with more about leads.
#[derive(Clone, Copy)]
struct LookupColumns {
    name: &'static str,
    /// Pairs of a key and the column of the leads that has it, the best first.
    keys: &'static [(Names, Names)],
    overwritten: Names,
}

/// Of a log of changes.
#[derive(Clone, Copy)]
struct HistoryColumns {
    lead: Names,
    changed_at: Names,
    attribute: Names,
    value: Names,
    old_value: Names,
}

/// Of merged leads.
#[derive(Clone, Copy)]
struct MergeColumns {
    from: Names,
    into: Names,
}

impl LeadColumns {
    const NONE: Self = Self {
        id: &[],
        created_at: &[],
        account: &[],
        score: &[],
        overwritten: &[],
        categories: &[],
    };
}

impl OutcomeColumns {
    const NONE: Self = Self {
        lead: &[],
        via: "",
        separator: "",
        closed_at: &[],
        result: &[],
        is_won: &[],
        is_closed: &[],
        amount: &[],
        codes: ["", "", ""],
        rows: Rows::ByResult,
    };
}

impl ActivityColumns {
    const NONE: Self = Self {
        name: "",
        lead: &[],
        via: "",
        separator: "",
        at: &[],
        recorded_at: &[],
        kinds: &[],
    };
}

/// A part whatever the leads are.
const fn any(part: Part) -> PartOf {
    PartOf { leads: "", part }
}

/// A part where the leads are the rows of this export.
const fn of(leads: &'static str, part: Part) -> PartOf {
    PartOf { leads, part }
}
