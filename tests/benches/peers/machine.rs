//! Cores and CPU time, where the system lets a program ask for them: on Linux.

use std::time::Duration;

/// Who is pinned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    /// To the first core.
    Server,
    /// To the others, if there are as many as it has busy threads; otherwise to all if it has several.
    Client { threads: usize },
}

/// Pins this thread, and those that it will start.
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
    // Where it is not allowed, figures are noisier and nothing else.
    let _ = sched_setaffinity(None, &set);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn pin(_: Side) {}

/// The cores that this process may run on, as they were when it was first asked.
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

/// The CPU time that this process has used, all its threads together.
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

/// The CPU time of the processes that this one started and waited for, and of theirs, to the hundredth of a second.
#[cfg(target_os = "linux")]
pub(crate) fn children_cpu() -> Duration {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the program's name, which is in brackets: fields 16 and 17 of proc(5).
    let fields = status.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn children_cpu() -> Duration {
    Duration::ZERO
}
