use protocol::Key;

use super::*;

fn keys(names: &str) -> Vec<LineKey> {
    let names = names.split_whitespace();
    names
        .map(|name| LineKey::Row(Key::new("shop", name)))
        .collect()
}

fn held(names: &str) -> Vec<Option<LineKey>> {
    keys(names).into_iter().map(Some).collect()
}

#[test]
fn a_scroll_takes_the_elements_that_left_and_no_other() {
    let order = [0, 1, 2, 3, 4];
    let places = arrange(&order, &held("a b c d e"), &keys("c d e f g"));
    assert_eq!(places, [2, 3, 4, 0, 1]);
    assert_eq!(staying(&order, &places), [true, true, true, false, false]);
    let back = arrange(&places, &held("f g c d e"), &keys("a b c d e"));
    assert_eq!(back, [0, 1, 2, 3, 4]);
    assert_eq!(staying(&places, &back), [false, false, true, true, true]);
}

#[test]
fn a_row_that_comes_between_takes_one_element() {
    let order = [0, 1, 2, 3];
    let places = arrange(&order, &held("a c d e"), &keys("a b c d"));
    assert_eq!(places, [0, 3, 1, 2]);
    assert_eq!(staying(&order, &places), [true, false, true, true]);
}

#[test]
fn elements_without_a_line_come_last() {
    let mut some = held("a b c");
    some.push(None);
    assert_eq!(arrange(&[3, 2, 1, 0], &some, &keys("b z")), [1, 3, 2, 0]);
    assert_eq!(arrange(&[3, 2, 1, 0], &some, &[]), [3, 2, 1, 0]);
}

#[test]
fn as_few_move_as_possible_whatever_the_order() {
    let mut random = random_numbers(7);
    for _ in 0..500 {
        let from = shuffled(&mut random);
        let to = shuffled(&mut random);
        let stays = staying(&from, &to);
        let position = |place: &usize| from.iter().position(|other| other == place);
        let kept: Vec<_> = to.iter().zip(&stays).filter(|(_, stays)| **stays).collect();
        let kept: Vec<_> = kept.iter().map(|(place, _)| position(place)).collect();
        assert!(kept.is_sorted(), "{from:?} {to:?} {stays:?}");
        // Every choice of places, to find the longest ascent without any cleverness.
        let longest = (0_u32..1 << to.len())
            .filter(|chosen| {
                let some = to.iter().enumerate();
                some.filter(|(index, _)| chosen & (1 << index) != 0)
                    .map(|(_, place)| position(place))
                    .is_sorted()
            })
            .map(u32::count_ones)
            .max();
        assert_eq!(longest, Some(kept.len() as u32), "{from:?} {to:?}");
    }
}

/// Numbers below a bound, from a seed (a linear congruential generator).
fn random_numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    }
}

fn shuffled(random: &mut impl FnMut(usize) -> usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..8).collect();
    for index in (1..places.len()).rev() {
        places.swap(index, random(index + 1));
    }
    places
}
