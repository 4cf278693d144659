//! Which pictures are read, and how each becomes the image or the images that the net sees.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use mlp_live::PictureReader;
use mlp_results::text::counted;
use mlp_train::{Classification, Codebook, SavedModel};
use mnist_io::{IMAGE_ENDINGS, Layout, PreparationStep, PreparedCharacter, image_files, read_image};
use ndarray::Array2;

use crate::data;
use crate::failure::Failure;
use crate::models::FoundModel;
use crate::output::notice;

/// A picture to read.
pub(super) struct Picture {
    pub(super) path: PathBuf,
    /// Why there is none, where a folder has none.
    pub(super) is_there: Result<(), Failure>,
}

/// The pictures that were named, and those in the folders that were named, in the order of their names.
pub(super) fn find(named: &[PathBuf]) -> Vec<Picture> {
    let mut pictures = Vec::new();
    for path in named {
        if !path.is_dir() {
            pictures.push(Picture { path: path.clone(), is_there: Ok(()) });
            continue;
        }
        match image_files(path) {
            Ok(files) => {
                tell_of_others(path, &files);
                pictures.extend(files.into_iter().map(|path| Picture { path, is_there: Ok(()) }));
            }
            Err(error) => pictures.push(Picture { path: path.clone(), is_there: Err(error.into()) }),
        }
    }
    pictures
}

/// How many files that are left out are named.
const N_NAMED: usize = 3;

/// Names the files of a folder that are not read, by their endings.
fn tell_of_others(folder: &Path, pictures: &[PathBuf]) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_other = |path: &PathBuf| path.is_file() && !pictures.contains(path);
    let name = |path: PathBuf| path.file_name().unwrap_or_default().display().to_string();
    let mut others: Vec<String> = files.filter(is_other).map(name).filter(|name| !name.starts_with('.')).collect();
    if others.is_empty() {
        return;
    }
    others.sort();
    let more = if others.len() > N_NAMED { ", …" } else { "" };
    notice(format_args!(
        "note: {}: {} passed over, whose names do not end in .{}: {}{more}",
        folder.display(),
        counted(others.len(), "file"),
        IMAGE_ENDINGS.join(", ."),
        others[..others.len().min(N_NAMED)].join(", ")
    ));
}

/// Whether a path is that of a picture or of a folder of pictures, rather than of a model.
pub(super) fn seems_to_be(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let is_image = IMAGE_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known));
    is_image || (path.is_dir() && image_files(path).is_ok_and(|files| !files.is_empty()))
}

/// What a picture says.
pub(super) struct Reading {
    /// From left to right; one at least.
    pub(super) characters: Vec<Character>,
    pub(super) steps: Vec<PreparationStep>,
    /// How sure the preparation is that it found the writing.
    pub(super) found: f64,
}

/// A character of a picture.
pub(super) struct Character {
    /// What the net saw.
    pub(super) image: Array2<u8>,
    /// Where it stands in the picture.
    pub(super) columns: Range<u32>,
    pub(super) rows: Range<u32>,
    pub(super) answer: Classification,
}

/// Reads pictures with one net.
pub(super) struct Reader<'a> {
    reader: PictureReader,
    layout: Layout,
    /// Where the steps of the preparation are written.
    steps: Option<&'a Path>,
    /// Under which names they have been.
    stems: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    /// Of one net, or of several whose outputs are averaged.
    pub(super) fn new(models: &[FoundModel], layout: Layout, steps: Option<&'a Path>) -> Result<Self, Failure> {
        let first = &models[0];
        let named =
            |model: &FoundModel, error: mlp_live::Error| Failure::data(format!("{}: {error}", model.path.display()));
        let reader = |model: &FoundModel| {
            let (size, is_as_it_is) = pictures_of(model);
            PictureReader::new(&model.saved, size, is_as_it_is).map_err(|error| named(model, error))
        };
        let alone = reader(first)?;
        for other in &models[1..] {
            let found = reader(other)?;
            if (found.size(), found.is_as_it_is()) != (alone.size(), alone.is_as_it_is()) {
                return Err(Failure::data(format!(
                    "{}: expected a net that is given pictures as {} is, found one that is given others; nets of one committee \
                     learn from pictures of one kind and size",
                    other.path.display(),
                    first.path.display()
                )));
            }
        }
        let reader = if models.len() == 1 {
            alone
        } else {
            let saved: Vec<SavedModel> = models.iter().map(|model| model.saved.clone()).collect();
            let (size, is_as_it_is) = pictures_of(first);
            PictureReader::of_committee(&saved, size, is_as_it_is).map_err(|error| named(first, error))?
        };
        Ok(Reader { reader, layout, steps, stems: BTreeSet::new() })
    }

    /// The codes of the classes.
    pub(super) fn codebook(&self) -> &Codebook {
        self.reader.classifier().codebook()
    }

    /// What the net sees of a picture, and what it answers. The steps are written even where nothing can be read.
    pub(super) fn read(&mut self, path: &Path) -> Result<Reading, Failure> {
        let photo = read_image(path)?;
        let prepared = self.reader.prepare(&photo, self.layout);
        if let Some(folder) = self.steps {
            mnist_io::write_steps(&prepared.steps, folder, &free_stem(path, &mut self.stems))?;
        }
        if let Some(error) = prepared.refusal {
            return Err(named(path, error));
        }
        let mut characters = Vec::new();
        for PreparedCharacter { image, columns, rows } in prepared.characters {
            let answer =
                self.reader.classify(&image).map_err(|error| Failure::data(format!("{}: {error}", path.display())))?;
            characters.push(Character { image, columns, rows, answer });
        }
        Ok(Reading { characters, steps: prepared.steps, found: prepared.confidence })
    }
}

/// Height and width of the images that a net learned from, where its record says them, and whether they were no handwriting.
fn pictures_of(model: &FoundModel) -> (Option<(usize, usize)>, bool) {
    let n_inputs = model.saved.network.n_inputs();
    let record = model.record().map(|record| record.data).filter(|data| data.inputs == n_inputs);
    // Models of old say only what they learned from.
    let data = model.saved.other.get("data").and_then(|value| value.as_str());
    (record.map(|data| (data.height, data.width)), data.is_some_and(data::is_as_it_is))
}

/// The error with the name of the picture, where it has none.
fn named(path: &Path, error: mnist_io::Error) -> Failure {
    let is_named = error.path().is_some();
    let failure = Failure::from(error);
    if is_named { failure } else { Failure::new(failure.code, format!("{}: {}", path.display(), failure.message)) }
}

/// The name of the picture without folder and ending, with a number behind it where an earlier picture has that name.
fn free_stem(path: &Path, stems: &mut BTreeSet<String>) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut free = stem.clone();
    let mut number = 1;
    while !stems.insert(free.clone()) {
        number += 1;
        free = format!("{stem}-{number}");
    }
    free
}
