//! What is said of a wrong command line: the tips of the parser where they help, and better ones where they would mislead.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use mlp_train::{TrainConfig, nearest};

/// What a command is called that stands below another one.
const NESTED: [(&str, &str); 4] = [
    ("status", "sweep status FOLDER"),
    ("show", "data show DATA"),
    ("slurm", "sweep SPEC --executor slurm"),
    ("list", "sweep --list"),
];

/// Takes out of an error the tips that would mislead, and returns what to say instead, if there is anything. `arguments` is
/// what was typed behind the program, `commands` the names of all commands.
pub(crate) fn improve(error: &mut clap::Error, arguments: &[String], commands: &[&str]) -> Option<String> {
    match error.kind() {
        ErrorKind::UnknownArgument => {
            // Whoever misspells an option wants no file of that name.
            error.remove(ContextKind::Suggested);
            tip_of_a_key(error)
        }
        ErrorKind::InvalidSubcommand => tip_of_a_command(error, arguments, commands),
        ErrorKind::ArgumentConflict if is_about_subcommands(error) => Some(tip_of_sweep(arguments)),
        _ => None,
    }
}

/// How to set a configuration key that was written as an option, such as `--epochs`. An option that is merely like it, as
/// `--set` is like `--seed`, is no better guess.
fn tip_of_a_key(error: &mut clap::Error) -> Option<String> {
    let argument = text(error, ContextKind::InvalidArg)?;
    let name = argument.strip_prefix("--")?.split('=').next()?.replace('-', "_");
    let keys: Vec<&str> = TrainConfig::KEYS.iter().map(|key| key.name).collect();
    let is_key = keys.contains(&name.as_str());
    if is_key {
        error.remove(ContextKind::SuggestedArg);
    }
    let has_tip = error.get(ContextKind::SuggestedArg).is_some();
    let key = if is_key { Some(name.as_str()) } else { nearest(&name, &keys).filter(|_| !has_tip) }?;
    Some(format!("`{key}` is a key of the configuration: `train` and `sweep` take it as --set {key}=VALUE"))
}

/// The one command that is most like what was typed, or where one stands that is below another.
fn tip_of_a_command(error: &mut clap::Error, arguments: &[String], commands: &[&str]) -> Option<String> {
    let name = text(error, ContextKind::InvalidSubcommand)?;
    error.remove(ContextKind::Suggested);
    let is_top = arguments.first().is_some_and(|first| *first == name || first == "help");
    if is_top && let Some((_, whole)) = NESTED.iter().find(|(nested, _)| *nested == name) {
        error.remove(ContextKind::SuggestedSubcommand);
        return Some(format!("`{name}` is no command of its own: cargo xtask {whole}"));
    }
    if is_top {
        error.remove(ContextKind::SuggestedSubcommand);
        return nearest(&name, commands).map(|command| format!("did you mean `{command}`?"));
    }
    // Of several below another command, the first of the most alike.
    if let Some(ContextValue::Strings(similar)) = error.remove(ContextKind::SuggestedSubcommand) {
        let similar: Vec<&str> = similar.iter().map(String::as_str).collect();
        return nearest(&name, &similar).map(|command| format!("did you mean `{command}`?"));
    }
    None
}

fn is_about_subcommands(error: &clap::Error) -> bool {
    error.get(ContextKind::InvalidSubcommand).is_some()
}

/// `sweep` takes a specification or the word `status`, and only one of them.
fn tip_of_sweep(arguments: &[String]) -> String {
    let folder = arguments.iter().rfind(|argument| !argument.starts_with('-') && *argument != "status");
    let folder = folder.filter(|folder| std::path::Path::new(folder).is_dir()).map_or("FOLDER", String::as_str);
    format!(
        "to see how a sweep stands: cargo xtask sweep status {}",
        if folder == "FOLDER" { folder.to_owned() } else { crate::summary::quoted(std::path::Path::new(folder)) }
    )
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}
