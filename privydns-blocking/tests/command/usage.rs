//! Wrong usage: one clear line, and status 2.

use crate::run::{bare, file};

/// The lookups use a name that is answered locally, in case the arguments are accepted by mistake.
#[test]
fn wrong_usage_is_one_line_and_status_2() {
    let nothing = file("");
    for (arguments, words) in [
        (&[][..], "NAME"),
        (&["--upstrem", "quad9", "localhost"], "--upstream"),
        (&["-u", "tls://192.0.2.1:53", "localhost"], "port 53"),
        (&["-u", "udp://192.0.2.1", "localhost"], "--upstream"),
        (&["@9.9.9.9", "localhost"], "--upstream"),
        (&["localhost", "FOO"], "FOO"),
        (&["localhost", "AXFR"], "zone transfer"),
        (&["localhost", "OPT"], "OPT"),
        (&["localhost..example"], "empty label"),
        (&["-x", "localhost"], "--reverse"),
        (&["-x", "192.0.2.1", "localhost"], "cannot be used with"),
        (&["localhost", "--timeout", "5"], "unit"),
        (&["localhost", "--timeout", "0s"], "greater than zero"),
        (&["localhost", "--timeout", "30d"], "at most a day"),
        (&["localhost", "--attempts", "0"], "--attempts"),
        (&["localhost", "--strategy", "slowest"], "ordered, fastest, race, spread"),
        (&["localhost", "--protocol", "udp"], "tls, mtls, https"),
        (&["localhost", "--protocol", "mtls"], "quad9"),
        (&["localhost", "--ecs", "192.0.2.1"], "192.0.2.0/24"),
        (&["localhost", "--ecs", "192.0.2.0/33"], "prefix"),
        (&["localhost", "--pin", "AAAA"], "44 characters"),
        (&["localhost", "--ca", "/no/such/file"], "/no/such/file"),
        (&["localhost", "--ca", &nothing], &nothing),
        (&["localhost", "--cert", &nothing], &nothing),
        (&["localhost", "--key", &nothing], "--cert"),
        (&["localhost", "--short", "--json"], "cannot be used with"),
        (&["--file", "/no/such/file"], "/no/such/file"),
        (&["--file", &nothing, "localhost"], "--file"),
        (&["--file", &nothing, "--concurrency", "1001"], "1000"),
        (&["--list-presets", "localhost"], "--list-presets"),
        (&["--completions", "tcsh"], "bash"),
    ] {
        let run = bare(arguments);
        assert_eq!((run.status, &*run.stdout), (Some(2), ""), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.starts_with("privydns: "), "{}", run.stderr);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
    }
}
