/**
 * The part of VS Code's proposed API "timeline" that is used here. Only the package variant that declares the proposal
 * may call it, and only where the user granted it.
 */
import type { CancellationToken, Command, Disposable, Event, ThemeIcon, Uri } from "vscode";

export interface TimelineItem {
  timestamp: number;
  label: string;
  id?: string;
  iconPath?: ThemeIcon;
  description?: string;
  tooltip?: string;
  command?: Command;
  contextValue?: string;
  accessibilityInformation?: { readonly label: string };
}

export interface TimelineChangeEvent {
  /** Undefined = every resource. */
  readonly uri: Uri | undefined;
  readonly reset?: boolean;
}

export interface Timeline {
  readonly paging?: { readonly cursor: string | undefined };
  readonly items: readonly TimelineItem[];
}

export interface TimelineOptions {
  readonly cursor?: string;
  /** How many, or back to which item. */
  readonly limit?: number | { readonly timestamp: number; readonly id?: string };
}

export interface TimelineProvider {
  readonly id: string;
  readonly label: string;
  readonly onDidChange?: Event<TimelineChangeEvent | undefined>;
  provideTimeline(uri: Uri, options: TimelineOptions, token: CancellationToken): Promise<Timeline | undefined>;
}

export interface TimelineWorkspace {
  registerTimelineProvider(scheme: string | readonly string[], provider: TimelineProvider): Disposable;
}

export interface TimelineNamespace {
  readonly TimelineItem: new (label: string, timestamp: number) => TimelineItem;
}
