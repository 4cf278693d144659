//! The list of data sets that `download` knows: `datasets/manifest.toml`, and `datasets/own.toml` for a user's own.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use mnist_io::LabelSource;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::configuration::nearest;
use crate::data::SYNTHETIC;
use crate::digest::Hash;
use crate::failure::Failure;

/// The manifest as it was when the program was built, for a program that runs away from its sources.
const BUILT_IN: &str = include_str!("../../datasets/manifest.toml");

/// The name of the table of archives, which no data set can have.
pub(crate) const ARCHIVES: &str = "archives";

/// Whatever a manifest says, no file is longer: what is longer is a slip of the keyboard.
const LENGTH_MAX: u64 = 1 << 40;

/// All known data sets by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) sets: BTreeMap<String, DataSet>,
    archives: BTreeMap<String, WrittenArchive>,
}

/// A data set that can be downloaded.
#[derive(Clone, Debug)]
pub(crate) struct DataSet {
    /// What it is, in one line.
    pub(crate) title: String,
    /// Under which terms it may be used; empty where the manifest does not say.
    pub(crate) licence: String,
    /// What to cite; empty where the manifest does not say.
    pub(crate) citation: String,
    /// The characters that the labels 0, 1, 2, … stand for.
    pub(crate) classes: Vec<char>,
    /// What the classes are, where a character does not say it: none, or one for each class.
    pub(crate) class_names: Vec<String>,
    /// The number of training and of test images, where the manifest says it.
    pub(crate) counts: Option<(usize, usize)>,
    /// What belongs to it.
    pub(crate) files: Vec<DataFile>,
    /// The archive that holds all files, where they are not published one by one.
    pub(crate) archive: Option<Archive>,
    /// Folders on servers that hold every file, or the archive, best first.
    pub(crate) mirrors: Vec<String>,
    /// Where lengths and hashes were published that have not been computed here.
    pub(crate) unproved: Option<String>,
}

/// A ZIP archive that several sets may share.
#[derive(Clone, Debug)]
pub(crate) struct Archive {
    /// Its table in the manifest; the folder that it lies in.
    pub(crate) name: String,
    pub(crate) file: Published,
}

/// One file of a data set.
#[derive(Clone, Debug)]
pub(crate) struct DataFile {
    /// A plain name on disk.
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

/// Where a file comes from, and what is changed on the way to the disk.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// It lies on a server, and on the disk as it lies there.
    Published(Published),
    /// It lies on a server in another form.
    Converted(Published, Conversion),
    /// It is the member of this name of the set's archive.
    Member(String, Conversion),
}

/// A file as it lies on a server.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    /// A plain name, the same on every mirror.
    pub(crate) name: String,
    pub(crate) length: Length,
    pub(crate) hash: Hash,
    /// The SHA-256 of what it unpacks to, if known.
    pub(crate) content: Option<Hash>,
}

/// What is known about a length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Exactly(u64),
    AtMost(u64),
}

/// How a file of images or labels becomes one like MNIST's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// Packed anew as it is.
    Images {
        transposed: bool,
        n_images: Option<usize>,
    },
    Labels {
        source: LabelSource,
        n_labels: Option<usize>,
    },
}

impl Length {
    /// The greatest possible length.
    pub(crate) fn most(self) -> u64 {
        match self {
            Length::Exactly(n_bytes) | Length::AtMost(n_bytes) => n_bytes,
        }
    }

    /// Whether a file may have so many bytes.
    pub(crate) fn admits(self, n_bytes: u64) -> bool {
        match self {
            Length::Exactly(expected) => n_bytes == expected,
            Length::AtMost(most) => n_bytes <= most,
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Length::Exactly(n_bytes) => write!(f, "{n_bytes}"),
            Length::AtMost(n_bytes) => write!(f, "at most {n_bytes}"),
        }
    }
}

impl Conversion {
    /// Whether what comes out is what goes in.
    fn is_none(self) -> bool {
        match self {
            Conversion::Images { transposed, .. } => !transposed,
            Conversion::Labels { source, .. } => source == LabelSource::default(),
        }
    }
}

impl DataSet {
    /// The bytes that have to be fetched at most.
    pub(crate) fn n_bytes(&self) -> u64 {
        match &self.archive {
            Some(archive) => archive.file.length.most(),
            None => self.files.iter().filter_map(|file| Some(file.published()?.length.most())).sum(),
        }
    }

    /// Whether some file lies in `folder`, whatever its content.
    pub(crate) fn is_begun(&self, folder: &Path) -> bool {
        self.files.iter().any(|file| folder.join(&file.name).symlink_metadata().is_ok())
    }

    /// Whether every file lies in `folder`, whatever its content.
    pub(crate) fn is_present(&self, folder: &Path) -> bool {
        self.files.iter().all(|file| folder.join(&file.name).is_file())
    }
}

impl DataFile {
    /// The published file, if it is no member of an archive.
    pub(crate) fn published(&self) -> Option<&Published> {
        match &self.origin {
            Origin::Published(published) | Origin::Converted(published, _) => Some(published),
            Origin::Member(..) => None,
        }
    }
}

/// Reads `manifest.toml` and `own.toml` in the folder `datasets`, or the built-in copy where there is no manifest.
pub(crate) fn read(datasets: &Path) -> Result<Manifest, Failure> {
    let path = datasets.join("manifest.toml");
    let text = read_if_there(&path)?.unwrap_or_else(|| BUILT_IN.to_owned());
    let mut manifest = Manifest::default();
    let refuse = |path: &Path, reason: String| Failure::data(format!("{}: {reason}", path.display()));
    add(&mut manifest, &text).map_err(|reason| refuse(&path, reason))?;
    let path = datasets.join("own.toml");
    if let Some(text) = read_if_there(&path)? {
        add(&mut manifest, &text).map_err(|reason| refuse(&path, reason))?;
    }
    Ok(manifest)
}

/// The data set called `name`.
pub(crate) fn find<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a DataSet, Failure> {
    manifest.sets.get(name).ok_or_else(|| {
        let names: Vec<&str> = manifest.sets.keys().map(String::as_str).collect();
        let guess = nearest(name, names.iter().copied())
            .map(|guess| format!("; did you mean \"{guess}\"?"))
            .unwrap_or_default();
        Failure::configuration(format!(
            "no data set is called \"{name}\" in datasets/manifest.toml, which knows: {}{guess}",
            names.join(", ")
        ))
    })
}

fn read_if_there(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Failure::data(format!("{}: expected UTF-8, found other bytes; save it anew", path.display())))
        }
        Err(error) => Err(Failure::io("read", path, &error)),
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
#[derive(Clone, Debug, serde::Deserialize)]
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

/// Adds the sets and archives of `text` to `manifest`.
fn add(manifest: &mut Manifest, text: &str) -> Result<(), String> {
    let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
    for (name, archive) in written.archives {
        check_name(&name)?;
        check_mirrors(&name, &archive.mirrors)?;
        if manifest.archives.insert(name.clone(), archive).is_some() {
            return Err(format!("[archives.{name}] stands in manifest.toml already; give your archive another name"));
        }
    }
    for (name, set) in written.sets {
        check_name(&name)?;
        if name == SYNTHETIC {
            return Err(format!("[{SYNTHETIC}]: this is the name of the built-in digits; give your set another name"));
        }
        let set = check_set(set, &manifest.archives).map_err(|reason| format!("[{name}]: {reason}"))?;
        check_mirrors(&name, &set.mirrors)?;
        if manifest.sets.insert(name.clone(), set).is_some() {
            return Err(format!("[{name}] stands in manifest.toml already; give your set another name"));
        }
    }
    Ok(())
}

fn check_set(written: WrittenSet, archives: &BTreeMap<String, WrittenArchive>) -> Result<DataSet, String> {
    let classes: Vec<char> = written.classes.chars().collect();
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
            let found = archives.get(name).ok_or_else(|| format!("archive: there is no [archives.{name}]"))?;
            let (mirrors, unproved) = (found.mirrors.clone(), found.unproved.clone());
            (Some(check_archive(name, found.clone())?), mirrors, unproved)
        }
        _ => return Err("expected either mirrors or archive".to_owned()),
    };
    let files = check_files(&written, counts, archive.is_some())?;
    Ok(DataSet {
        title: written.title,
        licence: written.licence,
        citation: written.citation,
        classes,
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
        let conversion = match is_labels {
            true => Conversion::Labels { source, n_labels: count },
            false => Conversion::Images { transposed: written.transposed, n_images: count },
        };
        // A table is converted even where its first column and first number are the usual ones.
        let is_table = is_labels && written.label_column.is_some();
        let origin = match (is_in_archive, is_table || !conversion.is_none()) {
            (true, _) => Origin::Member(check_member(file)?, conversion),
            (false, true) => Origin::Converted(check_file(file)?, conversion),
            (false, false) => Origin::Published(check_file(file)?),
        };
        Ok(DataFile { name, origin })
    };
    let files = written.files.iter();
    files.map(|file| check(file).map_err(|reason: String| format!("{}: {reason}", file.name))).collect()
}

fn check_archive(name: &str, written: WrittenArchive) -> Result<Archive, String> {
    check_name(&written.name)?;
    let length = check_length(Some(written.bytes), None)?;
    let hash = Hash::sha256(&written.sha256)?;
    Ok(Archive { name: name.to_owned(), file: Published { name: written.name, length, hash, content: None } })
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

/// Whether `text` is an address that files are fetched from.
pub(crate) fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
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
        let mut manifest = Manifest::default();
        add(&mut manifest, text).map(|()| manifest)
    }

    /// A manifest of one set with one file, described by these lines.
    fn with_file(file: &str) -> String {
        format!("[set]\ntitle=\"t\"\nclasses=\"01\"\nmirrors=[]\nfiles=[{{{file}}}]")
    }

    #[test]
    fn every_set_of_the_project_has_four_files_and_says_where_it_is_from() {
        let manifest = parse(BUILT_IN).expect("datasets/manifest.toml is valid");
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
    fn the_characters_of_the_sets_fit_into_the_bits_that_the_paper_gives_them() {
        let manifest = parse(BUILT_IN).expect("datasets/manifest.toml is valid");
        let n_bits = |name: &str| mlp_train::TargetEncoding::Ascii.codebook(&manifest.sets[name].classes).n_bits();
        assert_eq!(["mnist", "qmnist", "emnist-digits"].map(n_bits), [6; 3]);
        assert_eq!(["emnist-letters", "emnist-balanced", "emnist-byclass"].map(n_bits), [7; 3]);
        let n_classes = |name: &str| manifest.sets[name].classes.len();
        assert_eq!(["emnist-letters", "emnist-balanced", "emnist-byclass"].map(n_classes), [26, 47, 62]);
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
