//! How long to wait and how often to try.

use std::time::Duration;

/// A longer pause than this is not waited for: the next mirror is asked.
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Without a deadline of the user's, a file has this long …
const DEADLINE_BASE: Duration = Duration::from_secs(300);

/// … and a second for each so many bytes: a line of 0.4 Mbit/s.
const DEADLINE_BYTES_PER_SECOND: u64 = 50_000;

/// How long to wait and how often to try.
///
/// ```
/// use std::time::Duration;
/// use mnist_fetch::RetryPolicy;
///
/// let hasty = RetryPolicy { n_attempts: 1, stall_timeout: Duration::from_secs(5), ..RetryPolicy::default() };
/// assert_eq!(hasty.deadline, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryPolicy {
    /// Longest time of one attempt without a single byte; 30 s by default.
    pub stall_timeout: Duration,
    /// Longest time for one file, over all sources and attempts. Without it, which is the default, it grows with the
    /// file: 300 s, and a second for each 50 kB.
    pub deadline: Option<Duration>,
    /// Attempts for each source, 1 or more; 4 by default.
    pub n_attempts: u32,
    /// Pause after the first failed attempt, 0.5 s by default; each later one is twice as long. A server may ask for a
    /// longer one, which is waited for up to 10 s.
    pub pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            stall_timeout: Duration::from_secs(30),
            deadline: None,
            n_attempts: 4,
            pause: Duration::from_millis(500),
        }
    }
}

impl RetryPolicy {
    /// The deadline of a file of so many bytes.
    pub(crate) fn deadline_for(&self, n_bytes: u64) -> Duration {
        self.deadline.unwrap_or(DEADLINE_BASE + Duration::from_secs(n_bytes / DEADLINE_BYTES_PER_SECOND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_grows_with_the_file_unless_the_user_sets_one() {
        let mut policy = RetryPolicy::default();
        assert_eq!(policy.deadline_for(4542), Duration::from_secs(300));
        assert_eq!(policy.deadline_for(561_753_746), Duration::from_secs(300 + 11_235));
        policy.deadline = Some(Duration::from_secs(1));
        assert_eq!(policy.deadline_for(561_753_746), Duration::from_secs(1));
    }
}
