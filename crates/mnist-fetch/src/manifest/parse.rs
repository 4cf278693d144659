//! From the text of a manifest to data sets that can be fetched and verified, or the reason why not.

use std::collections::BTreeMap;
use std::fmt;

use mnist_io::LabelSource;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{ARCHIVES, KnownArchive, Manifest};
use crate::data_set::{Archive, Conversion, DataFile, DataSet, Origin};
use crate::digest::Hash;
use crate::published::{Length, Published};
use crate::source::is_address;

/// The name of digits that are drawn and not fetched (`mnist_io::synthetic_digits`), wherever data sets are named.
const SYNTHETIC: &str = "synthetic";

/// Whatever a manifest says, no file is longer: what is longer is a slip of the keyboard.
const LENGTH_MAX: u64 = 1 << 40;

impl Manifest {
    /// Adds the sets and archives of `text`. The error is the reason alone.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
        for (name, archive) in written.archives {
            check_name(&name)?;
            check_mirrors(&name, &archive.mirrors)?;
            let archive = check_archive(&name, archive).map_err(|reason| format!("[archives.{name}]: {reason}"))?;
            if self.archives.insert(name.clone(), archive).is_some() {
                return Err(format!(
                    "[archives.{name}] stands in {} already; give your archive another name",
                    self.called
                ));
            }
        }
        for (name, set) in written.sets {
            check_name(&name)?;
            if name == SYNTHETIC {
                return Err(format!(
                    "[{SYNTHETIC}]: this is the name of the built-in digits; give your set another name"
                ));
            }
            let set = check_set(&name, set, &self.archives).map_err(|reason| format!("[{name}]: {reason}"))?;
            check_mirrors(&name, &set.mirrors)?;
            if self.sets.insert(name.clone(), set).is_some() {
                return Err(format!("[{name}] stands in {} already; give your set another name", self.called));
            }
        }
        Ok(())
    }
}

/// A table of a set as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSet {
    title: String,
    #[serde(default)]
    licence: String,
    #[serde(default)]
    citation: String,
    classes: String,
    handwriting: Option<bool>,
    #[serde(default)]
    class_names: Vec<String>,
    train: Option<usize>,
    test: Option<usize>,
    mirrors: Option<Vec<String>>,
    archive: Option<String>,
    unproved: Option<String>,
    #[serde(default)]
    transposed: bool,
    first_label: Option<u8>,
    label_column: Option<usize>,
    files: Vec<WrittenFile>,
}

/// A table of a file as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    name: String,
    published: Option<String>,
    member: Option<String>,
    bytes: Option<u64>,
    bytes_max: Option<u64>,
    sha256: Option<String>,
    md5: Option<String>,
    content_sha256: Option<String>,
}

/// A table of an archive as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenArchive {
    name: String,
    bytes: u64,
    sha256: String,
    mirrors: Vec<String>,
    unproved: Option<String>,
}

/// Everything that a manifest may hold: `[archives.NAME]`, and every other table is a set.
#[derive(Default)]
struct Written {
    archives: BTreeMap<String, WrittenArchive>,
    sets: BTreeMap<String, WrittenSet>,
}

impl<'de> Deserialize<'de> for Written {
    // By hand, because serde's `flatten` forgets in which line an error is.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WrittenVisitor;

        impl<'de> Visitor<'de> for WrittenVisitor {
            type Value = Written;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("tables of data sets")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
                let mut written = Written::default();
                while let Some(name) = map.next_key::<String>()? {
                    if name == ARCHIVES {
                        written.archives = map.next_value()?;
                    } else {
                        written.sets.insert(name, map.next_value()?);
                    }
                }
                Ok(written)
            }
        }

        deserializer.deserialize_map(WrittenVisitor)
    }
}

fn check_set(name: &str, written: WrittenSet, archives: &BTreeMap<String, KnownArchive>) -> Result<DataSet, String> {
    let classes: Vec<String> = written.classes.chars().map(String::from).collect();
    if classes.is_empty() || classes.len() > 256 {
        return Err(format!("classes: expected 1 to 256 characters, found {}", classes.len()));
    }
    if !written.class_names.is_empty() && written.class_names.len() != classes.len() {
        return Err(format!(
            "class_names: expected none, or one for each of the {} classes, found {}",
            classes.len(),
            written.class_names.len()
        ));
    }
    if written.files.is_empty() {
        return Err("files: expected at least one, found none".to_owned());
    }
    let counts = match (written.train, written.test) {
        (Some(train), Some(test)) => Some((train, test)),
        (None, None) => None,
        _ => return Err("expected both train and test, or none of them".to_owned()),
    };
    let (archive, mirrors, archive_unproved) = match (&written.archive, &written.mirrors) {
        (None, Some(mirrors)) => (None, mirrors.clone(), None),
        (Some(name), None) => {
            let known = archives.get(name).ok_or_else(|| format!("archive: there is no [archives.{name}]"))?;
            let KnownArchive { archive, mirrors, unproved } = known.clone();
            (Some(archive), mirrors, unproved)
        }
        _ => return Err("expected either mirrors or archive".to_owned()),
    };
    let files = check_files(&written, counts, archive.is_some())?;
    Ok(DataSet {
        name: name.to_owned(),
        title: written.title,
        licence: written.licence,
        citation: written.citation,
        classes,
        is_handwriting: written.handwriting.unwrap_or(true),
        class_names: written.class_names,
        counts,
        files,
        archive,
        mirrors,
        unproved: written.unproved.or(archive_unproved),
    })
}

/// The files of a set, each with what has to be changed in it.
fn check_files(
    written: &WrittenSet,
    counts: Option<(usize, usize)>,
    is_in_archive: bool,
) -> Result<Vec<DataFile>, String> {
    let source =
        LabelSource { column: written.label_column.unwrap_or(0), first: i32::from(written.first_label.unwrap_or(0)) };
    let check = |file: &WrittenFile| {
        let name = file.name.clone();
        let count = counts.map(|(train, test)| if name.starts_with("train") { train } else { test });
        let is_labels = name.contains("labels");
        let conversion = if is_labels {
            Conversion::Labels { source, n_labels: count }
        } else {
            Conversion::Images { transposed: written.transposed, n_images: count }
        };
        // A table is converted even where its first column and first number are the usual ones.
        let is_table = is_labels && written.label_column.is_some();
        let origin = match (is_in_archive, is_table || !conversion.changes_nothing()) {
            (true, _) => Origin::Member(check_member(file)?, conversion),
            (false, true) => Origin::Converted(check_file(file)?, conversion),
            (false, false) => Origin::Published(check_file(file)?),
        };
        Ok(DataFile { name, origin })
    };
    let files = written.files.iter();
    files.map(|file| check(file).map_err(|reason: String| format!("{}: {reason}", file.name))).collect()
}

fn check_archive(name: &str, written: WrittenArchive) -> Result<KnownArchive, String> {
    check_name(&written.name)?;
    let length = check_length(Some(written.bytes), None)?;
    let hash = Hash::sha256(&written.sha256)?;
    let file = Published { name: written.name, length, hash, content: None };
    Ok(KnownArchive {
        archive: Archive { name: name.to_owned(), file },
        mirrors: written.mirrors,
        unproved: written.unproved,
    })
}

fn check_member(written: &WrittenFile) -> Result<String, String> {
    check_name(&written.name)?;
    let is_bare = written.published.is_none()
        && written.bytes.is_none()
        && written.bytes_max.is_none()
        && written.sha256.is_none()
        && written.md5.is_none()
        && written.content_sha256.is_none();
    match &written.member {
        Some(member) if is_bare => Ok(member.clone()),
        _ => Err("expected name and member and nothing else, as the archive is verified as a whole".to_owned()),
    }
}

fn check_file(written: &WrittenFile) -> Result<Published, String> {
    check_name(&written.name)?;
    if written.member.is_some() {
        return Err("member: the set has no archive".to_owned());
    }
    let hash = match (&written.sha256, &written.md5) {
        (Some(sha256), None) => Hash::sha256(sha256)?,
        (None, Some(md5)) => Hash::md5(md5)?,
        _ => return Err("expected either sha256 or md5".to_owned()),
    };
    let name = written.published.clone().unwrap_or_else(|| written.name.clone());
    check_name(&name)?;
    let length = check_length(written.bytes, written.bytes_max)?;
    let content = written.content_sha256.as_deref().map(Hash::sha256).transpose()?;
    Ok(Published { name, length, hash, content })
}

fn check_length(exactly: Option<u64>, most: Option<u64>) -> Result<Length, String> {
    let length = match (exactly, most) {
        (Some(n_bytes), None) => Length::Exactly(n_bytes),
        (None, Some(n_bytes)) => Length::AtMost(n_bytes),
        _ => return Err("expected either bytes or bytes_max".to_owned()),
    };
    match length.most() {
        1..=LENGTH_MAX => Ok(length),
        n_bytes => Err(format!("expected 1 to {LENGTH_MAX} bytes, found {n_bytes}")),
    }
}

/// A set and its files are as safe as their names: plain ones, no folders.
fn check_name(name: &str) -> Result<(), String> {
    if is_plain(name) {
        return Ok(());
    }
    Err(format!(
        "\"{name}\" is no plain name; expected letters, digits, '.', '_' and '-', not beginning with '.' or '-'"
    ))
}

fn check_mirrors(name: &str, mirrors: &[String]) -> Result<(), String> {
    match mirrors.iter().find(|mirror| !is_address(mirror)) {
        None => Ok(()),
        Some(mirror) => Err(format!(
            "[{name}]: mirrors: expected addresses that begin with https:// or http://, found \"{mirror}\""
        )),
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && name != ARCHIVES
        && !name.starts_with(['.', '-'])
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, String> {
        let mut manifest = Manifest::empty("the manifest");
        manifest.add(text).map(|()| manifest)
    }

    /// A manifest of one set with one file, described by these lines.
    fn with_file(file: &str) -> String {
        format!("[set]\ntitle=\"t\"\nclasses=\"01\"\nmirrors=[]\nfiles=[{{{file}}}]")
    }

    #[test]
    fn every_set_of_the_project_has_four_files_and_says_where_it_is_from() {
        let manifest = Manifest::builtin();
        let names: Vec<&str> = manifest.sets.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "emnist-balanced",
                "emnist-byclass",
                "emnist-digits",
                "emnist-letters",
                "fashion-mnist",
                "kmnist",
                "mnist",
                "qmnist"
            ]
        );
        for (name, set) in &manifest.sets {
            assert_eq!(set.files.len(), 4, "{name}");
            assert!(!set.licence.is_empty() && !set.citation.is_empty(), "{name}");
            assert!(set.counts.is_some() && !set.mirrors.is_empty(), "{name}");
            // Only MNIST's bytes were at hand when the manifest was written.
            assert_eq!(set.unproved.is_none(), name == "mnist", "{name}");
        }
    }

    #[test]
    fn a_hash_in_capital_letters_is_the_same_hash() {
        let text = with_file(&format!("name=\"a\", bytes=1, sha256=\"{}\"", "AB".repeat(32)));
        let manifest = parse(&text).expect("a valid manifest");
        let published = manifest.sets["set"].files[0].published().expect("a published file");
        assert_eq!(published.hash, Hash::sha256(&"ab".repeat(32)).expect("a hash"));
    }

    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        for name in ["../evil", "/etc/passwd", "a/b", "..", ".hidden", "-rf", "", "a\\b", "a\u{0}b", "archives"] {
            assert!(!is_plain(name), "{name:?}");
            let name = toml::Value::String(name.to_owned());
            let hash = "0".repeat(64);
            assert!(parse(&with_file(&format!("name={name}, bytes=1, sha256=\"{hash}\""))).is_err(), "{name:?}");
            let renamed = format!("name=\"a\", published={name}, bytes=1, sha256=\"{hash}\"");
            assert!(parse(&with_file(&renamed)).is_err(), "{name:?}");
        }
    }

    #[test]
    fn an_entry_that_cannot_be_verified_or_understood_is_refused_with_its_reason() {
        let (sha256, md5) = ("0".repeat(64), "0".repeat(32));
        let cases = [
            ("name=\"a\", bytes=1".to_owned(), "either sha256 or md5"),
            (format!("name=\"a\", bytes=1, sha256=\"{sha256}\", md5=\"{md5}\""), "either sha256 or md5"),
            (format!("name=\"a\", sha256=\"{sha256}\""), "either bytes or bytes_max"),
            (format!("name=\"a\", bytes=0, sha256=\"{sha256}\""), "expected 1 to"),
            (format!("name=\"a\", bytes=1, sha256=\"{md5}\""), "64 hexadecimal digits"),
            (format!("name=\"a\", bytes=1, md5=\"{sha256}\""), "32 hexadecimal digits"),
            (format!("name=\"a\", bytes=1, sha256=\"{sha256}\", member=\"b\""), "the set has no archive"),
            (format!("name=\"a\", bytes=1, sha256=\"{sha256}\", colour=\"red\""), "unknown field `colour`"),
        ];
        for (file, reason) in cases {
            let error = parse(&with_file(&file)).expect_err(&file);
            assert!(error.contains(reason), "{file}: {error}");
        }
        let file = format!("name=\"a\", bytes=1, sha256=\"{sha256}\"");
        for (from, to, reason) in [
            ("mirrors=[]", "mirrors=[\"ftp://a/\"]", "begin with https:// or http://"),
            ("mirrors=[]", "archive=\"none\"", "there is no [archives.none]"),
            ("mirrors=[]", "mirrors=[]\narchive=\"none\"", "either mirrors or archive"),
            ("classes=\"01\"", "classes=\"\"", "1 to 256 characters"),
            ("classes=\"01\"", "classes=\"01\"\nclass_names=[\"zero\"]", "one for each of the 2 classes"),
            ("mirrors=[]", "mirrors=[]\ntrain=3", "both train and test"),
            ("[set]", "[synthetic]", "the name of the built-in digits"),
        ] {
            let error = parse(&with_file(&file).replace(from, to)).expect_err(to);
            assert!(error.contains(reason), "{to}: {error}");
        }
    }
}
