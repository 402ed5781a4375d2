// Loaded by Node before it synthesizes; node.py says so through NODE_OPTIONS.
//
// aws-cdk-lib validates templates with a WebAssembly module that works for a second. V8 spends
// longer optimizing it in the background than that can ever save, and the process cannot end
// before the optimizer does. Without it a small synthesis is a fifth faster and takes a fifth
// less memory (benchmarks/README.md). A V8 that no longer knows a flag says so and goes on.
const v8 = require("node:v8");
v8.setFlagsFromString("--no-wasm-dynamic-tiering");
v8.setFlagsFromString("--no-wasm-tier-up");
