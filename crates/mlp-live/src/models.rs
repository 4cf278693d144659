//! The models in the folders, and the one that is trained on the spot where there are none.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use mlp_results::RunRecord;
use mlp_train::{AnyMlp, load_model};

use crate::error::{Error, ErrorKind, Result};
use crate::reader::PictureReader;
use crate::watch::{RankedModel, RunState, Watch, short};

/// How many models are kept in memory.
const N_LOADED_MAX: usize = 4;

/// A model in use.
pub(crate) struct LoadedModel {
    pub(crate) reader: Mutex<PictureReader>,
    pub(crate) network: AnyMlp,
}

/// Finds and loads models.
pub(crate) struct Models {
    watch: Arc<Watch>,
    /// Whether data of this name are no handwriting.
    is_as_it_is: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// The latest used last.
    loaded: Mutex<Vec<Kept>>,
    own: Mutex<Option<Arc<LoadedModel>>>,
}

/// A model with what tells its file from what it was before.
struct Kept {
    id: String,
    modified: Option<SystemTime>,
    model: Arc<LoadedModel>,
}

/// What the model is called that was trained on the spot.
pub(crate) const OWN: &str = "here";

impl Models {
    pub(crate) fn new(watch: Arc<Watch>, is_as_it_is: Box<dyn Fn(&str) -> bool + Send + Sync>) -> Self {
        Models { watch, is_as_it_is, loaded: Mutex::default(), own: Mutex::default() }
    }

    /// What can be chosen: the best of each folder first, and of folders that which was written last.
    pub(crate) fn list(&self) -> Vec<RankedModel> {
        let mut states = self.watch.states();
        let changed = |state: &RunState| state.summary.changed.unwrap_or(0.0);
        states.sort_by(|one, other| changed(other).total_cmp(&changed(one)));
        let all = || states.iter().flat_map(|state| &state.models);
        let own = lock(&self.own).is_some().then(|| RankedModel {
            id: OWN.to_owned(),
            run: String::new(),
            label: "trained here, just now".to_owned(),
            is_best: true,
        });
        let best = all().filter(|model| model.is_best).cloned();
        own.into_iter().chain(best).chain(all().filter(|model| !model.is_best).cloned()).collect()
    }

    pub(crate) fn set_own(&self, model: LoadedModel) {
        *lock(&self.own) = Some(Arc::new(model));
    }

    pub(crate) fn load(&self, id: &str) -> Result<Arc<LoadedModel>> {
        let missing = |why: String| {
            Error::new(ErrorKind::Missing, format!("The model is there no longer: {why}; choose another."))
        };
        let no_such = || missing(format!("there is none called \"{}\"", short(id)));
        if id == OWN {
            let why = "it was trained by an earlier start of the program, and was not kept";
            return lock(&self.own).clone().ok_or_else(|| missing(why.to_owned()));
        }
        let (run, trial) = id.rsplit_once('/').ok_or_else(no_such)?;
        let gone = |what: &str| missing(format!("{what} {} has been deleted or renamed", short(run)));
        let state = self.watch.state(run).map_err(|_| gone("the folder"))?;
        // Only what was found in the folder is a file name.
        if !state.models.iter().any(|model| model.id == id) {
            return Err(gone("its file in the folder"));
        }
        let path = self.watch.folders().admit(&state.folder.model(trial));
        let path = path.ok_or_else(|| gone("its file in the folder"))?;
        let modified = fs::metadata(&path).and_then(|file| file.modified()).ok();
        let mut loaded = lock(&self.loaded);
        if let Some(place) = loaded.iter().position(|kept| kept.id == id && kept.modified == modified) {
            let kept = loaded.remove(place);
            let model = Arc::clone(&kept.model);
            loaded.push(kept);
            return Ok(model);
        }
        let saved = load_model(&path)?;
        let n_inputs = saved.network.n_inputs();
        let record = RunRecord::read(state.folder.record(trial)).ok().filter(|record| record.data.inputs == n_inputs);
        let size = record.map(|record| (record.data.height, record.data.width));
        let data = saved.other.get("data").and_then(|value| value.as_str());
        let reader = PictureReader::new(&saved, size, data.is_some_and(|name| (self.is_as_it_is)(name)))?;
        let model = Arc::new(LoadedModel { reader: Mutex::new(reader), network: saved.network });
        loaded.retain(|kept| kept.id != id);
        if loaded.len() >= N_LOADED_MAX {
            loaded.remove(0);
        }
        loaded.push(Kept { id: id.to_owned(), modified, model: Arc::clone(&model) });
        Ok(model)
    }
}

/// What a panic left behind is as whole as these values ever are.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
