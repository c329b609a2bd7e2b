/** The configuration can't be used; the message has a line for each thing to mend. */
export class ConfigError extends Error {}

const EXIT_USAGE = 2;

/**
 * What a process was told to do, or undefined when there is nothing to do: help was asked for, or the configuration can't be
 * used, which is said on the terminal.
 */
export function configure<T extends object>(
  read: (argv: readonly string[], env: NodeJS.ProcessEnv) => T | 'help',
  renderHelp: () => string,
): T | undefined {
  try {
    const config = read(process.argv.slice(2), process.env);
    if (config !== 'help') return config;
    process.stdout.write(renderHelp());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_USAGE;
  }
  return undefined;
}
