// The page's behaviour: it sends what people do to /sandbox/…, and swaps in the parts that have changed.

const place = document.body.dataset;
const shown = new Map();
const byId = (id) => document.getElementById(id);

async function send(path, body, method = 'POST') {
  const response = await fetch(`/sandbox/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: method === 'POST' ? JSON.stringify({ user: place.as, ...body }) : undefined,
  });
  const answer = await response.json();
  if (!response.ok) toast(answer.error ?? `The sandbox answered ${response.status}.`);
  return answer;
}

let fading = 0;
function toast(words) {
  byId('toast').textContent = words;
  byId('toast').classList.add('shown');
  clearTimeout(fading);
  fading = setTimeout(() => byId('toast').classList.remove('shown'), 6000);
}

/** What stands in the fields of a form or message: action_id (or block_id for inputs) → choice. */
function valuesIn(root) {
  const values = {};
  for (const field of root.querySelectorAll('[data-action-id]:not(button)')) {
    const key = field.closest('.field')?.dataset.blockId ?? field.dataset.actionId;
    values[key] = choiceOf(field);
  }
  return values;
}

function choiceOf(field) {
  if (field.matches('.choices')) {
    const picked = [...field.querySelectorAll('input:checked')].map((one) => one.value);
    return field.dataset.element === 'checkboxes' ? picked : (picked[0] ?? null);
  }
  if (field.multiple) return [...field.selectedOptions].map((one) => one.value);
  return field.value === '' ? null : field.value;
}

/** Keeps what was typed, the cursor, and what was unfolded, while the HTML around them changes. */
function swap(name, html) {
  const part = byId(name);
  if (shown.get(name) === html) return;
  shown.set(name, html);
  const nearEnd = part.scrollHeight - part.scrollTop - part.clientHeight < 120;
  const before = name === 'modal' ? keepFields(part) : null;
  const unfolded = [...part.querySelectorAll('details[open]')].map((one) => one.dataset.key);
  part.innerHTML = html;
  for (const key of unfolded) part.querySelector(`details[data-key="${key}"]`)?.setAttribute('open', '');
  if (before) restoreFields(part, before);
  if (name === 'content' && nearEnd) part.scrollTop = part.scrollHeight;
  if (name === 'modal' && !before) part.querySelector('input, textarea, select')?.focus();
}

function keepFields(part) {
  const dialog = part.querySelector('.dialog');
  if (!dialog) return null;
  const fields = [...dialog.querySelectorAll('[data-action-id]:not(button)')];
  const values = fields.map((one) => [one.dataset.blockId, one.dataset.actionId, [choiceOf(one) ?? []].flat()]);
  return { viewId: dialog.dataset.viewId, focus: document.activeElement?.dataset?.actionId ?? null, values };
}

function restoreFields(part, before) {
  const dialog = part.querySelector('.dialog');
  if (dialog?.dataset.viewId !== before.viewId) return;
  for (const [blockId, actionId, values] of before.values) {
    const field = [...dialog.querySelectorAll('[data-action-id]')].find(
      (one) => one.dataset.blockId === blockId && one.dataset.actionId === actionId,
    );
    if (field && values.length > 0) restore(field, values);
    if (field && actionId === before.focus) field.focus();
  }
}

function restore(field, values) {
  if (field.matches('.choices')) {
    for (const one of field.querySelectorAll('input')) one.checked = values.includes(one.value);
  } else if (field.multiple) {
    for (const one of field.options) one.selected = values.includes(one.value);
  } else field.value = values[0];
}

let loading = false;
let again = false;
async function refresh() {
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  const query = new URLSearchParams(location.search);
  query.set('as', place.as);
  const response = await fetch(`/fragments?${query}`).catch(() => null);
  if (response?.ok) {
    const parts = await response.json();
    for (const [name, html] of Object.entries(parts))
      if (document.activeElement?.id !== 'act-as' || name !== 'sidebar') swap(name, html);
  }
  loading = false;
  if (again) {
    again = false;
    refresh();
  }
}

/** Asks as Slack does before a button that has a `confirm`; true when the person means it. */
function confirmed(json) {
  if (!json) return Promise.resolve(true);
  const words = JSON.parse(json);
  const dialog = document.createElement('div');
  dialog.className = 'shade';
  dialog.innerHTML =
    '<div class="dialog small" role="alertdialog" aria-modal="true"><div class="dialog-head"><h2></h2></div><div class="dialog-body"></div><div class="dialog-foot"><button class="btn" data-deny></button><button class="btn" data-ok></button></div></div>';
  dialog.querySelector('h2').textContent = words.title;
  dialog.querySelector('.dialog-body').textContent = words.text;
  dialog.querySelector('[data-deny]').textContent = words.deny;
  const ok = dialog.querySelector('[data-ok]');
  ok.textContent = words.confirm;
  ok.classList.add(words.danger ? 'danger' : 'primary');
  byId('confirm').replaceChildren(dialog);
  ok.focus();
  return new Promise((resolve) => {
    const end = (answer) => {
      byId('confirm').replaceChildren();
      resolve(answer);
    };
    ok.addEventListener('click', () => end(true));
    dialog.querySelector('[data-deny]').addEventListener('click', () => end(false));
  });
}

/** Where an element stands, as /sandbox/click wants it. */
function standsIn(element) {
  const view = element.closest('[data-view-id]');
  if (view) return { viewId: view.dataset.viewId };
  const message = element.closest('.msg');
  return { channel: message.dataset.channel, ts: message.dataset.ts };
}

async function use(element, value) {
  if (!(await confirmed(element.dataset.confirm))) return refresh();
  if (element.dataset.url) window.open(element.dataset.url, '_blank', 'noreferrer');
  element.classList.add('busy');
  const message = element.closest('.msg');
  await send('click', {
    ...standsIn(element),
    actionId: element.dataset.actionId,
    blockId: element.dataset.blockId,
    ...(value === undefined ? {} : { value }),
    ...(message ? { values: valuesIn(message) } : {}),
  });
  element.classList.remove('busy');
  refresh();
}

async function post(form, threadTs) {
  const box = form.elements.namedItem('text');
  const text = box.value.trim();
  if (!text) return;
  box.value = '';
  const [, command, rest] = /^(\/\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  if (command && threadTs) return toast('Slash commands do not work in threads. Write @belay … instead.');
  if (command) await send('slash', { channel: place.channel, command, text: rest });
  else await send('say', { channel: place.channel, text, threadTs });
  refresh();
}

document.addEventListener('click', async (event) => {
  const on = (selector) => event.target.closest(selector);
  const button = on('button[data-action-id]');
  if (button) return use(button);
  if (on('[data-close]')) {
    await send('close', { viewId: on('.dialog').dataset.viewId });
    return refresh();
  }
  const merge = on('[data-merge]');
  if (merge) {
    merge.disabled = true;
    await send('merge', { id: merge.dataset.merge });
    return refresh();
  }
  const fault = on('[data-fault]');
  if (fault) {
    if (fault.classList.contains('danger')) await send('faults', {}, 'DELETE');
    else await send('faults', { kind: fault.dataset.fault });
    return refresh();
  }
  if (on('[data-clear-faults]')) {
    await send('faults', {}, 'DELETE');
    refresh();
  }
});

document.addEventListener('change', (event) => {
  const field = event.target;
  if (field.id === 'act-as') {
    const query = new URLSearchParams(location.search);
    query.set('as', field.value);
    location.search = query.toString();
    return;
  }
  const element = field.closest('[data-action-id]');
  if (!element || element.closest('.field')) return;
  use(element, choiceOf(element));
});

document.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.id === 'composer') return post(form, null);
  if (form.id === 'thread-composer') return post(form, place.thread);
  form.querySelector('[type=submit]').classList.add('busy');
  await send('submit', { viewId: form.dataset.viewId, values: valuesIn(form) });
  shown.delete('modal');
  refresh();
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && event.target.matches('.composer textarea')) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

byId('content').scrollTop = byId('content').scrollHeight;
for (const name of ['sidebar', 'heading', 'content', 'side', 'modal']) shown.set(name, null);
new EventSource('/sandbox/events').addEventListener('message', refresh);
if (place.polls) setInterval(refresh, 1000);
if (place.home !== undefined) send('home', {});
