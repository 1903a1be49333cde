// How bad a cell is, said three ways at once: a colour, a shape and a word.
import type { Cell } from './protocol';

export type Level = 'ok' | 'watch' | 'bad' | 'severe' | 'learning' | 'none';

export const WORDS: Record<Level, string> = {
  ok: 'as usual', watch: 'watch', bad: 'degraded', severe: 'severe', learning: 'learning',
  none: 'no traffic',
};

// By how many standard errors worse than usual a level begins.
export const WATCH_Z = 2.5;
export const BAD_Z = 4;
export const SEVERE_Z = 10;

export function levelOf(cell: Cell | undefined): Level {
  if (!cell || cell.attempts === 0) return 'none';
  if (cell.warming_up) return 'learning';
  if (cell.z >= SEVERE_Z && (cell.degraded || cell.alarming)) return 'severe';
  if (cell.degraded || cell.alarming || cell.z >= BAD_Z) return 'bad';
  return cell.z >= WATCH_Z ? 'watch' : 'ok';
}

// Orders rows: what alarms first, then what is furthest from usual.
export function badness(cell: Cell | undefined): number {
  const level = levelOf(cell);
  if (!cell || level === 'none' || level === 'learning') return -1;
  const rank = { ok: 0, watch: 1, bad: 2, severe: 3 }[level];
  return rank * 1000 + Math.min(999, Math.max(0, cell.z));
}
