//! The verdicts alone, for machines and for a terminal.

use serde_json::json;

use crate::amounts::{effect, has_interval};
use crate::claims::claims;
use crate::comparison::ComparisonSetup;
use crate::findings::Findings;

/// The verdicts for machines.
pub fn as_json(findings: &Findings) -> String {
    let judged = findings.judged();
    let statements = judged.iter().map(|(statement, judged)| {
        json!({
            "claim": statement.claim,
            "arm": statement.setup,
            "main": statement.is_deciding,
            "statement": statement.text,
            "verdict": judged.verdict,
            "effect": statement.effect.estimate,
            "threshold": statement.threshold,
            "interval": has_interval(statement).then_some([judged.low, judged.high]),
            "level": has_interval(statement).then_some(judged.level),
            "seeds": statement.effect.n_seeds,
        })
    });
    json!({ "quick": findings.is_quick, "data": findings.data, "statements": statements.collect::<Vec<_>>() })
        .to_string()
}

/// The verdicts for a terminal, in lines: each claim with the comparisons that decide it.
pub fn as_text(findings: &Findings) -> String {
    let judged = findings.judged();
    let mut lines = vec![String::new()];
    for claim in claims(findings) {
        lines.push(format!("{}  {}", claim.number(), claim.title()));
        let deciding =
            judged.iter().filter(|(statement, _)| statement.claim == claim.number() && statement.is_deciding);
        for (statement, judged) in deciding {
            let setup = match statement.setup {
                ComparisonSetup::Replica => "as in the paper",
                ComparisonSetup::Repaired => "repaired",
            };
            let (verdict, effect, text) = (judged.verdict, effect(statement, judged), &statement.text);
            lines.push(format!("   {setup:<16} {verdict:<10} {effect:<34} {text}"));
        }
    }
    if findings.is_quick {
        lines.push(String::new());
        lines.push(
            "A quick run: fewer seeds and images than the full one. It shows the way and settles nothing.".to_owned(),
        );
    }
    lines.join("\n")
}
