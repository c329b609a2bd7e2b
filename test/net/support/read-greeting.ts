import type { Served } from './station-protocol.ts';

/** Reads what a station says to who calls it. */
export function readGreeting(text: string): Omit<Served, 'tookMs'> {
  const [by = '', from = '', at = '', on = ''] = text.trim().split(' ');
  return { result: 'served', by, from, at: Number(at), on };
}
