/** Why a file that a lane was to read is not saved. */
import type { SkipReason } from "../../shared/saves";
import { describeErrno } from "../fs/describeErrno";
import { errnoOf } from "../fs/fileSystem";

/** Thrown while one file is read: says that it is not saved, and why. The lane goes on with the next one. */
export class Unsaved extends Error {
  constructor(
    readonly reason: SkipReason,
    message: string,
  ) {
    super(message);
  }
}

export function vanished(): Unsaved {
  return new Unsaved("vanished", "it was deleted before it could be read");
}

export function replaced(): Unsaved {
  return new Unsaved("changed-while-read", "it became something else before it could be read");
}

export function neverStill(attempts: number): Unsaved {
  return new Unsaved("changed-while-read", `it changed each of the ${attempts} times it was read`);
}

/** What a failed call of the file system means for the file; an error of another kind as it is. */
export function unsaved(error: unknown): unknown {
  switch (errnoOf(error)) {
    case undefined:
      return error;
    case "ENOENT":
    case "ENOTDIR":
      return vanished();
    case "ELOOP":
    case "EINVAL":
    case "ENXIO":
      return replaced();
    default:
      return new Unsaved("unreadable", describeErrno(error));
  }
}
