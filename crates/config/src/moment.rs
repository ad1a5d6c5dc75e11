//! Moments, as the config writes them.

use leadscore_core::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

/// A moment in the config: a date or a date and time, in UTC unless it names an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct Moment(#[schemars(with = "String")] pub Timestamp);

impl Moment {
    /// Reads a moment; `or` is what else could stand there.
    pub(super) fn parse<E: serde::de::Error>(text: &str, or: &str) -> Result<Self, E> {
        Timestamp::parse_iso(text)
            .map(|(at, _, _)| Self(at))
            .ok_or_else(|| {
                E::custom(format!(
                    "`{text}` is not a moment\n  hint: write \"2018-05-01\" or \"2018-05-01T09:30:00Z\"{or}"
                ))
            })
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&written_moment(deserializer)?, "")
    }
}

/// A text, or a date as TOML has them.
pub(super) fn written_moment<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Toml(toml::value::Datetime),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Text(text) => text,
        Written::Toml(datetime) => datetime.to_string(),
    })
}
