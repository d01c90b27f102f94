import type { Locator, Page } from "playwright-core";
import { exactly, plain, until } from "./until";

export interface Dialog {
  /** Message and detail. */
  readonly text: string;
  readonly buttons: readonly string[];
  press(button: string): Promise<void>;
}

/** Modal questions. */
export class Dialogs {
  private readonly box: Locator;

  constructor(page: Page) {
    this.box = page.locator(".monaco-dialog-box");
  }

  async waitFor(text: RegExp): Promise<Dialog> {
    return until(`a dialog ${text}`, async () => {
      if (!(await this.box.count())) return undefined;
      const shown = plain(await this.box.locator(".dialog-message-container").textContent({ timeout: 500 }));
      if (!text.test(shown)) return undefined;
      const buttons = this.box.locator(".dialog-buttons .monaco-button");
      return {
        text: shown,
        buttons: (await buttons.allTextContents()).map(plain),
        press: async (button: string) => {
          await buttons
            .filter({ hasText: exactly(button) })
            .first()
            .click();
          // Another question may take its place at once.
          await until("the dialog to close", async () => {
            const left = await this.box.locator(".dialog-message-container").allTextContents();
            return !left.map(plain).includes(shown);
          });
        },
      };
    });
  }
}
