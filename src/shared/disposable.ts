/** Ownership of things that have to be let go: timers, listeners, workers, editor registrations. */

export interface Disposer {
  dispose(): unknown;
}

/**
 * Owns what is registered with it and lets go of it in reverse order. What arrives after the owner has gone is let go
 * at once, so that an asynchronous start that loses the race against a shutdown leaks nothing.
 */
export abstract class Disposable implements Disposer {
  private readonly owned: Disposer[] = [];
  private gone = false;

  protected get isDisposed(): boolean {
    return this.gone;
  }

  protected register<T extends Disposer>(item: T): T {
    if (this.gone) item.dispose();
    else this.owned.push(item);
    return item;
  }

  dispose(): void {
    if (this.gone) return;
    this.gone = true;
    for (const item of this.owned.splice(0).reverse()) item.dispose();
  }
}
