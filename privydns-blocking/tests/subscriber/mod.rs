//! A program's tracing subscriber with arbitrary behaviour.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Runs `run`, and calls `on_event` with the text of each event that this thread emits during the run.
pub(crate) fn with<T>(on_event: impl Fn(&str) + 'static, run: impl FnOnce() -> T) -> T {
    // One subscriber for all threads: tracing may skip a subscriber that only some threads have.
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| tracing::subscriber::set_global_default(Calling).unwrap());
    ON_EVENT.set(Some(Box::new(on_event)));
    let result = run();
    ON_EVENT.set(None);
    result
}

type OnEvent = Box<dyn Fn(&str)>;

thread_local! {
    static ON_EVENT: RefCell<Option<OnEvent>> = const { RefCell::new(None) };
}

struct Calling;

#[derive(Default)]
struct Text(String);

impl Subscriber for Calling {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        ON_EVENT.with_borrow(|on_event| on_event.iter().for_each(|on_event| on_event(&text.0)));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
