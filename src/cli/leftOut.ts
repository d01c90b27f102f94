import type { Skipped } from "../shared/saves";
import { forCommandLine } from "./advice";
import { formatBytes, formatCount, printable } from "./output";

/** What something passed over, and why. */
interface LeftOut {
  readonly path: string;
  readonly message: string;
  readonly reason?: Skipped["reason"];
}

/** More names than this bury the result; there can be thousands, all for the same reason. */
const MAX_NAMED = 10;

/**
 * Lines that name what was passed over, and why. `label` begins each; `rest` says where all of them are listed.
 */
export function leftOutLines(leftOut: readonly LeftOut[], label: string, rest = ""): string[] {
  const lines = leftOut.slice(0, MAX_NAMED).map((each) => `${label}: ${printable(each.path)}: ${reasonOf(each)}`);
  const more = leftOut.length - lines.length;
  return more === 0 ? lines : [...lines, `… and ${formatCount(more)} more${rest}`];
}

function reasonOf({ reason, message }: LeftOut): string {
  // "2048 bytes is above the limit of 1024": exact for programs, hard to read for people.
  const readable =
    reason === "too-large"
      ? message.replace(/\b(\d+)\b( bytes)?/g, (_, bytes: string) => formatBytes(Number(bytes)))
      : message;
  return printable(forCommandLine(readable));
}
