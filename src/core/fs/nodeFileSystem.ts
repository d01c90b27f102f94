import * as fs from "node:fs";
import type { FileSystem } from "./fileSystem";

const NO_THROW = { throwIfNoEntry: false } as const;

/** The real file system. */
export const nodeFileSystem: FileSystem = {
  open: (path, flags, mode) => fs.openSync(path, flags, mode),
  close: (fd) => fs.closeSync(fd),
  read: (fd, buffer, offset, length, position) => fs.readSync(fd, buffer, offset, length, position),
  write: (fd, buffer, offset, length, position) => fs.writeSync(fd, buffer, offset, length, position),
  fsync: (fd) => fs.fsyncSync(fd),
  ftruncate: (fd, length) => fs.ftruncateSync(fd, length),
  fchmod: (fd, mode) => fs.fchmodSync(fd, mode),
  fstat: (fd) => fs.fstatSync(fd),
  lstat: (path) => fs.lstatSync(path, NO_THROW),
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
    const volume = fs.statfsSync(path);
    return volume.bavail * volume.bsize;
  },
};
