//! A sum of one effect for each setting, fitted to the configurations by least squares, and what the data determine of it.

use mlp_results::interval::mean;

/// What counts as zero where whole numbers of configurations are eliminated.
const TOLERANCE: f64 = 1e-8;

/// A configuration: its level of each analysed key, and its scored trials as block of seeds and score.
pub(super) struct Unit {
    pub(super) levels: Vec<usize>,
    pub(super) runs: Vec<(usize, f64)>,
}

impl Unit {
    /// The mean of its scores, without those of the block `left_out`; nothing where that leaves none.
    pub(super) fn mean(&self, left_out: Option<usize>) -> Option<f64> {
        let kept = self.runs.iter().filter(|(block, _)| Some(*block) != left_out);
        mean(&kept.map(|&(_, score)| score).collect::<Vec<_>>())
    }
}

/// A sum of one effect per key, fitted to the means of configurations by least squares.
pub(super) struct Fit {
    /// Where each key's unknowns begin; the constant is unknown 0.
    offsets: Vec<usize>,
    sizes: Vec<usize>,
    /// One solution: unknowns that the data do not determine are 0.
    solution: Vec<f64>,
    /// What may be added to the solution without changing any fitted value.
    free: Vec<Vec<f64>>,
    /// In how many configurations an unknown occurs.
    counts: Vec<f64>,
}

impl Fit {
    /// Fits the units, without the trials of the block `left_out`.
    pub(super) fn new(units: &[Unit], sizes: &[usize], left_out: Option<usize>) -> Fit {
        let mut offsets = Vec::new();
        let mut n_unknowns = 1;
        for size in sizes {
            offsets.push(n_unknowns);
            n_unknowns += size;
        }
        let mut system = vec![vec![0.0; n_unknowns + 1]; n_unknowns];
        for unit in units {
            let Some(score) = unit.mean(left_out) else { continue };
            let unknowns: Vec<usize> = std::iter::once(0)
                .chain(unit.levels.iter().zip(&offsets).map(|(level, offset)| offset + level))
                .collect();
            for &row in &unknowns {
                for &column in &unknowns {
                    system[row][column] += 1.0;
                }
                system[row][n_unknowns] += score;
            }
        }
        let counts = (0..n_unknowns).map(|unknown| system[unknown][unknown]).collect();
        let (solution, free) = solve(system);
        Fit { offsets, sizes: sizes.to_vec(), solution, free, counts }
    }

    /// The sum for a level, averaged over the levels of all other keys that occur in the fit of `all` trials; nothing
    /// where these data do not determine it.
    pub(super) fn adjusted_mean(&self, all: &Fit, key: usize, level: usize) -> Option<f64> {
        let occurs = |fit: &Fit, unknown: usize| fit.counts[unknown] > 0.0;
        let mut weights = vec![0.0; self.solution.len()];
        weights[0] = 1.0;
        for (other, (&offset, &size)) in self.offsets.iter().zip(&self.sizes).enumerate() {
            if other == key {
                weights[offset + level] = 1.0;
                continue;
            }
            let occurring: Vec<usize> = (offset..offset + size).filter(|&unknown| occurs(all, unknown)).collect();
            occurring.iter().for_each(|&unknown| weights[unknown] = 1.0 / occurring.len() as f64);
        }
        let product = |vector: &[f64]| weights.iter().zip(vector).map(|(a, b)| a * b).sum::<f64>();
        let is_determined = self.free.iter().all(|direction| product(direction).abs() < 1e-6);
        is_determined.then(|| product(&self.solution))
    }

    pub(super) fn explained(&self, units: &[Unit]) -> Option<f64> {
        let rank = self.solution.len() - self.free.len();
        let means: Vec<f64> = units.iter().filter_map(|unit| unit.mean(None)).collect();
        let center = mean(&means).filter(|_| means.len() >= 2 * rank)?;
        let (mut left, mut total) = (0.0, 0.0);
        for (unit, mean) in units.iter().zip(&means) {
            let effects = unit.levels.iter().zip(&self.offsets).map(|(level, offset)| self.solution[offset + level]);
            left += (mean - self.solution[0] - effects.sum::<f64>()).powi(2);
            total += (mean - center).powi(2);
        }
        (total > 0.0).then(|| (1.0 - left / total).clamp(0.0, 1.0))
    }
}

/// Solves the symmetric positive semidefinite system (its last column is the right side) by elimination with the largest
/// diagonal element first. Returns one solution and a basis of what may be added to it.
fn solve(mut system: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n_unknowns = system.len();
    let largest = (0..n_unknowns).map(|index| system[index][index]).fold(0.0, f64::max);
    let mut is_pivot = vec![false; n_unknowns];
    loop {
        let rest = (0..n_unknowns).filter(|&index| !is_pivot[index]);
        let Some(pivot) = rest.max_by(|&a, &b| system[a][a].total_cmp(&system[b][b]).then(b.cmp(&a))) else { break };
        if system[pivot][pivot] <= TOLERANCE * largest {
            break;
        }
        is_pivot[pivot] = true;
        let divisor = system[pivot][pivot];
        let row: Vec<f64> = system[pivot].iter().map(|value| value / divisor).collect();
        for (index, other) in system.iter_mut().enumerate() {
            let factor = other[pivot];
            if index != pivot && factor != 0.0 {
                for (value, subtracted) in other.iter_mut().zip(&row) {
                    *value -= factor * subtracted;
                }
            }
        }
        system[pivot] = row;
    }
    let solution = (0..n_unknowns).map(|i| if is_pivot[i] { system[i][n_unknowns] } else { 0.0 }).collect();
    let direction = |free: usize| {
        let of = |index: usize| if is_pivot[index] { -system[index][free] } else { f64::from(u8::from(index == free)) };
        (0..n_unknowns).map(of).collect()
    };
    let free = (0..n_unknowns).filter(|&index| !is_pivot[index]).map(direction).collect();
    (solution, free)
}
