//! A sample of the answers, for a picture of the traffic: squares that are overwritten in turn.

use rand::Rng;
use serde::Serialize;

/// Squares in the picture.
pub(super) const COLUMNS: usize = 40;
pub(super) const ROWS: usize = 14;
const CELLS: usize = COLUMNS * ROWS;
/// Answers that are shown of each period; of more, each is as likely to be shown as any other.
const SHOWN: usize = 8;

/// An answer, or that there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Square {
    /// Index among the versions of the board; `None`: it names none, or did not come.
    pub version: Option<usize>,
    /// It did not come, or was one of 500 or above.
    pub failed: bool,
}

/// The latest squares, and those of the period that goes on.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Squares {
    /// Squares written so far; square `n` is in cell `n % 560`.
    written: usize,
    cells: Vec<Square>,
    #[serde(skip)]
    period: Vec<Square>,
    /// Answers of the period.
    #[serde(skip)]
    offered: usize,
}

impl Squares {
    /// An answer of the period: kept, or in the place of another, so that what is kept is a uniform sample (reservoir).
    pub(super) fn offer(&mut self, square: Square, random: &mut impl Rng) {
        self.offered += 1;
        if self.period.len() < SHOWN {
            self.period.push(square);
            return;
        }
        let place = random.random_range(..self.offered);
        if let Some(kept) = self.period.get_mut(place) {
            *kept = square;
        }
    }

    /// The period is over: its sample is written.
    pub(super) fn write(&mut self) {
        self.offered = 0;
        for square in self.period.drain(..) {
            let cell = self.written % CELLS;
            if cell < self.cells.len() {
                self.cells[cell] = square;
            } else {
                self.cells.push(square);
            }
            self.written += 1;
        }
    }

    /// The squares to be seen, each with its cell. Those that are overwritten next are left out, so that one sees where
    /// the picture is being written.
    pub(super) fn shown(&self) -> impl Iterator<Item = (usize, Square)> {
        let next = self.written % CELLS;
        let full = self.cells.len() == CELLS;
        let gap = move |cell: usize| full && (cell + CELLS - next) % CELLS < SHOWN;
        let cells = self.cells.iter().copied().enumerate();
        cells.filter(move |(cell, _)| !gap(*cell))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    fn square(version: usize) -> Square {
        Square {
            version: Some(version),
            failed: false,
        }
    }

    #[test]
    fn a_few_answers_are_all_shown_in_their_order() {
        let mut squares = Squares::default();
        for version in [0, 1, 0] {
            squares.offer(square(version), &mut SmallRng::seed_from_u64(1));
        }
        assert_eq!(squares.shown().count(), 0, "the period goes on");
        squares.write();
        let shown: Vec<_> = squares.shown().collect();
        assert_eq!(shown, [(0, square(0)), (1, square(1)), (2, square(0))]);
    }

    /// 2,000 periods of 100 answers, of which the last 10 are of v2: 16,000 squares, of which 1,600 are expected to be,
    /// with a standard deviation below 38 (draws without replacement); five of them are missed once in 1.7 million seeds.
    #[test]
    fn of_many_answers_each_is_as_likely_to_be_shown() {
        let mut random = SmallRng::seed_from_u64(7);
        let (mut squares, mut v2) = (Squares::default(), 0);
        for _ in 0..2_000 {
            for answer in 0..100 {
                squares.offer(square(usize::from(answer >= 90)), &mut random);
            }
            v2 += squares.period.iter().filter(|shown| **shown == square(1)).count();
            assert_eq!(squares.period.len(), SHOWN);
            squares.write();
        }
        assert!((1_600 - 190..=1_600 + 190).contains(&v2), "{v2}");
        assert_eq!(squares.written, 16_000);
    }

    #[test]
    fn a_full_picture_shows_where_it_is_written_next() {
        let mut squares = Squares::default();
        let mut random = SmallRng::seed_from_u64(1);
        for _ in 0..CELLS + 3 {
            squares.offer(square(0), &mut random);
            squares.write();
        }
        let missing: Vec<usize> = (0..CELLS)
            .filter(|cell| squares.shown().all(|(shown, _)| shown != *cell))
            .collect();
        assert_eq!(missing, (3..3 + SHOWN).collect::<Vec<_>>());
    }
}
