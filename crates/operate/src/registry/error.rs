//! Why a registry refuses.

use std::path::PathBuf;

use leadscore::ErrorKind;
use serde::{Deserialize, Serialize};

use super::event::Role;
use super::finding::Finding;

/// Who holds the lock of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Number of the process.
    pub pid: u32,
    /// Name of the machine.
    pub host: String,
    /// Name of the user.
    pub user: String,
    /// Since when.
    pub since: String,
    /// What it runs.
    pub command: String,
}

/// Why a registry refuses.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Another process changes the registry.
    #[error(
        "the registry {} is in use: {}\n  hint: wait until it ends and try again; nothing was changed",
        folder.display(),
        describe_holder(holder.as_deref())
    )]
    Busy {
        /// The registry.
        folder: PathBuf,
        /// Who holds the lock, where that can be read.
        holder: Option<Box<Holder>>,
    },
    /// The journal is not what was written.
    #[error(
        "the registry {} cannot be used: {}{first}\n  hint: {}",
        folder.display(),
        several(*n_findings),
        first.hint()
    )]
    Damaged {
        /// The registry.
        folder: PathBuf,
        /// How many findings there are.
        n_findings: usize,
        /// The first of them.
        first: Box<Finding>,
    },
    /// A model file is not the one that was added.
    #[error(
        "the model file {} is not the file that was added to the registry: its SHA-256 is {found}, and the journal has {expected}\n  hint: put back the original file; until then, use another model of the registry",
        path.display()
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// That of the journal.
        expected: String,
    },
    /// A model file is gone.
    #[error(
        "the model file {} is missing, and the journal has it\n  hint: put it back; until then, use another model of the registry",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// No model of this name.
    #[error("the registry {} has no model `{name}`\n  hint: {}", folder.display(), model_hint(name, known))]
    NoModel {
        /// The registry.
        folder: PathBuf,
        /// What was asked for.
        name: String,
        /// IDs of its models, the latest first.
        known: Vec<String>,
    },
    /// Several models begin so.
    #[error(
        "`{prefix}` is the beginning of {} IDs: {}\n  hint: write more of the one that you mean",
        ids.len(),
        ids.join(", ")
    )]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The IDs.
        ids: Vec<String>,
    },
    /// Nobody has this role.
    #[error("the registry {} has no {}\n  hint: {}", folder.display(), role.words(), role_hint(*role, known))]
    NoRole {
        /// The registry.
        folder: PathBuf,
        /// The role.
        role: Role,
        /// IDs of its models, the latest first.
        known: Vec<String>,
    },
    /// The model is not to have a role any more.
    #[error("the model {id} is retired\n  hint: train it again, or choose another model")]
    Retired {
        /// The model.
        id: String,
    },
    /// The champion cannot be retired, nor challenge itself.
    #[error("the model {id} is the champion\n  hint: make another model the champion first")]
    IsChampion {
        /// The model.
        id: String,
    },
    /// A file that is no model.
    #[error("cannot add {name}")]
    NotAModel {
        /// The file, or what it was called.
        name: String,
        /// What is wrong.
        #[source]
        source: Box<leadscore::Error>,
    },
    /// A model file of the registry that this program cannot read.
    #[error("cannot use the model {}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<leadscore::Error>,
    },
    /// The ID of a model would be no name of a file, or is not that of its content.
    #[error(
        "cannot add {name}: its ID is `{id}`, and its content makes {computed}\n  hint: train the model again"
    )]
    Id {
        /// The file, or what it was called.
        name: String,
        /// The ID.
        id: String,
        /// What it should be.
        computed: String,
    },
    /// A file that the journal does not know has the name of the model.
    #[error(
        "cannot add the model: {} is another file, which is not in the journal\n  hint: move that file elsewhere",
        path.display()
    )]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The lock file was removed or replaced while it was held.
    #[error(
        "the lock {} was removed while it was held\n  hint: let nothing but leadscore write into this folder; run the command again",
        path.display()
    )]
    LockLost {
        /// The lock file.
        path: PathBuf,
    },
    /// Somebody wrote into the journal without the lock.
    #[error(
        "the journal {} was changed by another program while it was locked\n  hint: `leadscore models verify` says what is wrong with it",
        path.display()
    )]
    ChangedMeanwhile {
        /// The journal.
        path: PathBuf,
    },
    /// The decision is in the journal, and the files that follow from it are not all written.
    #[error(
        "line {number} of the journal is written and counts, and a file that follows from it is not written yet\n  hint: make room or give the right to write; the next command that changes the registry completes it"
    )]
    Unsettled {
        /// The line.
        number: u64,
        /// Why.
        #[source]
        source: Box<RegistryError>,
    },
    /// The folder is not one of this machine.
    #[error(
        "the registry {} is not a folder\n  hint: name a folder of this machine; a registry needs locks, which object stores and databases do not have",
        folder.display()
    )]
    Remote {
        /// The registry.
        folder: PathBuf,
    },
    /// An event that cannot be written.
    #[error("cannot write an event as JSON")]
    Event(#[source] serde_json::Error),
}

impl RegistryError {
    /// What kind of thing went wrong, for programs.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Busy { .. } | Self::LockLost { .. } | Self::ChangedMeanwhile { .. } => {
                ErrorKind::Io
            }
            Self::Damaged { .. } | Self::Altered { .. } | Self::Id { .. } => ErrorKind::Model,
            Self::Missing { .. } => ErrorKind::FileNotFound,
            Self::NoModel { .. } | Self::NoRole { .. } => ErrorKind::NotFound,
            Self::Ambiguous { .. }
            | Self::Retired { .. }
            | Self::IsChampion { .. }
            | Self::InTheWay { .. }
            | Self::Remote { .. }
            | Self::Event(_) => ErrorKind::Request,
            Self::NotAModel { source, .. } | Self::Unusable { source, .. } => source.kind(),
            Self::Io { source, .. } => kind_of(source),
            Self::Unsettled { source, .. } => source.kind(),
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of the operating system, of which two are told apart"
)]
pub(crate) fn kind_of(error: &std::io::Error) -> ErrorKind {
    match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::FileNotFound,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            ErrorKind::PermissionDenied
        }
        _ => ErrorKind::Io,
    }
}

fn describe_holder(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder {
            pid,
            host,
            user,
            since,
            command,
        }) => format!(
            "process {pid} of {user} on {host} has the lock since {since}, running `{command}`"
        ),
        None => "another process has the lock".to_owned(),
    }
}

fn several(n_findings: usize) -> String {
    if n_findings > 1 {
        format!("there are {n_findings} findings, the first is that ")
    } else {
        String::new()
    }
}

/// The most IDs that a message lists.
const MOST_LISTED: usize = 8;

fn model_hint(name: &str, known: &[String]) -> String {
    match Role::ALL.into_iter().find(|role| role.name() == name) {
        Some(role) => format!("write @{} for the model that has this role", role.name()),
        None => list_models(known),
    }
}

fn list_models(known: &[String]) -> String {
    match known.len() {
        0 => "it has no models yet; `leadscore models add` takes one in".to_owned(),
        n if n > MOST_LISTED => format!(
            "it has {}, and {} more; `leadscore models list` shows all",
            known[..MOST_LISTED].join(", "),
            n - MOST_LISTED
        ),
        _ => format!("it has {}", known.join(", ")),
    }
}

fn role_hint(role: Role, known: &[String]) -> String {
    if known.is_empty() {
        return list_models(known);
    }
    match role {
        Role::Champion => format!(
            "{}; `leadscore models promote` makes one of them the champion",
            list_models(known)
        ),
        Role::Challenger => {
            "`leadscore run` trains challengers; a challenger that was promoted is the champion"
                .to_owned()
        }
        Role::Previous => "there is one after the second promotion".to_owned(),
    }
}
