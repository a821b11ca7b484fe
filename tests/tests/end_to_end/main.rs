//! End-to-end tests of the resolvers against loopback servers with scripted faults.
//!
//! A suite is a file of functions that take a [`Bench`](bench::Bench). Each function is a test on every bench:
//! each backend with each protocol, with and without mutual TLS. A test returns early on a bench whose protocol
//! cannot have the fault.

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

/// Generates a test for each function of the suites. A function `bench()` must be in scope.
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

/// Generates a module of tests for each protocol. A function `backend()` must be in scope.
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
                    typed_values_are_in_the_specified_order
                    cname_chain_is_followed_and_loop_is_an_error
                    nxdomain_and_nodata_are_answers
                    failure_has_response_code_and_extended_error
                    lookup_ip_returns_addresses_of_both_families
                    reverse_lookup_returns_the_name
                    answers_are_cached_for_their_ttl
                    burst_to_a_new_server_opens_one_connection
                    equal_lookups_share_one_query
                    each_dot_query_has_its_own_tls_record
                    queries_reveal_no_more_than_necessary
                    query_options_reach_the_server
                    close_sends_close_notify_and_rejects_lookups
                    resolver_is_built_from_a_configuration_file
                }
                connecting {
                    ipv6_comes_first_and_one_family_is_enough
                    first_address_does_not_wait_for_the_other_family
                    lookup_without_addresses_yields_one_error
                    connect_uses_the_address_that_accepts
                    connect_does_not_wait_for_the_other_family
                }
                faults {
                    record_and_frame_boundaries_do_not_matter
                    reordered_and_coalesced_answers_match_their_queries
                    unanswered_lookup_ends_at_its_deadline
                    answers_to_other_questions_are_rejected
                    malformed_messages_are_errors
                    truncated_answer_is_reported_and_not_cached
                    excessive_ttl_is_capped
                    connection_that_ends_before_the_answer_is_an_error
                    query_is_retried_if_the_connection_breaks
                    faulty_answer_does_not_affect_other_lookups
                    all_queries_of_a_lost_connection_are_retried
                    http_failure_is_the_reported_cause
                    harmless_http_variations_are_accepted
                    http1_framing_is_strict
                    bytes_after_an_http1_response_end_the_connection
                    any_valid_http2_frame_sequence_is_accepted
                    unprocessed_http2_request_is_resent_without_an_attempt
                }
                connections {
                    silence_at_each_stage_ends_at_the_deadline
                    failed_connection_reports_its_cause
                    failed_first_connection_is_retried
                    slow_handshake_costs_no_attempt
                    stale_connection_costs_no_attempt
                    server_may_close_an_idle_connection
                    killed_connection_loses_no_query
                    restarted_server_is_used_again
                    sessions_are_resumed_and_counted
                    keepalive_timeout_of_zero_closes_the_connection
                    idle_connection_is_closed_before_the_server_closes_it
                    late_answers_of_abandoned_lookups_are_ignored
                    connection_without_alpn_is_accepted
                    garbage_inside_tls_is_not_an_answer
                }
                certificates {
                    invalid_certificate_is_rejected_without_retry
                    chain_with_an_intermediate_is_accepted
                    pins_are_enforced
                    pin_without_a_name_is_sufficient
                    refused_client_certificate_is_the_reported_cause
                    client_certificate_is_sent_only_to_its_upstream
                    tls12_is_allowed_without_a_client_certificate
                    invalid_certificate_is_the_reported_cause
                    corrected_certificate_is_accepted
                }
                failover {
                    only_the_first_upstream_is_queried_while_it_answers
                    second_upstream_answers_if_the_first_fails
                    second_upstream_answers_if_the_first_is_silent
                    silent_upstream_is_unhealthy_after_one_lookup
                    dead_upstream_is_skipped_after_the_first_failure
                    negative_answers_are_not_retried_elsewhere
                    error_lists_the_attempts_of_all_upstreams
                    refusing_address_is_replaced_without_delay
                    silent_address_is_replaced_after_the_delay
                    server_is_reached_over_ipv6
                    cached_failure_is_not_queried_again
                }
                policies {
                    upstream_name_is_resolved_by_another_upstream
                    names_of_a_route_go_only_to_its_upstream
                    slow_query_is_hedged_and_the_loser_cancelled
                    first_answer_wins_a_race
                    spread_keeps_each_domain_on_one_upstream
                    fastest_upstream_gets_most_queries
                    warm_up_opens_the_connection_of_the_first_lookup
                    network_change_drops_connections_and_tickets_but_no_lookup
                    idle_connections_are_kept_open_by_pings
                    lookups_over_the_limit_are_rejected_at_once
                    full_connection_opens_exactly_one_more
                    stale_answer_is_served_if_the_server_is_down
                    answer_near_expiry_is_prefetched
                }
                proxies {
                    proxy_resolves_the_upstream_name
                    upstream_with_addresses_is_requested_by_address
                    refusal_by_a_proxy_is_the_reported_cause
                    proxy_credentials_are_sent_and_must_be_valid
                    failed_connection_to_a_proxy_is_the_reported_cause
                    silent_proxy_is_the_stage_of_the_timeout
                }
                discovery {
                    designated_resolvers_prove_the_original_address
                    designated_resolver_without_the_address_is_not_used
                    discovery_and_its_results_use_the_same_proxy
                    client_certificate_is_not_sent_to_designated_resolvers
                    resolver_that_cannot_prove_its_address_is_not_queried
                    resolver_without_designations_yields_no_upstreams
                }
            }
        }
    )*};
}

/// Generates a module of tests for each backend.
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
