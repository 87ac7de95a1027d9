use super::*;

fn parse(arguments: &[&str]) -> Result<Config, String> {
    let arguments = std::iter::once("kube-ingress-dash").chain(arguments.iter().copied());
    Config::try_parse_from(arguments).map_err(|error| error.to_string())
}

#[test]
fn a_bad_value_names_itself_and_what_is_allowed() {
    for (argument, allowed) in [
        ("--listen=nowhere", "127.0.0.1:3000"),
        ("--listen=localhost:http", "a port"),
        ("--max-namespaces-per-stream=0", "from 1 to"),
        ("--stream-timeout=soon", "from 1000 to"),
        ("--k8s-watch-timeout=1", "from 5 to"),
        ("--watch-mode=all", "namespaced"),
        ("--watch-namespaces=a,B", "\"B\""),
        ("--base-path=x", "starts with /"),
        ("--base-path=/a//b", "starts with /"),
        ("--base-path=/livez", "any other path"),
        ("--base-path=/readyz/", "any other path"),
        ("--demo=many", "NAMESPACESxINGRESSES"),
        ("--log-level=loud", "debug"),
        ("--log-level=info,kube_ingress_dash", "debug"),
        ("--log-level=kube_ingress_dash=loud", "debug"),
        ("--allowed-hosts=a b", "host names"),
        ("--allowed-hosts=http://x/", "without scheme"),
        ("--allowed-hosts=x:80", "port"),
        ("--redact-annotations=a b", "annotation keys"),
        ("--max-replays=0", "from 1 to"),
        ("--max-streams-per-client=many", "from 0 to"),
        ("--reconnect-interval=99", "from 100 to"),
        ("--reconnect-backoff=0.5", "from 1 to 10"),
        ("--reconnect-backoff=NaN", "from 1 to 10"),
        ("--max-reconnect-delay=1h", "from 100 to"),
        ("--max-reconnect-attempts=0", "from 1 to"),
        ("--trusted-proxies=10.0.0.0/33", "networks"),
        ("--trusted-proxies=proxy.example.com", "networks"),
    ] {
        let error = parse(&[argument]).unwrap_err();
        let (name, value) = argument.split_once('=').unwrap();
        assert!(
            error.contains(allowed) && error.contains(name) && error.contains(value),
            "{error}"
        );
    }
}

#[test]
fn listening_to_others_needs_a_word() {
    assert!(parse(&["--listen=0.0.0.0:80"]).unwrap().check().is_err());
    assert!(
        parse(&["--listen=0.0.0.0:80", "--insecure-no-auth"])
            .unwrap()
            .check()
            .is_ok()
    );
    for local in [
        "127.0.0.1:0",
        "127.9.9.9:1",
        "[::1]:1",
        "[::ffff:127.0.0.1]:1",
        "localhost:1",
    ] {
        assert!(
            parse(&["--listen", local]).unwrap().check().is_ok(),
            "{local}"
        );
    }
}

#[test]
fn lists_pass_over_what_is_empty() {
    let config = parse(&["--allowed-hosts=,A.example.com, [::1],"]).unwrap();
    let hosts: Vec<_> = config.allowed_hosts.0.iter().map(String::as_str).collect();
    assert_eq!(hosts, ["[::1]", "a.example.com"]);
    for nothing in [",", " ", " , "] {
        let error = parse(&["--watch-namespaces", nothing]).unwrap_err();
        assert!(error.contains("names nothing"), "{error}");
    }
}

#[test]
fn proxies_are_addresses_and_networks() {
    let config = parse(&["--trusted-proxies=10.0.0.0/8, 192.0.2.7,fd00::/8,"]).unwrap();
    let trusts = |address: &str| config.trusted_proxies.contain(address.parse().unwrap());
    for address in ["10.1.2.3", "192.0.2.7", "fd12::1"] {
        assert!(trusts(address), "{address}");
    }
    for address in ["11.0.0.1", "192.0.2.8", "::1"] {
        assert!(!trusts(address), "{address}");
    }
    assert_eq!(parse(&[]).unwrap().trusted_proxies.0, []);
}

#[test]
fn the_page_reconnects_as_the_operator_says() {
    assert_eq!(parse(&[]).unwrap().reconnect(), Reconnect::default());
    let config = parse(&[
        "--reconnect-interval=5000",
        "--reconnect-backoff=1.5",
        "--max-reconnect-delay=60000",
        "--max-reconnect-attempts=3",
    ]);
    let expected = Reconnect {
        interval_ms: 5_000,
        backoff: 1.5,
        max_delay_ms: 60_000,
        max_attempts: 3,
    };
    assert_eq!(config.unwrap().reconnect(), expected);
}

#[test]
fn the_first_delay_of_the_page_is_at_most_the_longest() {
    let check = |interval: &str, longest: &str| {
        let interval = format!("--reconnect-interval={interval}");
        let longest = format!("--max-reconnect-delay={longest}");
        parse(&[&interval, &longest]).unwrap().check()
    };
    assert!(check("5000", "5000").is_ok());
    let words = check("5001", "5000").unwrap_err().to_string();
    for word in [
        "RECONNECT_INTERVAL is 5001",
        "MAX_RECONNECT_DELAY is 5000",
        "100 to 5000",
    ] {
        assert!(words.contains(word), "{words}");
    }
}

/// `--help` at this width.
fn help(width: usize) -> String {
    let mut command = Config::command().term_width(width);
    command.render_long_help().to_string()
}

#[test]
fn help_has_every_setting_in_a_group_and_fits() {
    for width in [80, 100] {
        let help = help(width);
        for line in help.lines() {
            assert!(
                line.chars().count() <= width,
                "{line:?} is wider than {width}"
            );
        }
        let mut rest = help.as_str();
        for heading in [
            "Options",
            heading::ACCESS,
            heading::CLUSTER,
            heading::STREAMS,
            heading::PAGE,
            heading::SHUTDOWN,
            heading::LOG,
            "Example",
        ] {
            let found = rest.split_once(&format!("\n{heading}:\n"));
            rest = found
                .unwrap_or_else(|| panic!("{heading} is missing in {rest}"))
                .1;
        }
    }
    let ungrouped = Config::command();
    let ungrouped = ungrouped
        .get_arguments()
        .filter(|argument| argument.get_help_heading().is_none());
    assert_eq!(ungrouped.count(), 0);
}

#[test]
fn help_names_the_variable_of_each_setting_as_the_readme_does() {
    let readme = include_str!("../../../README.md");
    let help = help(100);
    let command = Config::command();
    for argument in command.get_arguments() {
        let flag = argument.get_long().unwrap();
        assert!(
            help.contains(&format!("--{flag}")) && readme.contains(&format!("`--{flag}")),
            "{flag}"
        );
        if let Some(name) = argument.get_env() {
            let name = name.to_str().unwrap();
            assert!(
                help.contains(&format!("[env: {name}=")) && readme.contains(&format!("`{name}`")),
                "{name}"
            );
        }
    }
    for section in ["Endpoints", "Configuration"] {
        assert!(
            help.contains(&format!("\"{section}\""))
                && readme.contains(&format!("\n## {section}\n"))
        );
    }
}

#[test]
fn the_example_of_help_is_one() {
    let example = EXAMPLE.lines().nth(1).unwrap().split_whitespace();
    let config = Config::try_parse_from(example).unwrap();
    assert!(config.check().is_ok());
    assert_eq!(config.watch_namespaces.0.len(), 2);
}

#[test]
fn a_base_path_loses_its_last_slash() {
    assert_eq!(parse(&["--base-path=/a/b/"]).unwrap().base_path, "/a/b");
    assert_eq!(parse(&["--base-path=/"]).unwrap().base_path, "");
}
