// A training that has become a trial, or can become one: where it is, what may be done with it, and the command that gives the same.

import { byId, counted, element } from "./screen.js";

export function showKept(now) {
  const note = byId("keep-note");
  const isDiverged = now.mode === "diverged";
  // What was kept may have fewer epochs than were planned; a run that diverged is the one that was planned.
  const nEpochs = now.epoch < now.n_epochs && now.not_kept === null && !isDiverged ? now.epoch : now.n_epochs;
  const isKept = now.kept !== null && now.kept.epochs === nEpochs;
  const canBe = isDiverged ? "It becomes a trial that diverged: a record and a report, and no model." : nEpochs < now.n_epochs ? "It becomes an ordinary trial: a run of " + counted(nEpochs, "epoch") + "." : "It becomes an ordinary trial: record, model, report.";
  const where = now.kept ? "Kept as trial " + now.kept.trial + " in " + now.kept.folder : "";
  if (isKept && now.kept.weights_sha256 === null) note.textContent = where + ", with report. It diverged, so there is no model.";
  else if (isKept) note.textContent = where + ", with report, model and the doctor’s figures. Its weights are those that the command below gives, bit for bit.";
  else note.textContent = (now.kept ? where + " after " + counted(now.kept.epochs, "epoch") + ", and trained on since. " : "") + (now.not_kept || canBe);
  showKeptLinks(now.kept);
  byId("command-note").textContent = now.rate_changes.length ? "From the command line, but with the rate that it began with throughout:" : "The same from the command line:";
  const epochs = nEpochs < now.n_epochs ? ["epochs=" + nEpochs] : [];
  const differs = now.differs.filter((text) => !(epochs.length && text.startsWith("epochs="))).concat(epochs);
  const quoted = (text) => (/^[\w=.,-]+$/.test(text) ? text : "'" + text + "'");
  byId("command").textContent = ["cargo xtask train --data " + now.settings.data, ...differs.map((text) => "--set " + quoted(text))].join(" \\\n  ");
}

let linked = "";
function showKeptLinks(kept) {
  byId("kept-links").hidden = kept === null;
  // Whoever stands on a link by keyboard stays there.
  if (kept === null || linked === JSON.stringify(kept)) return;
  linked = JSON.stringify(kept);
  if (kept.run === null) return byId("kept-links").replaceChildren("Its folder is not among those that are shown here: name it after serve to see it in Watch, and to draw with its net.");
  const watched = element("a", { href: "watch#" + new URLSearchParams({ run: kept.run }) }, "Look at it in Watch");
  const drawn = element("a", { href: "draw#" + new URLSearchParams({ model1: kept.run + "/" + kept.trial }) }, "Draw with this net");
  byId("kept-links").replaceChildren(...(kept.weights_sha256 === null ? [watched] : [drawn, " · ", watched]));
}
