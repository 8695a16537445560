/** Text that is safe inside an element and inside a quoted attribute. */
export function esc(value: unknown): string {
  return String(value ?? '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** ` name="value"` for each that is there; everything escaped. */
export function attrs(all: Record<string, string | number | boolean | null | undefined>): string {
  return Object.entries(all)
    .filter(([, value]) => value !== undefined && value !== null && value !== false)
    .map(([name, value]) => (value === true ? ` ${name}` : ` ${name}="${esc(value)}"`))
    .join('');
}

/** Only addresses that open a page or show a picture; `#` for all others. */
export function safeUrl(value: unknown): string {
  return typeof value === 'string' && /^(https?:\/\/|mailto:|\/(?!\/))/.test(value) ? value : '#';
}
