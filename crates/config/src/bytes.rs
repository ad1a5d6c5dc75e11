//! Numbers of bytes as people write them.

use std::str::FromStr;

use serde::Deserialize;

/// A number of bytes, written `512MB`, `2GB` or `1.5GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a number and a unit, such as 512MB or 2GB".to_owned();
        let trimmed = text.trim();
        let (number, unit) = trimmed.split_at(
            trimmed
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(trimmed.len()),
        );
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "kb" => 1e3,
            "mb" | "m" => 1e6,
            "mib" => 1_048_576.0,
            "gb" | "g" => 1e9,
            "gib" => 1_073_741_824.0,
            "tb" => 1e12,
            _ => return Err(wrong()),
        };
        let bytes = number.parse::<f64>().map_err(|_| wrong())? * factor;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive; more than there are bytes saturates"
        )]
        Ok(Self(bytes as u64))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            bytes @ ..10_000 => write!(f, "{bytes} bytes"),
            bytes @ ..10_000_000_000 => write!(f, "{:.0} MB", bytes as f64 / 1e6),
            bytes => write!(f, "{:.0} GB", bytes as f64 / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_as_people_write_them() {
        for (text, expected) in [
            ("512MB", Some(512_000_000)),
            ("1.5 GiB", Some(1_610_612_736)),
            ("2g", Some(2_000_000_000)),
            ("2", None),
            ("GB", None),
            ("-1GB", None),
            ("1.2.3GB", None),
        ] {
            assert_eq!(
                text.parse::<Bytes>().ok().map(|bytes| bytes.0),
                expected,
                "{text}"
            );
        }
        assert_eq!(Bytes(512_000_000).to_string(), "512 MB");
    }
}
