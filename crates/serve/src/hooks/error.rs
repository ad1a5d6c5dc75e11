//! Why thresholds and webhooks of a config cannot be used.

/// Why thresholds and webhooks of a config cannot be used. No variant has a secret, or an address
/// beyond its host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The variable with the secret is not there.
    #[error(
        "the environment has no `{variable}`, which [serve.thresholds.{threshold}] names\n  hint: set it to a secret, such as the output of `openssl rand -base64 32`"
    )]
    NoSecret {
        /// The threshold.
        threshold: String,
        /// The variable.
        variable: String,
    },
    /// The secret is none that others can check a signature with.
    #[error(
        "`{variable}` of the environment, which [serve.thresholds.{threshold}] names, {problem}\n  hint: set it to 24 to 64 random bytes in base64, such as the output of `openssl rand -base64 32`; `whsec_` may come first, and a space separates several secrets"
    )]
    BadSecret {
        /// The threshold.
        threshold: String,
        /// The variable.
        variable: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The address is none that is called.
    #[error("`webhook` of [serve.thresholds.{threshold}] {problem}\n  hint: {hint}")]
    BadAddress {
        /// The threshold.
        threshold: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
}
