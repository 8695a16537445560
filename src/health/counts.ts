import type { Growth } from './window.ts';

/** Why these are not failures out of requests; null: they are. */
export function whyNotCounts({ failed, total }: { failed: number; total: number }): string | null {
  if (failed >= 0 && failed <= total) return null;
  return `${failed} of ${total} failed: the total must count the failed ones too`;
}

/** Failures and requests of all judged instances together. */
export function sumOfCounts(growths: readonly Growth[]): { failed: number; total: number } {
  const sum = (name: 'of' | 'over') => growths.reduce((total, one) => total + (one.counts[name] ?? 0), 0);
  return { failed: sum('of'), total: sum('over') };
}
