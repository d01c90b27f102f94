/**
 * A real VS Code: the provisioned server, opened in headless Chromium. Everything waits for a state, nothing for a
 * time. Each one has its own data, settings, extensions and browser context, so nothing leaks from test to test.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { type Server, settingsFile, startServer } from "../../../scripts/vscodeServer/serve.mjs";
import { Dialogs } from "./dialogs";
import { Editors } from "./editors";
import { extensionErrors, extensionHostLog, extensionLog } from "./logs";
import { Notifications } from "./notifications";
import { QuickInput } from "./quickInput";
import { StatusBar } from "./statusBar";
import { until, WAIT_MS } from "./until";
import { Views } from "./views";

export interface WorkbenchOptions {
  readonly server: string;
  readonly node: string;
  readonly version: string;
  readonly chromium: string;
  readonly folder: string;
  readonly vsix: string;
  /** More extensions to install beside it. */
  readonly companions?: readonly string[];
  readonly extensionId: string;
  /** Lets the extension use the API proposals it declares. */
  readonly proposals: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
  /** What VS Code takes for the user's home folder, if not the real one. */
  readonly userHome?: string | undefined;
}

const READY_MS = 90_000;
const VIEWPORT = { width: 1400, height: 1000 };
/** In the activity bar, between its upper and its lower icons. */
const EMPTY_SPOT = { x: 24, y: 640 };

/** Keep first-run pages, AI, animations and lookups on the network out of the picture. */
const QUIET_SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.enableExperiments": false,
  "workbench.tips.enabled": false,
  "workbench.reduceMotion": "on",
  // Newer releases show settings.json in a dialog, where none of the editor's gestures work.
  "workbench.editor.useModal": "off",
  "workbench.quickOpen.closeOnFocusLost": false,
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
  "chat.disableAIFeatures": true,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "telemetry.telemetryLevel": "off",
  "update.showReleaseNotes": false,
  "git.openRepositoryInParentFolders": "never",
  "git.autofetch": false,
  "files.simpleDialog.enable": true,
  "window.dialogStyle": "custom",
  "editor.cursorBlinking": "solid",
  "editor.minimap.enabled": false,
  "editor.accessibilitySupport": "off",
  "diffEditor.renderSideBySide": true,
  "diffEditor.useInlineViewWhenSpaceIsLimited": false,
};

const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Lookups of galleries and update servers fail at once instead of after a time-out.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Starts VS Code on a folder and waits until it is usable. After an error nothing is left running. */
export async function launchWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const home = mkdtempSync(path.join(tmpdir(), "checkpoint-e2e-"));
  let server: Server | undefined;
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    await server?.stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    server = await withHome(options.userHome, () =>
      startServer(options, home, {
        vsix: [options.vsix, ...(options.companions ?? [])],
        settings: { ...QUIET_SETTINGS, ...options.settings },
        // A server that lost its test ends by itself some minutes later.
        flags: ["--disable-workspace-trust", "--enable-remote-auto-shutdown"],
        ...(options.proposals ? { proposedApi: options.extensionId } : {}),
      }),
    );
    browser = await chromium.launch({ executablePath: options.chromium, args: CHROMIUM_FLAGS });
    const context = await browser.newContext({ viewport: VIEWPORT });
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url.origin });
    const address = server.open(options.folder);
    const openWindow = async (): Promise<Workbench> => {
      const page = await context.newPage();
      // The browser's own "leave the page?".
      page.on("dialog", (dialog) => void dialog.accept().catch(() => undefined));
      const workbench = new Workbench(page, home, options, openWindow, close);
      const before = workbench.hostStarts();
      await page.goto(address);
      await workbench.waitUntilReady(before);
      return workbench;
    };
    return await openWindow();
  } catch (error) {
    const said = server?.output() ?? "";
    await close();
    throw new Error(`VS Code ${options.version} did not start: ${(error as Error).message}\n${said}`, { cause: error });
  }
}

/** Processes started by `start` inherit this home folder. */
async function withHome<T>(folder: string | undefined, start: () => Promise<T>): Promise<T> {
  if (folder === undefined) return start();
  const before = process.env.HOME;
  process.env.HOME = folder;
  try {
    return await start();
  } finally {
    if (before === undefined) delete process.env.HOME;
    else process.env.HOME = before;
  }
}

export class Workbench {
  readonly quickInput: QuickInput;
  readonly editors: Editors;
  readonly views: Views;
  readonly notifications: Notifications;
  readonly dialogs: Dialogs;
  readonly statusBar: StatusBar;

  constructor(
    readonly page: Page,
    readonly home: string,
    private readonly options: WorkbenchOptions,
    /** Opens the same folder in one more window, with an extension host of its own. Closed with the first. */
    readonly openWindow: () => Promise<Workbench>,
    readonly close: () => Promise<void>,
  ) {
    this.quickInput = new QuickInput(page);
    this.editors = new Editors(page);
    this.views = new Views(page);
    this.notifications = new Notifications(page);
    this.dialogs = new Dialogs(page);
    this.statusBar = new StatusBar(page);
  }

  /** VS Code's version. */
  get version(): string {
    return this.options.version;
  }

  /** Runs a command by its title in the palette. */
  run(title: string): Promise<void> {
    return this.quickInput.runCommand(title);
  }

  /** Opens a file of the workspace and waits for its editor. */
  async open(file: string): Promise<void> {
    await this.quickInput.openFile(file);
    const name = path.posix.basename(file).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    await this.editors.waitForTab(new RegExp(`^${name}(,|$)`));
  }

  /** "Reload Window": a new extension host; the workbench restores its state. */
  async reload(): Promise<void> {
    const before = this.hostStarts();
    await this.page.reload();
    await this.waitUntilReady(before);
  }

  /** Changes user settings of the running VS Code the way people do, in settings.json. */
  async changeSettings(changes: Readonly<Record<string, unknown>>): Promise<void> {
    const file = settingsFile(this.home);
    const settings = JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), ...changes }, null, 2);
    await this.run("Preferences: Open User Settings (JSON)");
    await this.editors.waitForTab(/^settings\.json/);
    await this.editors.replaceAll(settings);
    await this.page.keyboard.press("Control+S");
    await until("the settings on disk", async () => (await readFile(file, "utf8")) === settings);
    await this.run("View: Close Editor");
  }

  /** Saves a picture of the window, without whatever hovers at the mouse. */
  async picture(file: string): Promise<void> {
    await this.page.mouse.move(EMPTY_SPOT.x, EMPTY_SPOT.y);
    await this.page.locator(".workbench-hover-container:visible").waitFor({ state: "hidden", timeout: WAIT_MS });
    await this.page.screenshot({ path: file });
  }

  logs(): string {
    return `${extensionHostLog(this.home)}\n--- own channels\n${extensionLog(this.home, this.options.extensionId)}`;
  }

  /** Error lines of the extension so far. */
  errors(): string[] {
    return extensionErrors(this.home, this.options.extensionId);
  }

  /** Workbench restored (VS Code's own mark) and one extension host more than `hostStartsBefore` up. */
  async waitUntilReady(hostStartsBefore: number): Promise<void> {
    const isRestored = () => performance.getEntriesByName("code/didStartWorkbench").length > 0;
    await this.page.waitForFunction(isRestored, undefined, { timeout: READY_MS });
    await until("the extension host", () => this.hostStarts() > hostStartsBefore, READY_MS);
  }

  /** How many extension hosts have started so far, of all windows. */
  hostStarts(): number {
    return extensionHostLog(this.home).split("Eager extensions activated").length - 1;
  }
}
