/** How long anything in the workbench may take to appear before a test fails. */
export const WAIT_MS = 20_000;

const POLL_MS = 50;

type Found<T> = Exclude<T, false | undefined | null | 0 | "">;

/** Asks `probe` until it answers something truthy, and returns that. Throwing counts as "not yet". */
export async function until<T>(what: string, probe: () => Promise<T> | T, timeoutMs = WAIT_MS): Promise<Found<T>> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    let trouble: unknown;
    try {
      const found = await probe();
      if (found) return found as Found<T>;
    } catch (error) {
      trouble = error;
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: trouble });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The workbench shows spaces as no-break spaces and adds marks of no width. */
export function plain(text: string | null | undefined): string {
  return (text ?? "").replaceAll("\u00a0", " ").replace(/[\u200b\u200e]/g, "");
}

/** Matches an element's text as a whole, whatever kind of space it is shown with. */
export function exactly(text: string): RegExp {
  return new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "\\s")}\\s*$`);
}
