//! The sigmoid in `f32`, everywhere.

use mlp_core::Activation;

/// Floats in ascending order, one for each count below 2³² − 2 · 2²³ or so; NaNs are left out.
fn float_at(position: i64) -> f32 {
    let bits = if position >= 0 { position as u32 } else { 0x8000_0000 | (-1 - position) as u32 };
    f32::from_bits(bits)
}

/// Checks a stretch of floats: inside [0, 1], not decreasing, no subnormal results.
fn check(from: i64, to: i64) {
    let mut last = 0.0_f32;
    let mut chunk = vec![0.0_f32; 4096];
    let mut position = from;
    while position <= to {
        let n = chunk.len().min((to - position + 1) as usize);
        for (offset, value) in chunk[..n].iter_mut().enumerate() {
            *value = float_at(position + offset as i64);
        }
        Activation::Sigmoid.apply(&mut chunk[..n]);
        for (offset, &value) in chunk[..n].iter().enumerate() {
            assert!(
                (last..=1.0).contains(&value),
                "at {:e}: {value:e} after {last:e}",
                float_at(position + offset as i64)
            );
            assert!(!value.is_subnormal());
            last = value;
        }
        position += n as i64;
    }
}

const LARGEST: i64 = 0x7f80_0000; // infinity

#[test]
fn the_sigmoid_never_decreases_nor_leaves_its_range_over_the_floats_that_matter_most() {
    // From −1e-3 to −104 and the same above zero lie all results that are neither 0, nor 1, nor within rounding of ½;
    // every 61st stretch of 4096 floats is walked.
    let (small, large) = (i64::from(1e-3_f32.to_bits()), i64::from(104.0_f32.to_bits()));
    for start in (small..large).step_by(4096 * 61) {
        check(start, start + 4095);
        check(-1 - start - 4095, -1 - start);
    }
    for edge in [0, LARGEST - 4096] {
        check(edge, edge + 4096);
        check(-1 - edge - 4096, -1 - edge);
    }
}

/// All 2³² floats, about a minute: `cargo test --release -p mlp-core -- --ignored every_float`.
#[test]
#[ignore = "a minute on one core; part of the long checks"]
fn the_sigmoid_never_decreases_nor_leaves_its_range_over_every_float() {
    check(-1 - LARGEST, LARGEST);
}

#[test]
fn the_sigmoid_is_within_half_a_unit_in_the_last_place_and_a_little() {
    let mut worst = 0.0_f64;
    for position in (-i64::from(87.0_f32.to_bits())..i64::from(87.0_f32.to_bits())).step_by(9_973) {
        let x = float_at(position);
        let mut found = [x];
        Activation::Sigmoid.apply(&mut found);
        let exact = 1.0 / (1.0 + libm::exp(-f64::from(x)));
        let unit = f64::from(f32::from_bits(found[0].to_bits() + 1)) - f64::from(found[0]);
        worst = worst.max((f64::from(found[0]) - exact).abs() / unit);
    }
    assert!(worst <= 0.501, "{worst}");
}

#[test]
fn only_nan_gives_nan() {
    for bits in (0x7f80_0001..=0x7fff_ffff_u32).step_by(99_991) {
        for value in [f32::from_bits(bits), f32::from_bits(bits | 0x8000_0000)] {
            let mut z = [value];
            Activation::Sigmoid.apply(&mut z);
            assert!(z[0].is_nan());
        }
    }
}
