import * as fs from "node:fs";
import { errnoOf, type FileSystem, type OsPath } from "./fileSystem";
import { refusedByWindows } from "./windowsNames";

const NO_THROW = { throwIfNoEntry: false } as const;

/** The file system of Node on `platform`. */
export function nodeFileSystemFor(platform: NodeJS.Platform): FileSystem {
  if (platform === "win32") return { ...calls, pause, refusesName: refusedByWindows };
  return platform === "linux" ? { ...calls, tellsListingChanges } : calls;
}

/** statfs(2) types of local Linux file systems that keep folders' times as POSIX says. */
const POSIX_FOLDER_TIMES: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
  0xf2f52010, // f2fs
  0x2fc12fc1, // zfs
  0xca451a4e, // bcachefs
]);

function tellsListingChanges(folder: OsPath): boolean {
  // The type is a signed word on some machines.
  return POSIX_FOLDER_TIMES.has(fs.statfsSync(folder).type >>> 0);
}

const calls: FileSystem = {
  open: (path, flags, mode) => fs.openSync(path, flags, mode),
  close: (fd) => fs.closeSync(fd),
  read: (fd, buffer, offset, length, position) => fs.readSync(fd, buffer, offset, length, position),
  write: (fd, buffer, offset, length, position) => fs.writeSync(fd, buffer, offset, length, position),
  fsync: (fd) => fs.fsyncSync(fd),
  ftruncate: (fd, length) => fs.ftruncateSync(fd, length),
  fchmod: (fd, mode) => fs.fchmodSync(fd, mode),
  fstat: (fd) => fs.fstatSync(fd),
  lstat: (path) => {
    try {
      return fs.lstatSync(path, NO_THROW);
    } catch (error) {
      // Node's own option covers ENOENT alone; below a file nothing is there either.
      if (errnoOf(error) === "ENOTDIR") return undefined;
      throw error;
    }
  },
  readdir: (path) => fs.readdirSync(path, "latin1"),
  readlink: (path) => fs.readlinkSync(path, "buffer"),
  mkdir: (path, mode) => fs.mkdirSync(path, mode),
  rmdir: (path) => fs.rmdirSync(path),
  unlink: (path) => fs.unlinkSync(path),
  rename: (from, to) => fs.renameSync(from, to),
  link: (existing, path) => fs.linkSync(existing, path),
  symlink: (target, path) => fs.symlinkSync(target, path),
  chmod: (path, mode) => fs.chmodSync(path, mode),
  realpath: (path) => fs.realpathSync.native(path),
  freeBytes: (path) => {
    const { blocks, bavail, bsize } = fs.statfsSync(path);
    // A file system of no size does not count its blocks (some FUSE, 9p and network mounts; /proc): it is not a full one.
    return blocks === 0 ? null : bavail * bsize;
  },
};

/** Blocks the thread; the core runs in a worker or in a program of its own, never on an editor's thread. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The real file system. */
export const nodeFileSystem: FileSystem = nodeFileSystemFor(process.platform);
