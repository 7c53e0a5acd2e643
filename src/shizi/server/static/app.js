// Puts the parts of the page together. No file leaves before the button is pressed.

import * as ask from "./js/ask.js";
import { connectCorrections } from "./js/corrections.js";
import { at } from "./js/dom.js";
import { connectFileList } from "./js/file_list.js";
import { Files } from "./js/files.js";
import { connectFrame } from "./js/frame.js";
import { connectHistory } from "./js/history_panel.js";
import { connectIntake } from "./js/intake.js";
import { connectJobs } from "./js/jobs_panel.js";
import { connectKeys } from "./js/keys.js";
import { announce } from "./js/notice.js";
import * as options from "./js/options.js";
import { Queue } from "./js/queue.js";
import { Result } from "./js/result.js";
import { Run } from "./js/run.js";
import { connectTakeaway } from "./js/takeaway.js";
import { Viewer } from "./js/viewer.js";

const files = new Files();
const queue = new Queue(files, ask, options);
const run = new Run(files, queue);
const viewer = new Viewer(files);
const result = new Result(files, queue);

connectCorrections(files);
connectFileList(files, queue);
connectHistory(files);
connectJobs();
connectTakeaway(files, result);
connectIntake(files);
options.connectOptions();
connectKeys({ files, run, viewer, result });

// A line and its box light up together, and are changed from either.
const hover = (index) => {
  viewer.hover(index);
  result.lines.hover(index);
};
viewer.onHover = hover;
result.lines.onHover = hover;
viewer.onEdit = (index) => result.lines.edit(index);

at("forget-key").addEventListener("click", () => announce("keyForgotten"));

connectFrame();
