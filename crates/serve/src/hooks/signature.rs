//! Signatures of webhooks, as Standard Webhooks have them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// Fewer bytes could be guessed, and more are no secret that the specification knows.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// The secrets that sign calls: several while one replaces another.
///
/// # References
///
/// Standard Webhooks, <https://www.standardwebhooks.com>: "Signature scheme", symmetric.
#[derive(Debug, Clone)]
pub struct SigningKeys(Vec<hmac::Key>);

impl SigningKeys {
    /// Reads secrets in base64, with or without `whsec_` before them, separated by spaces.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in words that have nothing of them.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let keys: Vec<_> = text
            .split_whitespace()
            .map(|secret| {
                let secret = secret.strip_prefix("whsec_").unwrap_or(secret);
                let bytes = STANDARD.decode(secret).map_err(|_| "is not base64")?;
                if LENGTHS.contains(&bytes.len()) {
                    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
                } else {
                    Err("does not have 24 to 64 bytes")
                }
            })
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err("is empty");
        }
        Ok(Self(keys))
    }

    /// The header `webhook-signature` of a call: one signature a secret.
    ///
    /// ```text
    /// "v1," ‖ base64(HMAC-SHA256(secret, id ‖ "." ‖ seconds ‖ "." ‖ body))
    /// ```
    ///
    /// where `id` is the header `webhook-id`, and `seconds` since 1970 are `webhook-timestamp`.
    pub fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let signed = format!("{id}.{seconds}.{body}");
        let signatures: Vec<_> = self
            .0
            .iter()
            .map(|key| {
                let tag = hmac::sign(key, signed.as_bytes());
                format!("v1,{}", STANDARD.encode(tag))
            })
            .collect();
        signatures.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_reference_libraries() -> Result<(), &'static str> {
        // The example of the specification's libraries (python/tests/test_webhooks.py).
        let keys = SigningKeys::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
        let signature = keys.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        Ok(())
    }

    #[test]
    fn two_secrets_give_two_signatures() -> Result<(), &'static str> {
        let (first, second) = (STANDARD.encode([1; 24]), STANDARD.encode([2; 64]));
        let both = SigningKeys::read(&format!(" {first}\nwhsec_{second} "))?;
        let expected = [
            SigningKeys::read(&first)?.sign("i", 1, "b"),
            SigningKeys::read(&second)?.sign("i", 1, "b"),
        ];
        assert_eq!(both.sign("i", 1, "b"), expected.join(" "));
        Ok(())
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for (text, expected) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("hunter2!", "is not base64"),
            ("whsec_", "does not have 24 to 64 bytes"),
            ("c2hvcnQ=", "does not have 24 to 64 bytes"),
            (&STANDARD.encode([0; 23]), "does not have 24 to 64 bytes"),
            (&STANDARD.encode([0; 65]), "does not have 24 to 64 bytes"),
        ] {
            let found = SigningKeys::read(text).map(|_| ());
            assert_eq!(found, Err(expected), "{text}");
        }
    }
}
