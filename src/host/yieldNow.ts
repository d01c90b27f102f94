/** Resolves in a later turn of the event loop, after whatever waits for one. */
export function yieldNow(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
