// Loaded by Node before synthesis; startup.py adds it to NODE_OPTIONS.
//
// aws-cdk-lib validates templates with a WebAssembly module that runs for a second. V8 spends longer
// on optimizing it in the background than that ever saves, and the process can't end before the
// optimizer does. Without it a small synthesis takes a fifth less time and memory. The module's memory
// grows in a hundred small steps, and V8 collects all garbage at each unless that memory counts
// towards the limit of the whole heap: a third of the processor time of a synthesis and more
// (benchmarks/README.md). A version of V8 without one of these flags prints a note and goes on.
const v8 = require("node:v8");
v8.setFlagsFromString("--no-wasm-dynamic-tiering");
v8.setFlagsFromString("--no-wasm-tier-up");
v8.setFlagsFromString("--external-memory-accounted-in-global-limit");
