/**
 * Ends code that takes too long, even in the middle of a regular expression: some take time exponential in the length
 * of a line, look at no flag, and would hold their thread for ever. Only a script run by `node:vm` can be ended so; it
 * starts a thread to watch it (50 µs), so one run should cover much work.
 */
import { createContext, Script } from "node:vm";

export type Guard = <T>(body: () => T) => T;

/**
 * Thrown in place of whatever `body` was about to do next; what it had under way is left as it was. So a body is best
 * the expression and what is thrown away with it, nothing that others go on using.
 */
export class TookTooLong extends Error {}

/** Runs every body it is given for at most `timeoutMs`; its answer and its errors pass through. */
export function timeGuard(timeoutMs: number): Guard {
  const scope: { body: () => unknown } = { body: () => undefined };
  createContext(scope);
  const script = new Script("body()");
  return <T>(body: () => T): T => {
    scope.body = body;
    try {
      return script.runInContext(scope, { timeout: timeoutMs }) as T;
    } catch (error) {
      // The error is of the context's making: no Error of this one.
      if ((error as { code?: unknown } | undefined)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") throw new TookTooLong();
      throw error;
    }
  };
}
