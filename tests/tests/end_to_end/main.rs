//! The end-to-end suites: real resolvers against servers on loopback that misbehave as told.
//!
//! A suite is a file of functions that take a [`Bench`](bench::Bench); each is a test on every bench there is: every
//! backend, every carrier, with and without mutual TLS. Where a carrier cannot have the fault that a test is about,
//! the test says so and returns.

mod backend;
mod bench;
mod certificates;
mod connecting;
mod connections;
mod discovery;
mod failover;
mod faults;
mod lookups;
mod policies;
mod proxies;

use backend::Backend;

/// Makes tests of the functions of the suites, for the `bench()` in scope.
macro_rules! tests {
    ($($suite:ident { $($test:ident)* })*) => {$(
        mod $suite {
            $(
                #[test]
                fn $test() {
                    crate::$suite::$test(&super::bench());
                }
            )*
        }
    )*};
}

/// Makes a module of tests for every carrier, for the `backend()` in scope.
macro_rules! carriers {
    ($($module:ident: $carrier:ident, $is_mutual:literal;)*) => {$(
        mod $module {
            use crate::bench::{Bench, Carrier};

            fn bench() -> Bench {
                Bench { backend: super::backend(), carrier: Carrier::$carrier, is_mutual: $is_mutual }
            }

            tests! {
                lookups {
                    records_of_every_type_arrive
                    values_are_typed_and_in_their_order
                    chains_are_followed_and_loops_are_errors
                    denials_are_answers
                    failures_carry_their_code_and_extended_error
                    addresses_of_both_families_come_together
                    addresses_have_names
                    answers_are_kept_as_long_as_they_say
                    a_burst_to_a_cold_server_opens_one_connection
                    equal_lookups_share_one_query
                    every_query_has_a_record_of_its_own
                    queries_say_no_more_than_they_have_to
                    options_of_a_query_reach_the_server
                    closing_says_goodbye_and_refuses_lookups
                    a_configuration_file_makes_a_resolver
                }
                connecting {
                    ipv6_comes_first_and_both_come_alone
                    an_address_does_not_wait_for_the_other_family
                    one_error_stands_for_no_address
                    a_connection_is_made_to_the_address_that_is_there
                    a_connection_does_not_wait_for_the_other_family
                }
                faults {
                    how_answers_are_cut_makes_no_difference
                    answers_out_of_order_or_together_find_their_queries
                    silence_ends_at_the_deadline
                    answers_to_other_questions_are_no_answers
                    malformed_messages_are_errors
                    truncation_is_told_and_not_kept
                    ttls_out_of_bounds_are_capped
                    connections_that_end_before_the_answer_are_errors
                    one_broken_answer_is_made_up_for
                    faults_are_nobody_elses
                    a_lost_connection_is_made_up_for_to_all
                    http_says_what_is_wrong
                    oddities_of_http_make_no_difference
                    framing_of_http1_is_strict
                    leftovers_of_http1_end_the_connection
                    frames_of_http2_come_as_they_like
                    what_http2_did_not_process_is_sent_again
                }
                connections {
                    silence_at_any_stage_ends_at_the_deadline
                    connections_that_never_come_up_say_why
                    one_broken_connection_is_made_up_for
                    a_slow_handshake_is_waited_for
                    stale_connections_are_no_failures
                    a_server_may_close_when_idle
                    a_killed_connection_loses_nothing
                    a_restarted_server_is_found_again
                    sessions_are_resumed_and_counted
                    keepalive_is_obeyed
                    an_idle_connection_is_closed_before_the_server_would
                    abandoned_lookups_do_no_harm
                    application_protocols_are_not_insisted_on
                    nonsense_inside_tls_is_no_answer
                }
                certificates {
                    wrong_certificates_are_refused_once_and_for_all
                    a_chain_with_an_intermediate_is_accepted
                    pins_are_enforced
                    a_pin_alone_is_enough
                    refused_client_certificates_are_named_as_the_cause
                    a_client_certificate_goes_to_its_own_upstream_only
                    tls_12_is_spoken_unless_a_certificate_is_at_stake
                    a_wrong_certificate_is_the_reported_cause
                    a_certificate_that_is_mended_is_accepted
                }
                failover {
                    the_first_upstream_is_asked_alone_while_it_answers
                    the_second_upstream_makes_up_for_the_first
                    the_second_upstream_makes_up_for_a_silent_first
                    a_silent_first_upstream_is_found_out_by_one_lookup
                    a_dead_upstream_is_passed_over_from_then_on
                    denials_are_not_asked_about_again
                    when_all_fail_the_error_tells_of_each
                    a_dead_address_is_made_up_for_by_another
                    a_silent_address_is_made_up_for_by_another
                    both_families_reach_a_server
                    remembered_failures_are_not_asked_for_again_at_once
                }
                policies {
                    an_upstream_known_by_name_is_resolved_by_another
                    names_of_a_route_go_to_its_upstream_alone
                    a_slow_query_is_hedged_and_the_loser_is_cancelled
                    a_race_is_won_by_whoever_answers
                    domains_are_spread_and_stay_where_they_are
                    the_fastest_is_asked
                    to_warm_up_opens_the_connection_that_the_first_lookup_uses
                    another_network_voids_connections_and_tickets_and_loses_no_lookup
                    quiet_connections_are_kept_open_by_pings
                    too_many_lookups_are_refused_at_once
                    a_full_connection_has_one_more_opened_beside_it
                    an_answer_past_its_time_serves_when_nobody_answers
                    an_answer_near_its_end_is_renewed_while_nobody_waits
                }
                proxies {
                    an_upstream_known_by_name_is_reached_through_a_proxy_that_resolves_it
                    an_upstream_with_addresses_is_asked_for_by_address
                    a_proxy_that_refuses_is_the_cause
                    credentials_are_told_and_have_to_be_right
                    a_proxy_that_is_not_there_or_goes_away_is_the_cause
                    a_proxy_that_says_nothing_is_where_the_lookup_ends
                }
                discovery {
                    designated_resolvers_are_found_and_prove_the_address_that_was_asked
                    a_designated_resolver_without_the_address_in_its_certificate_is_not_used
                    discovery_and_what_it_finds_go_through_the_same_proxy
                    a_client_certificate_is_not_handed_on
                    a_resolver_that_cannot_prove_its_address_is_not_asked
                    a_resolver_that_designates_none_has_none
                }
            }
        }
    )*};
}

/// Makes a module of tests for every backend.
macro_rules! backends {
    ($($module:ident: $backend:expr;)*) => {$(
        mod $module {
            fn backend() -> &'static dyn crate::Backend {
                &$backend
            }

            carriers! {
                dot: Dot, false;
                mutual_dot: Dot, true;
                http2: Http2, false;
                mutual_http2: Http2, true;
                http1: Http1, false;
                mutual_http1: Http1, true;
            }
        }
    )*};
}

backends! {
    tokio_current_thread: crate::backend::tokio::CurrentThread;
    tokio_multi_thread: crate::backend::tokio::MultiThread;
    async_std: crate::backend::async_std::AsyncStd;
    smol: crate::backend::async_std::Smol;
    blocking: crate::backend::blocking::Blocking;
}
