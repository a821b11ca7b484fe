//! Log events: exactly the documented ones, and names only where the documentation says so.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::Once;
use std::time::SystemTime;

use privydns_core::engine::Input;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::world::{Accepts, World, query, s};

/// The label of the queried name, which occurs only in these tests.
const SECRET: &str = "secret";

/// One event: target, level, message and fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Logged {
    target: String,
    level: String,
    message: String,
    fields: BTreeMap<String, String>,
}

impl Logged {
    /// The table's description of the event.
    fn row(&self) -> Row {
        let fields = self.fields.keys().cloned().collect();
        Row { target: self.target.clone(), level: self.level.clone(), message: self.message.clone(), fields }
    }
}

impl Visit for Logged {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.fields.insert(field.name().to_owned(), text);
        }
    }
}

/// A line of the table of events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    target: String,
    level: String,
    message: String,
    fields: BTreeSet<String>,
}

thread_local! {
    static LOG: RefCell<Option<Vec<Logged>>> = const { RefCell::new(None) };
}

/// Records the events of the threads that ask for it.
struct Clerk;

impl Subscriber for Clerk {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        LOG.with_borrow(Option::is_some)
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut logged = Logged {
            target: metadata.target().to_owned(),
            level: metadata.level().to_string(),
            ..Logged::default()
        };
        event.record(&mut logged);
        LOG.with_borrow_mut(|log| log.iter_mut().for_each(|log| log.push(logged.clone())));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The events during `run`.
fn logged(run: impl FnOnce()) -> Vec<Logged> {
    // One subscriber for all threads: tracing may skip a subscriber that only some threads have.
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| set_global_default(Clerk).expect("the only one"));
    LOG.set(Some(Vec::new()));
    run();
    LOG.take().expect("it was put there")
}

/// The number of warnings with this message during `run`.
pub(crate) fn warnings(message: &str, run: impl FnOnce()) -> usize {
    logged(run).iter().filter(|event| event.level == "WARN" && event.message == message).count()
}

fn source() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))
}

/// The table in the documentation.
fn documented() -> BTreeSet<Row> {
    let text = fs::read_to_string(source().join("logging.rs")).expect("the documentation");
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `privydns::"));
    rows.map(|row| {
        let cells = format!("`privydns::{row}");
        let cells: Vec<_> = cells.trim_end_matches('|').split('|').map(str::trim).collect();
        let [target, level, message, fields] = cells[..] else { panic!("{row}") };
        let plain = |text: &str| text.trim_matches('`').to_owned();
        let fields = fields.split(", ").filter(|field| !field.is_empty()).map(plain).collect();
        Row { target: plain(target), level: level.to_owned(), message: plain(message), fields }
    })
    .collect()
}

/// Level and message of each event in the source.
fn written(folder: &Path, found: &mut BTreeSet<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            written(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        if !text.contains("use tracing::") {
            continue;
        }
        for level in ["trace", "debug", "info", "warn", "error"] {
            let macro_call = format!(" {level}!(");
            for call in text.split(&macro_call).skip(1) {
                let (call, _) = call.split_once(");").unwrap_or((call, ""));
                assert!(call.trim_start().starts_with("target: "), "{}: no target: {call}", path.display());
                let message = call.rsplit('"').nth(1).expect("a message");
                found.insert((level.to_uppercase(), message.to_owned()));
            }
        }
    }
}

#[test]
fn documented_events_match_the_source() {
    let mut found = BTreeSet::new();
    written(source(), &mut found);
    let documented: BTreeSet<_> = documented().into_iter().map(|row| (row.level, row.message)).collect();
    assert_eq!(found, documented);
    assert!(found.len() > 20);
}

/// An upstream that fails in every way, and recovers.
fn ups_and_downs() {
    let mut world = World::with_upstreams(2);
    world.host(0).accepts(Accepts::Nothing);
    world.resolve("first.secret.example").answer();
    world.ask_shared_first(&query("first.secret.example"));
    world.host(0).accepts(Accepts::Everything).answers();
    world.run_for(s(6));
    world.resolve("second.secret.example").answer();
    world.run_for(s(1));
    world.resolve("third.secret.example").answer();
    world.reset_all(0);
    world.resolve("fourth.secret.example").answer();
    world.host(0).keeps_silent();
    world.host(1).keeps_silent();
    world.resolve("fifth.secret.example").error();
    world.tell(Input::NetworkChanged);
    world.tell(Input::WallClock(SystemTime::UNIX_EPOCH));
    world.tell(Input::WallClock(SystemTime::UNIX_EPOCH + s(3600)));
    world.run_for(s(60));
}

#[test]
fn logged_events_are_documented_and_names_only_in_debug() {
    let events = logged(ups_and_downs);
    let documented = documented();
    for event in &events {
        assert!(documented.contains(&event.row()), "{event:?}");
        let shows_name = event.fields.values().chain([&event.message]).any(|text| text.contains(SECRET));
        let level: Level = event.level.parse().expect("a level");
        assert!(!shows_name || level >= Level::DEBUG, "{event:?}");
        assert_eq!(
            event.fields.get("name").is_some_and(|name| name.contains(SECRET)),
            shows_name,
            "{event:?}"
        );
    }
    let seen: BTreeSet<_> = events.iter().map(|event| &event.message[..]).collect();
    for message in [
        "cache hit",
        "attempt",
        "attempt failed",
        "query resent",
        "answered",
        "failed",
        "connecting",
        "connected",
        "connection failed",
        "connection ended",
        "upstream unhealthy",
        "probing",
        "upstream recovered",
        "network changed",
        "system resumed",
    ] {
        assert!(seen.contains(message), "{message} was not logged: {seen:?}");
    }
}
