/** What the extension is doing right now: one operation that writes keeps automatic saves away and turns the spinner. */
import * as vscode from "vscode";
import type { Progress } from "../shared/api";
import { Disposable } from "../shared/disposable";
import { CheckpointError } from "../shared/errors";
import type { CallControl } from "./engineClient";

/** Shorter operations show nothing but the spinner in the status bar. */
const NOTIFY_AFTER_MS = 1_000;

export class Activity extends Disposable {
  private readonly running = new Set<{ readonly title: string }>();
  private readonly changed = this.register(new vscode.EventEmitter<void>());
  readonly onDidChange = this.changed.event;

  /** Titles of what runs, oldest first. */
  get titles(): readonly string[] {
    return Array.from(this.running, ({ title }) => title);
  }

  get isBusy(): boolean {
    return this.running.size > 0;
  }

  /**
   * Runs `work` with the spinner on, and with a cancellable notification once it has taken a second. Rejects as `work`
   * does; after a cancellation with code "cancelled".
   */
  async run<T>(title: string, work: (control: CallControl) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    let report: ((progress: Progress) => void) | undefined;
    let last: Progress | undefined;
    const onProgress = (progress: Progress): void => {
      last = progress;
      report?.(progress);
    };
    const result = this.quietly(title, () => work({ signal: abort.signal, onProgress }));
    if (await settlesWithin(result, NOTIFY_AFTER_MS)) return result;
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      (notification, token) => {
        token.onCancellationRequested(() => abort.abort());
        let shownPercent = 0;
        report = (progress) => {
          const percent = progress.total > 0 ? Math.min(100, (100 * progress.done) / progress.total) : 0;
          // Each phase counts from zero; the bar only ever grows.
          notification.report({ message: phaseWords(progress), increment: Math.max(0, percent - shownPercent) });
          shownPercent = Math.max(shownPercent, percent);
        };
        // Whom a save waits for is said once, before there is a place to show it.
        if (last) report(last);
        return result;
      },
    );
  }

  /** Runs `work` with the spinner on and nothing else. */
  async quietly<T>(title: string, work: () => Promise<T>): Promise<T> {
    const operation = { title };
    this.running.add(operation);
    this.changed.fire();
    try {
      return await work();
    } finally {
      this.running.delete(operation);
      this.changed.fire();
    }
  }
}

function phaseWords(progress: Progress): string {
  const counted =
    progress.total > 0 ? ` ${progress.done}/${progress.total}` : progress.done > 0 ? ` ${progress.done}` : "";
  switch (progress.phase) {
    case "lock":
      return progress.message === undefined
        ? vscode.l10n.t("waiting for another window or program")
        : vscode.l10n.t("waiting for the store: in use by {0}", progress.message);
    case "scan":
      return vscode.l10n.t("looking for changes{0}", counted);
    case "store":
      return vscode.l10n.t("storing files{0}", counted);
    case "commit":
      return vscode.l10n.t("finishing");
    case "plan":
      return vscode.l10n.t("comparing{0}", counted);
    case "restore":
      return vscode.l10n.t("restoring files{0}", counted);
    case "verify":
      return vscode.l10n.t("checking{0}", counted);
    case "gc":
      return vscode.l10n.t("freeing space{0}", counted);
    case "search":
      return vscode.l10n.t("searching{0}", counted);
  }
}

async function settlesWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const settled = work.then(
    () => true,
    () => true,
  );
  const inTime = await Promise.race([settled, late]);
  clearTimeout(timer);
  return inTime;
}

/** Resolves like `work`, but undefined when the user cancelled. */
export async function unlessCancelled<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (CheckpointError.is(error, "cancelled")) return undefined;
    throw error;
  }
}
