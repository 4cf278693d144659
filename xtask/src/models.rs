//! Finds the model that a command is about: a file, or the best one of a folder of results; or several, a committee.

use std::fs;
use std::path::{Path, PathBuf};

use mlp_results::text::counted;
use mlp_results::{Compared, RankBy, Ranking, RunFolder, RunRecord, best};
use mlp_train::{Committee, SavedModel, load_model};

use crate::failure::{Code, Failure};
use crate::options::warn_of_test_sets;
use crate::output::Output;
use crate::places;
use crate::summary::quoted;

/// A model that was loaded, and where it is.
pub(crate) struct FoundModel {
    /// Its file.
    pub(crate) path: PathBuf,
    /// What is in the file.
    pub(crate) saved: SavedModel,
    /// Of which trials it is the best, where a folder of results was named.
    best_of: Option<BestOf>,
    /// Whether none was named.
    is_newest: bool,
}

/// The trials that a model is the best of.
#[derive(Clone, Copy)]
struct BestOf {
    /// Those that have what they are ranked by: what diverged or was stopped has not.
    n_ranked: usize,
    n_trials: usize,
    /// Whether others have a result, but not that.
    others_have_a_result: bool,
    ranking: Ranking,
}

impl BestOf {
    /// `4 trials`, or `4 of 6 trials, which have a result`.
    fn trials(self) -> String {
        match counted(self.n_trials, "trial") {
            all if self.n_ranked == self.n_trials => all,
            all => format!("{} of {all}, which have a result", self.n_ranked),
        }
    }
}

/// Loads the model at `path`: a model file, or a folder of results, whose best trial's model is taken.
pub(crate) fn load(path: &Path) -> Result<FoundModel, Failure> {
    if !path.is_dir() {
        refuse_record(path)?;
        return Ok(FoundModel { path: path.to_path_buf(), saved: load_model(path)?, best_of: None, is_newest: false });
    }
    let folder = RunFolder::new(path);
    let records = folder.records();
    let Some(record) = best(records.values()) else { return Err(without_model(path, records.len())) };
    let file = folder.model(&record.trial);
    if !file.is_file() {
        return Err(Failure::new(
            Code::InputOutput,
            format!(
                "{}: expected the model of trial {}, the best of {}, found none; name a model that is still there, or \
                 remove the trial's record {} and run it again",
                file.display(),
                record.trial,
                counted(records.len(), "trial"),
                folder.record(&record.trial).display()
            ),
        ));
    }
    warn_of_test_sets(records.values());
    let ranking = Ranking::of(records.values(), RankBy::default());
    let n_ranked = records.values().filter(|record| ranking.score(record).is_some()).count();
    let by_test = Ranking { set: Compared::Test, ..ranking };
    let n_with_a_result = records.values().filter(|record| by_test.score(record).is_some()).count();
    let best_of =
        Some(BestOf { n_ranked, n_trials: records.len(), others_have_a_result: n_ranked < n_with_a_result, ranking });
    Ok(FoundModel { saved: load_model(&file)?, path: file, best_of, is_newest: false })
}

/// An error for the record of a trial, which holds no weights.
fn refuse_record(path: &Path) -> Result<(), Failure> {
    if path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("json")) {
        return Ok(());
    }
    let Ok(record) = RunRecord::read(path) else { return Ok(()) };
    let folder = path.parent().and_then(Path::parent).unwrap_or(Path::new(""));
    Err(Failure::configuration(format!(
        "{}: expected a model, found the record of a trial, which holds no weights; name {}",
        path.display(),
        RunFolder::new(folder).model(&record.trial).display()
    )))
}

/// Loads the models at `paths`, each as [`load`] does. Several answer together, so they have to be alike.
pub(crate) fn load_all<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<Vec<FoundModel>, Failure> {
    let models = paths.into_iter().map(|path| load(path)).collect::<Result<Vec<FoundModel>, Failure>>()?;
    for (index, model) in models.iter().enumerate().skip(1) {
        let named = |error: String| Failure::data(format!("{}: {error}", model.path.display()));
        if models[..index].iter().any(|other| other.path == model.path) {
            return Err(Failure::configuration(format!(
                "{}: expected each model of a committee once, found it twice",
                model.path.display()
            )));
        }
        let weights = |model: &FoundModel| model.saved.network.weights_sha256();
        if let Some(other) = models[..index].iter().find(|other| weights(other) == weights(model)) {
            return Err(Failure::configuration(format!(
                "{}: expected each model of a committee once, found the same weights in {}",
                model.path.display(),
                other.path.display()
            )));
        }
        Committee::check(&models[0].saved, &model.saved).map_err(|error| named(error.to_string()))?;
    }
    Ok(models)
}

/// Whether a path is that of a model or of a folder of results, by its name and by what is in the folder.
pub(crate) fn seems_to_be(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ending.eq_ignore_ascii_case("safetensors") || path.join("trials").is_dir()
}

/// Says which models these are.
pub(crate) fn tell(models: &[FoundModel], output: &mut Output) {
    match models {
        [model] => model.tell(output),
        _ => {
            output.line(format_args!("nets     {}, whose outputs are averaged:", models.len()));
            models.iter().for_each(|model| model.tell(output));
        }
    }
}

/// The files of the models, for machines.
pub(crate) fn paths(models: &[FoundModel]) -> Vec<String> {
    models.iter().map(|model| model.path.to_string_lossy().into_owned()).collect()
}

/// The model in `runs/` that was written last.
pub(crate) fn newest() -> Result<FoundModel, Failure> {
    let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let models = entries(places::runs()).flat_map(|run| entries(run.join("models")));
    let dated = models
        .filter(|path| path.extension().is_some_and(|ending| ending == "safetensors"))
        .filter_map(|path| Some((fs::metadata(&path).and_then(|file| file.modified()).ok()?, path)));
    let Some((_, path)) = dated.max() else {
        return Err(Failure::new(
            Code::InputOutput,
            format!(
                "expected a model, found none in {}; `cargo xtask train` makes one in a minute, and {} one for pictures",
                quoted(&places::runs()),
                "`cargo xtask sweep photo`",
            ),
        ));
    };
    Ok(FoundModel { saved: load_model(&path)?, path, best_of: None, is_newest: true })
}

impl FoundModel {
    /// Says which one it is: its file, and why that one was taken, where it was not named itself.
    pub(crate) fn tell(&self, output: &mut Output) {
        output.line(format_args!("net      {}", quoted(&self.path)));
        match self.best_of {
            None if self.is_newest => output.line("         the newest in runs/"),
            None => {}
            Some(BestOf { n_trials: 1, .. }) => output.line("         the only trial of its folder"),
            Some(BestOf { n_ranked: 1, n_trials, .. }) => {
                output.line(format_args!("         the only one of the {n_trials} trials of its folder with a result"));
            }
            Some(best @ BestOf { n_ranked, ranking, .. }) if n_ranked == best.n_trials => {
                output.line(format_args!("         the best of the {n_ranked} trials of its folder, by {ranking}"));
            }
            Some(BestOf { n_ranked, n_trials, others_have_a_result: true, ranking }) => {
                output.line(format_args!(
                    "         the best of the {n_ranked} of {n_trials} trials of its folder that have\n         {ranking}"
                ));
            }
            Some(BestOf { n_ranked, n_trials, ranking, .. }) => {
                output.line(format_args!(
                    "         the best of the {n_ranked} of {n_trials} trials of its folder with a result, by\n         {ranking}"
                ));
            }
        }
    }

    /// Whether the file itself was not named.
    pub(crate) fn is_chosen(&self) -> bool {
        self.best_of.is_some() || self.is_newest
    }

    /// Why it is this one, for people: `the best of 12 trials`; nothing where it was named itself.
    pub(crate) fn reason(&self) -> Option<String> {
        self.best_of.map(|best| format!("the best of {}", best.trials()))
    }

    /// The record of the trial that made it, if the model lies in a folder of results that has it.
    pub(crate) fn record(&self) -> Option<RunRecord> {
        let (folder, trial) = RunFolder::of_model(&self.path.canonicalize().ok()?)?;
        RunRecord::read(folder.record(&trial)).ok()
    }
}

fn without_model(folder: &Path, n_records: usize) -> Failure {
    if n_records == 0 && RunFolder::new(folder).specification().is_file() {
        return Failure::new(
            Code::InputOutput,
            format!(
                "{}: expected a model, found a run that has not come to one yet; the command that began it, run again, goes on",
                folder.display()
            ),
        );
    }
    let (expected, found) = match n_records {
        0 => ("a model, or a folder of results with models in it", "a folder without records of trials".to_owned()),
        n => ("a trial that finished", format!("none among {}", counted(n, "trial"))),
    };
    let advice = "name a model that `train` or `sweep` has named, or the folder of one of their runs";
    Failure::new(Code::InputOutput, format!("{}: expected {expected}, found {found}; {advice}", folder.display()))
}
