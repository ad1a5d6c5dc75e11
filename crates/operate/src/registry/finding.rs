//! What is wrong with a registry: a finding has a place, a sentence and what to do.

use std::fmt;

use serde::Serialize;
use serde::ser::SerializeStruct;

use super::event::Role;

/// Something in a registry that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A line of the journal cannot be read.
    Unreadable {
        /// Number of the line.
        line: u64,
        /// What is wrong.
        found: String,
    },
    /// A line has an event that this program does not know.
    Newer {
        /// Number of the line.
        line: u64,
        /// The event.
        event: String,
        /// Version of the program that wrote it.
        version: String,
    },
    /// A line has another number than its position: lines were removed, inserted or reordered.
    OutOfOrder {
        /// Position of the line.
        line: u64,
        /// The number that it has.
        number: u64,
    },
    /// The hash that a line has of the line before is not that of the line before.
    Chain {
        /// Number of the line before, which was changed, or whose neighbors were removed.
        line: u64,
    },
    /// Lines at the end were removed.
    Short {
        /// Lines that there are.
        has: u64,
        /// Lines that there were.
        had: u64,
    },
    /// The last line is not the one whose hash the head file has.
    Head {
        /// Number of the line.
        line: u64,
    },
    /// The head file is missing or cannot be read, so that lines removed at the end would not be
    /// noticed.
    NoHead,
    /// The head file is older than the journal by more than one unfinished change.
    OldHead {
        /// Lines that it knows.
        knows: u64,
        /// Lines that there are.
        has: u64,
    },
    /// A role file names another model than the journal.
    RoleFile {
        /// Which one.
        role: Role,
        /// What it has; `None` if it is missing.
        found: Option<String>,
        /// What the journal has.
        expected: Option<String>,
    },
    /// A model file is missing.
    ModelMissing {
        /// The model.
        id: String,
    },
    /// A model file is not the one that was added.
    ModelAltered {
        /// The model.
        id: String,
        /// What is wrong, where the file says so itself.
        found: String,
    },
    /// A file is named after another model than the one that it has.
    ModelMisnamed {
        /// Name of the file.
        file: String,
        /// ID of the model in it.
        id: String,
    },
    /// A file or folder that the journal does not know.
    Unknown {
        /// Its name.
        file: String,
        /// Whether it is a model file.
        is_model: bool,
    },
    /// A file that cannot be read.
    NotReadable {
        /// Its name.
        file: String,
        /// Why.
        found: String,
    },
}

impl Finding {
    /// Whether it is about the journal, so that nothing in it can be believed.
    pub fn is_of_journal(&self) -> bool {
        match self {
            Self::Unreadable { .. }
            | Self::Newer { .. }
            | Self::OutOfOrder { .. }
            | Self::Chain { .. }
            | Self::Short { .. }
            | Self::Head { .. }
            | Self::NoHead => true,
            Self::OldHead { .. }
            | Self::RoleFile { .. }
            | Self::ModelMissing { .. }
            | Self::ModelAltered { .. }
            | Self::ModelMisnamed { .. }
            | Self::Unknown { .. }
            | Self::NotReadable { .. } => false,
        }
    }

    /// Where: a file of the registry, and the line where there is one.
    pub fn place(&self) -> String {
        match self {
            Self::Unreadable { line, .. }
            | Self::Newer { line, .. }
            | Self::OutOfOrder { line, .. }
            | Self::Chain { line }
            | Self::Head { line } => format!("journal.ndjson, line {line}"),
            Self::Short { .. } => "journal.ndjson".to_owned(),
            Self::NoHead | Self::OldHead { .. } => "head".to_owned(),
            Self::RoleFile { role, .. } => role.name().to_owned(),
            Self::ModelMissing { id } | Self::ModelAltered { id, .. } => format!("{id}.leadscore"),
            Self::ModelMisnamed { file, .. }
            | Self::Unknown { file, .. }
            | Self::NotReadable { file, .. } => file.clone(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. }
            | Self::OutOfOrder { .. }
            | Self::Chain { .. }
            | Self::Short { .. }
            | Self::Head { .. } => {
                "put back `journal.ndjson` and `head` from a backup; without one, begin a registry in another folder and add the model files to it"
            }
            Self::Newer { .. } => "use a leadscore that is not older than the one that wrote it",
            Self::NoHead => {
                "put back `head` from a backup; without one, begin a registry in another folder and add the model files to it"
            }
            Self::OldHead { .. } => {
                "find out which program writes here; the next command that changes the registry writes `head` again"
            }
            Self::RoleFile { .. } => {
                "the journal counts; the next command that changes the registry writes the file again"
            }
            Self::ModelMissing { .. } => "put the file back from a backup",
            Self::ModelAltered { .. } => {
                "put the original file back from a backup, and do not use this one"
            }
            Self::ModelMisnamed { .. } => {
                "`leadscore models add` takes the model in under its own name; then move the file elsewhere"
            }
            Self::Unknown { is_model: true, .. } => {
                "`leadscore models add` takes a model in; then move the file elsewhere"
            }
            Self::Unknown {
                is_model: false, ..
            } => "move it elsewhere",
            Self::NotReadable { .. } => "give the right to read it, or move away what is no file",
        }
    }

    /// Its name for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "line_unreadable",
            Self::Newer { .. } => "line_newer",
            Self::OutOfOrder { .. } => "line_out_of_order",
            Self::Chain { .. } => "line_changed",
            Self::Short { .. } => "lines_removed",
            Self::Head { .. } => "last_line_changed",
            Self::NoHead => "head_missing",
            Self::OldHead { .. } => "head_old",
            Self::RoleFile { .. } => "role_file",
            Self::ModelMissing { .. } => "model_missing",
            Self::ModelAltered { .. } => "model_altered",
            Self::ModelMisnamed { .. } => "model_misnamed",
            Self::Unknown { .. } => "unknown_file",
            Self::NotReadable { .. } => "not_readable",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { line, found } => {
                write!(f, "line {line} of the journal cannot be read: {found}")
            }
            Self::Newer {
                line,
                event,
                version,
            } => write!(
                f,
                "line {line} of the journal has the event `{event}` of version {version}, which this program does not know"
            ),
            Self::OutOfOrder { line, number } => write!(
                f,
                "line {line} of the journal has the number {number}: lines were removed, inserted or reordered"
            ),
            Self::Chain { line } => write!(
                f,
                "line {line} of the journal was changed: the line after it has another hash"
            ),
            Self::Short { has, had } => write!(
                f,
                "the journal ends after line {has}, and it had {had}: the last lines were removed"
            ),
            Self::Head { line } => write!(
                f,
                "line {line} of the journal was changed: `head` has another hash"
            ),
            Self::NoHead => f.write_str(
                "`head` is missing or cannot be read, so the end of the journal cannot be checked",
            ),
            Self::OldHead { knows, has } => write!(
                f,
                "`head` is of line {knows}, and the journal has {has} lines"
            ),
            Self::RoleFile {
                role,
                found,
                expected,
            } => {
                let words = |id: &Option<String>| id.clone().unwrap_or_else(|| "none".to_owned());
                write!(
                    f,
                    "the file `{}` has {}, and the journal has {}",
                    role.name(),
                    words(found),
                    words(expected)
                )
            }
            Self::ModelMissing { id } => write!(f, "the model file of {id} is missing"),
            Self::ModelAltered { id, found } => write!(
                f,
                "the model file of {id} is not the one that was added: {found}"
            ),
            Self::ModelMisnamed { file, id } => {
                write!(f, "the file {file} has the model {id}")
            }
            Self::Unknown { file, is_model } => write!(
                f,
                "the {} {file} is not in the journal",
                if *is_model { "model file" } else { "file" }
            ),
            Self::NotReadable { file, found } => write!(f, "{file} cannot be read: {found}"),
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Finding", 4)?;
        fields.serialize_field("kind", self.kind())?;
        fields.serialize_field("place", &self.place())?;
        fields.serialize_field("found", &self.to_string())?;
        fields.serialize_field("hint", self.hint())?;
        fields.end()
    }
}
