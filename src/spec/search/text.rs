//! A text cut into runs of one script, and English words without their endings.

/// Whether `c` is a Chinese character.
pub(super) fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}')
}

/// The English words and the Chinese runs of `text`, each with whether it is Chinese.
pub(super) fn runs(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let words = text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '+' | '#'));
    words.flat_map(|word| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let chinese = is_chinese(rest.chars().next()?);
            let end = rest.find(|c| is_chinese(c) != chinese).unwrap_or(rest.len());
            let (run, after) = rest.split_at_checked(end)?;
            rest = after;
            Some((run, chinese))
        })
    })
}

/// The word without its English ending, so that `refunds`, `refunded` and `refunding` are one.
pub(super) fn stem(word: &str) -> String {
    if word.len() <= 3 || !word.is_ascii() {
        return word.to_owned();
    }
    let mut stem = match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None if word.ends_with("ss") => word.to_owned(),
        None => word.strip_suffix('s').unwrap_or(word).to_owned(),
    };
    for ending in ["ing", "ed", "ly"] {
        if let Some(short) = stem.strip_suffix(ending).filter(|short| 3 <= short.len()) {
            stem = short.to_owned();
            break;
        }
    }
    if 3 < stem.len() {
        stem = stem.strip_suffix('e').unwrap_or(&stem).to_owned();
    }
    let twice = stem.bytes().rev().nth(1).filter(|b| stem.bytes().last() == Some(*b));
    if twice.is_some() && 4 < stem.len() {
        stem.pop();
    }
    stem
}

/// A small count as a number to reckon with.
pub(super) fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for forms in [
            "refund refunds refunded refunding",
            "cancel cancels cancelled canceled cancelling",
            "expire expires expired expiring",
            "duplicate duplicates duplicated",
            "currency currencies",
            "code codes",
            "process processed processing",
        ] {
            let mut stems: Vec<String> = forms.split(' ').map(stem).collect();
            stems.dedup();
            assert_eq!(stems.len(), 1, "{stems:?}");
        }
    }

    #[test]
    fn scripts_are_told_apart_in_one_word() {
        let found: Vec<(&str, bool)> = runs("T0結算 out_trade_no重複").collect();
        assert_eq!(found, [("T0", false), ("結算", true), ("out_trade_no", false), ("重複", true)]);
    }
}
