//! "Did you mean": the word that is nearest to a misspelt one.

/// Advice naming the nearest word, if one is near enough to be meant.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> Option<String> {
    nearest(word, known).map(|nearest| format!("did you mean `{nearest}`?"))
}

/// The nearest word within a third of the length, at least one and at most three changes away.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    let lower = word.to_lowercase();
    let distances = known
        .iter()
        .map(|known| (distance(&lower, &known.to_lowercase()), *known));
    distances
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, known)| known)
}

/// Edit distance in which swapping two neighbours counts as one change.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[i - 1][j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_only_when_it_is_near() {
        let known = ["hosts", "http", "gateways", "VirtualService"];
        for (word, expected) in [
            ("hots", Some("hosts")),
            ("host", Some("hosts")),
            ("gatewyas", Some("gateways")),
            ("VirtualServce", Some("VirtualService")),
            ("virtualservice", Some("VirtualService")),
            ("mirror", None),
        ] {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
    }
}
