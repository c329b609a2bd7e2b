import type { AwsOptions } from '../../../crds/aws-provider.ts';
import { splitList } from '../../../kube/split-list.ts';
import type { OptionsReading } from '../../provider.ts';

/** Reads a value into `reading`; answers what would have been right, or nothing when it is, or what is to be said of it then. */
export type Reader = (reading: Draft, value: string) => string | Note | undefined;

/** A value that is taken, and not for what it says. */
export interface Note {
  /** What it is taken for: `which means ... here`. */
  means: string;
}

/** What has been read so far. */
export interface Draft extends Pick<OptionsReading, 'scheme' | 'sourceRanges' | 'targetsMode'> {
  options: AwsOptions;
}

/** What is known of an annotation. */
export interface Meaning {
  /** What becomes of it, for the documentation. */
  becomes: string;
  /** undefined: it has no effect here, and the Service is told `becomes`. */
  read?: Reader;
}

/** Any text but an empty one. */
export const text = (becomes: string, set: (options: AwsOptions, value: string) => void): Meaning => ({
  becomes,
  read: ({ options }, value) => {
    set(options, value);
    return value === '' ? 'not empty' : undefined;
  },
});

/** Texts with commas between, one at least. */
export const list = (becomes: string, set: (options: AwsOptions, values: string[]) => void): Meaning => ({
  becomes,
  read: ({ options }, value) => {
    const values = splitList(value);
    set(options, values);
    return values.length > 0 ? undefined : 'a list with commas between';
  },
});

/** One of these, in capitals or small letters; it's set as it stands here. */
export const oneOf = <T extends string>(
  becomes: string,
  values: readonly T[],
  set: (draft: Draft, value: T) => void,
): Meaning => ({
  becomes,
  read: (draft, value) => {
    const found = values.find((each) => each.toLowerCase() === value.toLowerCase());
    if (found === undefined) return values.join(' or ');
    set(draft, found);
    return undefined;
  },
});

/** `true` or `false`. */
export const flag = (becomes: string, set: (options: AwsOptions, value: boolean) => void): Meaning =>
  oneOf(becomes, ['true', 'false'], ({ options }, value) => set(options, value === 'true'));

/** `key=value` with commas between, one at least; a value may be empty, and have `=` in it. */
export const pairs = (
  becomes: string,
  set: (options: AwsOptions, values: Record<string, string>) => void,
): Meaning => ({
  becomes,
  read: ({ options }, value) => {
    const entries = splitList(value).map((each) => each.split('='));
    set(
      options,
      Object.fromEntries(entries.map(([key = '', ...rest]) => [key.trim(), rest.join('=').trim()])),
    );
    const good =
      entries.length > 0 && entries.every(([key = '', ...rest]) => key.trim() !== '' && rest.length > 0);
    return good ? undefined : 'key=value, with commas between';
  },
});

/** A whole number, from the low one to the high one. */
export const number = (
  becomes: string,
  [low, high]: [number, number],
  set: (options: AwsOptions, value: number) => void,
): Meaning => ({
  becomes,
  read: ({ options }, value) => {
    const parsed = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(parsed >= low && parsed <= high)) return `a number from ${low} to ${high}`;
    set(options, parsed);
    return undefined;
  },
});
