//! How much memory may be asked for, so that a network that cannot fit is refused and not started.

use std::fs;

/// Bytes that this process can still get, or `None` where the system does not say.
///
/// The lesser of the memory that is free on the machine and what a limit (`ulimit -v`) leaves.
pub(crate) fn available() -> Option<u64> {
    let free = kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")? * 1024;
    Some(left_by_limit().map_or(free, |left| left.min(free)))
}

/// The rest of the limit on address space, if there is one.
fn left_by_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max address space"))?;
    let limit: u64 = line.split_whitespace().nth(3)?.parse().ok()?;
    let used = kilobytes(&fs::read_to_string("/proc/self/status").ok()?, "VmSize:")? * 1024;
    Some(limit.saturating_sub(used))
}

/// The number in a line such as `MemAvailable:   123 kB`.
fn kilobytes(text: &str, label: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(label))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_system_is_read_and_a_missing_one_is_none() {
        let text = "MemTotal:  100 kB\nMemAvailable:     42 kB\n";
        assert_eq!(kilobytes(text, "MemAvailable:"), Some(42));
        assert_eq!(kilobytes(text, "VmSize:"), None);
    }
}
