//! A log of the servers' answers in a run, and the check that callers received these answers and no others.
//!
//! Each answer contains a number that identifies the question, the server and the time.

use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use privydns_core::RData;
use privydns_core::{Answer, CacheSettings, CacheUse, ErrorKind, FailedAttempt, Outcome};

use super::scenario::Scenario;
use crate::world::Done;
use crate::world::wire::{NXDOMAIN, Question, Reply};

/// All answers that the servers sent.
#[derive(Default)]
pub(crate) struct AnswerLog {
    said: Vec<LoggedAnswer>,
}

#[derive(Debug)]
pub(crate) struct LoggedAnswer {
    pub(crate) name: String,
    pub(crate) record_type: u16,
    pub(crate) server: usize,
    pub(crate) at: Duration,
    pub(crate) ttl: u32,
    /// An answer that must be rejected: its ID differs from the query's, or it has no valid stream.
    pub(crate) is_lie: bool,
    /// The answer was damaged on purpose, so that its content is unknown.
    pub(crate) is_mangled: bool,
    /// The time at which the engine first delivered the answer as received, if it did.
    pub(crate) handed_out: Cell<Option<Duration>>,
}

/// The longest time that an answer can be in transit: servers are slow and hosts are unreachable for less.
const LONGEST_WAY: Duration = Duration::from_secs(30);

/// TTLs are whole seconds, and the engine's clock may be up to two seconds behind.
const DOUBT: Duration = Duration::from_secs(3);

/// All numbers begin with this pattern, so that damaged bytes rarely look like a number.
const MARK: u32 = 0xa5c0_0000;
const MARKED: u32 = 0xfff0_0000;

impl AnswerLog {
    /// A positive answer to `question`.
    pub(crate) fn records(&mut self, question: &Question, said: LoggedAnswer) -> Reply {
        let ttl = said.ttl;
        let number = self.number(said).to_be_bytes();
        let mut data = vec![0; if question.record_type == 1 { 0 } else { 12 }];
        data.extend_from_slice(&number);
        Reply::to(question).record(ttl, &data)
    }

    /// A denial: NXDOMAIN or NODATA.
    pub(crate) fn denial(&mut self, question: &Question, said: LoggedAnswer, of_the_name: bool) -> Reply {
        let ttl = said.ttl;
        let number = self.number(said);
        Reply::to(question).rcode(if of_the_name { NXDOMAIN } else { 0 }).soa(ttl, number)
    }

    fn number(&mut self, said: LoggedAnswer) -> u32 {
        self.said.push(said);
        MARK | u32::try_from(self.said.len() - 1).expect("a few")
    }

    /// Fails if the result of a lookup is not allowed.
    pub(crate) fn check(&self, scenario: &Scenario, leapt: Duration, done: &Done) {
        match &done.result {
            Ok(answer) => self.check_answer(scenario, leapt, done, answer),
            Err(error) => check_error(scenario, done, error),
        }
    }

    fn check_answer(&self, scenario: &Scenario, leapt: Duration, done: &Done, answer: &Answer) {
        match answer.outcome() {
            Outcome::Records => {
                for address in answer.addresses() {
                    let number = match address {
                        IpAddr::V4(v4) => v4.to_bits(),
                        IpAddr::V6(v6) => u32::from(v6.segments()[6]) << 16 | u32::from(v6.segments()[7]),
                    };
                    self.check_number(scenario, leapt, done, answer, number);
                }
            }
            Outcome::NoData | Outcome::NxDomain => {
                for record in answer.authorities() {
                    if let Ok(RData::SOA(soa)) = record.data() {
                        self.check_number(scenario, leapt, done, answer, soa.serial);
                    }
                }
            }
            Outcome::Failure => panic!("a failure is handed out as an answer: {done:?}"),
        }
        let is_bypass = done.query.cache_use() == CacheUse::Bypass;
        assert!(!(is_bypass && answer.is_cached()), "the cache was to be passed over: {done:?}");
    }

    fn check_number(&self, scenario: &Scenario, leapt: Duration, done: &Done, answer: &Answer, number: u32) {
        let is_one = number & MARKED == MARK;
        let said = self.said.get((number & !MARKED) as usize).filter(|_| is_one);
        let Some(said) = said.filter(|said| said.is_about(done, answer)) else {
            // The number may have been damaged.
            let is_mangled = self.said.iter().any(|said| said.is_mangled && said.is_about(done, answer));
            return assert!(is_mangled, "nobody said {number:#x} about this, but {said:?}: {done:?}");
        };
        assert!(!said.is_lie, "a lie is believed: {done:?}");
        assert_eq!(answer.upstream(), format!("up{}", said.server), "{done:?}");
        let may_answer = scenario.upstream_set(&done.query).contains(&said.server);
        assert!(may_answer, "an answer of an upstream that was not to be asked: {done:?}");
        if said.is_mangled {
            return;
        }
        check_age(leapt, done, answer, said);
        if leapt.is_zero() {
            check_time(done, answer, said);
        }
    }
}

impl LoggedAnswer {
    /// Whether the logged answer answers the question: the same name and type, or a denial of the name or of a parent.
    fn is_about(&self, done: &Done, answer: &Answer) -> bool {
        let name = done.query.name().to_string();
        let is_below = || name == self.name || name.ends_with(&format!(".{}", self.name));
        name == self.name && self.record_type == u16::from(done.query.record_type())
            || answer.outcome() == Outcome::NxDomain && is_below()
    }
}

/// The TTL of a fresh answer is the remaining time, which is not over; a stale answer is used only after its end. An
/// answer that was read after a clock jump is as old as its query.
fn check_age(leapt: Duration, done: &Done, answer: &Answer, said: &LoggedAnswer) {
    let Some(ttl) = answer.ttl() else { return };
    let age = done.at.saturating_sub(said.at);
    let life = Duration::from_secs(said.ttl.into());
    let on_its_way = LONGEST_WAY + leapt;
    let unread = if leapt.is_zero() { Duration::ZERO } else { on_its_way };
    if answer.is_stale() {
        assert_eq!(ttl, 30, "{done:?}");
        assert!(
            age + leapt >= life && age <= life + on_its_way + CacheSettings::MAX_STALE,
            "{age:?} {done:?}"
        );
    } else {
        let left = Duration::from_secs(ttl.into());
        assert!(
            left <= life && left + age + unread + Duration::from_secs(1) > life,
            "aged by more than its age of {age:?}: {done:?}"
        );
        assert!(left + age <= life + on_its_way, "aged by less than its age of {age:?}: {done:?}");
        assert!(answer.is_cached() || left == life || !leapt.is_zero(), "{done:?}");
    }
}

/// After the first delivery, the whole lifetime counts from that time.
fn check_time(done: &Done, answer: &Answer, said: &LoggedAnswer) {
    let Some(ttl) = answer.ttl() else { return };
    if !answer.is_cached() {
        said.handed_out.set(said.handed_out.get().or(Some(done.at)));
    } else if let Some(since) = said.handed_out.get()
        && !answer.is_stale()
    {
        let (age, life) = (done.at.saturating_sub(since), Duration::from_secs(said.ttl.into()));
        assert!(
            age < life + DOUBT,
            "an answer outlives its time by {:?}: {done:?}",
            age.saturating_sub(life)
        );
        let left = Duration::from_secs(ttl.into());
        let is_aged = left + age + DOUBT >= life && left + age <= life + DOUBT;
        assert!(is_aged, "{left:?} are left after {age:?} of {life:?}: {done:?}");
    }
}

fn check_error(scenario: &Scenario, done: &Done, error: &privydns_core::Error) {
    let is_expected = match error.kind() {
        ErrorKind::Deadline => done.at >= done.deadline,
        ErrorKind::Upstream(_) => !error.attempts().is_empty(),
        ErrorKind::NotCached => done.query.cache_use() == CacheUse::Only,
        ErrorKind::Overloaded(_) => done.took.is_zero(),
        ErrorKind::Closed => true,
        _ => false,
    };
    assert!(is_expected, "no reason to fail like this: {done:?}");
    // Lookups that share a flight share its attempts, and may have started some again.
    let labels =
        scenario.upstream_set(&done.query).iter().map(|number| format!("up{number}")).collect::<Vec<_>>();
    let may_be_asked = |attempt: &FailedAttempt| labels.iter().any(|label| **label == *attempt.upstream);
    assert!(error.attempts().iter().all(may_be_asked), "{done:?}");
    assert!(!format!("{error:?}").contains("example."), "an error shows the name: {error:?}");
}
