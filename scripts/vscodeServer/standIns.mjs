// Plain JavaScript in place of the compiled modules VS Code's server loads at start. No install script ran, so their
// binaries are missing; these do the same work for a test's purposes.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";

export async function writeStandIns(root) {
  for (const [file, source] of Object.entries(STAND_INS)) {
    const target = path.join(root, "node_modules", file);
    if (existsSync(path.dirname(target))) await writeFile(target, source);
  }
}

/** Appends lines. Without it the server works but writes no logs, and prints a stack trace for each. */
const LOGGER = `
const fs = require("fs"), path = require("path");
let globalLevel = 2;
class Logger {
  constructor(_type, _name, file) {
    this.file = file; this.level = globalLevel; this.plain = false;
    fs.mkdirSync(path.dirname(file), { recursive: true });
  }
  write(level, word, text) {
    if (level < this.level) return;
    const line = this.plain ? text : new Date().toISOString() + " [" + word + "] " + text + "\\n";
    try { fs.appendFileSync(this.file, line); } catch { /* the log folder is gone: nobody reads it */ }
  }
  trace(m) { this.write(0, "trace", m); } debug(m) { this.write(1, "debug", m); } info(m) { this.write(2, "info", m); }
  warn(m) { this.write(3, "warning", m); } error(m) { this.write(4, "error", m); }
  critical(m) { this.write(5, "critical", m); }
  getLevel() { return this.level; } setLevel(l) { this.level = l; }
  setPattern() {} clearFormatters() { this.plain = true; } flush() {} drop() {}
}
exports.version = 0;
exports.Logger = Logger;
exports.setLevel = (l) => { globalLevel = l; };
exports.setFlushOn = () => {};
exports.createRotatingLogger = exports.createAsyncRotatingLogger = async (n, f) => new Logger("rotating", n, f);
`;

/** Ends an extension host whose parent died; VS Code polls the parent in JavaScript as well. */
const WATCHDOG = "exports.start = () => {};\nexports.exit = (code) => process.exit(code || 0);\n";

/** Copy-on-write copies for the git extension: plain copies do. */
const COPY_FILE = `
export { copyFileSync, constants } from "node:fs";
export { copyFile, cp } from "node:fs/promises";
export const isCloneSupported = () => false;
`;

const STAND_INS = {
  "@vscode/spdlog/index.js": LOGGER,
  "@vscode/native-watchdog/index.js": WATCHDOG,
  "native-watchdog/index.js": WATCHDOG,
  "@vscode/fs-copyfile/lib/index.js": COPY_FILE,
};
