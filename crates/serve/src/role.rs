//! What tokens may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a token may do. Each role is the set of rights that [`Role::may`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Appends events, and reads nothing: for forms and other systems that send.
    Ingest,
    /// Reads leads, scores, the model and the record; changes nothing.
    Read,
    /// Reads, and says what became of leads: for sales.
    Act,
    /// Everything, forgetting a lead included.
    Admin,
}

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Append events of any table.
    Append,
    /// Read leads, scores, the model and the record.
    Read,
    /// Append a word of sales.
    Act,
    /// Forget a lead.
    Forget,
    /// See the score of a lead that is held back from prioritizing.
    HeldBack,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Act => "act",
            Self::Admin => "admin",
        })
    }
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Read, Self::Act, Self::Admin];

    /// Whether the role has the right.
    ///
    /// | role | append | read | act | forget | held back |
    /// | --- | --- | --- | --- | --- | --- |
    /// | ingest | yes | | | | |
    /// | read | | yes | | | |
    /// | act | | yes | yes | | |
    /// | admin | yes | yes | yes | yes | yes |
    pub fn may(self, right: Right) -> bool {
        match (self, right) {
            (Self::Admin, _)
            | (Self::Ingest, Right::Append)
            | (Self::Read | Self::Act, Right::Read)
            | (Self::Act, Right::Act) => true,
            (Self::Ingest, Right::Read | Right::Act | Right::Forget | Right::HeldBack)
            | (Self::Read, Right::Append | Right::Act | Right::Forget | Right::HeldBack)
            | (Self::Act, Right::Append | Right::Forget | Right::HeldBack) => false,
        }
    }

    /// Whether a token of the role, with this owner, sees the scores of leads that are held back: who
    /// knows one may call by it, and then nothing is measured. A token with an owner is that of
    /// somebody who works on the leads, whatever its role.
    pub fn sees_held_back(self, owner: Option<&str>) -> bool {
        owner.is_none() && self.may(Right::HeldBack)
    }

    /// The role as the file of tokens has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Act => "act",
            Self::Admin => "admin",
        }
    }
}
