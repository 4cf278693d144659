//! Pictures as people have them, read: how many of each kind, beside a usual recipe with OpenCV and the same net.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use mlp_live::PictureReader;
use mlp_train::Classifier;
use mnist_io::{LabeledImages, Layout, grey_image, read_image, synthetic_digits};
use serde_json::{Value, json};

use crate::bench::peers::Python;
use crate::failure::{Code, Failure};
use crate::models;
use crate::pictures::{self, Kind, N_DIFFICULTIES, Picture};

/// The digits of one in four pictures are made up, and these are they.
const N_SYNTHETIC: usize = 2_000;
const SYNTHETIC_SEED: u64 = 11;

/// Answers are counted by how sure they were, in these ranges.
const SURE: [f64; 6] = [0.0, 0.5, 0.8, 0.9, 0.95, 1.01];

/// What is measured, and on what.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) model: &'a Path,
    /// The digits that are drawn: MNIST's, for testing.
    pub(crate) digits: &'a LabeledImages,
    /// Pictures of each kind and difficulty.
    pub(crate) n_each: usize,
    pub(crate) seed: u64,
    /// Where the pictures are written.
    pub(crate) folder: &'a Path,
    pub(crate) python: Option<&'a Python<'a>>,
}

/// How many were read.
#[derive(Default)]
struct Score {
    n: usize,
    ours: [usize; N_DIFFICULTIES],
    recipe: [usize; N_DIFFICULTIES],
}

/// What was counted.
pub(crate) struct Counted {
    kinds: BTreeMap<Kind, Score>,
    has_recipe: bool,
    /// For each range of [`SURE`]: answers, how sure they were in sum, and how many were right.
    sure: [(usize, f64, usize); SURE.len() - 1],
}

impl Plan<'_> {
    pub(crate) fn count(&self) -> Result<Counted, Failure> {
        let mut reader = PictureReader::new(&models::load(self.model)?.saved, None, false).map_err(unread)?;
        let synthetic = synthetic_digits(N_SYNTHETIC, SYNTHETIC_SEED);
        let pictures =
            pictures::make(&[self.digits, &synthetic], self.n_each, self.seed, self.folder).map_err(|error| {
                Failure::new(
                    Code::InputOutput,
                    format!("cannot write pictures into {}: {error}", self.folder.display()),
                )
            })?;
        let recipe = self.recipe()?;
        let mut counted = Counted { kinds: BTreeMap::new(), has_recipe: recipe.is_some(), sure: Default::default() };
        for picture in &pictures {
            let (ours, sure) = read(&mut reader, &picture.path)?;
            let is_right = ours == picture.answer;
            let score = counted.kinds.entry(picture.kind).or_default();
            score.n += 1;
            score.ours[picture.difficulty] += usize::from(is_right);
            if let Some(folder) = &recipe {
                let theirs = read_recipe(&mut reader, folder, self.folder, picture)?;
                score.recipe[picture.difficulty] += usize::from(theirs == picture.answer);
            }
            if let (Some(_), Some(_), Some(range)) = (&ours, &picture.answer, (1..SURE.len()).find(|&n| sure < SURE[n]))
            {
                let (n, sum, n_right) = &mut counted.sure[range - 1];
                (*n, *sum, *n_right) = (*n + 1, *sum + sure, *n_right + usize::from(is_right));
            }
        }
        Ok(counted)
    }

    /// Writes a line for every way of seeing every picture: its kind, its name, whether the net reads it right so, and the evidence.
    pub(crate) fn write_readings(&self, path: &Path) -> Result<(), Failure> {
        let mut classifier = Classifier::new(&models::load(self.model)?.saved)?;
        let synthetic = synthetic_digits(N_SYNTHETIC, SYNTHETIC_SEED);
        let below = self.folder.join("fitted");
        let pictures = pictures::make(&[self.digits, &synthetic], self.n_each, self.seed, &below).map_err(|error| {
            Failure::new(Code::InputOutput, format!("cannot write into {}: {error}", below.display()))
        })?;
        let mut text = String::new();
        for picture in &pictures {
            let Ok(photo) = read_image(&picture.path) else { continue };
            for (evidence, characters) in mnist_io::readings(&photo, Layout::Row) {
                let mut said = String::new();
                for character in &characters {
                    let pixels: Vec<u8> = character.image.iter().copied().collect();
                    said.push_str(classifier.classify(&pixels)?.nearest());
                }
                let name = picture.path.file_stem().unwrap_or_default().to_string_lossy();
                let is_right = u8::from(picture.answer.as_deref() == Some(said.as_str()));
                let evidence: Vec<String> = evidence.iter().map(f32::to_string).collect();
                writeln!(text, "{},{name},{is_right},{}", picture.kind.name(), evidence.join(",")).ok();
            }
        }
        durable_file::write(path, text.as_bytes()).map_err(|error| Failure::io("write", path, &error))
    }

    /// Lets the recipe prepare the pictures; the folder with what it made, or none where Python or OpenCV are missing.
    fn recipe(&self) -> Result<Option<PathBuf>, Failure> {
        let Some(python) = self.python else { return Ok(None) };
        let out = self.folder.join("recipe");
        let arguments = [format!("--pictures={}", self.folder.display()), format!("--out={}", out.display())];
        Ok(python.run("pictures.py", &arguments, &ProgressBar::hidden())?.map(|_| out))
    }
}

fn unread(error: mlp_live::Error) -> Failure {
    Failure::data(error.to_string())
}

/// What our preparation and the net make of a picture, and how sure they are; none where it is refused.
fn read(reader: &mut PictureReader, path: &Path) -> Result<(Option<String>, f64), Failure> {
    let Ok(photo) = read_image(path) else { return Ok((None, 1.0)) };
    let prepared = reader.prepare(&photo, Layout::Row);
    let (mut text, mut sure) = (String::new(), prepared.confidence);
    for character in &prepared.characters {
        let answer = reader.classify(&character.image).map_err(unread)?;
        text.push_str(answer.nearest());
        sure *= answer.confidence;
    }
    Ok(((!text.is_empty()).then_some(text), sure))
}

/// What the net makes of a picture that the recipe prepared.
fn read_recipe(
    reader: &mut PictureReader,
    folder: &Path,
    set: &Path,
    picture: &Picture,
) -> Result<Option<String>, Failure> {
    let below = picture.path.strip_prefix(set).unwrap_or(&picture.path).with_extension("png");
    let Ok(image) = read_image(folder.join(below)) else { return Ok(None) };
    Ok(Some(reader.classify(&grey_image(&image)).map_err(unread)?.nearest().to_string()))
}

impl Counted {
    /// A table for people, in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from("| kind | read | easy | middling | hard | OpenCV |\n|---|---|---|---|---|---|\n");
        let (mut n_all, mut n_right, mut n_recipe) = (0, 0, 0);
        for (kind, score) in &self.kinds {
            let (ours, recipe) = (score.ours.iter().sum::<usize>(), score.recipe.iter().sum::<usize>());
            (n_all, n_right, n_recipe) = (n_all + score.n, n_right + ours, n_recipe + recipe);
            let [easy, middling, hard] = score.ours;
            let recipe = if self.has_recipe { recipe.to_string() } else { "–".to_owned() };
            let title = kind.title();
            writeln!(text, "| {title} | {ours} of {} | {easy} | {middling} | {hard} | {recipe} |", score.n).ok();
        }
        let recipe = if self.has_recipe { n_recipe.to_string() } else { "–".to_owned() };
        writeln!(text, "| all | {n_right} of {n_all} | | | | {recipe} |").ok();
        text.push_str("\n| how sure | answers | mean | right |\n|---|---|---|---|\n");
        for (range, (n, sum, n_right)) in SURE.windows(2).zip(self.sure).filter(|(_, (n, _, _))| *n > 0) {
            let percent = |value: f64| format!("{:.0} %", 100.0 * value);
            let (mean, right) = (percent(sum / n as f64), percent(n_right as f64 / n as f64));
            writeln!(text, "| {} to {} | {n} | {mean} | {right} |", percent(range[0]), percent(range[1].min(1.0))).ok();
        }
        text
    }

    /// The same for machines.
    pub(crate) fn json(&self) -> Value {
        let kinds: Vec<Value> = self
            .kinds
            .iter()
            .map(|(kind, score)| {
                let recipe = self.has_recipe.then_some(score.recipe);
                json!({ "kind": kind.name(), "each": score.n / N_DIFFICULTIES, "read": score.ours, "opencv": recipe })
            })
            .collect();
        Value::Array(kinds)
    }
}
