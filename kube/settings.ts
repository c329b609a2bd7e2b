import { parseArgs } from 'node:util';
import { ConfigError } from './configure.ts';

export interface Setting {
  help: string;
  /** Without one, nothing: ''. */
  fallback?: string;
}

/** By the name of the flag, each of which is also an environment variable: --log-level is FAIRLEAD_LOG_LEVEL. */
type Settings<Name extends string> = Readonly<Record<Name, Setting>>;

export interface GivenSettings<Name extends string> {
  /** Of the flag, the environment and the default, the first that says something; an empty variable says nothing. */
  read(name: Name): string;
  /** What is no flag. */
  words: string[];
}

interface SettingsOptions {
  /** Whether there may be words that are no flags: commands. */
  takesWords?: boolean;
}

/** Throws a ConfigError for a flag that there is not, and for a word where none may be. */
export function readSettings<Name extends string>(
  settings: Settings<Name>,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  { takesWords = false }: SettingsOptions = {},
): GivenSettings<Name> | 'help' {
  const { flags, words } = parse(Object.keys(settings), argv, takesWords);
  if (flags.help === true) return 'help';
  const read = (name: Name): string => {
    const flag = flags[name];
    if (typeof flag === 'string') return flag;
    return env[variableOf(name)] || (settings[name].fallback ?? '');
  };
  return { read, words };
}

/** Lines of a help text, the names `width` wide. */
export function renderSettings(settings: Settings<string>, width: number): string[] {
  return Object.entries(settings).map(([name, { help, fallback = '' }]) => {
    const suffix = fallback === '' ? '' : ` (default ${fallback})`;
    return `  --${name.padEnd(width)}${help}${suffix}`;
  });
}

function parse(names: readonly string[], argv: readonly string[], allowPositionals: boolean) {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
    const flags: Record<string, unknown> = values;
    return { flags, words: positionals };
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}

function variableOf(name: string): string {
  return `FAIRLEAD_${name.replaceAll('-', '_').toUpperCase()}`;
}
