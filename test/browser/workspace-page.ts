import type { Locator, Page } from 'playwright-core';
import { SHOP } from '../../sandbox/slack/people.ts';

/** The sandbox's Slack as a person uses it: everything by what can be seen and clicked. */
export type WorkspacePage = {
  /** Opens the channel as somebody, the thread closed. */
  actAs(person: string): Promise<void>;
  /** The same by the list of people at the side: what is open stays open. */
  switchTo(person: string): Promise<void>;
  /** The newest card of a rollout that says this: a message of the channel that has a thread. */
  card(says: string | RegExp): Locator;
  /** The newest message of the open thread that says this. */
  reply(says: string | RegExp): Locator;
  /** The newest answer that only this person sees, in the channel or in the open thread. */
  answer(says: string | RegExp): Locator;
  openThread(of: Locator): Promise<void>;
  /** Writes in the channel's box and presses Enter. */
  write(text: string): Promise<void>;
  /** Merges the first open pull request of which the World panel says this. */
  merge(description: string): Promise<void>;
  /** Clicks a button of a message and, when it asks first, says yes. */
  click(message: Locator, button: string): Promise<void>;
  modal: Locator;
};

export function workspacePage(page: Page, url: string): WorkspacePage {
  const newest = (where: string, says: string | RegExp) => page.locator(where).filter({ hasText: says }).last();
  return {
    async actAs(person) {
      await page.goto(`${url}/?${new URLSearchParams({ as: person, channel: SHOP })}`);
    },
    async switchTo(person) {
      await page.locator('#act-as').selectOption(person);
      await page.waitForURL((address) => address.searchParams.get('as') === person);
    },
    card: (says) => newest('#content .msg:has(a.replies)', says),
    reply: (says) => newest('#side .msg', says),
    answer: (says) => newest('.msg.only-you', says),
    async openThread(of) {
      await of.locator('a.replies').click();
      await page.locator('#side .thread').waitFor();
    },
    async write(text) {
      await page.locator('#composer textarea').fill(text);
      await page.locator('#composer textarea').press('Enter');
    },
    async merge(description) {
      await page.locator('#side .pull').filter({ hasText: description }).locator('[data-merge]').first().click();
    },
    async click(message, name) {
      const button = message.getByRole('button', { name });
      const isAskedFirst = (await button.getAttribute('data-confirm')) !== null;
      await button.click();
      if (isAskedFirst) await page.locator('#confirm [data-ok]').click();
    },
    modal: page.locator('#modal .dialog'),
  };
}
