//! The key of a run: a hash of everything that its result depends on.

use sha2::{Digest as _, Sha256};

use leadscore_core::hex;

/// SHA-256 of parts, each with its length, so that no two lists of parts are taken for one another;
/// the first half, in hexadecimal digits.
pub(super) fn key(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize()[..16])
}

/// SHA-256 of a file, in hexadecimal digits; `None` where it cannot be read.
pub(super) fn hash_of_file(path: &std::path::Path) -> Option<String> {
    let mut file = std::fs::File::open(path).ok()?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut file, &mut buffer).ok()? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Some(hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_parts_have_another_key() {
        let keys = [
            key(&["a", "bc"]),
            key(&["ab", "c"]),
            key(&["abc"]),
            key(&["abc", ""]),
        ];
        for (place, one) in keys.iter().enumerate() {
            assert_eq!(one.len(), 32);
            assert!(keys[..place].iter().all(|other| other != one));
        }
    }
}
