import { isIP } from 'node:net';
import { ConfigError } from './configure.ts';
import { splitList } from './split-list.ts';

const LOG_LEVELS = new Set(['debug', 'info', 'warn', 'error']);

/** The logger takes any other word, too, and writes nothing then. */
export function readLogLevel(text: string): string {
  if (LOG_LEVELS.has(text)) return text;
  throw new ConfigError(`--log-level: must be debug, info, warn or error, not ${JSON.stringify(text)}`);
}

export function readCidrs(name: string, text: string): string[] {
  const cidrs = splitList(text);
  for (const cidr of cidrs) {
    const [address = '', length = '', ...more] = cidr.split('/');
    const longest = isIP(address) === 6 ? 128 : 32;
    if (isIP(address) === 0 || more.length > 0 || !/^\d+$/.test(length) || Number(length) > longest) {
      throw new ConfigError(`--${name}: ${JSON.stringify(cidr)} is no CIDR, such as 10.244.0.0/16`);
    }
  }
  return cidrs;
}

export function readInteger(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  throw new ConfigError(`--${name}: must be a number from ${low} to ${high}, not ${JSON.stringify(text)}`);
}

export function readSwitch(name: string, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new ConfigError(`--${name}: must be true or false, not ${JSON.stringify(text)}`);
}

/** `host:port`; IPv6 in brackets. */
export function readListenAddress(name: string, text: string): { host: string; port: number } {
  const [, host = '', digits = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(text) ?? [];
  if (digits !== '') return { host, port: readInteger(name, digits, 0, 65_535) };
  throw new ConfigError(`--${name}: must be host:port, not ${JSON.stringify(text)}`);
}
