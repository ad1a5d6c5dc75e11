//! The ID of a session: 32 random bytes that only the browser has.

use leadscore_core::hex;
use sha2::{Digest, Sha256};

const BYTES: usize = 32;

/// The ID of a session. It is a secret: it has no `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionId([u8; BYTES]);

impl SessionId {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The ID as a cookie has it; `None` where it can be none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 2 * BYTES {
            return None;
        }
        let mut bytes = [0; BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// As the cookie has it: for the header that sets it, and for nothing else.
    pub fn expose(&self) -> String {
        hex(&self.0)
    }

    /// What every form of the session repeats, so that no other site can send one: it follows from
    /// the ID, and the ID does not follow from it.
    pub fn form_token(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"leadscore form\0");
        hash.update(self.0);
        hex(&hash.finalize())
    }

    /// Whether a form has the token of this session; takes as long whatever differs.
    pub fn is_form_token(&self, given: &str) -> bool {
        let own = self.form_token();
        own.len() == given.len()
            && own
                .bytes()
                .zip(given.bytes())
                .fold(0, |differs, (a, b)| differs | (a ^ b))
                == 0
    }

    /// What the state file has of it.
    pub(super) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }
}

impl std::fmt::Debug for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionId(hidden)")
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}
