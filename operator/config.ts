import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ConfigError } from '../kube/configure.ts';
import { type PortRange, parsePortRange } from './allocate/port-ranges.ts';

const number = (low: number, high: number) => z.coerce.number().int().min(low).max(high);
const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    'must be a DNS label: lower case letters, digits and dashes',
  );

/** One member a setting: its flag is `--kebab-case`, its environment variable `FAIRLEAD_SNAKE_CASE`, its key in the file as here. */
const settings = {
  kubeconfig: z
    .string()
    .min(1)
    .optional()
    .describe('path of a kubeconfig; without it as kubectl, or the Pod'),
  context: z.string().min(1).optional().describe('context in the kubeconfig'),
  namespace: dnsLabel
    .default('fairlead-system')
    .describe('namespace of Fairlead: its Lease, Secrets and agents'),
  leaseName: dnsLabel.default('fairlead-operator').describe('Lease by which one of several operators leads'),
  leaseDurationSeconds: number(1, 3600)
    .default(15)
    .describe('how long others keep away from a silent leader'),
  renewDeadlineSeconds: number(1, 3600).default(10).describe('how long the leader leads without a renewal'),
  retryPeriodSeconds: number(1, 3600).default(2).describe('time between attempts to renew or to lead'),
  clusterId: z
    .string()
    .regex(
      /^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/,
      'must be 1 to 63 letters, digits, dashes, dots or underscores',
    )
    .optional()
    .describe("name of this cluster in a provider's tags; without it the UID of namespace kube-system"),
  nodePortRange: z
    .string()
    .default('30000-32767')
    .transform((text, context): PortRange => {
      const range = parsePortRange(text);
      if (range !== undefined) return range;
      context.addIssue({ code: 'custom', message: 'must be a range of ports, such as 30000-32767' });
      return z.NEVER;
    })
    .describe('--service-node-port-range of the API server'),
  concurrency: number(1, 1000).default(16).describe('Services of one namespace reconciled at once'),
  connections: number(1, 1000).default(16).describe('connections to the API server for requests at most'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('debug, info, warn or error'),
  bindAddress: z
    .string()
    .min(1)
    .optional()
    .describe('address that health and metrics listen on; without it all'),
  healthPort: number(0, 65535).default(8081).describe('port of /healthz and /readyz; 0: none'),
  metricsPort: number(0, 65535).default(8080).describe('port of /metrics; 0: none'),
};

const schema = z.strictObject(settings).superRefine((config, context) => {
  const { leaseDurationSeconds, renewDeadlineSeconds, retryPeriodSeconds } = config;
  if (renewDeadlineSeconds >= leaseDurationSeconds) {
    context.addIssue({
      code: 'custom',
      path: ['renewDeadlineSeconds'],
      message: `must be less than leaseDurationSeconds (${leaseDurationSeconds}), or two could lead at once`,
    });
  }
  if (retryPeriodSeconds * 1.2 >= renewDeadlineSeconds) {
    context.addIssue({
      code: 'custom',
      path: ['retryPeriodSeconds'],
      message: `times 1.2 must be less than renewDeadlineSeconds (${renewDeadlineSeconds})`,
    });
  }
});

export type OperatorConfig = z.infer<typeof schema>;

/**
 * Reads the configuration from flags, then the environment, then the YAML file of `--config`, then defaults; the first
 * that says something counts. An empty environment variable says nothing. Throws a ConfigError.
 */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): OperatorConfig | 'help' {
  const flags = parseFlags(argv);
  if (flags.help === true) return 'help';
  const path = flags.config ?? env.FAIRLEAD_CONFIG;
  const sources = new Map<string, string>();
  const values: Record<string, unknown> = {};
  const take = (key: string, value: unknown, source: string) => {
    values[key] = value;
    sources.set(key, source);
  };
  for (const [key, value] of Object.entries(readFile(typeof path === 'string' ? path : ''))) {
    take(key, value, `${key} in ${path}`);
  }
  for (const key of Object.keys(settings)) {
    const variable = variableOf(key);
    if (env[variable]) take(key, env[variable], `$${variable}`);
    const flag = flags[flagOf(key)];
    if (typeof flag === 'string') take(key, flag, `--${flagOf(key)}`);
  }
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') return `${path} has unknown settings: ${issue.keys.join(', ')}`;
    const key = String(issue.path[0]);
    return `${sources.get(key) ?? `--${flagOf(key)}`}: ${issue.message}`;
  });
  throw new ConfigError(lines.join('\n'));
}

/** What `--help` prints. */
export function renderHelp(): string {
  const lines = Object.entries(settings).map(([key, setting]) => {
    const fallback = setting.safeParse(undefined);
    const value =
      key === 'nodePortRange' ? '30000-32767' : fallback.success ? (fallback.data ?? undefined) : undefined;
    const suffix = value === undefined ? '' : ` (default ${value})`;
    return `  --${flagOf(key).padEnd(26)}${setting.description}${suffix}`;
  });
  return [
    'The operator of Fairlead. Each flag is also an environment variable: --log-level is FAIRLEAD_LOG_LEVEL.',
    '',
    `  --${'config'.padEnd(26)}path of a YAML file with settings in camelCase: logLevel`,
    ...lines,
    '',
  ].join('\n');
}

function parseFlags(argv: readonly string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(
    [...Object.keys(settings).map(flagOf), 'config'].map((flag) => [flag, { type: 'string' as const }]),
  );
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
    return Object.fromEntries(
      Object.entries(values).map(([flag, value]) => [flag, Array.isArray(value) ? undefined : value]),
    );
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}

function readFile(path: string): object {
  if (path === '') return {};
  try {
    const content: unknown = parseYaml(readFileSync(path, 'utf8')) ?? {};
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
    throw new Error('it is not a mapping of settings');
  } catch (error) {
    throw new ConfigError(`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function flagOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function variableOf(key: string): string {
  return `FAIRLEAD_${flagOf(key).replaceAll('-', '_').toUpperCase()}`;
}
