//! How the work of a step is shared out among the threads, and when it is not worth sharing out.

use crate::kernel::workers::{Shares, Workers};
use crate::workspace::layout::LayerShape;

/// The work for one output, in multiply-adds: exponentials and logarithms in double precision.
pub(super) const COST_OF_OUTPUT: usize = 200;

/// Multiply-adds that are done sooner by one thread than shared out: a microsecond or two.
pub(super) const SMALL: usize = 50_000;

/// Multiply-adds that are done so soon that the threads need not help each other out: ten microseconds or so.
pub(super) const LARGE: usize = 1_000_000;

/// The rows for each thread that are worth reading weights that another thread writes.
pub(super) const ROWS_WORTH_READING: usize = 16;

/// What a layer's product costs, in multiply-adds: reading a weight costs as much as some rows.
pub(super) fn cost(shape: &LayerShape, n_samples: usize) -> usize {
    const ROWS_PER_READING: usize = 3;
    (n_samples + ROWS_PER_READING) * shape.n_inputs * shape.n_outputs
}

/// The cost of a layer's product, or 0 where it had better not be shared out: where there are fewer tiles than
/// threads, and few rows, the weights would travel between the cores in every step.
pub(super) fn work_to_share(shape: &LayerShape, n_samples: usize, n_tiles: usize, workers: &Workers) -> usize {
    let n_threads = workers.n_threads();
    let is_worth_it = n_tiles >= n_threads || n_samples >= n_threads * ROWS_WORTH_READING;
    if is_worth_it { cost(shape, n_samples) } else { 0 }
}

/// Who updates which tile: of a layer with as many as there are threads or more, each thread those that it goes forward
/// through; tiles of the others fall to who has least to do.
pub(super) fn tiles_of_threads(layers: &[LayerShape], n_threads: usize) -> Shares {
    let mut members = vec![Vec::new(); n_threads];
    let mut costs = vec![0; n_threads];
    for shape in layers {
        for (number, tile) in shape.tiles().enumerate() {
            let member = if shape.n_tiles < n_threads {
                (0..n_threads).min_by_key(|&member| costs[member]).unwrap_or(0)
            } else {
                // Of the stretches that begin at n_tiles · member / n_threads.
                ((number + 1) * n_threads - 1) / shape.n_tiles
            };
            members[member].push(tile);
            costs[member] += shape.n_inputs * shape.n_outputs / shape.n_tiles;
        }
    }
    Shares::new(&members)
}

/// Calls `work` for each item: shared out among the workers where there are enough multiply-adds to do.
pub(super) fn each<T: Send>(workers: &Workers, multiply_adds: usize, items: &mut [T], work: impl Fn(&mut T) + Sync) {
    each_with_index(workers, multiply_adds, items, |_, item| work(item));
}

pub(super) fn each_with_index<T: Send>(
    workers: &Workers,
    multiply_adds: usize,
    items: &mut [T],
    work: impl Fn(usize, &mut T) + Sync,
) {
    match multiply_adds {
        ..SMALL => items.iter_mut().enumerate().for_each(|(index, item)| work(index, item)),
        SMALL.. => workers.for_each_in_stretches(multiply_adds >= LARGE, items, work),
    }
}
