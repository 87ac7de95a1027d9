use super::*;

#[test]
fn loopback_names_are_told_from_others() {
    for host in [
        "localhost",
        "a.localhost",
        "127.0.0.1",
        "127.1.2.3",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ] {
        assert!(is_loopback(host), "{host}");
    }
    for host in [
        "",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "10.0.0.1",
        "[::2]",
        "[::1].example.com",
        "[[::1]]",
        "example.com",
    ] {
        assert!(!is_loopback(host), "{host}");
    }
}

#[test]
fn a_port_is_no_part_of_the_host() {
    assert_eq!(without_port("localhost:3000"), "localhost");
    assert_eq!(without_port("[::1]:3000"), "[::1]");
    assert_eq!(without_port("example.com"), "example.com");
    assert_eq!(without_port("[::1]"), "[::1]");
    // What is no host stays what it is.
    for odd in [
        "[::1].example.com",
        "[::1].example.com:80",
        "localhost:80.example.com",
        "::1:80",
    ] {
        assert_eq!(without_port(odd), odd);
    }
}
