import type { Locator, Page } from "playwright-core";
import { exactly, plain, until, WAIT_MS } from "./until";

export interface Notification {
  readonly text: string;
  readonly buttons: readonly string[];
  press(button: string): Promise<void>;
}

/** Toasts. They vanish after some seconds: wait for one right after what causes it. */
export class Notifications {
  private readonly toasts: Locator;

  constructor(private readonly page: Page) {
    this.toasts = page.locator(".notifications-toasts .notification-list-item");
  }

  async waitFor(text: RegExp, timeoutMs = WAIT_MS): Promise<Notification> {
    return until(
      `a notification ${text}`,
      async () => (await this.shown()).find((it) => text.test(it.text)),
      timeoutMs,
    );
  }

  async shown(): Promise<Notification[]> {
    const found: Notification[] = [];
    for (const toast of await this.toasts.all()) {
      const message = plain(await toast.locator(".notification-list-item-message").textContent({ timeout: 500 }));
      const buttons = toast.locator(".notification-list-item-buttons-container .monaco-button");
      found.push({
        text: message,
        buttons: (await buttons.allTextContents()).map(plain),
        press: (button) =>
          buttons
            .filter({ hasText: exactly(button) })
            .first()
            .click({ timeout: WAIT_MS }),
      });
    }
    return found;
  }

  /** Closes every toast, so that an older one is not taken for the answer to what comes next. */
  async clear(): Promise<void> {
    await until("the notifications to close", async () => {
      if (!(await this.toasts.count())) return true;
      const toast = this.toasts.first();
      await toast.hover({ timeout: 1000 });
      await toast.locator(".action-label.codicon-notifications-clear").first().click({ timeout: 1000 });
      return (await this.page.locator(".notifications-toasts .notification-list-item").count()) === 0;
    });
  }
}
