import type { Skipped } from "../shared/api";
import { forCommandLine } from "./advice";
import { formatBytes, formatCount, printable } from "./output";

/** More names than this bury the result; there can be thousands, all for the same reason. */
const MAX_NAMED = 10;

/**
 * Lines that name what could not be taken in, and why. `label` begins each; `rest` says where all of them are listed.
 */
export function leftOutLines(skipped: readonly Skipped[], label: string, rest = ""): string[] {
  const lines = skipped.slice(0, MAX_NAMED).map((each) => `${label}: ${printable(each.path)}: ${reasonOf(each)}`);
  const more = skipped.length - lines.length;
  return more === 0 ? lines : [...lines, `… and ${formatCount(more)} more${rest}`];
}

function reasonOf({ reason, message }: Skipped): string {
  // "2048 bytes is above the limit of 1024": exact for programs, hard to read for people.
  const readable =
    reason === "too-large"
      ? message.replace(/\b(\d+)\b( bytes)?/g, (_, bytes: string) => formatBytes(Number(bytes)))
      : message;
  return printable(forCommandLine(readable));
}
