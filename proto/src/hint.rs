//! "Did you mean": the known name that a wrong one most likely stands for.

/// How near two names must be for the one to be taken as a slip of the other.
pub(crate) const SLIP_MAX: usize = 2;

/// The candidate nearest to `name`, if it is within `distance_max` edits (a swap of neighbours is
/// one edit; case, `_` and `-` don't count).
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    distance_max: usize,
) -> Option<&'a str> {
    let wanted = bare(name);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &bare(candidate)), candidate))
        // A short name is within two edits of nearly everything.
        .filter(|(distance, candidate)| *distance <= distance_max.min(candidate.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names are compared in this form; bounded, since `name` is whatever somebody sent.
fn bare(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).take(64).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["id", "deadline", "reply_to", "external_ref"];

    #[test]
    fn slips_find_their_name() {
        for (slip, name) in [
            ("dead_line", "deadline"),
            ("replyTo", "reply_to"),
            ("ExternalRef", "external_ref"),
            ("daedline", "deadline"),
        ] {
            assert_eq!(nearest(slip, NAMES, 1), Some(name), "{slip}");
        }
    }

    #[test]
    fn other_words_find_none() {
        for word in ["title", "ad", "i", "members", ""] {
            assert_eq!(nearest(word, NAMES, SLIP_MAX), None, "{word}");
        }
    }
}
