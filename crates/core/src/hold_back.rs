//! The hold-back arm: a fixed share of the leads, chosen by a hash of the id, that is not
//! prioritized, so that the effect of prioritizing can be measured.

use sha2::{Digest, Sha256};

/// The rule by which leads, or accounts, are held back.
///
/// The arm depends on the id and the share alone: it is the same in every run, on every machine and
/// in every engine with SHA-256. Arms are nested: with a larger share, whoever was held back still
/// is.
///
/// ```text
/// h(id) = first 8 hexadecimal digits of SHA-256("leadscore-holdback:" ‖ id), in lower case
/// held back  ⇔  h(id) < t   as text,   t = ⌊share · 2³²⌋ in 8 hexadecimal digits
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldBack {
    /// Hashes below it are held back.
    threshold: u32,
}

impl HoldBack {
    /// What is hashed before the id, so that no other split by a hash of ids has the same arms.
    pub const PREFIX: &str = "leadscore-holdback:";

    /// The rule for a share, 0 to 1; `None` where nobody is held back: the share is 0, below it, or
    /// no number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares are above 0, and a cast of a float ends at the largest number"
    )]
    pub fn of_share(share: f64) -> Option<Self> {
        let threshold = (share * 4_294_967_296.0) as u32;
        (threshold > 0).then_some(Self { threshold })
    }

    /// Whether a lead, or an account, is held back.
    pub fn holds(self, id: &str) -> bool {
        let digest = Sha256::new()
            .chain_update(Self::PREFIX)
            .chain_update(id)
            .finalize();
        let first = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        first < self.threshold
    }

    /// Hashes whose first 8 hexadecimal digits are below this text are held back: for engines that
    /// compute the same.
    pub fn threshold(self) -> String {
        format!("{:08x}", self.threshold)
    }
}

/// Whether the lead, or the account, of this id belongs to a share that is held back; see
/// [`HoldBack`].
///
/// # Examples
///
/// ```
/// use leadscore_core::held_back;
/// assert!(held_back("L3", 0.5) && held_back("L5", 0.5));
/// assert!(!held_back("L1", 0.5) && !held_back("L3", 0.0));
/// ```
pub fn held_back(id: &str, share: f64) -> bool {
    HoldBack::of_share(share).is_some_and(|rule| rule.holds(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_stay_what_they_are() {
        // hashlib.sha256(("leadscore-holdback:" + id).encode()).hexdigest()[:8] in Python.
        for (id, first) in [
            ("", 0xc43b_5b42_u32),
            ("L17", 0xe7cc_7e10_u32),
            ("Größe", 0x38ed_3f27_u32),
        ] {
            let share = (f64::from(first) + 1.0) / 4_294_967_296.0;
            assert!(held_back(id, share), "{id}");
            assert!(!held_back(id, f64::from(first) / 4_294_967_296.0), "{id}");
        }
    }

    #[test]
    fn thresholds_are_texts_of_one_length() {
        let threshold = |share| HoldBack::of_share(share).map(HoldBack::threshold);
        assert_eq!(threshold(0.05).as_deref(), Some("0ccccccc"));
        assert_eq!(threshold(0.5).as_deref(), Some("80000000"));
        assert_eq!(threshold(1.0).as_deref(), Some("ffffffff"));
        assert_eq!(threshold(0.0), None);
        assert_eq!(threshold(-0.1), None);
        assert_eq!(threshold(f64::NAN), None);
    }

    #[test]
    fn shares_are_kept_and_arms_are_nested() {
        for (kind, ids) in [
            (
                "counted",
                (0..40_000).map(|n| n.to_string()).collect::<Vec<_>>(),
            ),
            (
                "named",
                (0..40_000)
                    .map(|n| format!("00Q5g00000{n:06}AAA"))
                    .collect(),
            ),
        ] {
            let mut before = vec![false; ids.len()];
            for share in [0.01, 0.05, 0.1, 0.5] {
                let now: Vec<bool> = ids.iter().map(|id| held_back(id, share)).collect();
                let n = now.iter().filter(|held| **held).count() as f64;
                let expected = share * ids.len() as f64;
                let deviation = (expected * (1.0 - share)).sqrt();
                assert!(
                    (n - expected).abs() < 4.0 * deviation,
                    "{kind} {share}: {n}"
                );
                assert!(
                    before.iter().zip(&now).all(|(was, is)| !was || *is),
                    "{kind} {share}"
                );
                before = now;
            }
        }
    }
}
