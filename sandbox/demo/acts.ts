import type { Merged, ReleaseKind } from '../releases.ts';
import type { Delivery } from '../slack/line.ts';
import { BEN, SHOP } from '../slack/people.ts';
import type { Message } from '../slack/workspace.ts';
import type { World } from '../world.ts';

/* What people do in every play: merge, approve, look at Slack. */

export type Say = (line: string) => void;

export async function merge(world: World, say: Say, kind: ReleaseKind): Promise<Merged> {
  const merged = await world.merge(kind);
  const title = world.pullRequests().find((one) => one.id === String(merged.pr))?.title;
  say(`Ana merges ${title} (${short(merged)}, reviewed by Ben)`);
  return merged;
}

export async function approve(world: World, say: Say, { sha }: Merged): Promise<void> {
  const { slack } = world;
  const isOfThis = (message: Message) => has('approve')(message) && message.text.includes(sha.slice(0, 7));
  const card = await inSlack(
    slack.waitFor(() => slack.messages(SHOP).findLast(isOfThis)),
    'a card with an Approve button',
  );
  say(`  Slack asks: "${card.text}"`);
  acknowledged(await slack.click(BEN, { channel: card.channel, ts: card.ts }, 'approve'));
  say('Ben clicks Approve');
}

/** What was waited for in Slack, or an error that names it. */
export async function inSlack<T>(found: Promise<T>, what: string): Promise<T> {
  try {
    return await found;
  } catch (error) {
    throw new Error(`Slack does not show ${what}`, { cause: error });
  }
}

export function acknowledged({ error }: Delivery): void {
  if (error) throw new Error(`Belay did not acknowledge in the time that Slack gives: ${error}`);
}

export function has(actionId: string): (message: Message) => boolean {
  return (message) => JSON.stringify(message.blocks).includes(`"action_id":"${actionId}"`);
}

export function short({ sha }: Merged): string {
  return sha.slice(0, 7);
}
