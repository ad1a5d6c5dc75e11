//! A hash of texts that is the same on every machine and in every version: splits and the order of
//! rows rest on it.

/// A number for a text that depends on nothing else.
///
/// ```text
/// h = FNV-1a(bytes),  m = (h ⊕ h >> 31) · 0x9E3779B97F4A7C15,  result = m ⊕ m >> 29
/// ```
///
/// # References
///
/// FNV-1a as in the IETF draft of Fowler, Noll and Vo; the mixing lets every bit depend on every
/// byte.
pub fn stable_hash(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}
