import { type Fields, listOf, textOf } from '../fields.ts';
import { BOT_USER, type Channel, type Member } from '../people.ts';
import type { SandboxSlack } from '../slack.ts';
import type { Message, View } from '../workspace.ts';
import { renderBlocks, renderText } from './blocks.ts';
import { attrs, esc, safeUrl } from './html.ts';
import type { Outlook } from './outlook.ts';
import { inspectorPanel, worldPanel } from './panels.ts';

/** Where somebody is on the page; it is all in the address. */
type Place = { as: Member; channel: Channel | null; home: boolean; thread: string | null; side: 'world' | 'inspector' };

function placeOf(slack: SandboxSlack, query: URLSearchParams): Place {
  const { members, channels } = slack.workspace;
  const people = [...members.values()].filter((one) => !one.bot);
  const as = people.find((one) => one.id === query.get('as')) ?? people[0];
  if (!as) throw new Error('The workspace has no people in it.');
  const home = query.get('channel') === 'home';
  const channel = channels.get(query.get('channel') ?? '') ?? [...channels.values()][0] ?? null;
  const side = query.get('side') === 'inspector' ? 'inspector' : 'world';
  return { as, channel: home ? null : channel, home, thread: query.get('thread') || null, side };
}

function link(place: Place, change: Partial<Record<'as' | 'channel' | 'thread' | 'side', string>>): string {
  const now: Record<string, string> = {
    as: place.as.id,
    channel: place.home ? 'home' : (place.channel?.id ?? ''),
    thread: place.thread ?? '',
    side: place.side,
    ...change,
  };
  return `/?${new URLSearchParams(Object.entries(now).filter(([, value]) => value !== '')).toString()}`;
}

/** The parts of the page that change by themselves: name → HTML. */
export async function fragments(slack: SandboxSlack, outlook: Outlook, query: URLSearchParams) {
  const place = placeOf(slack, query);
  return {
    sidebar: sidebar(slack, outlook, place),
    heading: heading(place),
    content: place.home ? homeTab(slack, place) : channelView(slack, outlook, place),
    side: await sidePanel(slack, outlook, place),
    modal: modal(slack, place),
  };
}

/** The whole page. */
export async function page(slack: SandboxSlack, outlook: Outlook, query: URLSearchParams): Promise<string> {
  const place = placeOf(slack, query);
  const parts = await fragments(slack, outlook, query);
  const data = {
    'data-as': place.as.id,
    'data-channel': place.channel?.id ?? '',
    'data-thread': place.thread ?? '',
    'data-home': place.home,
    'data-polls': outlook.fleetState || outlook.merges ? '1' : '',
  };
  const title = place.home ? 'Belay' : place.channel ? channelName(slack, place.channel) : 'Slack';
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${esc(title)} · Sandbox</title><link rel="stylesheet" href="/page.css"><link rel="icon" href="data:,"></head>
<body${attrs(data)}>
<nav id="sidebar" aria-label="Channels">${parts.sidebar}</nav>
<main><header id="heading">${parts.heading}</header>
<div id="content" tabindex="0">${parts.content}</div>
${place.home ? '' : composer('composer', `Message ${place.channel?.kind === 'im' ? title : `#${title}`}   —   try /deploy, or @belay status`)}</main>
<aside><div id="side">${parts.side}</div>${place.thread ? composer('thread-composer', 'Reply…   @belay reaches the bot here') : ''}</aside>
<div id="modal">${parts.modal}</div><div id="confirm"></div><div id="toast" role="status"></div>
<script src="/page.js" type="module"></script></body></html>`;
}

function composer(id: string, placeholder: string): string {
  return `<form${attrs({ id, class: 'composer' })}><textarea${attrs({ name: 'text', rows: 1, placeholder, 'aria-label': placeholder })}></textarea><button class="send" aria-label="Send">➤</button></form>`;
}

function sidebar(slack: SandboxSlack, outlook: Outlook, place: Place): string {
  const { members, channels } = slack.workspace;
  const people = [...members.values()].filter((one) => !one.bot);
  const options = people
    .map(
      (one) =>
        `<option${attrs({ value: one.id, selected: one.id === place.as.id })}>${esc(one.realName)} (${esc(one.does)})</option>`,
    )
    .join('');
  const item = (to: string, mark: string, name: string, on: boolean, count = 0) =>
    `<a${attrs({ href: to, class: on ? 'on' : undefined, 'aria-current': on ? 'page' : undefined })}><span class="mark">${esc(mark)}</span>${esc(name)}${count > 0 ? `<span class="count">${count}</span>` : ''}</a>`;
  const rooms = [...channels.values()].filter((one) => one.kind === 'channel' || one.kind === 'private');
  const direct = [...channels.values()].filter((one) => one.kind === 'im' && one.members.includes(place.as.id));
  const count = (channel: Channel) => slack.workspace.posted.filter((one) => one.channel === channel.id).length;
  const room = (one: Channel, mark: string) =>
    item(
      link(place, { channel: one.id, thread: '' }),
      mark,
      channelName(slack, one),
      one === place.channel,
      count(one),
    );
  const faults = slack.faults.list();
  return `<div class="workspace"><span class="logo">S</span><div><strong>Sandbox</strong><small>a local Slack</small></div></div>
<label class="act-as">Act as<select id="act-as">${options}</select></label>
<h2>Channels</h2>${rooms.map((one) => room(one, one.kind === 'private' ? '🔒' : '#')).join('')}
<h2>Direct messages</h2>${direct.map((one) => room(one, '●')).join('') || '<p class="none">None yet</p>'}
<h2>Apps</h2>${item(link(place, { channel: 'home', thread: '' }), '◆', 'Belay (Home)', place.home)}
${(outlook.links ?? []).length > 0 ? `<h2>Elsewhere</h2>${(outlook.links ?? []).map((one) => `<a${attrs({ href: safeUrl(one.url), target: '_blank', rel: 'noreferrer' })}><span class="mark">↗</span>${esc(one.title)}</a>`).join('')}` : ''}
${faults.length > 0 ? `<div class="faults"><strong>Slack is failing</strong>${faults.map((one) => `<div>${esc(one.method)}: ${esc(one.kind)}${one.left === null ? '' : ` × ${one.left}`}</div>`).join('')}<button type="button" data-clear-faults>Make it well</button></div>` : ''}`;
}

/** A direct message is named after whom one writes to: the app. */
function channelName(slack: SandboxSlack, channel: Channel): string {
  const other = channel.kind === 'im' ? slack.workspace.members.get(BOT_USER) : undefined;
  return other?.realName ?? channel.name;
}

function heading(place: Place): string {
  const side = (name: Place['side'], words: string) =>
    `<a${attrs({ href: link(place, { side: name, thread: '' }), class: !place.thread && place.side === name ? 'tab on' : 'tab' })}>${words}</a>`;
  const title = place.home
    ? '<h1>Belay</h1><span class="topic">Home</span>'
    : `<h1>${place.channel?.kind === 'im' ? 'Belay' : `# ${esc(place.channel?.name)}`}</h1><span class="topic">${esc(place.channel?.topic)}</span>`;
  return `${title}<span class="spring"></span>${side('world', 'World')}${side('inspector', 'Inspector')}`;
}

function channelView(slack: SandboxSlack, outlook: Outlook, place: Place): string {
  const { posted, ephemerals } = slack.workspace;
  const id = place.channel?.id;
  const here = [...posted, ...ephemerals].filter(
    (one) => one.channel === id && (!one.threadTs || one.broadcast) && (!one.onlyFor || one.onlyFor === place.as.id),
  );
  if (here.length === 0) {
    const first = outlook.merges ? 'Merge a pull request on the right, type' : 'Type';
    return `<div class="empty"><h2>Nothing here yet</h2><p>${first} <code>/deploy</code> below, or write <code>@belay status</code>.</p></div>`;
  }
  return here
    .toSorted(byTime)
    .map((one) => messageView(slack, place, one, true))
    .join('');
}

const byTime = (a: Message, b: Message) => Number(a.ts) - Number(b.ts);

function messageView(slack: SandboxSlack, place: Place, message: Message, inChannel: boolean): string {
  const { workspace } = slack;
  const author = workspace.members.get(message.user);
  const name = author?.realName ?? 'Slackbot';
  const body =
    message.blocks.length > 0 ? renderBlocks(workspace, message.blocks, {}) : renderText(workspace, message.text);
  const replies = workspace.posted.filter((one) => one.channel === message.channel && one.threadTs === message.ts);
  const last = replies.at(-1);
  const root = message.threadTs ?? message.ts;
  const thread =
    inChannel && last
      ? `<a class="replies"${attrs({ href: link(place, { thread: message.ts }) })}>${replies.length} ${replies.length === 1 ? 'reply' : 'replies'}<span>last ${clockTime(last.ts)}</span></a>`
      : '';
  const files = message.files.map((file) =>
    file.mimeType.startsWith('image/')
      ? `<figure class="image"><figcaption>${esc(file.title)}</figcaption><img${attrs({ src: `/files/${file.id}`, alt: file.alt || file.title })}></figure>`
      : `<a class="file"${attrs({ href: `/files/${file.id}` })}>📎 ${esc(file.title)}</a>`,
  );
  const reply =
    inChannel && !message.onlyFor
      ? `<a class="reply"${attrs({ href: link(place, { thread: root }) })}>Reply in thread</a>`
      : '';
  return `<article${attrs({ class: `msg${message.onlyFor ? ' only-you' : ''}`, 'data-channel': message.channel, 'data-ts': message.ts, 'data-thread-ts': message.threadTs })}>
${avatar(author)}<div class="body">${message.onlyFor ? '<div class="visible">👁 Only visible to you</div>' : ''}${message.broadcast && inChannel ? `<div class="visible">replied to a <a${attrs({ href: link(place, { thread: root }) })}>thread</a></div>` : ''}
<div class="who"><strong>${esc(name)}</strong>${author?.bot ? '<span class="app">APP</span>' : ''}<time>${clockTime(message.ts)}</time>${message.editedTs ? '<span class="edited">(edited)</span>' : ''}${reply}</div>
<div class="blocks">${body}${files.join('')}</div>${thread}</div></article>`;
}

const COLOURS = ['#4a6fa5', '#5b8c5a', '#b26e63', '#7d5ba6', '#b08a3e', '#3e8e91'];

function avatar(member: Member | undefined): string {
  if (member?.bot) return '<span class="avatar bot" aria-hidden="true">◆</span>';
  const name = member?.realName ?? 'S';
  const colour = COLOURS[[...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % COLOURS.length];
  return `<span class="avatar" aria-hidden="true" style="background:${colour}">${esc(name.slice(0, 1))}</span>`;
}

function clockTime(ts: string): string {
  return esc(new Date(Number(ts) * 1000).toTimeString().slice(0, 5));
}

function homeTab(slack: SandboxSlack, place: Place): string {
  const home = slack.workspace.homes.get(place.as.id);
  if (!home)
    return '<div class="empty"><h2>Nothing published yet</h2><p>The app has not shown you a Home tab.</p></div>';
  return `<div${attrs({ class: 'home', 'data-view-id': home.id })}>${renderBlocks(slack.workspace, listOf(home.spec.blocks), home.values)}</div>`;
}

async function sidePanel(slack: SandboxSlack, outlook: Outlook, place: Place): Promise<string> {
  if (place.thread && place.channel) return threadPanel(slack, place, place.channel, place.thread);
  return place.side === 'inspector' ? inspectorPanel(slack.requests.all()) : worldPanel(outlook, slack);
}

function threadPanel(slack: SandboxSlack, place: Place, channel: Channel, ts: string): string {
  const { posted, ephemerals } = slack.workspace;
  const all = [...posted, ...ephemerals].filter(
    (one) =>
      one.channel === channel.id &&
      ((one.ts === ts && !one.onlyFor) || one.threadTs === ts) &&
      (!one.onlyFor || one.onlyFor === place.as.id),
  );
  const close = `<a class="close" aria-label="Close the thread"${attrs({ href: link(place, { thread: '' }) })}>✕</a>`;
  return `<div class="panel-head"><h2>Thread</h2><span class="topic"># ${esc(channel.name)}</span><span class="spring"></span>${close}</div>
<div class="thread">${all
    .toSorted(byTime)
    .map((one) => messageView(slack, place, one, false))
    .join('')}</div>`;
}

function modal(slack: SandboxSlack, place: Place): string {
  const view = slack.workspace.stack(place.as.id).at(-1);
  return view ? modalView(slack, view) : '';
}

function modalView(slack: SandboxSlack, view: View): string {
  const text = (key: string, otherwise: string) =>
    textOf((view.spec[key] as Fields | null | undefined)?.text) || otherwise;
  const submit = view.spec.submit
    ? `<button class="btn primary" type="submit">${esc(text('submit', 'Submit'))}</button>`
    : '';
  const problem = view.problem ? `<div class="problem" role="alert">${esc(view.problem)}</div>` : '';
  const body = renderBlocks(slack.workspace, listOf(view.spec.blocks), view.values, view.errors);
  return `<div class="shade"><form${attrs({ class: 'dialog', role: 'dialog', 'aria-modal': 'true', 'aria-label': text('title', ''), 'data-view-id': view.id })} novalidate>
<div class="dialog-head"><span class="avatar bot" aria-hidden="true">◆</span><h2>${esc(text('title', ''))}</h2><button type="button" class="close" data-close aria-label="Close">✕</button></div>
<div class="dialog-body">${problem}${body}</div>
<div class="dialog-foot"><button type="button" class="btn" data-close>${esc(text('close', submit ? 'Cancel' : 'Close'))}</button>${submit}</div></form></div>`;
}
