import { constants } from "node:fs";
import initSqlJs, { type SqlJsStatic } from "sql.js";
import type { FileSystem } from "../fs/fileSystem";
import { readFully } from "../fs/publishFile";

/**
 * Starts sql.js from its wasm file. Costs about 40 ms, most of it compiling off this thread, so callers begin it early
 * and await it late.
 */
export function loadSqlite(fs: FileSystem, wasmPath: string): Promise<SqlJsStatic> {
  const fd = fs.open(wasmPath, constants.O_RDONLY);
  try {
    const bytes = readFully(fs, fd, fs.fstat(fd).size, 0);
    if (bytes === undefined) throw new Error(`${wasmPath} is incomplete`);
    return initSqlJs({ wasmBinary: bytes as Uint8Array<ArrayBuffer> as unknown as ArrayBuffer });
  } finally {
    fs.close(fd);
  }
}
