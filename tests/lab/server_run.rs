//! The run of all checks against one server.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::backend::TestResolver;
use crate::bench::{Bench, caught};
use crate::instance::{Instance, Lab, Run};
use crate::line::Line;
use crate::report::{self, Check, Report};
use crate::servers::ServerKind;
use crate::{BACKENDS, certificates, checks, restart};

#[derive(Clone, Copy)]
pub(crate) struct ServerRun<'a> {
    lab: &'a Lab,
    kind: &'static ServerKind,
    report: &'a Mutex<Report>,
    /// Held during checks that need the whole machine and must not run for several servers at once.
    machine: &'a Mutex<()>,
}

impl<'a> ServerRun<'a> {
    pub(crate) fn new(
        lab: &'a Lab,
        kind: &'static ServerKind,
        report: &'a Mutex<Report>,
        machine: &'a Mutex<()>,
    ) -> Self {
        Self { lab, kind, report, machine }
    }

    /// Runs all checks. Failed checks are recorded in the report; an error means that the server does not run.
    pub(crate) fn run(&self) -> Result<(), String> {
        let start = Instant::now();
        let instance = self.lab.start(self.kind, Run::default())?;
        println!("{instance}");
        self.lookups(&instance);
        if !self.kind.behaviour.fails_under_load {
            self.restart(&instance);
        }
        drop(instance);
        self.certificates()?;
        if self.kind.behaviour.can_tls12 {
            self.tls12()?;
        }
        println!("{}: done in {} s", self.kind.name, start.elapsed().as_secs());
        Ok(())
    }

    /// Records a result that belongs to no line.
    pub(crate) fn note(&self, what: &str, result: Result<String, String>) {
        self.lock_report(|report| report.others.push((what.to_owned(), result)));
    }

    /// Runs the checks of lookups, before and after the connections have been idle.
    fn lookups(&self, instance: &Instance) {
        let benches = self.benches(instance, |_| true);
        let resolvers: Vec<_> =
            benches.iter().map(|bench| bench.resolver_with_long_attempts(bench.upstream())).collect();
        let each = |check: Check, run: fn(&Bench<'_>, &dyn TestResolver)| {
            for (bench, resolver) in benches.iter().zip(&resolvers) {
                self.check(bench, check, || run(bench, &**resolver));
            }
        };
        each(report::RECORDS, checks::records);
        each(report::HUGE, checks::huge);
        each(report::DENIALS, checks::denials);
        each(report::ALIASES, checks::aliases);
        each(report::SERVFAIL, checks::servfail);
        each(report::TTLS, checks::ttls);
        for (bench, result) in benches.iter().zip(self.idle(&benches, &resolvers)) {
            self.lock_report(|report| report.add(bench, report::IDLE, result));
        }
        if !self.kind.behaviour.fails_under_load {
            each(report::PIPELINED, checks::pipelined);
        }
    }

    /// Repeats the check after a failure: a server may have changed its ticket key, as Knot Resolver does every
    /// hour, and cannot resume earlier sessions.
    fn idle(&self, benches: &[Bench<'_>], resolvers: &[Box<dyn TestResolver>]) -> Vec<Result<(), String>> {
        let idle = || -> Vec<_> {
            thread::sleep(Duration::from_secs(self.kind.behaviour.idle));
            let resolvers = resolvers.iter().map(|resolver| &**resolver);
            benches
                .iter()
                .zip(resolvers)
                .map(|(bench, resolver)| caught(|| checks::idle(bench, resolver)))
                .collect()
        };
        let results = idle();
        if results.iter().all(Result::is_ok) { results } else { idle() }
    }

    /// Restarts the server once for each backend, under load on all lines.
    fn restart(&self, instance: &Instance) {
        let benches = self.benches(instance, Line::is_main);
        for (backend, _) in BACKENDS {
            let benches: Vec<_> =
                benches.iter().filter(|bench| bench.backend.0 == *backend).copied().collect();
            let _alone = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
            for (bench, result) in benches.iter().zip(restart::restart(&benches)) {
                self.lock_report(|report| report.add(bench, report::RESTART, result));
            }
        }
    }

    fn certificates(&self) -> Result<(), String> {
        for certificate in certificates::SERVERS {
            let instance = self.lab.start(self.kind, Run { certificate, ..Run::default() })?;
            for bench in self.benches(&instance, |line| line.is_main() && !line.endpoint.is_mutual) {
                self.check(&bench, report::CERTIFICATES, || certificates::server(&bench, certificate));
            }
        }
        if self.kind.endpoints.iter().any(|endpoint| endpoint.is_mutual) {
            let instance = self.lab.start(self.kind, Run::default())?;
            for bench in self.benches(&instance, |line| line.is_main() && line.endpoint.is_mutual) {
                self.check(&bench, report::CLIENTS, || certificates::clients(&bench));
            }
        }
        Ok(())
    }

    fn tls12(&self) -> Result<(), String> {
        let instance = self.lab.start(self.kind, Run { tls12: true, ..Run::default() })?;
        for bench in self.benches(&instance, Line::is_main) {
            self.check(&bench, report::TLS12, || checks::tls12(&bench));
        }
        Ok(())
    }

    /// All backends on each line for which `is_wanted` returns true.
    fn benches<'i>(&'i self, instance: &'i Instance, is_wanted: impl Fn(&Line) -> bool) -> Vec<Bench<'i>> {
        let lines = Line::all(instance).into_iter().filter(is_wanted);
        let on_each = |line| {
            BACKENDS.iter().map(move |backend| Bench { lab: self.lab, instance, line, backend: *backend })
        };
        lines.flat_map(on_each).collect()
    }

    fn check(&self, bench: &Bench<'_>, check: Check, run: impl FnOnce()) {
        let result = caught(run);
        self.lock_report(|report| report.add(bench, check, result));
    }

    fn lock_report(&self, write: impl FnOnce(&mut Report)) {
        write(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
