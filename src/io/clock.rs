//! The only reader of clocks. Everything else is given its time.

use crate::domain::time::{Span, Timestamp, secs};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
pub fn now() -> Timestamp {
    chrono::Utc::now()
}

/// Time since this process first asked; stands still while the machine sleeps.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
pub fn running() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Time since the machine started, with the name of that start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// Changes with every start of the machine; `None` where the system does not tell.
    pub id: Option<String>,
    /// Counts on while the machine sleeps and does not follow the time of day. Where the system does not tell, the same
    /// as [`running`].
    pub time: Duration,
}

/// Which start of the machine this is, and how long ago it was.
pub fn boot() -> Boot {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let id = read("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    let time = read("/proc/uptime").and_then(|text| uptime(&text));
    Boot { id, time: time.unwrap_or_else(running) }
}

/// The first number of `/proc/uptime`: seconds with hundredths, sleep included.
fn uptime(text: &str) -> Option<Duration> {
    let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The name of the local time zone, such as `Europe/Berlin`: `TZ` where it holds a name, then the system's; `UTC` when
/// neither is known.
pub fn zone() -> String {
    let named = |name: &String| name.parse::<chrono_tz::Tz>().is_ok();
    std::env::var("TZ")
        .ok()
        .map(|tz| tz.trim_start_matches(':').to_owned())
        .filter(named)
        .or_else(|| iana_time_zone::get_timezone().ok().filter(named))
        .unwrap_or_else(|| "UTC".to_owned())
}

/// All clocks read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The time of day.
    pub wall: Timestamp,
    /// The machine.
    pub boot: Boot,
    /// This process.
    pub running: Duration,
}

/// Reads all clocks.
pub fn mark() -> Mark {
    Mark { boot: boot(), running: running(), wall: now() }
}

/// What happened to the clocks between two marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// The time of day was set by so much (negative: back).
    pub jumped: Option<Span>,
    /// The machine slept for so long.
    pub slept: Option<Span>,
}

/// Differences up to this are adjustments and the resolution of the clocks.
pub const TOLERANCE: Span = Span::seconds(2);

/// Compares each mark with the one before it. Purely of what it is given.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    last: Option<Mark>,
}

impl Watch {
    /// Takes the next mark; `None` when the clocks went on together.
    pub fn look(&mut self, mark: Mark) -> Option<Moved> {
        let last = self.last.replace(mark.clone())?;
        let moved = compare(&last, &mark);
        (moved != Moved::default()).then_some(moved)
    }
}

/// What happened between two marks. Marks of different starts of the machine cannot be compared and give nothing.
pub fn compare(before: &Mark, after: &Mark) -> Moved {
    if before.boot.id != after.boot.id {
        return Moved::default();
    }
    let wall = after.wall.signed_duration_since(before.wall);
    let boot = span(after.boot.time.saturating_sub(before.boot.time));
    let running = span(after.running.saturating_sub(before.running));
    let past = |difference: Span| (difference.abs() > TOLERANCE).then_some(difference);
    Moved {
        jumped: wall.checked_sub(&boot).and_then(past),
        slept: boot.checked_sub(&running).and_then(past).filter(|slept| *slept > Span::zero()),
    }
}

fn span(duration: Duration) -> Span {
    Span::from_std(duration).unwrap_or_else(|_| secs(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wall: i64, boot: u64, running: u64) -> Mark {
        let start: Timestamp = "2026-05-01T03:00:00Z".parse().unwrap();
        Mark {
            wall: start + secs(wall),
            boot: Boot { id: Some("b".into()), time: Duration::from_secs(boot) },
            running: Duration::from_secs(running),
        }
    }

    #[test]
    fn jumps_and_sleeps_are_told_apart() {
        let moved =
            |jumped: Option<i64>, slept: Option<i64>| Moved { jumped: jumped.map(secs), slept: slept.map(secs) };
        for (name, after, want) in [
            ("together", at(60, 1_060, 70), moved(None, None)),
            ("a slow adjustment", at(61, 1_060, 70), moved(None, None)),
            ("set forward", at(7_260, 1_060, 70), moved(Some(7_200), None)),
            ("set back", at(-7_140, 1_060, 70), moved(Some(-7_200), None)),
            ("asleep", at(3_660, 4_660, 70), moved(None, Some(3_600))),
            ("asleep and set", at(60, 4_660, 70), moved(Some(-3_600), Some(3_600))),
        ] {
            assert_eq!(compare(&at(0, 1_000, 10), &after), want, "{name}");
        }
    }

    #[test]
    fn extreme_and_foreign_marks_do_no_harm() {
        let mut end = at(0, u64::MAX, u64::MAX);
        end.wall = Timestamp::MAX_UTC;
        let mut start = at(0, 0, 0);
        start.wall = Timestamp::MIN_UTC;
        compare(&start, &end);
        compare(&end, &start);
        let mut other = at(9_999, 5, 5);
        other.boot.id = Some("other".into());
        assert_eq!(compare(&at(0, 1_000, 10), &other), Moved::default());
        let mut watch = Watch::default();
        assert_eq!(watch.look(at(0, 0, 0)), None);
        assert_eq!(watch.look(at(1, 1, 1)), None);
        assert_eq!(watch.look(at(100, 2, 2)).unwrap().jumped, Some(secs(98)));
        assert_eq!(watch.look(at(101, 3, 3)), None, "a jump is told once");
    }

    #[test]
    fn the_system_is_read() {
        assert_eq!(uptime("350735.47 234388.90\n"), Some(Duration::from_millis(350_735_470)));
        assert_eq!(uptime("-1 2"), None);
        assert_eq!(uptime(""), None);
        assert!(zone().parse::<chrono_tz::Tz>().is_ok());
        let (one, two) = (mark(), mark());
        assert_eq!(one.boot.id, two.boot.id);
        assert!(two.boot.time >= one.boot.time && two.running >= one.running);
    }
}
