//! One digest of several texts, the same only for the same texts.
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// SHA-256 in hexadecimal over the parts, each with its length in bytes before it, so that no two
/// lists of parts read alike; a part that is not there differs from an empty one.
pub fn digest<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let mut text = String::new();
    for part in parts {
        // Writing to a String cannot fail.
        let _ = match part {
            Some(part) => write!(text, "{}:{part}", part.len()),
            None => text.write_char('-'),
        };
    }
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_only_read_alike_have_digests_of_their_own() {
        let lists: &[&[Option<&str>]] = &[
            &[Some("a"), Some("b")],
            &[Some("ab")],
            &[Some("a1:b")],
            &[Some("a"), Some("b"), None],
            &[Some("a"), Some("b"), Some("")],
            &[None, Some("a"), Some("b")],
            &[],
        ];
        let mut digests: Vec<String> = lists.iter().map(|it| digest(it.iter().copied())).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), lists.len());
    }
}
