//! Words compared by spelling. Knows no table.

/// How many single letters must be added, dropped, changed or swapped with their neighbour to
/// make `a` of `b`.
pub(in crate::spec) fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut left_of = None;
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&row, j) + usize::from(from != *to);
            let mut cost = changed.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if left_of == Some(from) && previous == Some(*to) && 0 < j {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            next.push(cost);
            left_of = Some(*to);
        }
        previous = Some(from);
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

/// Whether `a` is `b` misspelt: one slip from four letters on, two from eight on.
pub(in crate::spec) fn is_near(a: &str, b: &str) -> bool {
    let slips = match a.len().min(b.len()) {
        0..=3 => return false,
        4..=7 => 1,
        _ => 2,
    };
    a.len().abs_diff(b.len()) <= slips && edit_distance(a, b) <= slips
}

/// Which letters are in `text`, one bit each of `a` to `z`; other characters share these bits and
/// the rest. Texts that differ in many bits are not near, and one that lacks a bit of another does
/// not hold it: both are told faster so than by comparing.
pub(in crate::spec) fn letters(text: &str) -> u64 {
    text.bytes().fold(0, |all, b| all | 1 << (b % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_single_slips() {
        for (a, b, slips) in [
            ("", "", 0),
            ("", "abc", 3),
            ("refund", "refund", 0),
            ("refnud", "refund", 1),
            ("refun", "refund", 1),
            ("kitten", "sitting", 3),
            ("800202", "800201", 1),
            ("金額", "金额", 1),
        ] {
            assert_eq!(edit_distance(a, b), slips, "{a} {b}");
            assert_eq!(edit_distance(b, a), slips, "{b} {a}");
        }
    }

    #[test]
    fn short_words_must_be_spelt_right() {
        assert!(is_near("refnud", "refund"));
        assert!(is_near("signiture", "signature"));
        assert!(!is_near("fps", "fpx"));
        assert!(!is_near("store", "stone age"));
    }
}
