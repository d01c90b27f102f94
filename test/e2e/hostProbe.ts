/** The test's end of the probe extension (test/e2e/hostProbe): packs it, and asks it questions. */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { runVsce } from "../../scripts/package.mjs";
import { until } from "./workbench/until";

/** How long one event loop was held up, and how often; in milliseconds. */
export interface LoopDelays {
  readonly durationMs: number;
  /** CPU time of the host's thread; null where Node does not tell it. */
  readonly cpuMs: number | null;
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The longest stretch of work: unlike a delay, it does not grow when other processes take the processor. */
  readonly maxCpuMs: number | null;
  /** The longest by perf_hooks.monitorEventLoopDelay. */
  readonly histogramMaxMs: number;
  readonly notable: readonly { readonly atMs: number; readonly delayMs: number; readonly cpuMs: number | null }[];
}

/** `cpuMs` is null where Node does not tell it. */
interface Took {
  readonly wallMs: number;
  readonly cpuMs: number | null;
}

/** Running an extension's bundle, and its `activate` until that returns. */
export interface Activation {
  readonly load: Took;
  readonly activate: Took;
}

interface Questions {
  isActive: { request: { id: string }; reply: boolean };
  activation: { request: { id: string }; reply: Activation | null };
  workers: { request: { id: string }; reply: number };
  command: { request: { command: string; args?: readonly unknown[] }; reply: null };
  crashThenCommand: { request: { id: string; command: string }; reply: null };
  beginSamples: { request: object; reply: null };
  endSamples: { request: object; reply: LoopDelays };
  startProfile: { request: object; reply: null };
  stopProfile: { request: { file: string }; reply: null };
}

/** A packed probe; `settings` and `vsix` are for the workbench that is to have it. Owns a folder until `dispose`. */
export class HostProbe {
  private constructor(private readonly folder: string) {}

  static async pack(root: string): Promise<HostProbe> {
    const probe = new HostProbe(mkdtempSync(path.join(tmpdir(), "checkpoint-probe-")));
    // It is to be there before the extension is.
    await runVsce(path.join(root, "test/e2e/hostProbe"), probe.vsix, ["--allow-star-activation", "--skip-license"]);
    return probe;
  }

  get vsix(): string {
    return path.join(this.folder, "host-probe.vsix");
  }

  get settings(): Readonly<Record<string, unknown>> {
    return { "hostProbe.folder": this.folder };
  }

  /** Settings that make the probe activate an extension itself, under a CPU profile, and where that will be. */
  profileActivation(id: string): { readonly settings: Readonly<Record<string, unknown>>; readonly file: string } {
    const file = path.join(this.folder, "activation.cpuprofile");
    return { settings: { "hostProbe.profiledActivation": id }, file };
  }

  /** Resolves with the answer of the newest extension host; rejects with its error. */
  async ask<Ask extends keyof Questions>(
    ask: Ask,
    request: Questions[Ask]["request"],
  ): Promise<Questions[Ask]["reply"]> {
    const socket = createConnection(await until("the probe to listen", () => this.newestSocket()));
    socket.end(JSON.stringify({ ask, ...request }));
    const reply = JSON.parse(await text(socket)) as { value: Questions[Ask]["reply"]; error?: string };
    if (reply.error !== undefined) throw new Error(`The probe could not answer "${ask}": ${reply.error}`);
    return reply.value;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private newestSocket(): string | undefined {
    const sockets = readdirSync(this.folder).filter((name) => name.endsWith(".sock"));
    const born = (name: string) => statSync(path.join(this.folder, name)).birthtimeMs;
    const [newest] = sockets.sort((a, b) => born(b) - born(a));
    return newest && path.join(this.folder, newest);
  }
}
