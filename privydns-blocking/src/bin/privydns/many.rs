//! Lookups of many names, pipelined: results are printed as they arrive, and neither names nor results are collected.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::iter;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use privydns_blocking::{Answer, Error, Query, RecordType};

use crate::arguments::Arguments;
use crate::names::Names;
use crate::output::{self, Printer};
use crate::progress::Progress;
use crate::{ANSWERED, FAILED, Problem, names, setup};

/// The number of names that are read ahead.
const MAX_READ_AHEAD: usize = 1000;

/// The state of the lookups of one file.
struct Session<'a> {
    arguments: &'a Arguments,
    types: Vec<RecordType>,
    names: Receiver<io::Result<String>>,
    /// Whether the input is a regular file, whose next name can be read without waiting.
    is_prompt: bool,
    /// The record types that remain to be queried for the current name.
    queries: VecDeque<Query>,
    printer: Printer,
    progress: Progress,
    /// The error that ends the run.
    broken: Option<Problem>,
}

/// Looks up every name in a file.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Problem> {
    let path = arguments.file.as_deref().unwrap_or(Path::new("-"));
    let words = arguments.name.iter().chain(&arguments.types);
    let types = setup::record_types(words)
        .map_err(|problem| Problem::Usage(format!("--file and NAME cannot be combined: {problem}")))?;
    let unreadable = |error| Problem::Usage(format!("{}: {error}", path.display()));
    let names = read_ahead(Names::open(path).map_err(unreadable)?);
    let resolver = setup::resolver(arguments).map_err(Problem::Usage)?;
    let session = RefCell::new(Session {
        progress: Progress::new(path, types.len(), arguments.output.verbose == 0),
        printer: Printer::new(&arguments.output, true),
        is_prompt: names::is_complete(path),
        arguments,
        types,
        names,
        queries: VecDeque::new(),
        broken: None,
    });
    while session.borrow_mut().wait() {
        for (query, result) in resolver.lookup_many(iter::from_fn(|| session.borrow_mut().next())) {
            session.borrow_mut().show(&query.name().to_string(), query.record_type(), &result);
            if session.borrow().broken.is_some() {
                break;
            }
        }
    }
    let session = session.into_inner();
    session.progress.finish();
    if let Some(problem) = session.broken {
        return Err(problem);
    }
    resolver.close();
    Ok(if session.progress.has_failed() { FAILED } else { ANSWERED })
}

/// Reads on a separate thread, because names may arrive slowly and answers must not wait for them.
fn read_ahead(names: Names<Box<dyn io::BufRead + Send>>) -> Receiver<io::Result<String>> {
    let (sender, receiver) = sync_channel(MAX_READ_AHEAD);
    thread::spawn(move || {
        for name in names {
            let is_over = name.is_err();
            if sender.send(name).is_err() || is_over {
                return;
            }
        }
    });
    receiver
}

impl Session<'_> {
    /// Waits for a name that can be looked up. Returns whether there is one.
    fn wait(&mut self) -> bool {
        while self.broken.is_none() && self.queries.is_empty() {
            match self.names.recv() {
                Ok(name) => self.take(name),
                Err(_) => return false,
            }
        }
        self.broken.is_none()
    }

    /// The next query, if a name has been read.
    fn next(&mut self) -> Option<Query> {
        while self.broken.is_none() && self.queries.is_empty() {
            let name = if self.is_prompt { self.names.recv().ok() } else { self.names.try_recv().ok() };
            self.take(name?);
        }
        self.queries.pop_front()
    }

    fn take(&mut self, name: io::Result<String>) {
        let name = match name {
            Ok(name) => name,
            Err(error) => {
                self.broken = Some(Problem::Input(error));
                return;
            }
        };
        for record_type in self.types.clone() {
            match Query::new(&name, record_type) {
                Ok(query) => {
                    let protocol = self.arguments.upstreams.protocol;
                    self.queries.push_back(setup::dress(query, &self.arguments.lookup, protocol));
                }
                Err(error) => self.show(&name, record_type, &Err(error)),
            }
        }
    }

    fn show(&mut self, name: &str, record_type: RecordType, result: &Result<Answer, Error>) {
        let Self { printer, progress, .. } = self;
        match progress.suspend(|| printer.print(name, record_type, result)) {
            Ok(()) => progress.advance(!output::is_answer(result)),
            Err(error) => self.broken = Some(Problem::Output(error)),
        }
    }
}
