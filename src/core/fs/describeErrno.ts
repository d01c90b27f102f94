import { errnoOf } from "./fileSystem";

/** A system error in a few words for people. */
export function describeErrno(error: unknown): string {
  switch (errnoOf(error)) {
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EIO":
      return "the disk reported a read error";
    case "EMFILE":
    case "ENFILE":
      return "too many files are open on this machine";
    case "ENAMETOOLONG":
      return "the path is too long for the file system";
    case "EBUSY":
      return "the file is locked by another program";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
