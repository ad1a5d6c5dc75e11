//! Parts of the program that a build can leave out.

use std::fmt;

/// A part of the program that was left out when it was built.
///
/// # Examples
///
/// ```
/// use leadscore_core::LeftOut;
///
/// assert_eq!(
///     LeftOut::Workbooks.to_string(),
///     "this leadscore was built without Excel workbooks\n  hint: build it with `cargo build --release --bin leadscore --features xlsx`"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// Tables in object stores.
    ObjectStores,
    /// Tables from queries, and into tables of a database.
    Databases,
    /// Reports and lists as Excel workbooks.
    Workbooks,
    /// Models as ONNX.
    Onnx,
    /// Models as PMML.
    Pmml,
    /// Work on an engine that has the tables.
    Engines,
    /// Event stores, and the server that fills them.
    EventStores,
}

impl LeftOut {
    /// What cannot be done, as a sentence.
    pub fn found(self) -> String {
        let what = match self {
            Self::ObjectStores => "object stores",
            Self::Databases => "databases",
            Self::Workbooks => "Excel workbooks",
            Self::Onnx => "ONNX",
            Self::Pmml => "PMML",
            Self::Engines => "engines",
            Self::EventStores => "event stores",
        };
        format!("this leadscore was built without {what}")
    }

    /// How to build what can do it.
    pub fn help(self) -> String {
        let (feature, needs) = match self {
            Self::ObjectStores => ("cloud", ""),
            Self::Databases => ("databases", ""),
            Self::Workbooks => ("xlsx", ""),
            Self::Onnx => ("onnx", ""),
            Self::Pmml => ("pmml", ""),
            Self::Engines => ("spark", ", which needs protoc"),
            Self::EventStores => ("serve", ""),
        };
        format!("build it with `cargo build --release --bin leadscore --features {feature}`{needs}")
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  hint: {}", self.found(), self.help())
    }
}

impl std::error::Error for LeftOut {}
