//! E7: time in which the engine was not driven is taken for time in which a server was silent.

use privydns_core::engine::Input;
use privydns_core::{Config, Strategy};

use crate::world::{World, ms, s, upstream};

/// A driver of the blocking crate sleeps between calls, and reads the clock before the sockets. Right: a dial is judged
/// by driven time. The first upstream is healthy and gets the query.
#[test]
fn fault_e7_a_pause_after_warm_up_sends_the_name_to_the_second_upstream() {
    let mut world = World::with_upstreams(2);
    world.tell(Input::WarmUp);
    world.leap(s(11));
    world.time_out();
    let done = world.resolve("example.com");
    assert_eq!(done.answer().upstream(), "up1");
    assert!(world.shared.stats().upstreams[0].is_unhealthy);
}

/// The driver is away for ten minutes while an answer arrives. Right: an answer that was
/// read late is no round-trip sample. The smoothed RTT stays at 20 ms, and the first upstream is still the fastest.
#[test]
fn fault_e7_an_answer_read_late_is_a_round_trip_sample_of_minutes() {
    let builder = Config::builder().upstreams([upstream(0), upstream(1)]).strategy(Strategy::Fastest);
    let mut world = World::new(builder);
    world.host(1).is_away(ms(15));
    for number in 0..20 {
        world.resolve(&format!("warm{number}.example")).answer();
    }
    let late = world.lookup("late.example");
    world.run_for(ms(12));
    world.leap(s(600));
    world.finish(late).answer();
    let smoothed = world.shared.stats().upstreams[0].smoothed_rtt;
    assert_eq!(smoothed, Some(ms(75_019)));
    assert_eq!(world.resolve("next.example").answer().upstream(), "up1");
}
