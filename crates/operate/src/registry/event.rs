//! What a line of the journal records: when, by whom, what happened to which model and why, and which
//! models have a role after it.

use leadscore_core::{Timestamp, hide_credentials};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who changes a registry, from where and when. The library knows no clock and no user: the caller
/// says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Now.
    pub at: Timestamp,
    /// Name of the user.
    pub user: String,
    /// Name of the machine.
    pub host: String,
    /// What was typed, or which program it is; credentials of addresses are not recorded.
    pub command: String,
}

impl By {
    /// The same without what must not be recorded.
    pub(super) fn without_secrets(self) -> Self {
        Self {
            command: hide_credentials(&self.command),
            ..self
        }
    }
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It scores.
    Champion,
    /// It may become the champion.
    Challenger,
    /// It was the champion before this one.
    Previous,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Champion, Self::Challenger, Self::Previous];

    /// Its name, which is that of its file, too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => "challenger",
            Self::Previous => "previous",
        }
    }

    /// What it is in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Challenger => "challenger",
            Self::Previous => "previous champion",
        }
    }
}

/// Which model has which role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Roles {
    /// ID of the champion.
    pub champion: Option<String>,
    /// ID of the challenger.
    pub challenger: Option<String>,
    /// ID of the champion before this one.
    pub previous: Option<String>,
}

impl Roles {
    /// ID of the model that has a role.
    pub fn get(&self, role: Role) -> Option<&str> {
        match role {
            Role::Champion => self.champion.as_deref(),
            Role::Challenger => self.challenger.as_deref(),
            Role::Previous => self.previous.as_deref(),
        }
    }

    /// The roles of a model, the most important first.
    pub fn of(&self, id: &str) -> Vec<Role> {
        Role::ALL
            .into_iter()
            .filter(|role| self.get(*role) == Some(id))
            .collect()
    }
}

/// Why something was decided.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Decision {
    /// The reason as a sentence; empty where nobody gave one.
    #[serde(default)]
    pub because: String,
    /// Figures that it was decided by; null where there are none.
    #[serde(default)]
    pub evidence: Value,
}

/// Where an added model comes from, as far as its file does not say so.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// The moment as of which it was trained; `None` if unknown.
    #[serde(default, with = "optional_moment")]
    pub as_of: Option<Timestamp>,
    /// The file that it was taken from; `None` where it comes from training.
    #[serde(default)]
    pub from: Option<String>,
    /// Anything else; null where there is nothing.
    #[serde(default)]
    pub details: Value,
}

/// What the journal has about a model file since it was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFile {
    /// ID of the model, which names the file.
    pub model: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Length of the file.
    pub bytes: u64,
    /// Version of the program that trained it.
    pub trained_by: String,
    /// The last moment that its training data knew, as text.
    pub training_cutoff: String,
    /// SHA-256 of its training matrix and labels.
    pub data_fingerprint: String,
    /// Leads that it was trained on.
    pub n_leads: usize,
    /// Wins among its training snapshots.
    pub n_wins: usize,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A model file came in.
    Added {
        /// The file.
        #[serde(flatten)]
        file: ModelFile,
        /// Where it comes from.
        #[serde(flatten)]
        facts: Facts,
    },
    /// A model became the champion.
    Promoted {
        /// Its ID.
        model: String,
        /// The champion until then.
        instead_of: Option<String>,
        /// Why.
        #[serde(flatten)]
        decision: Decision,
    },
    /// The champion was compared with a challenger, and stayed.
    Kept {
        /// ID of the champion.
        model: String,
        /// ID of the challenger.
        challenger: String,
        /// Why.
        #[serde(flatten)]
        decision: Decision,
    },
    /// A challenger would be promoted, and a person is asked.
    Asked {
        /// ID of the challenger.
        model: String,
        /// Why.
        #[serde(flatten)]
        decision: Decision,
    },
    /// A model became the challenger.
    ChallengerSet {
        /// Its ID.
        model: String,
        /// Why.
        #[serde(flatten)]
        decision: Decision,
    },
    /// The previous champion became the champion again.
    Reverted {
        /// ID of the champion from now on.
        model: String,
        /// The champion until then.
        instead_of: Option<String>,
        /// Why.
        #[serde(flatten)]
        decision: Decision,
    },
    /// A model is not to become champion any more.
    Retired {
        /// Its ID.
        model: String,
        /// Why.
        #[serde(flatten)]
        decision: Decision,
    },
    /// A scheduled run ended.
    Ran(RunNote),
    /// A stage of a scheduled run ended.
    Stage {
        /// Name of the stage.
        stage: String,
        /// Of which run, and how.
        #[serde(flatten)]
        run: RunNote,
    },
}

impl Event {
    /// The models that it is about.
    pub fn models(&self) -> Vec<&str> {
        match self {
            Self::Added { file, .. } => vec![&file.model],
            Self::Promoted {
                model, instead_of, ..
            }
            | Self::Reverted {
                model, instead_of, ..
            } => std::iter::once(model.as_str())
                .chain(instead_of.as_deref())
                .collect(),
            Self::Kept {
                model, challenger, ..
            } => vec![model, challenger],
            Self::Asked { model, .. }
            | Self::ChallengerSet { model, .. }
            | Self::Retired { model, .. } => vec![model],
            Self::Ran(run) | Self::Stage { run, .. } => {
                run.model.iter().map(String::as_str).collect()
            }
        }
    }
}

/// What the journal has about a run, or a stage of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunNote {
    /// Names the inputs: the same key again is the same run.
    pub key: String,
    /// The moment that was scored; `None` where there is none.
    #[serde(default, with = "optional_moment")]
    pub as_of: Option<Timestamp>,
    /// ID of the model that it used; `None` where it used none.
    #[serde(default)]
    pub model: Option<String>,
    /// Fingerprint of the tables that it read; empty where it read none.
    #[serde(default)]
    pub data_fingerprint: String,
    /// How it ended, in a word.
    pub outcome: String,
    /// Anything else; null where there is nothing.
    #[serde(default)]
    pub details: Value,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Position in the journal, from 1 on: this is the order of events.
    pub number: u64,
    /// When: never before the line before.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// What the clock showed, where it had gone back behind the line before.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_moment"
    )]
    pub clock: Option<Timestamp>,
    /// Who.
    pub user: String,
    /// On which machine.
    pub host: String,
    /// By which command.
    pub command: String,
    /// Version of the program that wrote the line.
    pub tool_version: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// Which models have a role after it.
    pub roles: Roles,
    /// SHA-256 of the line before, without its line end; empty in the first line.
    pub before: String,
}

/// Moments as text.
mod moment {
    use leadscore_core::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a moment")))
    }

    pub(super) fn parse(text: &str) -> Option<Timestamp> {
        Timestamp::parse_iso(text).map(|(at, _, _)| at)
    }
}

/// Moments as text, or null.
mod optional_moment {
    use leadscore_core::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(super) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => to.collect_str(at),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else {
            return Ok(None);
        };
        super::moment::parse(&text)
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a moment")))
    }
}
