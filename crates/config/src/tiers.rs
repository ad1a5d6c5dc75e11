//! `[tiers]`: where tiers begin.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[tiers]`: where tiers begin.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TiersConfig {
    /// Quartiles of the leads being scored (default), the edges that the model file has, or three
    /// likelihoods in per cent, such as [40, 20, 5] (docs/tiers.md).
    pub edges: TierEdges,
}

impl Default for TiersConfig {
    fn default() -> Self {
        Self {
            edges: TierEdges::Relative,
        }
    }
}

/// Where tiers begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TierEdges {
    /// Quartiles of the leads being scored.
    Relative,
    /// Quartiles of the training snapshots, from the model file.
    Frozen,
    /// Three likelihoods in per cent, falling: from the first on a lead is very high, and so on.
    Percent([f64; 3]),
}

impl TierEdges {
    /// Words that the config takes.
    const WORDS: [(&str, Self); 2] = [("relative", Self::Relative), ("frozen", Self::Frozen)];

    /// What the command line calls it: a word, or three numbers such as `40,20,5`.
    ///
    /// # Errors
    ///
    /// What was expected, in words.
    ///
    /// # Examples
    ///
    /// ```
    /// use leadscore_config::TierEdges;
    /// assert_eq!(TierEdges::parse("40, 20, 2.5"), Ok(TierEdges::Percent([40.0, 20.0, 2.5])));
    /// assert!(TierEdges::parse("20,40,5").unwrap_err().contains("falling"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some((_, edges)) = Self::WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*edges);
        }
        match text
            .split(',')
            .map(|part| part.trim().parse().ok())
            .collect::<Option<Vec<f64>>>()
        {
            Some(edges) => Self::of_percent(&edges),
            None => Err(format!(
                "`{text}` is not a rule for tiers\n  hint: write \"relative\", \"frozen\" or three likelihoods in per cent, such as 40, 20, 5"
            )),
        }
    }

    fn of_percent(edges: &[f64]) -> Result<Self, String> {
        match *edges {
            [first, second, third]
                if first < 100.0 && first > second && second > third && third > 0.0 =>
            {
                Ok(Self::Percent([first, second, third]))
            }
            _ => {
                let found = edges
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ");
                Err(format!(
                    "tiers cannot begin at [{found}]\n  hint: write three likelihoods in per cent, falling, above 0 and below 100, such as [40, 20, 5]"
                ))
            }
        }
    }
}

impl<'de> Deserialize<'de> for TierEdges {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> serde::de::Visitor<'de> for Written {
            type Value = TierEdges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"relative\", \"frozen\" or three likelihoods in per cent, such as [40, 20, 5]")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TierEdges, E> {
                let word = TierEdges::WORDS.iter().find(|(word, _)| *word == text);
                word.map(|(_, edges)| *edges)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<TierEdges, A::Error> {
                let mut edges: Vec<f64> = Vec::new();
                while let Some(edge) = seq.next_element()? {
                    edges.push(edge);
                }
                TierEdges::of_percent(&edges).map_err(serde::de::Error::custom)
            }
        }
        deserializer.deserialize_any(Written)
    }
}

impl Serialize for TierEdges {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Relative => serializer.serialize_str("relative"),
            Self::Frozen => serializer.serialize_str("frozen"),
            Self::Percent(edges) => edges.serialize(serializer),
        }
    }
}

impl JsonSchema for TierEdges {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TierEdges".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let likelihood =
            serde_json::json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100});
        schemars::json_schema!({"anyOf": [{"enum": ["relative", "frozen"]}, {"type": "array", "items": likelihood, "minItems": 3, "maxItems": 3}]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<TierEdges>) {
        assert_eq!(TierEdges::parse(text).ok(), expected, "{text}");
    }

    #[test]
    fn edges_fall_between_0_and_100() {
        check("relative", Some(TierEdges::Relative));
        check("frozen", Some(TierEdges::Frozen));
        check("40,20,5", Some(TierEdges::Percent([40.0, 20.0, 5.0])));
        check(
            " 99.9 , 2e1 , 0.01 ",
            Some(TierEdges::Percent([99.9, 20.0, 0.01])),
        );
        for wrong in [
            "",
            "Frozen",
            "40",
            "40,20",
            "40,20,5,1",
            "5,20,40",
            "40,40,5",
            "40,5,5",
            "100,20,5",
            "40,20,0",
            "40,20,-5",
            "NaN,20,5",
            "40,20,NaN",
            "inf,20,5",
            "40;20;5",
            "40,20,5,",
        ] {
            check(wrong, None);
        }
    }
}
