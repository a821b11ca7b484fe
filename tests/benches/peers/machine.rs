//! CPU affinity and CPU time, which are available on Linux.

use std::time::Duration;

/// The part of the benchmark to pin.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    /// Pinned to the first core.
    Server,
    /// Pinned to the other cores if they are as many as the busy threads. Otherwise, on a machine with several
    /// cores, pinned to all.
    Client { threads: usize },
}

/// Pins this thread and the threads that it starts.
#[cfg(target_os = "linux")]
pub(crate) fn pin(side: Side) {
    use rustix::thread::{CpuSet, sched_setaffinity};

    let cores = cores();
    let chosen = match side {
        Side::Server => &cores[..cores.len().min(1)],
        Side::Client { threads } if threads < cores.len() => &cores[1..],
        Side::Client { .. } => cores,
    };
    let mut set = CpuSet::new();
    for core in chosen {
        set.set(*core);
    }
    // If pinning is not permitted, the figures vary more.
    let _ = sched_setaffinity(None, &set);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn pin(_: Side) {}

/// The cores that this process may use, as they were at the first call.
#[cfg(target_os = "linux")]
pub(crate) fn cores() -> &'static [usize] {
    use std::sync::OnceLock;

    use rustix::thread::{CpuSet, sched_getaffinity};

    static CORES: OnceLock<Vec<usize>> = OnceLock::new();
    CORES.get_or_init(|| {
        let set = sched_getaffinity(None).unwrap_or_default();
        (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()
    })
}

/// The CPU time of all threads of this process.
#[cfg(target_os = "linux")]
pub(crate) fn process_cpu() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn process_cpu() -> Duration {
    Duration::ZERO
}

/// The CPU time of all descendant processes that have ended and been waited for, with a resolution of a
/// hundredth of a second.
#[cfg(target_os = "linux")]
pub(crate) fn children_cpu() -> Duration {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 16 and 17 of proc(5), counted from the end of the program name, which is in parentheses.
    let fields = status.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn children_cpu() -> Duration {
    Duration::ZERO
}
