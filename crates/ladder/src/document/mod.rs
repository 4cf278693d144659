//! The page: Markdown with its figures, written from the findings alone.

mod rungs;
mod tricks;

use mlp_results::text::thousands;

use crate::figures::learning_curves;
use crate::findings::Findings;
use crate::rungs::Outputs;

/// The folder of the figures, beside the document.
pub const FOLDER: &str = "results";
/// The file that holds the findings, in that folder.
pub const FINDINGS: &str = "climb.json";
/// The document itself.
pub const DOCUMENT: &str = "results.md";
/// The picture of the digits that remain wrong, in the folder of the figures: it needs the images and stands beside the findings.
pub const WRONG: &str = "wrong.svg";

/// The document and its curves: paths below the folder that it is written to, and texts.
pub fn files(findings: &Findings) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut text = opening(findings);
    text.push_str(&rungs::rungs(findings));
    for (outputs, name) in [(Outputs::OneHot, "curves-one-hot.svg"), (Outputs::Ascii, "curves-ascii.svg")] {
        if let Some(svg) = learning_curves(findings, outputs) {
            text.push_str(&format!(
                "\n![Test error of each rung, epoch by epoch, {outputs} outputs]({FOLDER}/{name})\n"
            ));
            files.push((format!("{FOLDER}/{name}"), svg));
        }
    }
    text.push_str(&rungs::cost_of_the_code(findings));
    text.push_str(&rungs::wrong(findings));
    text.push_str(&tricks::tricks(findings));
    text.push('\n');
    text.push_str(include_str!("readme_nets.md"));
    files.insert(0, (DOCUMENT.to_owned(), text));
    files
}

/// The findings as JSON with a line for each network.
pub fn findings_as_lines(findings: &Findings) -> String {
    let line = |value: serde_json::Result<String>| format!("    {}", value.unwrap_or_default());
    let trials: Vec<String> = findings.trials.iter().map(|trial| line(serde_json::to_string(trial))).collect();
    let committees: Vec<String> = findings.committees.iter().map(|some| line(serde_json::to_string(some))).collect();
    format!(
        "{{\n  \"is_quick\": {},\n  \"data\": {},\n  \"n_test\": {},\n  \"trials\": [\n{}\n  ],\n  \"committees\": [\n{}\n  ]\n}}\n",
        findings.is_quick,
        serde_json::Value::from(findings.data.clone()),
        findings.n_test,
        trials.join(",\n"),
        committees.join(",\n")
    )
}

fn opening(findings: &Findings) -> String {
    let n_test = thousands(findings.n_test as u64);
    if findings.is_quick {
        return format!(
            "# Results on MNIST, and how they were chosen\n\n**A quick run: nets of 24 hidden units, five epochs, 1,000 images of \
             which what is tried holds 200 back, {n_test} test images. It shows what the page looks like, and says nothing about any \
             goal; the titles of the rows are those of the full run.**\n"
        );
    }
    format!(
        "# Results on MNIST, and how they were chosen\n\nHow few of the {n_test} test images fully connected networks get wrong, a \
         rung at a time; `cargo xtask climb` trains them, goes on where it was stopped, and writes this page. Settings were chosen \
         on 10,000 images that are split off the training set, by [what was tried](#what-each-trick-is-worth). The networks of the \
         rungs were then trained on all 60,000, and each is the one after the last epoch: nothing was chosen by the test images.\n"
    )
}
