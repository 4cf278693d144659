//! `data`: look at a data set, take it apart into pictures, and make one of pictures.

mod augmented;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use mlp_results::text::{counted, shorten, thousands};
use mlp_sweep::Dataset;
use mlp_train::{Augmentation, are_characters};
use mnist_fetch::Manifest;
use mnist_io::{
    ContactSheet, Duplicates, FolderKind, ImageStatistics, ImportOptions, ImportedImages, LabeledImages, Note, Part,
    Preparation, SPLIT_FOLDERS, export_images, import_file, import_images,
};
use serde_json::{Value, json};

use crate::data;
use crate::failure::{Code, Failure};
use crate::output::{Output, notice};
use crate::places;
use crate::progress::Progress;
use crate::summary::quoted;

const EXAMPLES: &str = "\
Examples:
  cargo xtask data show mnist --sheet mnist.svg
      counts, brightness, duplicates, and the first images
  cargo xtask data show mnist --augment gentle --sheet deformed.svg
      and how training images are deformed with this augment
  cargo xtask data export mnist --png pictures
      a PNG for each image, in a folder for each class
  cargo xtask data import pictures my-digits
      and back; then: cargo xtask train --data ./my-digits
  cargo xtask data import train.csv kaggle
      of a table with a row for each image, or Keras' mnist.npz
  cargo xtask data import fashion_mnist fashion
      of a folder of Parquet files, as the Hugging Face hub has them";

const IMPORT_NOTES: &str = "\
FOLDER holds a folder for each class, named by its class (7, A, 36-a, cat), with pictures in it, or two such
folders, train and test (or training and testing). Without them a share of every class is drawn for testing; with
--test-share 1 all pictures are for testing, to measure a net that has learned from others:
  cargo xtask data import photos my-test --test-share 1
  cargo xtask evaluate MODEL --data ./my-test

Pictures are PNG, JPEG, WebP, BMP or GIF files. Those of 28 × 28 pixels are taken as they are where most of them are light
on black; any other is prepared like the photos that `predict` reads. With --as-is all are taken as they are, and must
have one size; nets that learn from the set then take other pictures as they are, too.

FOLDER may also be a file: a CSV with a row for each image, its label and then the pixels from 0 to 255 (as Kaggle has
MNIST), an archive of NumPy's with x_train, y_train, x_test and y_test (as Keras has it), or a Parquet file with an image
file and a label in each row (as the Hugging Face hub has it), or a folder of such files, train….parquet and test….parquet.";

/// What is shown of a long list of bad pictures.
const N_CAUSES_SHOWN: usize = 20;

/// Look at a data set, export it as pictures, make one of pictures
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Data {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    Show(Show),
    Export(Export),
    Import(Import),
}

/// An augmentation; `false`, which configurations know, draws nothing that the sheet without it does not.
fn deformed(text: &str) -> Result<Augmentation, String> {
    if text == "false" {
        return Err("nothing is deformed then; leave --augment out to see the images as they are".to_owned());
    }
    text.parse().map_err(|error: mlp_train::Error| error.to_string())
}

/// Say what is in a data set
#[derive(Args, Debug)]
struct Show {
    /// A downloaded data set, a folder of IDX files, or "synthetic"
    #[arg(value_name = "NAME|FOLDER")]
    data: String,
    /// Draw the first images of every class into this file, SVG or PNG
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// Draw the first image of every class, and beside it how it is deformed in the epochs of a run with this `augment` and
    /// seed 0
    #[arg(long, value_name = "SPEC", requires = "sheet", value_parser = deformed)]
    augment: Option<Augmentation>,
    /// Images of each class on the sheet
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=100))]
    columns: u16,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
}

/// Write every image of a data set as a picture
#[derive(Args, Debug)]
struct Export {
    /// A downloaded data set, a folder of IDX files, or "synthetic"
    #[arg(value_name = "NAME|FOLDER")]
    data: String,
    /// A folder that does not exist yet, for PNG pictures
    #[arg(long, value_name = "FOLDER")]
    png: PathBuf,
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

/// Make a data set of pictures that lie in a folder for each class
#[derive(Args, Debug)]
#[command(after_help = IMPORT_NOTES)]
struct Import {
    /// A folder with a folder of pictures for each class or with Parquet files, or a .csv, .npz or .parquet file
    folder: PathBuf,
    /// The folder of the data set that is made
    out: PathBuf,
    /// The share of every class that is for testing, where the pictures are not split yet; 1 for all of them
    #[arg(long, value_name = "FRACTION", default_value_t = 0.2, value_parser = share)]
    test_share: f64,
    /// Decides which pictures these are
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Replace the data set that is in OUT
    #[arg(long)]
    replace: bool,
    /// Take the pictures pixel by pixel, whatever their size, light on dark
    #[arg(long)]
    as_is: bool,
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Data, output: &mut Output) -> Result<(), Failure> {
    match &arguments.action {
        Action::Show(arguments) => show(arguments, output),
        Action::Export(arguments) => export(arguments, output),
        Action::Import(arguments) => import(arguments, output),
    }
}

fn show(arguments: &Show, output: &mut Output) -> Result<(), Failure> {
    let data = data::load(Some(&arguments.data))?;
    let [train, test] = data::images(&data);
    for (part, set) in [(Part::Train, train), (Part::Test, test)] {
        Note::on_empty_classes(part, set).into_iter().for_each(data::tell);
    }
    let statistics = [train, test].map(ImageStatistics::new);
    let twice = Duplicates::count(train, test);
    if arguments.json {
        output.line(as_json(&data, &statistics, twice));
    } else {
        tell(&data, &statistics, twice, output);
    }
    let Some(path) = &arguments.sheet else { return Ok(()) };
    let n_columns = usize::from(arguments.columns).max(if arguments.augment.is_some() { 2 } else { 1 });
    let Some(augmentation) = arguments.augment else {
        write_sheet(&ContactSheet::new(train, n_columns), path)?;
        if !arguments.json {
            output.line(format_args!("\na row for each class, in the order above: {}", path.display()));
        }
        return Ok(());
    };
    write_sheet(&ContactSheet::new(&augmented::variants(train, augmentation, n_columns), n_columns), path)?;
    if !arguments.json {
        output.line(format_args!(
            "\naugment = \"{augmentation}\": {augmentation:#}\nthe first image of each class, and what a net sees of it in \
             epochs 1 to {}: {}",
            n_columns - 1,
            path.display()
        ));
    }
    Ok(())
}

/// SVG with the characters of the classes, or PNG without them, as the ending says.
fn write_sheet(sheet: &ContactSheet, path: &Path) -> Result<(), Failure> {
    let write = |bytes: &[u8]| durable_file::write(path, bytes).map_err(|error| Failure::io("write", path, &error));
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "svg" => write(sheet.to_svg()?.as_bytes()),
        "png" => write(&sheet.to_png()?),
        _ => Err(Failure::configuration(format!(
            "--sheet {}: expected a name that ends in .svg or .png",
            path.display()
        ))),
    }
}

fn tell(data: &Dataset, [train, test]: &[ImageStatistics; 2], twice: Duplicates, output: &mut Output) {
    let (n_train, n_test) = (data.train().len(), data.test().len());
    output.line(data::summary(data, (n_train, n_test), 0));
    let manifest = Manifest::read(places::datasets()).unwrap_or_default();
    let known = manifest.get(data.name());
    if let Some(set) = known {
        output.line(&set.title);
    }
    let classes = data.train().classes();
    let width = classes.iter().map(|class| class.chars().count() + 1).max().unwrap_or(0).clamp(8, 24);
    output.line(format_args!("\n{:<width$}{:>10}{:>10}", "class", "training", "test"));
    let most = train.class_counts.iter().copied().max().unwrap_or(0).max(1);
    for (index, class) in classes.iter().enumerate() {
        let class = shorten(class, width - 1);
        let bar = "#".repeat(((48 - width) * train.class_counts[index]).div_ceil(most));
        let name = known.and_then(|set| set.class_names.get(index)).map_or(String::new(), |name| format!("  {name}"));
        output.line(format_args!(
            "{class:<width$}{:>10}{:>10}  {bar}{name}",
            thousands(train.class_counts[index] as u64),
            thousands(test.class_counts[index] as u64)
        ));
    }
    output.line(format_args!("{:<8}{:>10}{:>10}", "all", thousands(n_train as u64), thousands(n_test as u64)));
    let row = |name: &str, value: fn(&ImageStatistics) -> String| {
        format!("{name:<24}{:>10}{:>10}", value(train), value(test))
    };
    output.line(format_args!("\n{:<24}{:>10}{:>10}", "grey levels, 0 to 255", "training", "test"));
    output.line(row("mean", |set| format!("{:.3}", set.mean)));
    output.line(row("standard deviation", |set| format!("{:.3}", set.standard_deviation)));
    output.line(row("mean / 255", |set| format!("{:.4}", set.mean / 255.0)));
    output.line(row("deviation / 255", |set| format!("{:.4}", set.standard_deviation / 255.0)));
    output.line(row("pixels that are 0", |set| format!("{:.1} %", 100.0 * set.zero_fraction)));
    output.line(row("images without ink", |set| thousands(set.n_blank as u64)));
    output.line(format_args!(
        "\nduplicates, pixel for pixel:\n  {} test images are training images too ({} of them with another label)",
        thousands(twice.between as u64),
        thousands(twice.contradicting as u64),
    ));
    let within = [
        ("training", twice.within_first, twice.ambiguous_first),
        ("test", twice.within_second, twice.ambiguous_second),
    ];
    for (part, n_twins, n_ambiguous) in within {
        let (twins, ambiguous) = (thousands(n_twins as u64), counted(n_ambiguous, "image"));
        let stands = if n_ambiguous == 1 { "stands" } else { "stand" };
        output.line(format_args!("  {twins} within the {part} set, where {ambiguous} {stands} under several labels"));
    }
}

/// Characters as one text, words as a list, as records have them.
fn written(classes: &[String]) -> Value {
    if are_characters(classes) { json!(classes.concat()) } else { json!(classes) }
}

fn as_json(data: &Dataset, statistics: &[ImageStatistics; 2], twice: Duplicates) -> Value {
    let part = |set: &LabeledImages, found: &ImageStatistics| {
        json!({
            "images": set.len(),
            "counts": found.class_counts,
            "mean": found.mean,
            "deviation": found.standard_deviation,
            "zeros": found.zero_fraction,
            "without_ink": found.n_blank,
        })
    };
    let [train, test] = data::images(data);
    json!({
        "name": data.name(),
        "sha256": data.sha256(),
        "classes": written(&train.classes),
        "height": train.height(),
        "width": train.width(),
        "train": part(train, &statistics[0]),
        "test": part(test, &statistics[1]),
        "duplicates": {
            "between": twice.between,
            "with_another_label": twice.contradicting,
            "within_train": twice.within_first,
            "within_test": twice.within_second,
            "under_several_labels_in_train": twice.ambiguous_first,
            "under_several_labels_in_test": twice.ambiguous_second,
        },
    })
}

fn export(arguments: &Export, output: &mut Output) -> Result<(), Failure> {
    let data = data::load(Some(&arguments.data))?;
    require_new(&arguments.png)?;
    let [train, test] = data::images(&data);
    let progress = Progress::new(arguments.quiet);
    let bar = progress.steps("pictures", (train.len() + test.len()) as u64);
    let mut n_before = 0;
    for (part, set) in SPLIT_FOLDERS.iter().zip([train, test]) {
        export_images(set, arguments.png.join(part), |n_done| bar.set_position((n_before + n_done) as u64))?;
        n_before += set.len();
    }
    bar.finish_and_clear();
    output.line(format_args!(
        "{} in {}, a folder for each class in {} and {}",
        counted(n_before, "picture"),
        arguments.png.display(),
        SPLIT_FOLDERS[0],
        SPLIT_FOLDERS[1]
    ));
    // Others would be prepared, like photos.
    let is_ready = !data.is_as_it_is() && (train.height(), train.width()) == (28, 28) && !is_light(train);
    output.line(format_args!(
        "and back: cargo xtask data import {} FOLDER{}",
        quoted(&arguments.png),
        if is_ready { "" } else { " --as-is" }
    ));
    Ok(())
}

/// Whether the images are dark ink on a light page.
fn is_light(set: &LabeledImages) -> bool {
    ImageStatistics::new(set).mean > 127.0
}

/// Pictures among those that are there already would become part of the set when it is imported again.
fn require_new(folder: &Path) -> Result<(), Failure> {
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(Failure::io("read the folder", folder, &error)),
    };
    if is_empty {
        return Ok(());
    }
    Err(Failure::configuration(format!(
        "--png {}: expected a folder that is new or empty, found files in it; name another",
        folder.display()
    )))
}

fn import(arguments: &Import, output: &mut Output) -> Result<(), Failure> {
    if !arguments.folder.exists() {
        return Err(Failure::new(
            Code::InputOutput,
            format!(
                "{}: no such file or folder; expected a folder of pictures, or a .csv, .npz or .parquet file",
                arguments.folder.display()
            ),
        ));
    }
    if !arguments.replace {
        require_no_set(&arguments.out)?;
    }
    let progress = Progress::new(arguments.quiet);
    let bar = progress.steps("pictures", 0);
    let preparation = if arguments.as_is { Preparation::Never } else { Preparation::WhereNeeded };
    let options = ImportOptions { preparation, test_share: arguments.test_share, seed: arguments.seed };
    let imported = if arguments.folder.is_file() {
        import_file(&arguments.folder, &options).map_err(refused)?
    } else {
        let see = |n_done: usize, n_all: usize| {
            bar.set_length(n_all as u64);
            bar.set_position(n_done as u64);
        };
        import_images(&arguments.folder, &options, see).map_err(refused)?
    };
    bar.finish_and_clear();
    let (train, test) = (&imported.train, &imported.test);
    if train.is_empty() {
        LabeledImages::write_test(&arguments.out, test)?;
    } else {
        LabeledImages::write_folder(&arguments.out, train, test)?;
    }
    // Light images that nothing was done to would be turned round by `predict`, which the net has not learned.
    let is_light_as_it_is = imported.n_prepared == 0 && is_light(if train.is_empty() { test } else { train });
    mark(&arguments.out, arguments.as_is || is_light_as_it_is)?;
    tell_notes(&imported);
    tell_duplicates(train, test);
    output.line(format_args!(
        "{} and {} of {} × {} pixels\nclasses {}; {} prepared",
        counted(train.len(), "training image"),
        counted(test.len(), "test image"),
        test.width(),
        test.height(),
        mnist_io::classes_in_a_line(&test.classes),
        counted(imported.n_prepared, "picture")
    ));
    // A bare name would be that of a data set.
    let is_bare = arguments.out.components().count() == 1 && arguments.out.is_relative();
    let path = if is_bare { quoted(&Path::new(".").join(&arguments.out)) } else { quoted(&arguments.out) };
    if train.is_empty() {
        output.line(format_args!("measure a net on them: cargo xtask evaluate MODEL --data {path}"));
    } else {
        output.line(format_args!("train on them: cargo xtask train --data {path}"));
    }
    Ok(())
}

/// What makes figures flatter, or no net answer all images.
fn tell_duplicates(train: &LabeledImages, test: &LabeledImages) {
    if train.is_empty() {
        return;
    }
    let twice = Duplicates::count(train, test);
    if twice.between > 0 {
        let (images, are) = (counted(twice.between, "test image"), if twice.between == 1 { "is" } else { "are" });
        notice(format_args!(
            "note: {images} {are} also training images, pixel for pixel: a net has seen what it is measured on"
        ));
    }
    let n_ambiguous = twice.ambiguous_first + twice.contradicting;
    if n_ambiguous > 0 {
        let (images, stand) = (counted(n_ambiguous, "image"), if n_ambiguous == 1 { "stands" } else { "stand" });
        notice(format_args!(
            "note: {images} {stand} under more than one label, so no net can answer all of them rightly"
        ));
    }
}

/// Leaves a mark in the folder of a set whose pictures were taken as they are.
fn mark(out: &Path, is_as_it_is: bool) -> Result<(), Failure> {
    let path = out.join(data::MARK);
    let done = match is_as_it_is {
        true => durable_file::write(&path, data::MARK_TEXT.as_bytes()),
        false if path.exists() => fs::remove_file(&path),
        false => Ok(()),
    };
    done.map_err(|error| Failure::io("write", &path, &error))
}

/// A set that is there would be lost, or become a mixture.
fn require_no_set(out: &Path) -> Result<(), Failure> {
    if !matches!(FolderKind::of(out), FolderKind::DataSet | FolderKind::TestSet) {
        return Ok(());
    }
    Err(Failure::configuration(format!(
        "{}: expected a folder without a data set, found one in it; name another folder, or add --replace",
        out.display()
    )))
}

fn tell_notes(imported: &ImportedImages) {
    if imported.n_skipped > 0 {
        let files = counted(imported.n_skipped, "file");
        notice(format_args!(
            "note: {files} passed over, whose names do not end in .png, .jpg, .jpeg, .webp, .bmp or .gif"
        ));
    }
    imported.notes.iter().cloned().for_each(data::tell);
    let shown = if imported.train.is_empty() { &imported.test } else { &imported.train };
    let mean = ImageStatistics::new(shown).mean;
    if mean > 127.0 {
        notice(format_args!(
            "note: the images are light (mean grey level {mean:.0} of 255): is it dark ink on a light page? Nets that \
             learned from MNIST expect light ink on a dark one"
        ));
    }
}

/// The error, after those of the single pictures that led to it.
fn refused(error: mnist_io::Error) -> Failure {
    let causes = error.causes();
    let mut lines: Vec<String> = causes.iter().take(N_CAUSES_SHOWN).map(ToString::to_string).collect();
    let n_more = causes.len().saturating_sub(N_CAUSES_SHOWN);
    if n_more > 0 {
        lines.push(format!("and {n_more} more"));
    }
    let Failure { code, message } = error.into();
    lines.push(message);
    Failure::new(code, lines.join("\n"))
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("expected a fraction above 0 and at most 1".to_owned()),
    }
}
