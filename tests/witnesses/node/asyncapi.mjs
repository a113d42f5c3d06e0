// Parses an AsyncAPI document with the official parser; prints what it finds wrong and ends with 1 then.
import { readFile } from "node:fs/promises";
import { Parser, DiagnosticSeverity, fromFile } from "@asyncapi/parser";

const path = process.argv[2];
await readFile(path);
const { document, diagnostics } = await fromFile(new Parser(), path).parse();
const errors = diagnostics.filter((d) => d.severity === DiagnosticSeverity.Error);
for (const error of errors) console.error(`${error.path.join(".")}: ${error.message}`);
if (!document || errors.length > 0) process.exit(1);
console.log(
  JSON.stringify({
    version: document.version(),
    channels: document.channels().all().length,
    operations: document.operations().all().length,
    messages: document.components().messages().all().length,
  }),
);
