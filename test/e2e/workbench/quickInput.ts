import type { Locator, Page } from "playwright-core";
import { exactly, plain, until, WAIT_MS } from "./until";

/** A key pressed before the keybindings are up is lost: it is pressed again after this time. */
const KEY_RETRY_MS = 1500;
const LIST_RETRY_MS = 4000;

/** The box at the top of the window: command palette, Quick Open, pickers and prompts of extensions. */
export class QuickInput {
  readonly widget: Locator;
  private readonly input: Locator;

  constructor(private readonly page: Page) {
    this.widget = page.locator(".quick-input-widget:visible");
    this.input = this.widget.locator(".quick-input-box input");
  }

  /** Runs a command by its title in the palette, e.g. "Checkpoint: Save". Returns when it took over. */
  async runCommand(title: string): Promise<void> {
    // The palette lists what is allowed when it opens: a command that comes a little later needs another look.
    await until(`the palette to offer "${title}"`, async () => {
      await this.open("F1");
      await this.input.fill(`>${title}`);
      await this.row(title).first().click({ timeout: LIST_RETRY_MS });
      return true;
    });
    await until(`the palette to run "${title}"`, async () => {
      if (!(await this.widget.count())) return true;
      return !(await this.input.inputValue({ timeout: KEY_RETRY_MS })).startsWith(">");
    });
  }

  /** Titles the palette offers for a text. */
  async commandsFor(text: string): Promise<string[]> {
    await this.open("F1");
    await this.input.fill(`>${text}`);
    const labels = await this.labels();
    await this.dismiss();
    return labels;
  }

  /** Opens a file of the workspace through Quick Open. */
  async openFile(path: string): Promise<void> {
    const slash = path.lastIndexOf("/");
    await this.open("Control+P");
    await this.input.fill(path);
    const named = this.row(path.slice(slash + 1));
    // Files of other folders and of other file systems are offered too, with their folder beside the name.
    const folder = this.page.locator(".label-description", { hasText: exactly(path.slice(0, slash)) });
    const wanted = (slash < 0 ? named : named.filter({ has: folder })).first();
    // Results of the search arrive after those of the history and may take a row's place under the mouse: Enter takes
    // the focused row, whatever moves.
    await until(`Quick Open to offer ${path}`, async () => {
      if (/\bfocused\b/.test((await wanted.getAttribute("class", { timeout: LIST_RETRY_MS })) ?? "")) return true;
      await this.input.press("ArrowDown");
      return false;
    });
    await this.input.press("Enter");
    await this.widget.waitFor({ state: "hidden" });
  }

  /** What the open picker offers. */
  async labels(): Promise<string[]> {
    const names = this.widget.locator(".quick-input-list .monaco-list-row .label-name");
    await names.first().waitFor({ timeout: WAIT_MS });
    return (await names.allTextContents()).map(plain);
  }

  /** Chooses the entry whose label matches in the open picker. */
  async pick(label: string | RegExp): Promise<void> {
    await this.widget.waitFor({ timeout: WAIT_MS });
    await this.row(label).first().click({ timeout: WAIT_MS });
  }

  /** Types into the open prompt and accepts it. */
  async answer(text: string): Promise<void> {
    await this.input.waitFor({ timeout: WAIT_MS });
    await this.input.fill(text);
    await this.input.press("Enter");
    await until("the prompt to accept", async () => {
      if (!(await this.widget.count())) return true;
      return (await this.input.inputValue({ timeout: KEY_RETRY_MS })) !== text;
    });
  }

  async dismiss(): Promise<void> {
    await until("the quick input to close", async () => {
      if (!(await this.widget.count())) return true;
      await this.page.keyboard.press("Escape");
      return false;
    });
  }

  private async open(key: string): Promise<void> {
    await this.dismiss();
    await until(`the quick input on ${key}`, async () => {
      await this.page.keyboard.press(key);
      return this.widget.waitFor({ timeout: KEY_RETRY_MS }).then(
        () => true,
        () => false,
      );
    });
  }

  private row(label: string | RegExp): Locator {
    const hasText = typeof label === "string" ? exactly(label) : label;
    const rows = this.widget.locator(".quick-input-list .monaco-list-row");
    return rows.filter({ has: this.page.locator(".label-name", { hasText }) });
  }
}
