// node run.mjs URL: every check against the Web API at URL; one JSON object on stdout.
import { run } from "./harness.mjs";
import "./reading.mjs";
import "./writing.mjs";
import "./links.mjs";
import "./batches.mjs";
import "./messages.mjs";
import "./fetches.mjs";
import "./files.mjs";
import "./definitions.mjs";
import "./changes.mjs";

await run();
