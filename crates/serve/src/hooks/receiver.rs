//! Who is called: the webhooks of a config, with their secrets from the environment.

use std::collections::BTreeMap;

use leadscore_config::ServeConfig;
use url::Url;

use super::address::{self, Reach};
use super::crossing::hash;
use super::{HookError, SigningKeys};

/// The receivers of a config.
#[derive(Debug, Clone, Default)]
pub struct Receivers(pub(super) Vec<Receiver>);

/// One address that is called, for one or more thresholds: calls of a lead are in order over all of
/// them.
#[derive(Clone)]
pub(super) struct Receiver {
    /// Tells it from others: a hash of its address.
    pub(super) key: String,
    /// Its address, of which only the host may be shown.
    pub(super) url: Url,
    /// What the host may resolve to.
    pub(super) reach: Reach,
    /// The secrets, by threshold.
    pub(super) keys: BTreeMap<String, SigningKeys>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver")
            .field("host", &self.url.host_str())
            .field("thresholds", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

impl Receivers {
    /// Checks the addresses of a config and takes the secrets from the environment, of which
    /// `variable` gives a variable's value.
    ///
    /// # Errors
    ///
    /// [`HookError`] with the first threshold that cannot be used.
    pub fn new(
        config: &ServeConfig,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, HookError> {
        let mut receivers: Vec<Receiver> = Vec::new();
        for (threshold, of_threshold) in &config.thresholds {
            let (Some(webhook), Some(name)) = (&of_threshold.webhook, &of_threshold.secret) else {
                continue;
            };
            let (url, reach) = address::read(webhook, of_threshold.private_address).map_err(
                |(problem, hint)| HookError::BadAddress {
                    threshold: threshold.clone(),
                    problem,
                    hint,
                },
            )?;
            let text = variable(name).ok_or_else(|| HookError::NoSecret {
                threshold: threshold.clone(),
                variable: name.clone(),
            })?;
            let keys = SigningKeys::read(&text).map_err(|problem| HookError::BadSecret {
                threshold: threshold.clone(),
                variable: name.clone(),
                problem,
            })?;
            let known = receivers.iter_mut().find(|receiver| receiver.url == url);
            if let Some(receiver) = known {
                receiver.keys.insert(threshold.clone(), keys);
                if reach == Reach::Private {
                    receiver.reach = reach;
                }
                continue;
            }
            receivers.push(Receiver {
                key: hash(url.as_str()),
                url,
                reach,
                keys: BTreeMap::from([(threshold.clone(), keys)]),
            });
        }
        Ok(Self(receivers))
    }

    /// Key of the receiver that a threshold calls.
    pub(super) fn key_of(&self, threshold: &str) -> Option<&str> {
        let mut receivers = self.0.iter();
        receivers
            .find(|receiver| receiver.keys.contains_key(threshold))
            .map(|receiver| receiver.key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use leadscore_config::ThresholdConfig;

    use super::*;

    const SECRET: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

    fn config(webhooks: &[(&str, &str)]) -> ServeConfig {
        let mut config = ServeConfig::default();
        for (name, webhook) in webhooks {
            let threshold = ThresholdConfig {
                likelihood: Some(40.0),
                webhook: Some((*webhook).to_owned()),
                secret: Some("HOOK_SECRET".to_owned()),
                ..ThresholdConfig::default()
            };
            config.thresholds.insert((*name).to_owned(), threshold);
        }
        config
    }

    #[test]
    fn thresholds_of_one_address_share_a_receiver() -> Result<(), HookError> {
        let config = config(&[
            ("hot", "https://example.com/hook"),
            ("other", "https://example.com/other"),
            ("warm", "https://EXAMPLE.com:443/hook"),
        ]);
        let receivers = Receivers::new(&config, |_| Some(SECRET.to_owned()))?;
        assert_eq!(receivers.0.len(), 2);
        assert_eq!(receivers.key_of("hot"), receivers.key_of("warm"));
        assert_ne!(receivers.key_of("hot"), receivers.key_of("other"));
        assert_eq!(receivers.key_of("cold"), None);
        let shown = format!("{receivers:?}");
        assert!(
            shown.contains("example.com") && !shown.contains("hook"),
            "{shown}"
        );
        Ok(())
    }

    #[test]
    fn errors_name_the_threshold_and_no_secret() {
        let config = config(&[("hot", "https://example.com/s3cr3t")]);
        for (value, expected) in [
            (
                None,
                "the environment has no `HOOK_SECRET`, which [serve.thresholds.hot] names",
            ),
            (
                Some("hunter2!"),
                "`HOOK_SECRET` of the environment, which [serve.thresholds.hot] names, is not base64",
            ),
        ] {
            let found = Receivers::new(&config, |name| {
                assert_eq!(name, "HOOK_SECRET");
                value.map(str::to_owned)
            });
            let shown = found.map(|_| ()).map_err(|error| error.to_string());
            let first = shown.as_ref().map_err(|text| text.lines().next());
            assert_eq!(first, Err(Some(expected)));
            assert!(!format!("{shown:?}").contains("hunter2"));
        }
        let config = super::tests::config(&[("hot", "http://example.com/s3cr3t")]);
        let found = Receivers::new(&config, |_| Some(SECRET.to_owned()));
        let shown = found.map(|_| ()).map_err(|error| error.to_string());
        assert!(shown.is_err_and(|text| {
            text.starts_with("`webhook` of [serve.thresholds.hot] is http,")
                && !text.contains("s3cr3t")
        }));
    }
}
