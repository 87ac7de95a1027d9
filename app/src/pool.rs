//! Which element of the pool shows which line: pure, so that every move can be tried.

use std::collections::{HashMap, HashSet};

use protocol::view::LineKey;

/// Gives each line an element, by place: the one that holds it already, else the first that is
/// free. The elements that no line needs come last. `order` is the order that the elements are in,
/// `held` what each holds.
#[must_use]
pub fn arrange(order: &[usize], held: &[Option<LineKey>], lines: &[LineKey]) -> Vec<usize> {
    let mut held: HashMap<&LineKey, usize> = held
        .iter()
        .enumerate()
        .filter_map(|(place, key)| Some((key.as_ref()?, place)))
        .collect();
    let kept: Vec<Option<usize>> = lines.iter().map(|key| held.remove(key)).collect();
    let taken: HashSet<usize> = kept.iter().copied().flatten().collect();
    let mut free = order.iter().copied().filter(|place| !taken.contains(place));
    let mut places: Vec<usize> = kept
        .iter()
        .map_while(|place| place.or_else(|| free.next()))
        .collect();
    places.extend(free);
    places
}

/// Which of `to` can stay where they are in `from` so that only the others have to move: a longest
/// ascent of their positions (patience sorting). Both have the same places.
#[must_use]
pub fn staying(from: &[usize], to: &[usize]) -> Vec<bool> {
    let mut position = vec![0; from.len()];
    for (at, place) in from.iter().enumerate() {
        position[*place] = at;
    }
    // The least last index of an ascent of each length, and what comes before each index.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![None; to.len()];
    for (index, place) in to.iter().enumerate() {
        let length = ends.partition_point(|&end| position[to[end]] < position[*place]);
        before[index] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut stays = vec![false; to.len()];
    let mut last = ends.last().copied();
    while let Some(index) = last {
        stays[index] = true;
        last = before[index];
    }
    stays
}

#[cfg(test)]
mod tests;
