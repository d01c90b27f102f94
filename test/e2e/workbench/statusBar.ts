import type { Page } from "playwright-core";
import { plain, until } from "./until";

export class StatusBar {
  constructor(private readonly page: Page) {}

  async texts(): Promise<string[]> {
    const items = this.page.locator(".statusbar .statusbar-item:visible");
    return (await items.allTextContents()).map((text) => plain(text).trim()).filter(Boolean);
  }

  /** Messages stay for some seconds only: wait for one right after what causes it. */
  async waitFor(text: RegExp): Promise<string> {
    return until(`${text} in the status bar`, async () => (await this.texts()).find((shown) => text.test(shown)));
  }
}
