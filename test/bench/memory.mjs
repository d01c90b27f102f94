/**
 * Peak memory where trees are extreme (P8): one file of 4 GB, and 200,000 tiny ones. The peers look at the same two trees, for the
 * eye.
 */
import { createCipheriv } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { randomFrom } from "../support/randomNumbers.mjs";
import { createPeers } from "./peers.mjs";
import { run } from "./timedProcess.mjs";

/** Below the limit above which files are not saved (4 GiB), above what 32 bits can count. */
const BIG_BYTES = 4.29e9;
const PIECE_BYTES = 64 << 20;
const TINY_FILES = 200_000;
const TINY_FOLDERS = 800;
const SEED = 0x7171;

/** `names`: the contestants; those that have no restore or no memory of their own take no part in that. */
export async function measureMemory({ names, setting, recording }) {
  const work = path.join(setting.work, "memory");
  const peersOf = (tree, workspace) =>
    createPeers(
      names.filter((name) => name !== "engine"),
      { ...setting, work: path.join(work, tree), workspace },
    );
  const big = path.join(work, "big");
  const bigFile = path.join(big, "model.bin");
  writeBigFile(bigFile);
  const original = path.join(work, "original.bin");
  for (const peer of peersOf("big-stores", big)) {
    await tolerate(peer, async () => {
      await coldSave(recording, "one 4 GB file, cold save", peer, 1);
      if (peer.restore !== undefined) await restoreBigFile(recording, peer, bigFile, original);
    });
    if (fs.existsSync(original)) fs.renameSync(original, bigFile);
    fs.rmSync(peer.store, { recursive: true });
  }
  fs.rmSync(big, { recursive: true });

  const tiny = path.join(work, "tiny");
  writeTinyFiles(tiny);
  for (const peer of peersOf("tiny-stores", tiny)) {
    await tolerate(peer, () => coldSave(recording, "200,000 tiny files, cold save", peer, TINY_FILES));
    fs.rmSync(peer.store, { recursive: true });
  }
  fs.rmSync(work, { recursive: true });
}

/** That a peer cannot do it (one reads the whole file into memory) must not end the run; that we cannot, must. */
async function tolerate(peer, act) {
  try {
    await act();
  } catch (error) {
    if (peer.name === "checkpoint") throw error;
    console.error(`${peer.name}: ${error.message}`);
  }
}

async function coldSave(recording, operation, peer, files) {
  await peer.reset();
  recording.noteSample(operation, peer, await peer.save("base"));
  // A limit that silently left the file out would make this cheap.
  const saved = peer.lastSave;
  if (saved !== undefined && (saved.files !== files || saved.skipped.length > 0))
    throw new Error(`${operation}: ${saved.files} of ${files} files were saved.`);
  console.error(`${operation}, ${peer.name}: done`);
}

async function restoreBigFile(recording, peer, file, original) {
  fs.renameSync(file, original);
  recording.noteSample("one 4 GB file, restore", peer, await peer.restore(peer.lastId));
  run("cmp", [original, file]);
  console.error(`one 4 GB file, restore, ${peer.name}: done`);
}

/** By turns a hole, noise that does not compress, and text that does. */
function writeBigFile(file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, SEED), Buffer.alloc(16));
  const zeros = Buffer.alloc(PIECE_BYTES);
  const fd = fs.openSync(file, "w");
  for (let at = 0, piece = 0; at < BIG_BYTES; at += PIECE_BYTES, piece++) {
    const length = Math.min(PIECE_BYTES, BIG_BYTES - at);
    if (piece % 3 === 1) fs.writeSync(fd, cipher.update(zeros), 0, length, at);
    if (piece % 3 === 2) fs.writeSync(fd, textOf(piece), 0, length, at);
  }
  fs.ftruncateSync(fd, BIG_BYTES);
  fs.closeSync(fd);
}

/** Lines that repeat each other in part, as logs do. */
function textOf(piece) {
  const random = randomFrom(SEED + piece);
  const lines = [];
  for (let i = 0; i < 4096; i++)
    lines.push(
      `2026-01-01 worker ${i % 17} request ${Math.floor(random() * 1e9)} took ${Math.floor(random() * 900)} ms`,
    );
  return Buffer.alloc(PIECE_BYTES, `${lines.join("\n")}\n`);
}

/** 20 to 200 bytes each, hardly two alike. */
function writeTinyFiles(folder) {
  const random = randomFrom(SEED);
  for (let i = 0; i < TINY_FOLDERS; i++) fs.mkdirSync(path.join(folder, `folder${i}`), { recursive: true });
  for (let i = 0; i < TINY_FILES; i++) {
    const text = `export const value${i} = ${Math.floor(random() * 1e12)};\n`.padEnd(
      20 + Math.floor(random() * 180),
      "/",
    );
    fs.writeFileSync(path.join(folder, `folder${i % TINY_FOLDERS}`, `file${i}.ts`), text);
  }
}
