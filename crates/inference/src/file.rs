//! The model file: magic, version, readable header, bincode payload, SHA-256 over all of it; see
//! `docs/model-format.md`.

use std::io::Write;

use leadscore_core::{DataProfile, agree, counted, hex};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::age_baseline::AgeBaseline;
use crate::alternative::Alternative;
use crate::card::Card;
use crate::earlier_formats::{ModelTwo, ScopeThree, TermTwo};
use crate::format_one::ModelOne;
use crate::model::Model;
use crate::scope::Scope;
use crate::term::Term;

/// The version of the container that this program writes.
pub const FORMAT_VERSION: u32 = 6;

const MAGIC: &[u8; 8] = b"LEADMDL\n";
const CHECKSUM_LENGTH: usize = 32;
const PAYLOAD_SCHEMA: &str = "leadscore-model";
const PAYLOAD_SCHEMA_VERSION: u32 = 6;
/// The first version whose header has the whole card.
const WHOLE_CARD_VERSION: u32 = 4;
/// The first version whose card has the keys and names of today.
const RENAMED_CARD_VERSION: u32 = 6;

/// A file that is no model of ours.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// Too short to be one.
    #[error(
        "the file ends after {}, inside its {part}: it was cut off\n  hint: copy it again, or train it again",
        counted(*found, "byte")
    )]
    Truncated {
        /// Length of the file.
        found: usize,
        /// Where it ends.
        part: &'static str,
    },
    /// Begins otherwise.
    #[error("this is not a leadscore model\n  hint: give a file written by `leadscore train`")]
    Magic,
    /// Written by a later program.
    #[error(
        "the file has format version {found}, and this program reads up to {FORMAT_VERSION}\n  hint: use a newer leadscore, or train it again"
    )]
    Newer {
        /// The file's version.
        found: u32,
    },
    /// The checksum does not fit.
    #[error(
        "the file is damaged: its checksum does not fit its content\n  hint: copy it again, or train it again"
    )]
    Checksum,
    /// The checksum fits, the content does not.
    #[error("the content of the file makes no model: {found}")]
    Content {
        /// What is wrong.
        found: String,
    },
    /// The file cannot be written.
    #[error("cannot write the model")]
    Io(#[from] std::io::Error),
}

#[derive(Serialize)]
struct Header<'a> {
    what: &'static str,
    tool_version: &'a str,
    payload_codec: &'static str,
    payload_schema: &'static str,
    payload_schema_version: u32,
    card: &'a Card,
    features: Vec<&'a str>,
}

/// Writes a model.
///
/// # Errors
///
/// [`ModelFileError::Io`] where the writer fails.
pub fn write_model(model: &Model, mut writer: impl Write) -> Result<(), ModelFileError> {
    let header = Header {
        what: "lead scoring model; read it with `leadscore inspect`",
        tool_version: &model.card.tool_version,
        payload_codec: "bincode2-standard",
        payload_schema: PAYLOAD_SCHEMA,
        payload_schema_version: PAYLOAD_SCHEMA_VERSION,
        card: &model.card,
        features: model.specs.iter().map(|spec| spec.name.as_str()).collect(),
    };
    let header = serde_json::to_vec_pretty(&header).map_err(|error| ModelFileError::Content {
        found: error.to_string(),
    })?;
    let payload = encode(&(
        model,
        &model.data,
        &model.scope,
        &model.age_baseline,
        &model.degrees,
    ))?;
    let mut bytes = Vec::with_capacity(header.len() + payload.len() + 64);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    let header_length = u32::try_from(header.len()).map_err(|_| ModelFileError::Content {
        found: "the header is over 4 GiB".to_owned(),
    })?;
    bytes.extend_from_slice(&header_length.to_le_bytes());
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&payload);
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    writer.write_all(&bytes)?;
    Ok(())
}

fn encode(value: &impl serde::Serialize) -> Result<Vec<u8>, ModelFileError> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).map_err(|error| {
        ModelFileError::Content {
            found: error.to_string(),
        }
    })
}

/// Reads a model, checking everything before believing anything.
///
/// Allocates no more than the file's own size warrants, and never panics whatever the bytes.
///
/// # Errors
///
/// [`ModelFileError`] says what is wrong: cut off, not a model, newer, damaged, or content that
/// makes no model.
pub fn read_model(bytes: &[u8]) -> Result<Model, ModelFileError> {
    let Parts {
        version,
        header,
        payload,
    } = Parts::of(bytes)?;
    let content = |found: String| ModelFileError::Content { found };
    let (model, used) = decode_version(version, payload)?;
    if used != payload.len() {
        return Err(content(format!(
            "{} {} left over",
            counted(payload.len() - used, "byte"),
            agree(payload.len() - used, "is", "are")
        )));
    }
    if let Some(defect) = model.defect() {
        return Err(content(defect.to_owned()));
    }
    if !header_fits(header, &model, version) {
        return Err(content(
            "its header, which people read, is of another model than its payload".to_owned(),
        ));
    }
    Ok(model)
}

/// What a file consists of, once its checksum fits.
struct Parts<'a> {
    version: u32,
    header: &'a [u8],
    payload: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Splits a file, checking every length and the checksum.
    fn of(bytes: &'a [u8]) -> Result<Self, ModelFileError> {
        let truncated = |part| ModelFileError::Truncated {
            found: bytes.len(),
            part,
        };
        if bytes.len() < MAGIC.len() && MAGIC.starts_with(bytes) {
            return Err(truncated("first line"));
        }
        let rest = bytes
            .strip_prefix(MAGIC.as_slice())
            .ok_or(ModelFileError::Magic)?;
        let (version, rest) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| truncated("version"))?;
        let version = u32::from_le_bytes(*version);
        if version > FORMAT_VERSION {
            // A damaged version number is a damaged file, not a newer one.
            return Err(if checksum_fits(bytes) {
                ModelFileError::Newer { found: version }
            } else {
                ModelFileError::Checksum
            });
        }
        let (header_length, rest) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| truncated("header length"))?;
        let (header, rest) = rest
            .split_at_checked(u32::from_le_bytes(*header_length) as usize)
            .ok_or_else(|| truncated("header"))?;
        let (payload_length, rest) = rest
            .split_first_chunk::<8>()
            .ok_or_else(|| truncated("payload length"))?;
        let payload_length = usize::try_from(u64::from_le_bytes(*payload_length))
            .map_err(|_| truncated("payload"))?;
        let (payload, rest) = rest
            .split_at_checked(payload_length)
            .ok_or_else(|| truncated("payload"))?;
        if rest.len() < CHECKSUM_LENGTH {
            return Err(truncated("checksum"));
        }
        if rest.len() > CHECKSUM_LENGTH || !checksum_fits(bytes) {
            return Err(ModelFileError::Checksum);
        }
        Ok(Self {
            version,
            header,
            payload,
        })
    }
}

/// The model of a payload as this version wrote it, and the bytes that it took.
fn decode_version(version: u32, payload: &[u8]) -> Result<(Model, usize), ModelFileError> {
    match version {
        1 => decode::<ModelOne>(payload).map(|(model, used)| (model.into(), used)),
        2 => decode::<ModelTwo>(payload).map(|(model, used)| (model.into(), used)),
        3 => decode::<(ModelTwo, Option<DataProfile>, Option<ScopeThree>)>(payload).map(
            |((model, data, scope), used)| {
                (
                    Model {
                        data,
                        scope: scope.map(Scope::from),
                        ..model.into()
                    },
                    used,
                )
            },
        ),
        4 => decode::<(Model, Option<DataProfile>, Option<Scope>)>(payload).map(
            |((model, data, scope), used)| {
                (
                    Model {
                        data,
                        scope,
                        ..model
                    },
                    used,
                )
            },
        ),
        _ => decode::<(
            Model,
            Option<DataProfile>,
            Option<Scope>,
            Option<AgeBaseline>,
            Vec<f64>,
        )>(payload)
        .map(|((model, data, scope, age_baseline, degrees), used)| {
            (
                Model {
                    data,
                    scope,
                    age_baseline,
                    degrees,
                    ..model
                },
                used,
            )
        }),
    }
}

/// Decodes a payload, believing no length that its own size does not warrant: what a text claims to
/// need counts against a limit of sixteen times the payload, or of a megabyte. (Numbers count at
/// their full width, and are a byte or more.)
fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<(T, usize), ModelFileError> {
    let standard = bincode::config::standard();
    let decoded = if payload.len() <= 0x1_0000 {
        bincode::serde::decode_from_slice(payload, standard.with_limit::<0x10_0000>())
    } else if payload.len() <= 0x10_0000 {
        bincode::serde::decode_from_slice(payload, standard.with_limit::<0x100_0000>())
    } else if payload.len() <= 0x100_0000 {
        bincode::serde::decode_from_slice(payload, standard.with_limit::<0x1000_0000>())
    } else if payload.len() <= 0x1000_0000 {
        bincode::serde::decode_from_slice(payload, standard.with_limit::<0x1_0000_0000>())
    } else {
        return Err(ModelFileError::Content {
            found: format!(
                "it has {} bytes, and a model has at most 268,435,456",
                payload.len()
            ),
        });
    };
    decoded.map_err(|error| ModelFileError::Content {
        found: error.to_string(),
    })
}

/// Whether the header says what the payload holds: names of features and the id, and since format 4
/// the whole card.
fn header_fits(header: &[u8], model: &Model, version: u32) -> bool {
    let Ok(header) = serde_json::from_slice::<serde_json::Value>(header) else {
        return false;
    };
    let names = header["features"].as_array().map(|names| {
        names
            .iter()
            .map(serde_json::Value::as_str)
            .collect::<Vec<_>>()
    });
    let has_features = names.is_some_and(|names| {
        names
            .into_iter()
            .eq(model.specs.iter().map(|spec| Some(spec.name.as_str())))
    });
    let has_id = header["card"]["model_id"] == model.card.model_id.as_str();
    // Written and read, since reading may round a number; a card of an earlier format has fewer
    // fields.
    let has_card = || {
        let written = serde_json::to_vec(&model.card)
            .ok()
            .and_then(|card| serde_json::from_slice::<serde_json::Value>(&card).ok());
        let mut stored = header["card"].clone();
        if version < RENAMED_CARD_VERSION {
            stored = in_names_of_today(stored);
        }
        written.is_some_and(|card| card == stored)
    };
    has_features && has_id && (version < WHOLE_CARD_VERSION || has_card())
}

/// A card with the keys and the names of models that it has today.
fn in_names_of_today(mut card: serde_json::Value) -> serde_json::Value {
    const RENAMED: [(&str, &str); 3] = [
        ("known_until", "training_cutoff"),
        ("known_until_micros", "training_cutoff_micros"),
        ("caveats", "limitations"),
    ];
    if let Some(fields) = card.as_object_mut() {
        for (earlier, today) in RENAMED {
            if let Some(value) = fields.remove(earlier) {
                fields.insert(today.to_owned(), value);
            }
        }
    }
    name_alternatives(&mut card);
    card
}

/// Names of models, wherever they are below a value, in the words of today.
fn name_alternatives(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, field) in fields {
                let names_one = ["richer", "simpler", "shipped", "shape"].contains(&key.as_str());
                if names_one && let serde_json::Value::String(words) = field {
                    *words = Alternative::from(std::mem::take(words)).into();
                } else {
                    name_alternatives(field);
                }
            }
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(name_alternatives),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

fn checksum_fits(bytes: &[u8]) -> bool {
    bytes
        .split_last_chunk::<CHECKSUM_LENGTH>()
        .is_some_and(|(content, checksum)| Sha256::digest(content).as_slice() == checksum)
}

impl Model {
    /// The id of a model: a hash over its weights and recipes, not over its card.
    ///
    /// # Errors
    ///
    /// [`ModelFileError::Content`] where the model cannot be encoded.
    pub fn compute_id(&self) -> Result<String, ModelFileError> {
        let mut hasher = Sha256::new();
        // Models of earlier formats keep the id that they had.
        let terms: Vec<TermTwo> = self.terms.iter().map(TermTwo::from).collect();
        hasher.update(encode(&(
            &self.specs,
            self.intercept,
            terms,
            &self.tier_edges,
        ))?);
        for term in &self.terms {
            if let Term::Linear(term) = term
                && term.is_bounded()
            {
                hasher.update(encode(&term.range)?);
            }
        }
        if let Some(curve) = &self.calibration {
            hasher.update(encode(&curve.knots)?);
        }
        if let Some(baseline) = &self.age_baseline {
            hasher.update(encode(baseline)?);
        }
        Ok(hex(&hasher.finalize()[..8]))
    }
}
