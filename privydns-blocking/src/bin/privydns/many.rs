//! Many names, pipelined: results are shown as they come, and nothing is kept of either.

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

/// Names that are read ahead.
const MAX_READ_AHEAD: usize = 1000;

/// What is done with the names of one file.
struct Session<'a> {
    arguments: &'a Arguments,
    types: Vec<RecordType>,
    names: Receiver<io::Result<String>>,
    /// Whether the next name is always there, as in a file, and need not be waited for.
    is_prompt: bool,
    /// What is left to ask of the name at hand.
    queries: VecDeque<Query>,
    printer: Printer,
    progress: Progress,
    /// Why it has to end.
    broken: Option<Problem>,
}

/// Looks up every name of a file.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Problem> {
    let path = arguments.file.as_deref().unwrap_or(Path::new("-"));
    let words = arguments.name.iter().chain(&arguments.types);
    let types = setup::record_types(words)
        .map_err(|problem| Problem::Usage(format!("with --file, the names come from it alone: {problem}")))?;
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

/// Reads on a thread of its own: names may come slowly, and answers are not to wait for them.
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
    /// Waits for a name that can be asked for. Says whether there is one.
    fn wait(&mut self) -> bool {
        while self.broken.is_none() && self.queries.is_empty() {
            match self.names.recv() {
                Ok(name) => self.take(name),
                Err(_) => return false,
            }
        }
        self.broken.is_none()
    }

    /// The next query, if there is one by now.
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
