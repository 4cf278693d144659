//! The files of the page, all in the program.

use crate::reply::{Reply, file, page};

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The file at a path behind the token.
pub(crate) fn asset(path: &str) -> Option<Reply> {
    Some(match path {
        "" | "draw" => page(include_str!("page/draw.html")),
        "playground" => page(include_str!("page/playground.html")),
        "watch" => page(include_str!("page/watch.html")),
        // The look of the report, and what is the page's own.
        "report.css" => file(STYLE, mlp_report::STYLE),
        "page.css" => file(STYLE, include_str!("page/page.css")),
        "screen.js" => file(SCRIPT, include_str!("page/screen.js")),
        "pad.js" => file(SCRIPT, include_str!("page/pad.js")),
        "draw.js" => file(SCRIPT, include_str!("page/draw.js")),
        "keeping.js" => file(SCRIPT, include_str!("page/keeping.js")),
        "chart.js" => file(SCRIPT, include_str!("page/chart.js")),
        "playground.js" => file(SCRIPT, include_str!("page/playground.js")),
        "kept.js" => file(SCRIPT, include_str!("page/kept.js")),
        "settings.js" => file(SCRIPT, include_str!("page/settings.js")),
        "filter.js" => file(SCRIPT, mlp_report::FILTER_SCRIPT),
        "parallel.js" => file(SCRIPT, include_str!("page/parallel.js")),
        "table.js" => file(SCRIPT, include_str!("page/table.js")),
        "watch.js" => file(SCRIPT, include_str!("page/watch.js")),
        _ => return None,
    })
}
