//! Characters of a row: which parts belong to one.

use super::parts::{Bounds, Part};

/// Parts of which the narrower has this share of its columns in common with the other are one character.
const COMMON_SHARE: f32 = 0.4;

/// A gap of less than this share of the tallest character does not separate a small part from its neighbour.
const GAP_SHARE: f32 = 0.12;

/// What is lower than this share of the tallest is no character of its own.
const HEIGHT_SHARE: f32 = 0.45;

/// What has less ink than this share of the blackest character is no character; a thin "1" beside a fat "8" has a quarter.
const AREA_SHARE: f32 = 0.12;

/// Parts of one character.
#[derive(Clone, Debug)]
pub(super) struct Character {
    pub(super) parts: Vec<Part>,
    pub(super) bounds: Bounds,
}

impl Character {
    fn area(&self) -> usize {
        self.parts.iter().map(Part::area).sum()
    }
}

/// Puts parts together to characters, from left to right. Returns how many small things stood apart and were left out.
pub(super) fn characters(parts: Vec<Part>, is_single: bool) -> (Vec<Character>, usize) {
    let mut characters: Vec<Character> =
        parts.into_iter().map(|part| Character { bounds: part.bounds, parts: vec![part] }).collect();
    if is_single {
        return (merge_all(characters), 0);
    }
    let tallest = characters.iter().map(|one| one.bounds.height()).max().unwrap_or(0);
    merge_while(&mut characters, |one, other| {
        let narrower = one.width().min(other.width());
        one.common_columns(other) as f32 >= COMMON_SHARE * narrower as f32
    });
    let tallest = characters.iter().map(|one| one.bounds.height()).max().unwrap_or(tallest);
    merge_while(&mut characters, |one, other| {
        let is_low = |bounds: &Bounds| (bounds.height() as f32) < HEIGHT_SHARE * tallest as f32;
        (is_low(one) || is_low(other)) && one.columns_between(other) as f32 <= GAP_SHARE * tallest as f32
    });
    characters.sort_by_key(|one| one.bounds.left);
    let n_before = characters.len();
    let largest = characters.iter().max_by_key(|one| one.area()).map(|one| (one.area(), one.bounds));
    if let Some((area, bounds)) = largest {
        characters.retain(|one| {
            one.bounds.height() as f32 >= HEIGHT_SHARE * tallest as f32
                && one.area() as f32 >= AREA_SHARE * area as f32
                && 2 * one.bounds.common_rows(&bounds) >= one.bounds.height().min(bounds.height())
        });
    }
    let n_left_out = n_before - characters.len();
    (characters, n_left_out)
}

/// Whether some character has parts one below the other that are high enough for two lines of writing.
pub(super) fn has_two_lines(characters: &[Character]) -> bool {
    let has_two = |one: &Character| {
        one.parts.iter().any(|part| {
            one.parts.iter().any(|below| {
                let gap = below.bounds.top.saturating_sub(part.bounds.bottom);
                let (height, other) = (part.bounds.height(), below.bounds.height());
                below.bounds.top > part.bounds.bottom
                    && 5 * height.min(other) > 3 * height.max(other)
                    && 3 * gap > height.min(other)
                    // Lines may stand up to three times their height apart.
                    && 5 * height.min(other) > one.bounds.height()
            })
        })
    };
    characters.iter().filter(|one| has_two(one)).count() * 2 > characters.len()
}

fn merge_all(characters: Vec<Character>) -> Vec<Character> {
    characters.into_iter().reduce(join).into_iter().collect()
}

fn join(mut one: Character, other: Character) -> Character {
    one.bounds = one.bounds.union(other.bounds);
    one.parts.extend(other.parts);
    one
}

/// Joins pairs until no pair is left that belongs together.
fn merge_while(characters: &mut Vec<Character>, belong: impl Fn(&Bounds, &Bounds) -> bool) {
    let mut first = 0;
    while first < characters.len() {
        let found =
            (first + 1..characters.len()).find(|&second| belong(&characters[first].bounds, &characters[second].bounds));
        match found {
            Some(second) => {
                let other = characters.swap_remove(second);
                let one = characters.swap_remove(first);
                characters.push(join(one, other));
                first = 0;
            }
            None => first += 1,
        }
    }
}
