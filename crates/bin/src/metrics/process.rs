//! The kernel's figures of the process, under the names of Prometheus' own libraries.

use super::text::Text;

/// Kernel ticks per second in `/proc/*/stat`; 100 on every architecture that we support.
const TICKS: f64 = 100.0;

/// The figures of `/proc`; none on other systems.
pub(super) fn write(text: &mut Text) {
    if let Some(found) = read_stat() {
        text.counter(
            "process_cpu_seconds_total",
            "Processor time, user and system",
            found.cpu_seconds,
        );
        if let Some(start) = found.start_time {
            text.gauge(
                "process_start_time_seconds",
                "When the process began, in seconds since 1970",
                start,
            );
        }
        text.gauge("process_threads", "Threads", found.threads);
    }
    if let Some(bytes) = resident_bytes() {
        text.gauge(
            "process_resident_memory_bytes",
            "Memory in RAM, in bytes",
            bytes,
        );
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        text.gauge("process_open_fds", "Open files and sockets", open.count());
    }
    if let Some(most) = most_fds() {
        text.gauge("process_max_fds", "How many may be open", most);
    }
}

#[derive(Debug, PartialEq)]
struct Stat {
    cpu_seconds: f64,
    start_time: Option<f64>,
    threads: u64,
}

fn read_stat() -> Option<Stat> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let system = std::fs::read_to_string("/proc/stat").ok()?;
    parse_stat(&stat, &system)
}

/// The fields after the name in brackets, which may hold any character. `man 5 proc_pid_stat` counts from 1,
/// and the third is the state.
fn parse_stat(stat: &str, system: &str) -> Option<Stat> {
    let (_, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    #[expect(clippy::cast_precision_loss, reason = "ticks are far below 2^53")]
    let seconds = |ticks: u64| ticks as f64 / TICKS;
    let booted = system
        .lines()
        .find_map(|line| line.strip_prefix("btime "))
        .and_then(|text| text.trim().parse::<f64>().ok());
    let began = seconds(field(22)?);
    Some(Stat {
        cpu_seconds: seconds(field(14)? + field(15)?),
        start_time: booted.map(|booted| booted + began),
        threads: field(20)?,
    })
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1_024)
}

fn most_fds() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_move_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 12300 1 2 3";
        let found = parse_stat(stat, "cpu 1 2\nbtime 1000\n");
        assert_eq!(
            found,
            Some(Stat {
                cpu_seconds: 3.0,
                start_time: Some(1123.0),
                threads: 9
            })
        );
        assert_eq!(parse_stat("nothing", ""), None);
    }
}
