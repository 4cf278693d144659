//! What the document says after the last claim: the codes, and how to run it again.

use crate::findings::{ConstantAnswer, Findings};
use crate::thresholds::WORKING;

pub(super) fn closing(findings: &Findings) -> String {
    let code = |digit: char| {
        let code_point = digit as u32;
        format!("| {digit} | {code_point} | {code_point:06b} |\n")
    };
    let codes: String = ('0'..='9').map(code).collect();
    let constant_answers: String = findings.constant.iter().map(constant_answer).collect();
    let working = WORKING * 100.0;
    format!(
        "\n## The codes\n\nThe target of a digit is the code point of its character in six bits, the most significant first. (The \
         paper prints 48 as 101011; that is 43.)\n\n| digit | code point | bits |\n|---|---|---|\n{codes}\n\
         The two leading bits are the same for all digits, four carry the class, 54 of 64 answers are no digit, and the nearest two \
         codes differ in one bit.\n\n| constant answer | mean absolute error | root-mean-square error | bits right | digits right \
         |\n|---|---|---|---|---|\n{constant_answers}\n\
         ## Running it again\n\n```sh\ncargo xtask download\ncargo xtask reproduce            # hours; running it again goes \
         on\ncargo xtask reproduce --quick    # about five minutes\ncargo xtask reproduce 1 5        # single claims\n```\n\nThe \
         sweeps are in `crates/paper/presets/`, the comparisons in `crates/paper/src/claims/`, their thresholds in \
         `crates/paper/src/thresholds.rs`. Nets count as working for claim 5 from {working:.0} % of the clean digits on.\n"
    )
}

fn constant_answer(answer: &ConstantAnswer) -> String {
    let ConstantAnswer { name, mae, rmse, bits, digits } = answer;
    let (bits, digits) = (bits * 100.0, digits * 100.0);
    format!("| {name} | {mae:.4} | {rmse:.4} | {bits:.2} % | {digits:.2} % |\n")
}
