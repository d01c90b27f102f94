import type { Locator, Page } from "playwright-core";
import { plain, until, WAIT_MS } from "./until";

export interface DiffTexts {
  readonly original: string;
  readonly modified: string;
}

export interface MultiDiffEntry extends DiffTexts {
  readonly title: string;
}

/** The editor area: tabs, text, diff and multi-diff editors. Texts are what is rendered, so keep files short. */
export class Editors {
  private readonly activeGroup: Locator;

  constructor(private readonly page: Page) {
    this.activeGroup = page.locator(".editor-group-container.active");
  }

  /** Full label of the active tab, e.g. "tide.ts, preview". */
  async activeTab(): Promise<string> {
    return plain(
      await this.activeGroup.locator(".tab.active").first().getAttribute("aria-label", { timeout: WAIT_MS }),
    );
  }

  async waitForTab(label: RegExp): Promise<string> {
    return until(`the active tab ${label}`, async () => {
      const tab = this.activeGroup.locator(".tab.active").first();
      const text = plain(await tab.getAttribute("aria-label", { timeout: 1000 }));
      return label.test(text) && text;
    });
  }

  /** Text of the active plain editor, once it shows any. */
  async text(): Promise<string> {
    const editor = this.activeGroup.locator(".editor-instance .monaco-editor").first();
    return until("the editor's text", () => this.lines(editor));
  }

  /**
   * Replaces the text of the active editor; leaves it unsaved. Pasted, because typed text gets brackets and
   * indentation added.
   */
  async replaceAll(text: string): Promise<void> {
    await this.activeGroup.locator(".monaco-editor .view-lines").first().click();
    await this.page.keyboard.press("Control+A");
    await this.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
    await this.page.keyboard.press("Control+V");
  }

  /** Both sides of the active diff editor, once `isReady` is content with them. */
  async diff(isReady: (texts: DiffTexts) => boolean = ({ original, modified }) => Boolean(original || modified)) {
    const diff = this.activeGroup.locator(".monaco-diff-editor:visible").first();
    await diff.waitFor({ timeout: WAIT_MS });
    return until<DiffTexts | false>("both sides of the diff editor", async () => {
      const original = await this.lines(diff.locator(".editor.original"));
      const modified = await this.lines(diff.locator(".editor.modified"));
      return isReady({ original, modified }) && { original, modified };
    });
  }

  /** Presses the arrow beside the first change of the diff editor: the left side's text replaces the right side's. */
  async revertFirstChange(): Promise<void> {
    const diff = this.activeGroup.locator(".monaco-diff-editor:visible").first();
    const arrow = diff.locator(".diff-review-line-number, .arrow-revert-change, .codicon-arrow-right").first();
    await arrow.click({ timeout: WAIT_MS });
  }

  /** The visible files of the active multi-diff editor. */
  async multiDiff(atLeast = 1): Promise<MultiDiffEntry[]> {
    const entries = this.activeGroup.locator(".multiDiffEntry:visible");
    return until(`${atLeast} files in the multi-diff editor`, async () => {
      const found: MultiDiffEntry[] = [];
      for (const entry of await entries.all()) {
        const titles = entry.locator(".header .file-path .title.modified .label-name, .header .file-path .label-name");
        const title = plain(await titles.first().textContent({ timeout: 1000 }));
        if (!title) continue;
        const original = await this.lines(entry.locator(".editor.original"));
        const modified = await this.lines(entry.locator(".editor.modified"));
        found.push({ title, original, modified });
      }
      return found.length >= atLeast && found;
    });
  }

  private async lines(editor: Locator): Promise<string> {
    const shown = await editor.locator(".view-lines > .view-line").evaluateAll((elements) =>
      elements.map((element) => ({
        // Lines are absolutely placed; their order in the document says nothing.
        top: Number.parseFloat(element.style.top) || 0,
        text: element.textContent ?? "",
      })),
    );
    return plain(
      shown
        .sort((a, b) => a.top - b.top)
        .map((line) => line.text)
        .join("\n"),
    );
  }
}
