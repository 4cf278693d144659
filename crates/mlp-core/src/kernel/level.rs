//! The levels of vector instructions, which of them a processor has, and the name of what is computed without them.

use std::fmt;
use std::str::FromStr;

use crate::unknown_name::{UnknownName, choose};

/// The instruction set that the fast path uses, or that it is not used.
///
/// Results are the same bits for any number of threads on one level. Between levels they may differ in the last digits:
/// `avx512` and `avx2` round `a · b + c` once, `portable` twice. Records name the level, so that results of two are never
/// taken for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// x86-64 with AVX-512 (F, DQ, BW, VL), FMA and POPCNT.
    Avx512,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// Any processor; the same bits on all of them.
    Portable,
    /// Training by [`backpropagate`](crate::backpropagate), the version to read, and to change: slow, on one thread, and
    /// rounded as `ndarray`'s product does on this processor. A training loop has to ask for it; a
    /// [`Workspace`](crate::Workspace) takes it as `Portable`.
    Reference,
}

impl Kernel {
    /// Every level of the fast path, the fastest first; [`Kernel::Reference`] is none.
    pub const ALL: [Kernel; 3] = [Kernel::Avx512, Kernel::Avx2, Kernel::Portable];

    /// The fastest level of this processor.
    pub fn detect() -> Kernel {
        Kernel::ALL.into_iter().find(|kernel| kernel.is_supported()).unwrap_or(Kernel::Portable)
    }

    /// Whether this processor has the instructions.
    pub fn is_supported(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("popcnt")
                    && Kernel::Avx2.is_supported()
            }
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx512 | Kernel::Avx2 => false,
            Kernel::Portable | Kernel::Reference => true,
        }
    }

    /// The name in configurations and records.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Avx512 => "avx512",
            Kernel::Avx2 => "avx2",
            Kernel::Portable => "portable",
            Kernel::Reference => "reference",
        }
    }

    /// The level of that name; [`str::parse`] also says what would have been understood.
    pub fn from_name(name: &str) -> Option<Kernel> {
        name.parse().ok()
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kernel {
    type Err = UnknownName;

    /// The inverse of [`Kernel::name`], whether or not this processor has the level's instructions.
    fn from_str(name: &str) -> Result<Kernel, UnknownName> {
        let known = [Kernel::Avx512, Kernel::Avx2, Kernel::Portable, Kernel::Reference];
        choose("a kernel", &known, Kernel::name, name)
    }
}
