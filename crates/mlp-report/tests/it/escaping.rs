//! Texts from outside: whatever they hold, they change nothing in the page but themselves.

use mlp_report::{csv, report_html};
use proptest::prelude::*;
use serde_json::json;

use crate::made_up::{self, Story};

const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 1, seed: 0 };

/// A page whose every text that comes from outside is `hostile`.
fn page_with(hostile: &str) -> String {
    let mut records = vec![
        made_up::record(&[("hidden", json!([1]))], STORY),
        made_up::record(&[("hidden", json!([1, 2]))], Story { seed: 1, ..STORY }),
        made_up::failed(&[], hostile),
    ];
    // Not through the settings, on which the made-up numbers depend.
    records[0].config.insert("name".to_owned(), json!(hostile));
    records[0].config.insert(format!("zz{hostile}"), json!(hostile));
    records[2].config.insert("loss".to_owned(), json!({ "name": hostile, hostile: hostile }));
    let mut diagnoses = vec![made_up::diagnosis(&records[0], true), made_up::diagnosis(&records[1], false)];
    let mut curves = made_up::robustness(&records[0]);
    curves[0].disturbance = hostile.to_owned();
    curves.iter_mut().for_each(|curve| curve.trial = hostile.to_owned());
    // One of a trial that is shown, one of another.
    for (diagnosis, trial) in diagnoses.iter_mut().zip([hostile.to_owned(), format!("x{hostile}")]) {
        diagnosis.trial = trial;
        diagnosis.layers[1].activation = hostile.to_owned();
    }
    for record in &mut records {
        record.trial = hostile.to_owned();
        record.data.name = hostile.to_owned();
        record.data.sha256 = hostile.to_owned();
        record.kernel = hostile.to_owned();
        record.runtime.version = hostile.to_owned();
        record.runtime.host = hostile.to_owned();
        for mistake in &mut record.mistakes {
            mistake.label = hostile.to_owned();
            mistake.answer = Some(hostile.to_owned());
            mistake.nearest = hostile.to_owned();
        }
    }
    let mut input = made_up::input(records);
    input.warnings.push(hostile.to_owned());
    let mut stopped = input.trials[2].clone();
    stopped.ending = Some(hostile.to_owned());
    input.trials.push(stopped);
    input.robustness = curves;
    input.diagnoses = diagnoses;
    report_html(&input)
}

/// The names of the tags in their order.
fn tags(html: &str) -> Vec<String> {
    html.split('<')
        .skip(1)
        .map(|tag| tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect())
        .collect()
}

/// The tags that no text may change: those outside of figures. Inside, a text changes how many lines it takes, and only
/// elements that draw may stand there.
fn structure(html: &str) -> Vec<String> {
    const DRAWING: [&str; 9] = ["g", "title", "rect", "circle", "polyline", "polygon", "text", "image", "path"];
    let mut is_figure = false;
    let mut outside = Vec::new();
    for tag in tags(html) {
        is_figure = (is_figure || tag == "svg") && tag != "/svg";
        if !is_figure || !DRAWING.contains(&tag.trim_matches('/')) {
            outside.push(tag);
        }
    }
    outside
}

#[test]
fn a_script_in_any_text_changes_no_tag_of_the_page() {
    for hostile in [
        "<script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "<!--<script>alert(1)//-->",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style><svg onload=alert(1)>",
        "]]><x>&lt;b&#62;",
    ] {
        let plain = page_with(&"!".repeat(hostile.chars().count()));
        assert!(structure(&page_with(hostile)) == structure(&plain), "{hostile}");
    }
}

#[test]
fn invisible_and_direction_changing_characters_are_spelled_out() {
    let page = page_with("a\u{202E}b\u{0}c\u{200B}d\u{2066}e\u{85}f\u{1b}[31m");
    for character in ['\u{202E}', '\0', '\u{200B}', '\u{2066}', '\u{85}', '\u{1b}'] {
        assert!(!page.contains(character), "{character:?}");
    }
    assert!(page.contains("a⟨U+202E⟩b⟨U+0000⟩c⟨U+200B⟩d⟨U+2066⟩e⟨U+0085⟩f⟨U+001B⟩[31m"));
}

#[test]
fn a_name_of_a_megabyte_is_cut_with_a_note() {
    let page = page_with(&"x".repeat(1 << 20));
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(page.contains("… (cut; 1048576 characters)"));
}

#[test]
fn a_page_names_no_address_and_its_policy_forbids_fetching() {
    let page = page_with("plain");
    let without_namespace = page.replace("http://www.w3.org/2000/svg", "");
    for address in ["http:", "https:", "//cdn", "@import", "url("] {
        assert!(!without_namespace.contains(address), "{address}");
    }
    assert!(page.contains("default-src 'none'; script-src 'sha256-"));
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe() {
    let hostile = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", " =1", "\u{0}=1"];
    let records = hostile.iter().map(|text| made_up::record(&[("name", json!(text))], STORY)).collect();
    let table = csv::results_csv(&made_up::input(records).trials, csv::Seconds::Without);
    for line in table.lines().skip(1) {
        let starts: Vec<char> =
            line.split(',').filter_map(|cell| cell.trim_start_matches('"').trim_start().chars().next()).collect();
        assert!(!starts.iter().any(|start| "=+@".contains(*start)), "{line}");
    }
    assert!(table.contains("\"'=cmd|' /C calc'!A0\""));
    assert!(table.contains("'-2+3"));
}

#[test]
fn a_negative_number_in_the_table_stays_a_number() {
    let record = made_up::record(&[("initializer", json!(-0.5))], STORY);
    let table = csv::results_csv(&made_up::input(vec![record]).trials, csv::Seconds::Without);
    assert!(table.contains(",-0.5,"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_text_whatever_changes_a_tag_of_the_page(hostile in "\\PC{0,40}|[<>&\"'/!a-z=\\-\\]]{1,60}") {
        // Shorter or longer texts may leave out a section (an empty label): only what a text can add is compared.
        let page = page_with(&format!("x{hostile}"));
        let plain = page_with("xharmless");
        prop_assert_eq!(page.matches("<script").count(), plain.matches("<script").count());
        prop_assert_eq!(page.matches("</script").count(), plain.matches("</script").count());
        prop_assert_eq!(tags(&page).len(), page.matches('<').count());
        let known: std::collections::BTreeSet<String> = tags(&plain).into_iter().collect();
        for tag in tags(&page) {
            prop_assert!(known.contains(&tag), "{}", tag);
        }
    }

    #[test]
    fn every_row_of_the_table_has_as_many_cells_as_its_head(name in any::<String>()) {
        let records = vec![made_up::record(&[("name", json!(name))], STORY)];
        let table = csv::results_csv(&made_up::input(records).trials, csv::Seconds::With);
        // The reader refuses rows that are not as long as the first.
        let rows: Vec<_> = ::csv::Reader::from_reader(table.as_bytes()).into_records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(rows.len(), 1);
        prop_assert_eq!(rows[0].len(), table.lines().next().unwrap().split(',').count());
    }
}

#[test]
fn only_parts_of_the_page_figures_and_its_own_style_script_and_data_go_into_a_template_as_they_are() {
    // Templates themselves, whose texts are escaped; `script`, `style` and `meaning` are this program's own.
    let known = [
        "classes",
        "data",
        "diagnosis",
        "diagnosis.trial",
        "figures",
        "first.figures",
        "first.outcome",
        "footer",
        "header",
        "line.trial",
        "method",
        "metric.meaning()",
        "mistakes",
        "navigation",
        "other.figures",
        "other.outcome",
        "script",
        "section",
        "self::inline(figure.svg)",
        "style",
        "table",
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut n_templates = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let template = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for expression in template.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
            let Some(unescaped) = expression.trim().strip_suffix("|safe") else {
                assert!(!expression.contains('|'), "{expression}: texts go in without filters");
                continue;
            };
            assert!(known.contains(&unescaped), "{unescaped}");
        }
        n_templates += 1;
    }
    assert!(n_templates > 20);
}
