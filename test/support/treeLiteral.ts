/** Folder trees written as literals. */
import * as fs from "node:fs";

/** Text or bytes: a file. A record or map: a folder (a map where names are bytes). */
export type TreeNode = string | Buffer | Special | TreeLiteral;
export type TreeLiteral = { readonly [name: string]: TreeNode } | ReadonlyMap<string | Buffer, TreeNode>;

class Special {
  constructor(
    readonly kind: "file" | "folder" | "link" | "hardLink",
    readonly value: string | Buffer | TreeLiteral,
    readonly mode?: number,
  ) {}
}

export const file = (content: string | Buffer, mode: number): TreeNode => new Special("file", content, mode);
export const folder = (tree: TreeLiteral, mode: number): TreeNode => new Special("folder", tree, mode);
export const link = (target: string | Buffer): TreeNode => new Special("link", target);
/** Another name for a file created before it; `path` is relative to the root of the whole tree. */
export const hardLink = (path: string): TreeNode => new Special("hardLink", path);

/** Creates the tree in `dir`, which may exist. Modes are exact, whatever the umask; the defaults are 644 and 755. */
export function createTree(dir: string | Buffer, tree: TreeLiteral): void {
  const root = toBytes(dir);
  fs.mkdirSync(root, { recursive: true });
  fill(root, root, tree);
}

/** Path of an entry, for names that may be bytes. */
export function childPath(dir: string | Buffer, name: string | Buffer): Buffer {
  return Buffer.concat([toBytes(dir), Buffer.from("/"), toBytes(name)]);
}

function fill(root: Buffer, dir: Buffer, tree: TreeLiteral): void {
  const entries = tree instanceof Map ? [...tree] : Object.entries(tree as { [name: string]: TreeNode });
  for (const [name, node] of entries) create(root, childPath(dir, name), node);
}

function create(root: Buffer, path: Buffer, node: TreeNode): void {
  if (typeof node === "string" || Buffer.isBuffer(node)) createFile(path, node, 0o644);
  else if (!(node instanceof Special)) createFolder(root, path, node, 0o755);
  else if (node.kind === "file") createFile(path, node.value as string | Buffer, node.mode ?? 0o644);
  else if (node.kind === "folder") createFolder(root, path, node.value as TreeLiteral, node.mode ?? 0o755);
  else if (node.kind === "link") fs.symlinkSync(toBytes(node.value as string | Buffer), path);
  else fs.linkSync(childPath(root, node.value as string), path);
}

function createFile(path: Buffer, content: string | Buffer, mode: number): void {
  fs.writeFileSync(path, content);
  fs.chmodSync(path, mode);
}

function createFolder(root: Buffer, path: Buffer, tree: TreeLiteral, mode: number): void {
  fs.mkdirSync(path, { recursive: true });
  fill(root, path, tree);
  fs.chmodSync(path, mode);
}

function toBytes(path: string | Buffer): Buffer {
  return typeof path === "string" ? Buffer.from(path) : path;
}
