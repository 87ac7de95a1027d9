//! Two texts beside each other.

/// Where a line of two texts is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In both.
    Both,
    /// In the first alone.
    First,
    /// In the second alone.
    Second,
}

/// Where the lines of two texts, multiplied, are more than this, they are not compared one by one.
const LARGEST_COMPARISON: usize = 4_000_000;

/// The lines of two texts, with as many in both as can be.
#[must_use]
pub fn compared<'t>(first: &[&'t str], second: &[&'t str]) -> Vec<(Side, &'t str)> {
    let equal = |(a, b): &(&&str, &&str)| a == b;
    let head = first.iter().zip(second).take_while(equal).count();
    let (a, b) = (&first[head..], &second[head..]);
    let tail = (a.iter().rev().zip(b.iter().rev()))
        .take_while(equal)
        .count();
    let (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    let mut lines: Vec<_> = first[..head]
        .iter()
        .map(|line| (Side::Both, *line))
        .collect();
    // The most lines that what is left of both has in common, from each place on.
    let width = b.len() + 1;
    let is_small = a.len().saturating_mul(b.len()) <= LARGEST_COMPARISON;
    let mut common = vec![0_u16; if is_small { (a.len() + 1) * width } else { 0 }];
    if is_small {
        for (i, line) in a.iter().enumerate().rev() {
            for (j, other) in b.iter().enumerate().rev() {
                common[i * width + j] = if line == other {
                    common[(i + 1) * width + j + 1] + 1
                } else {
                    common[(i + 1) * width + j].max(common[i * width + j + 1])
                };
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if is_small && i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push((Side::Both, a[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < a.len()
            && (!is_small
                || j == b.len()
                || common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            lines.push((Side::First, a[i]));
            i += 1;
        } else {
            lines.push((Side::Second, b[j]));
            j += 1;
        }
    }
    lines.extend(
        first[first.len() - tail..]
            .iter()
            .map(|line| (Side::Both, *line)),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_are_compared_line_by_line() {
        let words = |first: &str, second: &str| {
            let (first, second): (Vec<_>, Vec<_>) =
                (first.split(' ').collect(), second.split(' ').collect());
            let lines = compared(&first, &second).into_iter();
            let lines = lines.map(|(side, line)| match side {
                Side::Both => line.to_owned(),
                Side::First => format!("-{line}"),
                Side::Second => format!("+{line}"),
            });
            lines.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words("a b c d", "a x c d"), "a -b +x c d");
        assert_eq!(words("a b c", "b c d"), "-a b c +d");
        assert_eq!(words("a b", "a b"), "a b");
        assert_eq!(words("a a", "a"), "a -a");
    }
}
