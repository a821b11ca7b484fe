//! What the servers of a run said, and whether callers were told that and nothing else.
//!
//! Each answer carries a number that stands for what was asked, whom, and when.

use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use privydns_core::rr::RData;
use privydns_core::{Answer, CacheSettings, CacheUse, ErrorKind, FailedAttempt, Outcome};

use super::scenario::Scenario;
use crate::world::Done;
use crate::world::wire::{NXDOMAIN, Question, Reply};

/// All that was said.
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
    /// Not to be believed: it has another ID than the query, or no place where it was sent.
    pub(crate) is_lie: bool,
    /// Octets of it may be others by now, whose meaning nobody knows.
    pub(crate) is_mangled: bool,
    /// When the engine handed it out as it had come, if it did.
    pub(crate) handed_out: Cell<Option<Duration>>,
}

/// No answer is on its way for longer than servers are slow and hosts out of reach.
const LONGEST_WAY: Duration = Duration::from_secs(30);

/// TTLs are in whole seconds, and the engine may believe that it is up to two seconds earlier than it is.
const DOUBT: Duration = Duration::from_secs(3);

/// The numbers begin like this, which makes octets that only look like one rare.
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

    /// A denial: of the name, or of the records.
    pub(crate) fn denial(&mut self, question: &Question, said: LoggedAnswer, of_the_name: bool) -> Reply {
        let ttl = said.ttl;
        let number = self.number(said);
        Reply::to(question).rcode(if of_the_name { NXDOMAIN } else { 0 }).soa(ttl, number)
    }

    fn number(&mut self, said: LoggedAnswer) -> u32 {
        self.said.push(said);
        MARK | u32::try_from(self.said.len() - 1).expect("a few")
    }

    /// Fails where a lookup ended as it should not have.
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
            // The number may be no more what it was.
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
    /// Whether it answers the question: it is what was asked, or a denial of the name or of one above it.
    fn is_about(&self, done: &Done, answer: &Answer) -> bool {
        let name = done.query.name().to_string();
        let is_below = || name == self.name || name.ends_with(&format!(".{}", self.name));
        name == self.name && self.record_type == u16::from(done.query.record_type())
            || answer.outcome() == Outcome::NxDomain && is_below()
    }
}

/// An answer that is not stale is shown with the time that it has left, and not after its end; a stale one is
/// shown after its end alone. What was read after a leap counts as old as its query.
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

/// Once an answer was handed out as it had come, all of its life is counted from then.
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
    // Those who share a flight share its attempts, and may have begun some anew.
    let labels =
        scenario.upstream_set(&done.query).iter().map(|number| format!("up{number}")).collect::<Vec<_>>();
    let may_be_asked = |attempt: &FailedAttempt| labels.iter().any(|label| **label == *attempt.upstream);
    assert!(error.attempts().iter().all(may_be_asked), "{done:?}");
    assert!(!format!("{error:?}").contains("example."), "an error shows the name: {error:?}");
}
