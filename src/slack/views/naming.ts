import { code, escaped } from './escape.ts';

/** A few names in code font, the rest counted. */
export function names(list: string[], max = 8): string {
  if (list.length === 0) return 'nothing by name';
  const shown = list.slice(0, max).map((one) => code(one));
  return list.length > max ? `${shown.join(', ')} and ${list.length - max} more` : shown.join(', ');
}

/** The same without formatting, where there are many of them. */
export function listed(list: string[], max = 8): string {
  const shown = list.slice(0, max).map((one) => escaped(one, 60));
  return list.length > max ? `${shown.join(', ')} and ${list.length - max} more` : shown.join(', ') || 'nothing';
}

/** `1 look`, `3 looks`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

/** A number that can be read at a glance: no digits that mean nothing. */
export function figure(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
