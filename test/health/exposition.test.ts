import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePage } from '../../src/health/exposition.ts';
import { matches } from '../../src/health/tally.ts';

function only(line: string) {
  const parsed = parsePage(`${line}\n`);
  const [[sample] = []] = parsed.ok ? [...parsed.page.samples.values()] : [];
  return sample && { name: sample.name, labels: Object.fromEntries(sample.labels), value: sample.value };
}

describe('Prometheus text', () => {
  it.each<[string, unknown]>([
    ['up 1', { name: 'up', labels: {}, value: 1 }],
    ['up{} 1', { name: 'up', labels: {}, value: 1 }],
    ['a:b{c="d",e="f",} 1.5e3 1700000000000', { name: 'a:b', labels: { c: 'd', e: 'f' }, value: 1500 }],
    ['a{b="\\"\\\\\\n}"} -Inf', { name: 'a', labels: { b: '"\\\n}' }, value: Number.NEGATIVE_INFINITY }],
    ['a +Inf', { name: 'a', labels: {}, value: Number.POSITIVE_INFINITY }],
    ['a NaN', { name: 'a', labels: {}, value: Number.NaN }],
  ])('%s is read', (line, expected) => expect(only(line)).toEqual(expected));

  it.each([
    'up',
    'up ',
    'up one',
    'up 0x1',
    'up 1 2 3',
    'up 1 x',
    '1up 1',
    'up{a="b" 1',
    'up{a=b} 1',
    'up{a="b",a="c"} 1',
    'up{a="b"c="d"} 1',
    'up{a="\\x"} 1',
    '{"status":"ok"}',
    'up 1_000',
  ])('%s refuses the whole page', (line) => expect(parsePage(`fine 1\n${line}\n`).ok).toBe(false));
  it('a page cut in the middle of a line is refused: 12 is not 123', () => {
    expect(parsePage('requests 12').ok).toBe(false);
  });
  it('a page without end is refused quickly', () => {
    expect(parsePage('a 1\n'.repeat(50_001)).ok).toBe(false);
    expect(parsePage(`a{${'b="c",'.repeat(100_000)} 1\n`).ok).toBe(false);
    expect(parsePage(`a{b="${'\\'.repeat(8_000)}\n`).ok).toBe(false);
  });
  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '{', '}', '"', '\\', '=', ',', ' ', '1', '\n', '#') }),
        (text) => void parsePage(text),
      ),
    );
  });
});

describe('a glob', () => {
  it.each<[string, string, boolean]>([
    ['503', '5*', true],
    ['200', '5*', false],
    ['503', '503', true],
    ['5031', '503', false],
    ['', '*', true],
    ['/api/v1/pay', '/api/*/pay', true],
    ['/api/pay', '/api/*/pay', false],
    ['aXbXc', 'a*b*c', true],
    ['aba', 'ab*ba', false],
    ['5.3', '5?3', false],
    ['ab', 'a*b*b', false],
  ])('%s matches %s: %s', (text, glob, expected) => expect(matches(text, glob)).toBe(expected));
  it('agrees with the regular expression that it stands for, and takes no time', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (text, glob) => {
        expect(matches(text, glob)).toBe(new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(text));
      }),
    );
    expect(matches('a'.repeat(20_000), `${'a*'.repeat(5_000)}b`)).toBe(false);
  });
});
