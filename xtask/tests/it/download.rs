//! `download` as a process: exit codes, what it says on its two outputs, and what it takes from its environment. What is
//! fetched from servers that misbehave, and how, is tested in `mnist-fetch`.

use std::fs;

use md5::Md5;
use mnist_fetch::Manifest;
use mnist_io::{IdxArray, synthetic_digits};
use sha2::{Digest, Sha256};

use crate::sandbox::{Outcome, Sandbox};
use crate::server::{Behaviour, Proxy, Server};
use crate::waiting::wait_until;

const CONTENT: &[u8] = b"the content of the only file of a very small data set";

/// A sandbox whose manifest knows one set, `small`, with one file on `mirrors`.
fn sandbox(mirrors: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    let (length, sha256) = (CONTENT.len(), hex::encode(Sha256::digest(CONTENT)));
    sandbox.write(
        "datasets/manifest.toml",
        format!(
            "[small]\ntitle = \"small\"\nclasses = \"0123456789\"\nmirrors = {mirrors:?}\n\
             files = [{{ name = \"file.gz\", bytes = {length}, sha256 = \"{sha256}\" }}]\n"
        ),
    );
    sandbox
}

fn good() -> Server {
    Server::new(vec![Behaviour::Body(CONTENT.to_vec())])
}

#[test]
fn a_file_is_said_to_have_arrived_to_be_here_or_to_have_been_replaced() {
    let server = good();
    let sandbox = sandbox(&[&server.address]);
    let outcome = sandbox.run(["download", "small"]).expect_code(0);
    assert_eq!(outcome.stdout, format!("{:<28}{:>12} bytes  downloaded, verified\nin datasets/small\n", "file.gz", 53));
    let outcome = sandbox.run(["download", "small"]).expect_code(0);
    assert!(outcome.stdout.contains("already here, verified"), "{outcome:#?}");
    assert_eq!(server.n_requests(), 1);
    let outcome = sandbox.run(["download", "--verify"]).expect_code(0);
    assert_eq!(outcome.stdout, format!("{:<28}{:>12} bytes  verified\n", "file.gz", 53));
    sandbox.write("datasets/small/file.gz", "damaged");
    let outcome = sandbox.run(["download", "--verify"]).expect_code(4);
    outcome
        .expect_error("has 7 bytes, expected 53")
        .expect_error("run `cargo xtask download small` to fetch what is wrong");
    let outcome = sandbox.run(["download", "small"]).expect_code(0);
    assert!(outcome.stdout.contains("was damaged, replaced, verified"), "{outcome:#?}");
    assert_eq!(fs::read(sandbox.path("datasets/small/file.gz")).expect("the file"), CONTENT);
    let listed = sandbox.run(["download", "--list"]).expect_code(0).stdout;
    assert!(listed.starts_with("small           downloaded      0.0 MB"), "{listed}");
}

#[test]
fn a_source_that_does_not_deliver_is_code_4_with_its_reason_and_the_option_for_another() {
    let gone = Server::new(vec![Behaviour::Status("404 Not Found")]);
    let sandbox = sandbox(&[&gone.address]);
    let outcome = sandbox.run(["download", "small"]).expect_code(4);
    let outcome = outcome.expect_error("no source delivered the 53 bytes").expect_error("404 Not Found");
    let outcome = outcome.expect_error("take the file from elsewhere with --from FOLDER, FILE or ADDRESS");
    assert!(outcome.stdout.is_empty(), "{outcome:#?}");
    // What was asked for and did not come is no set that is here.
    let outcome = sandbox.run(["download", "--verify"]).expect_code(0);
    assert!(outcome.stdout.starts_with("no data set is in"), "{}", outcome.stdout);
    sandbox.run(["download", "small", "--verify"]).expect_code(4).expect_error("file.gz is missing");
    // A set without mirrors has no source at all.
    let alone = self::sandbox(&[]);
    alone.run(["download", "small"]).expect_code(4).expect_error("error: file.gz: no source delivered");
}

#[test]
fn what_from_names_is_a_folder_a_file_or_an_address() {
    let sandbox = sandbox(&[]);
    let target = sandbox.path("datasets/small/file.gz");
    fs::create_dir(sandbox.path("my stick")).expect("a folder");
    sandbox.run(["download", "small", "--from", "my stick"]).expect_code(4).expect_error("my stick/file.gz");
    sandbox.write("my stick/file.gz", CONTENT);
    sandbox.write("other file", "something else");
    let server = good();
    for from in ["my stick", "my stick/file.gz", &server.address] {
        sandbox.run(["download", "small", "--from", from]).expect_code(0);
        fs::remove_file(&target).expect("the file");
    }
    let outcome = sandbox.run(["download", "small", "--from", "other file"]).expect_code(4);
    outcome.expect_error("--from other file: expected one of the files file.gz, found none of them");
    let outcome = sandbox.run(["download", "small", "--from", "no stick"]).expect_code(2);
    outcome.expect_error("--from no stick: no such folder or file");
}

#[test]
fn the_limits_of_time_and_attempts_are_those_of_the_options() {
    let server = Server::new(vec![Behaviour::Silence]);
    let sandbox = sandbox(&[&server.address]);
    let outcome = sandbox.run(["download", "small", "--attempts", "2", "--stall", "0.5"]).expect_code(4);
    outcome.expect_error("not a byte for 0.5 s (2 attempts)");
    assert_eq!(server.n_requests(), 2);
    let outcome = sandbox.run(["download", "small", "--deadline", "0.2"]).expect_code(4);
    outcome.expect_error("deadline");
    sandbox.run(["download", "small", "--attempts", "0"]).expect_code(2);
    sandbox.run(["download", "small", "--stall", "0"]).expect_code(2);
}

#[test]
fn unknown_sets_hostile_names_and_damaged_manifests_are_refused() {
    let sandbox = sandbox(&[]);
    let outcome = sandbox.run(["download", "smal"]).expect_code(2).expect_error("did you mean \"small\"?");
    outcome.expect_error("no data set is called \"smal\" in datasets/manifest.toml, which knows: small");
    sandbox.run(["download"]).expect_code(2).expect_error("no data set is called \"mnist\"");
    let hash = "0".repeat(64);
    sandbox.write(
        "datasets/manifest.toml",
        format!(
            "[evil]\ntitle=\"\"\nclasses=\"01\"\nmirrors=[]\nfiles=[{{name=\"../../x\", bytes=1, sha256=\"{hash}\"}}]"
        ),
    );
    sandbox.run(["download"]).expect_code(3).expect_error("is no plain name");
}

#[test]
fn a_set_of_ones_own_stands_in_a_file_of_its_own() {
    let server = good();
    let own = sandbox(&[&server.address]);
    let text = fs::read_to_string(own.path("datasets/manifest.toml")).expect("the manifest");
    let sandbox = Sandbox::new();
    sandbox.write("datasets/own.toml", &text);
    let listed = sandbox.run(["download", "--list"]).expect_code(0).stdout;
    assert!(listed.contains("small ") && listed.contains("emnist-letters"), "{listed}");
    sandbox.run(["download", "small"]).expect_code(0);
    sandbox.write("datasets/own.toml", text.replace("[small]", "[mnist]"));
    sandbox.run(["download", "--list"]).expect_code(3).expect_error("[mnist] stands in datasets/manifest.toml already");
}

#[test]
fn a_folder_that_cannot_be_written_is_code_5() {
    let server = good();
    let sandbox = sandbox(&[&server.address]);
    // A file where the folder should be stops everybody, even the superuser.
    sandbox.write("datasets/small", "in the way");
    sandbox.run(["download", "small"]).expect_code(5).expect_error("cannot create the folder");
    assert_eq!(server.n_requests(), 0);
}

#[test]
fn a_second_download_of_the_same_set_ends_with_code_6_and_names_the_first() {
    let server = Server::new(vec![Behaviour::Stall(CONTENT.len(), CONTENT[..20].to_vec())]);
    let sandbox = sandbox(&[&server.address]);
    let mut first = sandbox.command(["download", "small"]).spawn().expect("the program starts");
    wait_until(&mut first, "a request", || server.n_requests() > 0);
    let outcome = sandbox.run(["download", "small"]).expect_code(6);
    outcome.expect_error(&format!("in use by download, process {}", first.id()));
    // A killed download leaves nothing under the final name, and no lock.
    first.kill().expect("a kill");
    first.wait().expect("an end");
    assert!(!sandbox.path("datasets/small/file.gz").exists());
    let good = Server::new(vec![Behaviour::Body(CONTENT.to_vec())]);
    sandbox.run(["download", "small", "--from", &good.address]).expect_code(0);
    assert_eq!(sandbox.files("datasets/small").len(), 2, "{:?}", sandbox.files("datasets/small"));
}

/// Calls the program with an environment of somebody's own.
fn run_with(variables: &[(&str, &str)], server: &Server) -> Outcome {
    let sandbox = sandbox(&[&server.address]);
    let mut command = sandbox.command(["download", "small", "--attempts", "1", "--stall", "5"]);
    if !server.certificate.is_empty() {
        command.env("SSL_CERT_FILE", sandbox.write("authority.pem", &server.certificate));
    }
    command.envs(variables.iter().copied());
    sandbox.outcome(command.output().expect("the program starts"))
}

#[test]
fn proxies_and_certificates_are_those_of_the_environment() {
    let server = Server::with_tls(vec![Behaviour::Body(CONTENT.to_vec())]);
    run_with(&[], &server).expect_code(0);
    let proxy = Proxy::new();
    run_with(&[("https_proxy", &proxy.address)], &server).expect_code(0);
    assert_eq!(proxy.requests().len(), 1);
    run_with(&[("https_proxy", &proxy.address), ("no_proxy", "localhost")], &server).expect_code(0);
    assert_eq!(proxy.requests().len(), 1);
    run_with(&[("ALL_PROXY", "::")], &server).expect_code(4).expect_error("ALL_PROXY holds no address of a proxy");

    let outcome = sandbox(&[&server.address]).run(["download", "small", "--attempts", "1"]).expect_code(4);
    outcome.expect_error("certificate").expect_error("SSL_CERT_FILE");
    let sandbox = sandbox(&[&server.address]);
    let mut command = sandbox.command(["download", "small"]);
    command.env("SSL_CERT_FILE", sandbox.write("nothing.pem", "no certificates"));
    let outcome = sandbox.outcome(command.output().expect("the program starts"));
    outcome.expect_code(3).expect_error("nothing.pem: expected certificates in PEM form");
}

#[test]
fn a_file_that_is_verified_by_md5_alone_is_said_to_be() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("stick")).expect("a folder");
    let mut bytes = Vec::new();
    let images = IdxArray::U8(synthetic_digits(3, 1).images.into_dyn());
    images.write_gzip_to(&mut bytes).expect("bytes");
    sandbox.write("stick/train-images-idx3-ubyte.gz", &bytes);
    sandbox.write(
        "datasets/manifest.toml",
        format!(
            "[q]\ntitle = \"q\"\nclasses = \"0123456789\"\nmirrors = []\nfiles = [{{ name = \
             \"train-images-idx3-ubyte.gz\", bytes_max = 100000, md5 = \"{}\" }}]\n",
            hex::encode(Md5::digest(&bytes))
        ),
    );
    for said in ["downloaded, verified by MD5", "already here, verified by MD5"] {
        let outcome = sandbox.run(["download", "q", "--from", "stick"]).expect_code(0);
        assert!(outcome.stdout.contains(said), "{outcome:#?}");
    }
    let outcome = sandbox.run(["download", "--verify"]).expect_code(0);
    assert!(outcome.stdout.contains("verified by MD5"), "{outcome:#?}");
}

#[test]
fn the_characters_of_the_sets_fit_into_the_bits_that_the_paper_gives_them() {
    let manifest = Manifest::builtin();
    let classes = |name: &str| manifest.get(name).expect("a set of the project").classes.clone();
    let n_bits = |name: &str| mlp_train::TargetEncoding::Ascii.n_bits(&classes(name));
    assert_eq!(["mnist", "qmnist", "emnist-digits"].map(n_bits), [6; 3]);
    assert_eq!(["emnist-letters", "emnist-balanced", "emnist-byclass"].map(n_bits), [7; 3]);
    let n_classes = |name: &str| classes(name).len();
    assert_eq!(["emnist-letters", "emnist-balanced", "emnist-byclass"].map(n_classes), [26, 47, 62]);
}
