//! How much memory may be asked for, so that a network that cannot fit is refused and not started, and networks that
//! cannot fit together wait for one another.

use std::fs;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that this process can still get, or `None` where the system does not say.
///
/// The least of the memory that is free on the machine and what the limits (`ulimit -v`, control groups) leave.
pub fn available() -> Option<u64> {
    let free = number_after(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")?.saturating_mul(1024);
    Some([left_by_limit(), left_by_groups()].into_iter().flatten().fold(free, u64::min))
}

/// The memory that the trials of a sweep share.
///
/// What is free is asked once: while trials run, what one of them has not yet touched still looks free to the others.
pub(crate) struct Budget {
    /// All of it in bytes; `None` if the system does not say, and nothing is then refused.
    whole: Option<u64>,
    reserved: Mutex<u64>,
    released: Condvar,
}

/// A part of a budget, until it is dropped.
pub(crate) struct Reservation<'a> {
    budget: &'a Budget,
    n_bytes: u64,
}

impl Budget {
    /// All that this process can get now.
    pub(crate) fn of_machine() -> Self {
        Budget::of(available())
    }

    /// All of it in bytes, if the system says.
    pub(crate) fn whole(&self) -> Option<u64> {
        self.whole
    }

    fn of(whole: Option<u64>) -> Self {
        Budget { whole, reserved: Mutex::new(0), released: Condvar::new() }
    }

    /// Takes `n_bytes`, and waits for others to give theirs back if need be. If there never were so many, the error is
    /// how many there are.
    pub(crate) fn reserve(&self, n_bytes: u64) -> Result<Reservation<'_>, u64> {
        self.reserve_or_wait(n_bytes, || {})
    }

    /// The same; calls `before_waiting` each time that it waits, before anybody else can give anything back.
    fn reserve_or_wait(&self, n_bytes: u64, before_waiting: impl Fn()) -> Result<Reservation<'_>, u64> {
        let whole = self.whole.unwrap_or(u64::MAX);
        if n_bytes > whole {
            return Err(whole);
        }
        let is_taken = |reserved: &mut u64| {
            let is_taken = n_bytes > whole - *reserved;
            if is_taken {
                before_waiting();
            }
            is_taken
        };
        let reserved = self.released.wait_while(self.reserved(), is_taken);
        let mut reserved = reserved.unwrap_or_else(PoisonError::into_inner);
        *reserved += n_bytes;
        Ok(Reservation { budget: self, n_bytes })
    }

    /// A number cannot be left half-changed, whoever panicked.
    fn reserved(&self) -> MutexGuard<'_, u64> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        *self.budget.reserved() -= self.n_bytes;
        self.budget.released.notify_all();
    }
}

/// The rest of the limit on address space, if there is one.
fn left_by_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max address space"))?;
    let limit: u64 = line.split_whitespace().nth(3)?.parse().ok()?;
    let used = number_after(&fs::read_to_string("/proc/self/status").ok()?, "VmSize:")?.saturating_mul(1024);
    Some(limit.saturating_sub(used))
}

/// What the control groups of this process leave of their limits, those around them included: version 2, else 1.
fn left_by_groups() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let left = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, group) = (parts.next()?, parts.next()?);
        if controllers.is_empty() {
            return least_left(Path::new("/sys/fs/cgroup"), group, ["memory.max", "memory.current", "inactive_file"]);
        }
        let names = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"];
        let is_memory = controllers.split(',').any(|controller| controller == "memory");
        is_memory.then(|| least_left(Path::new("/sys/fs/cgroup/memory"), group, names)).flatten()
    });
    left.min()
}

/// The least that `group` below `root` or a group around it leaves, by the names of the files with limit and usage and
/// the line of `memory.stat` that counts what the system gives up on demand.
fn least_left(root: &Path, group: &str, [limit, usage, reclaimable]: [&str; 3]) -> Option<u64> {
    let group = root.join(group.trim_start_matches('/'));
    let around = group.ancestors().take_while(|folder| folder.starts_with(root));
    let left = around.filter_map(|folder| {
        let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
        let statistics = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
        // "max" is no number and no limit.
        let left = number(limit)?.saturating_sub(number(usage)?);
        Some(left.saturating_add(number_after(&statistics, reclaimable).unwrap_or(0)))
    });
    left.min()
}

/// The number in a line such as `MemAvailable:   123 kB` or `inactive_file 123`.
fn number_after(text: &str, label: &str) -> Option<u64> {
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next() == Some(label)).then(|| words.next()).flatten())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_system_is_read_and_a_missing_one_is_none() {
        let text = "MemTotal:  100 kB\nMemAvailable:     42 kB\n";
        assert_eq!(number_after(text, "MemAvailable:"), Some(42));
        assert_eq!(number_after(text, "VmSize:"), None);
    }

    #[test]
    fn the_tightest_group_around_decides_and_no_limit_is_none() {
        let root = tempfile::tempdir().expect("a folder");
        let inner = root.path().join("outer/inner");
        std::fs::create_dir_all(&inner).expect("folders");
        let write = |folder: &Path, name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
        let names = ["memory.max", "memory.current", "inactive_file"];
        write(&inner, "memory.max", "max\n");
        write(&inner, "memory.current", "10\n");
        assert_eq!(least_left(root.path(), "/outer/inner", names), None);
        write(&root.path().join("outer"), "memory.max", "100\n");
        write(&root.path().join("outer"), "memory.current", "80\n");
        write(&root.path().join("outer"), "memory.stat", "anon 60\ninactive_file 15\n");
        assert_eq!(least_left(root.path(), "/outer/inner", names), Some(35));
        write(&inner, "memory.max", "12\n");
        assert_eq!(least_left(root.path(), "/outer/inner", names), Some(2));
        assert_eq!(least_left(root.path(), "/outer", names), Some(35));
    }

    #[test]
    fn a_need_above_the_whole_is_refused_and_one_above_the_rest_waits() {
        let budget = Budget::of(Some(10));
        assert_eq!(budget.reserve(11).err(), Some(10));
        let first = budget.reserve(7).ok();
        let (waits, is_waiting) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let budget = &budget;
            let second =
                scope.spawn(move || budget.reserve_or_wait(4, || waits.send(()).expect("somebody listens")).is_ok());
            // It holds the lock until it sleeps, so that it cannot miss what is given back now.
            is_waiting.recv().expect("the second waits");
            assert!(!second.is_finished());
            drop(first);
            assert!(second.join().expect("no panic"));
        });
        assert_eq!(*budget.reserved(), 0);
        assert!(Budget::of(None).reserve(u64::MAX).is_ok());
    }
}
