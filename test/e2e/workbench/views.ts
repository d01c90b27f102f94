import type { Locator, Page } from "playwright-core";
import { exactly, plain, until, WAIT_MS } from "./until";

export interface Row {
  readonly label: string;
  readonly description: string;
  /** Distance from the root, which is 1. */
  readonly level: number;
  readonly expanded: boolean | undefined;
  readonly checked: boolean | undefined;
}

/** Side bar and panel: view containers, views, rows of trees, context menus. Only rendered rows are seen. */
export class Views {
  constructor(private readonly page: Page) {}

  /** Shows the view container with that title in the activity bar. */
  async openContainer(title: string): Promise<void> {
    const label = this.page.locator(`.action-label[aria-label^="${title}"]`);
    const item = this.page.locator(".activitybar .action-item").filter({ has: label }).first();
    const isOpen = async () => /\bchecked\b/.test((await item.getAttribute("class")) ?? "");
    // A click on an open one would hide it.
    if (!(await isOpen())) await item.click({ timeout: WAIT_MS });
    await until(`the container ${title}`, isOpen);
  }

  /** Expands a view and returns its pane. The header's label may go on with " - <description>". */
  async pane(title: string): Promise<Locator> {
    const headers = [" Section", " - ", " Section:"].map((rest) => `.pane-header[aria-label^="${title}${rest}"]`);
    const pane = this.page
      .locator(".split-view-view .pane")
      .filter({ has: this.page.locator(headers.join()) })
      .last();
    const header = pane.locator("> .pane-header");
    await header.waitFor({ state: "attached", timeout: WAIT_MS });
    await until(`the view ${title} to expand`, async () => {
      // The header of a container's only view is hidden, and the view always open.
      if ((await header.getAttribute("aria-expanded")) === "true" || !(await header.isVisible())) return true;
      await header.click({ timeout: 2000 });
      return false;
    });
    return pane;
  }

  async rows(title: string): Promise<Row[]> {
    const rows = (await this.pane(title)).locator(".pane-body .monaco-list-row");
    const shown = await rows.evaluateAll((elements) =>
      elements
        .map((element) => ({
          top: Number.parseFloat(element.style.top) || 0,
          label: element.querySelector(".label-name")?.textContent ?? element.textContent,
          description: element.querySelector(".label-description")?.textContent ?? "",
          level: element.getAttribute("aria-level"),
          expanded: element.getAttribute("aria-expanded"),
          checked: element.querySelector(".monaco-custom-toggle")?.getAttribute("aria-checked") ?? null,
        }))
        .sort((a, b) => a.top - b.top),
    );
    return shown.map((row) => ({
      label: plain(row.label),
      description: plain(row.description),
      level: Number(row.level ?? 1),
      expanded: row.expanded === null ? undefined : row.expanded === "true",
      checked: row.checked === null ? undefined : row.checked === "true",
    }));
  }

  /** The rows once `isReady` is content with them and none says "Loading...". */
  async waitForRows(title: string, isReady: (rows: Row[]) => boolean, timeoutMs = WAIT_MS): Promise<Row[]> {
    let last: Row[] = [];
    const readyRows = async () => {
      last = await this.rows(title);
      return !last.some((row) => /^Loading/.test(row.label)) && isReady(last) && last;
    };
    try {
      return await until(`rows of the view ${title}`, readyRows, timeoutMs);
    } catch (error) {
      const seen = last.map((row) => `${"  ".repeat(row.level)}${row.label} | ${row.description}`).join("\n");
      throw new Error(`${(error as Error).message}; it shows:\n${seen}`, { cause: error });
    }
  }

  async row(title: string, label: string | RegExp): Promise<Locator> {
    const hasText = typeof label === "string" ? exactly(label) : label;
    const pane = await this.pane(title);
    return pane
      .locator(".pane-body .monaco-list-row")
      .filter({ has: this.page.locator(".label-name", { hasText }) })
      .first();
  }

  async click(title: string, label: string | RegExp, modifiers: ("Control" | "Shift")[] = []): Promise<void> {
    await (await this.row(title, label)).locator(".label-name").first().click({ timeout: WAIT_MS, modifiers });
  }

  /** Opens a collapsed row by its arrow. */
  async expand(title: string, label: string | RegExp): Promise<void> {
    const row = await this.row(title, label);
    await until(`the row ${label} to expand`, async () => {
      if ((await row.getAttribute("aria-expanded", { timeout: 2000 })) === "true") return true;
      await row.locator(".monaco-tl-twistie").click({ timeout: 2000 });
      return false;
    });
  }

  /** Ticks a row's checkbox or takes the tick away. */
  async setCheckbox(title: string, label: string | RegExp, isChecked: boolean): Promise<void> {
    const box = (await this.row(title, label)).locator(".monaco-custom-toggle");
    const isAsWanted = async () => (await box.getAttribute("aria-checked", { timeout: 1000 })) === String(isChecked);
    // A click is lost when the row is drawn anew between the button's going down and up.
    await until(`the checkbox of ${label}`, async () => {
      if (await isAsWanted()) return true;
      await box.click({ timeout: 2000 });
      return until("the checkbox to follow", isAsWanted, 1000);
    });
  }

  /** Clicks one of the icons a row shows when the mouse is over it. */
  async inlineAction(title: string, label: string | RegExp, action: string): Promise<void> {
    const row = await this.row(title, label);
    await row.hover();
    await row.locator(`.actions .action-label[aria-label^="${action}"]`).click({ timeout: WAIT_MS });
  }

  /** Clicks an icon in the title bar of a view. */
  async titleAction(title: string, action: string): Promise<void> {
    const pane = await this.pane(title);
    await pane.hover();
    // The bar of a container's only view is the container's.
    const own = pane.locator(`.pane-header .action-label[aria-label^="${action}"]`);
    const shared = this.page.locator(`.sidebar .composite.title .action-label[aria-label^="${action}"]`);
    await own.or(shared).first().click({ timeout: WAIT_MS });
  }

  /** Opens a row's context menu and returns its entries; `choose` clicks one, otherwise it is closed again. */
  async contextMenu(title: string, label: string | RegExp, choose?: string): Promise<string[]> {
    await (await this.row(title, label)).locator(".label-name").first().click({ button: "right", timeout: WAIT_MS });
    const labels = this.page.locator(".monaco-menu .action-item:not(.disabled) .action-label:not(.separator)");
    await labels.first().waitFor({ timeout: WAIT_MS });
    const titles = (await labels.allTextContents()).map(plain).filter(Boolean);
    if (choose !== undefined && !titles.includes(choose))
      throw new Error(`The context menu of ${label} has no "${choose}" but: ${titles.join(", ")}`);
    const entry = this.page
      .locator(".monaco-menu .action-item")
      .filter({ has: this.page.locator(".action-label", { hasText: exactly(choose ?? "") }) })
      .first();
    // A fresh menu ignores the mouse for 100 ms, so that the opening click picks nothing: click until it is gone.
    await until("the context menu to close", async () => {
      if (!(await labels.count())) return true;
      if (choose === undefined) await this.page.keyboard.press("Escape");
      else await entry.click({ timeout: 500 });
      return false;
    });
    return titles;
  }
}
