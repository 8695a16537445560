import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseChecklist } from '../../src/github/checklist.ts';

const answers = (body: string | null) =>
  Object.values(parseChecklist(body))
    .map((one) => (one.answer === 'unanswered' ? '?' : one.answer))
    .join(' ');

it.each([
  ['nothing', null, '? ? ? ?'],
  ['an empty body', '', '? ? ? ?'],
  ['ticked boxes', '- [x] Tests included\n* [X] Metrics, logs, traces', 'yes yes ? ?'],
  ['boxes left empty', '- [ ] Tests included\n- [ ] Metrics, logs, traces', '? ? ? ?'],
  [
    'words',
    'Tests included: yes\nMetrics, logs, traces: no\nCan it break production? no\nRollback: safe',
    'yes no no yes',
  ],
  ['Windows line ends', 'Tests included: yes\r\nRollback: unsafe\r\n', 'yes ? ? no'],
  ['bold and bullets', '- **Rollback:** `unsafe`', '? ? ? no'],
  ['a word against its empty box', '- [ ] Tests included: no, docs only', 'no ? ? ?'],
  ['a word against its ticked box', '- [x] Rollback: unsafe', '? ? ? no'],
  ['the template as it was', 'Rollback: safe | unsafe\nCan it break production? yes / no', '? ? ? ?'],
  ['an answer in a comment', '<!--\nRollback: unsafe\n-->\n<!--\nTests included: yes', '? ? ? ?'],
  ['an answer in a code block', '```\nRollback: unsafe\n```\nTests included: yes', 'yes ? ? ?'],
  ['a sentence that begins alike', 'Tests are hard\nRollback is easy', '? ? ? ?'],
  ['neither yes nor no', 'Tests included: yesterday\nRollback: unsafely', '? ? ? ?'],
  ['two answers: the careful one', 'Rollback: unsafe\nRollback: safe\nTests: no\nTests: yes', 'no ? ? no'],
  ['two answers the other way round', 'Rollback: safe\nRollback: unsafe', '? ? ? no'],
])('S4 %s', (_, body, expected) => {
  expect(answers(body)).toBe(expected);
});

it('S4 the words after the answer are kept, shortened', () => {
  const { rollback } = parseChecklist(`Rollback: unsafe, ${'x'.repeat(1000)}`);
  expect(rollback.text).toMatch(/^unsafe, x+$/);
  expect(rollback.text).toHaveLength(200);
});

it('S4 the template in the documentation is read: empty at first, full when it is filled in', () => {
  const page = readFileSync(new URL('../../docs/pull-request-template.md', import.meta.url), 'utf8');
  const [empty = '', full = ''] = [...page.matchAll(/```markdown\n([\s\S]*?)```/g)].map((found) => found[1]);
  expect(answers(empty)).toBe('? ? ? ?');
  expect(answers(full)).toBe('yes yes no no');
});

it('H090 T17 any text is read in bounded time, and never throws', () => {
  fc.assert(fc.property(fc.string({ maxLength: 2000 }), (body) => void parseChecklist(body)));
  const started = performance.now();
  for (const part of ['<!--', '- [x] ', 'Rollback: ', '*'.repeat(9), '```\n', 'Tests:'.repeat(3), '\n']) {
    parseChecklist(part.repeat(300_000));
  }
  expect(performance.now() - started).toBeLessThan(10_000);
});
