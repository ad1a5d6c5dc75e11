//! `[serve]`: what `leadscore serve` listens on, shows and does.

use std::collections::BTreeMap;

use leadscore_core::Span;
use schemars::JsonSchema;
use serde::Deserialize;

use super::location::OneOrMany;
use super::site_address::SiteAddress;
use super::text::ConfigError;

/// `[serve]`: the server of scores and of the page that sales looks at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServeConfig {
    /// Address and port; default "127.0.0.1:8700".
    pub address: String,
    /// File with the hashes of tokens, beside the config; default "tokens.toml". Without the file,
    /// only callers on this machine are answered.
    pub tokens: String,
    /// Column of the leads with the person who works on a lead.
    pub owner: Option<String>,
    /// Column of the leads by which people call a lead; default: its ID.
    pub name: Option<String>,
    /// Further columns of the leads that the page shows.
    pub show: Vec<String>,
    /// How the page calls columns and tables, such as `touch_type = "Kind of contact"`; default: by
    /// their names in words.
    pub labels: BTreeMap<String, String>,
    /// How old scores in the queue may become, such as "1m" (default); a lead with a new event is
    /// scored at once.
    #[schemars(with = "String")]
    pub refresh: Span,
    /// Folder of the log of answers, beside the config; default: none is kept.
    pub log: Option<String>,
    /// PEM files for TLS; default: plain HTTP, for this machine or behind a proxy.
    pub certificate: Option<String>,
    /// The key of `certificate`.
    pub key: Option<String>,
    /// Address at which people reach the page, such as `https://leads.example.com`: forms are taken
    /// from its pages alone, links of webhooks begin with it, and with https the cookie of the
    /// session is sent over HTTPS alone. Set it behind a proxy; default: the host that a request
    /// names, and by `certificate` whether it is HTTPS.
    #[schemars(with = "Option<String>")]
    pub base: Option<SiteAddress>,
    /// Thresholds whose crossing is told, by name.
    pub thresholds: BTreeMap<String, ThresholdConfig>,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:8700".to_owned(),
            tokens: "tokens.toml".to_owned(),
            owner: None,
            name: None,
            show: Vec::new(),
            labels: BTreeMap::new(),
            refresh: Span::from_micros(60_000_000),
            log: None,
            certificate: None,
            key: None,
            base: None,
            thresholds: BTreeMap::new(),
        }
    }
}

/// `[serve.thresholds.NAME]`: what is told when a lead rises above it. Exactly one of
/// `likelihood`, `tier`, `points` and `cell` is given.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ThresholdConfig {
    /// Likelihood from which it is crossed, 0 to 100.
    pub likelihood: Option<f64>,
    /// Tier from which it is crossed: "Very high", "High" or "Medium".
    pub tier: Option<String>,
    /// Points of the rules from which it is crossed.
    pub points: Option<f64>,
    /// Cell of the rules' matrix that a lead has to enter, such as "A1", or several: a lead that goes
    /// from one of them to another does not cross again.
    pub cell: Option<OneOrMany>,
    /// How far a lead must fall below the threshold before it can cross it again, in points of
    /// likelihood or of the rules; default: any fall is enough.
    pub hysteresis: Option<f64>,
    /// Whether a lead that crosses because the model or the rules changed is told too; default: it
    /// is recorded alone, since a new model may lift thousands of leads at once.
    pub on_model_change: bool,
    /// Address that is called, https, or http on this machine; default: the queue alone shows it.
    pub webhook: Option<String>,
    /// Variable of the environment with the secret that signs calls.
    pub secret: Option<String>,
    /// Whether the host of `webhook` may have an address of a private network, such as 10.0.0.5;
    /// default: only public ones are called.
    pub private_address: bool,
}

impl ServeConfig {
    /// Fails where a threshold says nothing or too much, or half of TLS is there.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.certificate.is_some() != self.key.is_some() {
            return ConfigError::refuse(
                "[serve] has one of `certificate` and `key`",
                "TLS needs both: name the other file, or remove it",
            );
        }
        if let Some(base) = self.base.as_ref().filter(|base| !base.is_https())
            && self.certificate.is_some()
        {
            return ConfigError::refuse(
                &format!("[serve] has a `certificate`, and `base` is {base}"),
                "write the address with https",
            );
        }
        if self.refresh == Span::ZERO {
            return ConfigError::refuse(
                "[serve] `refresh` is zero",
                "write a length such as \"1m\"",
            );
        }
        if let Some((name, _)) = self
            .labels
            .iter()
            .find(|(_, label)| label.trim().is_empty())
        {
            return ConfigError::refuse(
                &format!("[serve.labels] `{name}` is empty"),
                "write how people call it, or remove it",
            );
        }
        for (name, threshold) in &self.thresholds {
            threshold.check(name)?;
        }
        Ok(())
    }
}

impl ThresholdConfig {
    fn check(&self, name: &str) -> Result<(), ConfigError> {
        let n_given = usize::from(self.likelihood.is_some())
            + usize::from(self.tier.is_some())
            + usize::from(self.points.is_some())
            + usize::from(self.cell.is_some());
        if n_given != 1 {
            return ConfigError::refuse(
                &format!(
                    "[serve.thresholds.{name}] has {n_given} of `likelihood`, `tier`, `points` and `cell`"
                ),
                "give exactly one, such as likelihood = 40",
            );
        }
        if let Some(likelihood) = self.likelihood
            && !(0.0..=100.0).contains(&likelihood)
        {
            return ConfigError::refuse(
                &format!("[serve.thresholds.{name}] `likelihood` is {likelihood}"),
                "expected a percentage from 0 to 100",
            );
        }
        if let Some(tier) = &self.tier
            && !["Very high", "High", "Medium"].contains(&tier.as_str())
        {
            return ConfigError::refuse(
                &format!("[serve.thresholds.{name}] `tier` is \"{tier}\""),
                "expected \"Very high\", \"High\" or \"Medium\"",
            );
        }
        if self.points.is_some_and(|points| !points.is_finite()) {
            return ConfigError::refuse(
                &format!("[serve.thresholds.{name}] `points` is no number"),
                "write a finite number",
            );
        }
        self.check_cell(name)?;
        self.check_hysteresis(name)?;
        if self.webhook.is_none() && (self.secret.is_some() || self.private_address) {
            return ConfigError::refuse(
                &format!("[serve.thresholds.{name}] has no `webhook`, and says how to call it"),
                "add the address that is called, or remove `secret` and `private_address`",
            );
        }
        if self.webhook.is_some() && self.secret.is_none() {
            return ConfigError::refuse(
                &format!("[serve.thresholds.{name}] has a `webhook` and no `secret`"),
                "name the variable of the environment that has the secret, such as secret = \"HOOK_SECRET\"",
            );
        }
        Ok(())
    }

    fn check_cell(&self, name: &str) -> Result<(), ConfigError> {
        let Some(cell) = &self.cell else {
            return Ok(());
        };
        let labels = cell.to_vec();
        let twice = (1..labels.len()).find(|&place| labels[..place].contains(&labels[place]));
        let found = match twice {
            _ if labels.is_empty() => "has a `cell` without any name".to_owned(),
            Some(place) => format!("names the cell \"{}\" twice", labels[place]),
            None => return Ok(()),
        };
        ConfigError::refuse(
            &format!("[serve.thresholds.{name}] {found}"),
            "name a cell of the matrix in the rules, such as cell = \"A1\", or several: cell = [\"A1\", \"A2\"]",
        )
    }

    fn check_hysteresis(&self, name: &str) -> Result<(), ConfigError> {
        let Some(hysteresis) = self.hysteresis else {
            return Ok(());
        };
        let (found, hint) = if self.tier.is_some() {
            (
                "has `tier` and `hysteresis`",
                "give a likelihood instead of the tier, or remove `hysteresis`",
            )
        } else if self.cell.is_some() {
            (
                "has `cell` and `hysteresis`",
                "give points instead of the cell, or remove `hysteresis`",
            )
        } else if !(0.0..f64::INFINITY).contains(&hysteresis) {
            (
                "has a `hysteresis` that is no length",
                "write a number from 0, such as hysteresis = 3",
            )
        } else if self.likelihood.is_some_and(|from| from < hysteresis) {
            (
                "has a `hysteresis` of more than its `likelihood`, so that no lead would cross it again",
                "write a smaller number, such as hysteresis = 3",
            )
        } else {
            return Ok(());
        };
        ConfigError::refuse(&format!("[serve.thresholds.{name}] {found}"), hint)
    }
}
