import { type ByteString, bytesOf } from "../../shared/pathText";
import type { Codecs } from "../store/codecs";

/** All that a checkpoint keeps of a path that was taken out of it: enough to know the path again, not to read it. */
export function purgedMark(codecs: Pick<Codecs, "hash">, path: ByteString): string {
  return codecs.hash(bytesOf(path));
}
