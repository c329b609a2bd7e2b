/** Ports `first` to `last`, both included. */
export interface PortRange {
  first: number;
  last: number;
}

/** Reads `31000-31999` or one port; undefined when it is neither, ends before it begins, or leaves 1 to 65535. */
export function parsePortRange(text: string): PortRange | undefined {
  const match = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return first >= 1 && first <= last && last <= 65535 ? { first, last } : undefined;
}

export function formatPortRange({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/**
 * The lower end of the node port range, which Kubernetes leaves to people (KEP-3668): a 32nd of the range, 16 ports at
 * least and 128 at most; none when the range has 16 ports or fewer.
 */
export function staticBand({ first, last }: PortRange): PortRange | undefined {
  const size = last - first + 1;
  if (size <= 16) return undefined;
  const length = Math.min(Math.max(16, Math.floor(size / 32)), 128);
  return { first, last: first + length - 1 };
}

export function portIn(range: PortRange | undefined, port: number): boolean {
  return range !== undefined && range.first <= port && port <= range.last;
}

/** What is left of ranges when another is taken out. */
export function withoutRange(ranges: readonly PortRange[], out: PortRange | undefined): PortRange[] {
  if (out === undefined) return [...ranges];
  return ranges.flatMap(({ first, last }) => {
    if (last < out.first || first > out.last) return [{ first, last }];
    return [
      ...(first < out.first ? [{ first, last: out.first - 1 }] : []),
      ...(last > out.last ? [{ first: out.last + 1, last }] : []),
    ];
  });
}

/** The parts of ranges that lie in another. */
export function withinRange(ranges: readonly PortRange[], limit: PortRange): PortRange[] {
  return ranges.flatMap((range) => {
    const first = Math.max(range.first, limit.first);
    const last = Math.min(range.last, limit.last);
    return first <= last ? [{ first, last }] : [];
  });
}

/** Sorts ranges and joins those that overlap or touch. */
export function mergePortRanges(ranges: readonly PortRange[]): PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1) {
      before.last = Math.max(before.last, range.last);
    } else merged.push({ ...range });
  }
  return merged;
}

export function countPorts(ranges: readonly PortRange[]): number {
  return ranges.reduce((sum, range) => sum + range.last - range.first + 1, 0);
}
