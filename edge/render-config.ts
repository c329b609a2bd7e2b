import { createHash } from 'node:crypto';
import type { FrontendModel, ServedModel, ServerModel, ServerSettings, ServiceModel } from './model.ts';

export interface RenderedConfig {
  text: string;
  /** What the worker that runs this says of itself: the same for other targets, another for anything else. */
  digest: string;
  /** Whose each line is, by its number from 1: the key of a LoadBalancer. */
  owners: ReadonlyMap<number, string>;
}

export interface RenderOptions {
  /** Who the worker runs as; undefined: as who started it. */
  user: string | undefined;
  /** An abstract socket of this HAProxy's own, by which a worker hands its stick tables to the next. */
  tables: string;
  /** The folder of certificates. */
  certificates: string;
}

/** Words on a line: HAProxy takes 64. */
const RANGES_A_LINE = 32;
const TABLE_SIZE = '100k';
const INDENT = '  ';

/** Names of the section, and of the one peer in it, which is this HAProxy itself. */
const PEERS = 'fairlead';
const PEER = 'self';

/** HAProxy's configuration, targets among it. The same model gives the same text. */
export function renderConfig(model: ServedModel, options: RenderOptions): RenderedConfig {
  const structure = renderLines(model, options, '', false).map(({ line }) => line);
  const digest = createHash('sha256').update(structure.join('\n')).digest('hex').slice(0, 32);
  const lines = renderLines(model, options, digest, true);
  const owners = new Map(
    lines.flatMap(({ owner }, index) => (owner === undefined ? [] : [[index + 1, owner] as const])),
  );
  return { text: `${lines.map(({ line }) => line).join('\n')}\n`, digest, owners };
}

interface Line {
  line: string;
  owner?: string;
}

function renderLines(
  { settings, services }: ServedModel,
  { certificates, tables, user }: RenderOptions,
  digest: string,
  withServers: boolean,
): Line[] {
  const head = [
    '# Written by `fairlead edge`, which writes it again: change the Service or the provider.',
    'global',
    `${INDENT}description ${DESCRIPTION_PREFIX}${digest}`,
    ...(settings.connections === undefined ? [] : [`${INDENT}maxconn ${settings.connections}`]),
    `${INDENT}hard-stop-after ${settings.hardStopAfterSeconds}s`,
    ...(user === undefined ? [] : [`${INDENT}user ${user}`]),
    `${INDENT}localpeer ${PEER}`,
    '',
    `peers ${PEERS}`,
    `${INDENT}peer ${PEER} abns@${tables}`,
    // Of nobody: a worker that was taught nothing, since there was no table yet, teaches nothing in its first five seconds.
    `${INDENT}table none type integer size 1 expire 1m`,
    '',
    'defaults',
    `${INDENT}mode tcp`,
    `${INDENT}timeout connect ${settings.connectSeconds}s`,
    `${INDENT}timeout client ${settings.clientSeconds}s`,
    `${INDENT}timeout server ${settings.serverSeconds}s`,
    `${INDENT}timeout queue ${settings.connectSeconds}s`,
    `${INDENT}retries 3`,
    `${INDENT}option redispatch 1`,
    `${INDENT}option dontlognull`,
  ];
  const lines: Line[] = head.map((line) => ({ line }));
  for (const service of services) {
    if (!withServers) lines.push(...renderFault(service));
    for (const frontend of service.frontends) {
      lines.push({ line: '' });
      const section = renderFrontend(frontend, certificates, withServers);
      lines.push(...section.map((line) => ({ line, owner: service.key })));
    }
  }
  return lines;
}

/** Before the digest, in `description` and in `show info`. */
export const DESCRIPTION_PREFIX = 'fairlead-';

/** In the digest only: it is another structure, which has to be judged. */
function renderFault({ fault }: ServiceModel): Line[] {
  return fault === undefined ? [] : [{ line: `# ${JSON.stringify(fault)}` }];
}

function renderFrontend(frontend: FrontendModel, certificates: string, withServers: boolean): string[] {
  const { addresses, affinitySeconds, balance, connections, name, port, server, servers, sourceRanges } =
    frontend;
  const tls = renderTls(frontend, certificates);
  const lines = [
    // Addresses that aren't there (yet) are no fault: they may be routed here.
    ...addresses.map((address) => `bind ${quoteAddress(address)}:${port} transparent${tls}`),
    ...(connections === undefined ? [] : [`maxconn ${connections}`]),
    ...renderRanges(sourceRanges),
    `balance ${balance}`,
    ...(balance === 'source' ? ['hash-type consistent'] : []),
    ...(affinitySeconds === undefined
      ? []
      : [
          `stick-table type ipv6 size ${TABLE_SIZE} expire ${affinitySeconds}s peers ${PEERS}`,
          'stick on src',
        ]),
    ...renderCheck(server),
    ...(withServers
      ? servers.map((each) => `server ${renderServer(each, server)}`)
      : [`# servers: ${renderServerOptions(server)}`]),
  ];
  return [`listen ${name}`, ...lines.map((line) => `${INDENT}${line}`)];
}

/** Which of them, the name says that a client asks for (SNI); the first one where it asks for none of theirs. */
function renderTls({ tls }: FrontendModel, certificates: string): string {
  if (tls === undefined) return '';
  const files = tls.files.map((file) => ` crt ${certificates}/${file}`);
  return ` ssl ssl-min-ver ${tls.minimumVersion}${files.join('')}`;
}

function renderRanges(ranges: readonly string[]): string[] {
  const lines: string[] = [];
  for (let from = 0; from < ranges.length; from += RANGES_A_LINE) {
    const some = ranges.slice(from, from + RANGES_A_LINE).map(quoteWord);
    lines.push(`acl allowed src ${some.join(' ')}`);
  }
  return lines.length === 0 ? [] : [...lines, 'tcp-request connection reject unless allowed'];
}

function renderCheck({ healthPath }: ServerSettings): string[] {
  if (healthPath === undefined) return [];
  return [
    'option httpchk',
    `http-check send meth GET uri ${quoteWord(healthPath)}`,
    'http-check expect status 200-399',
  ];
}

/** What is the same for all servers of a frontend, in the file and with `add server`. */
function renderServerOptions(settings: ServerSettings): string {
  const { connections, fall, healthPort, intervalSeconds, proxyProtocol, rise } = settings;
  return [
    'check',
    `inter ${intervalSeconds}s`,
    // Who is in doubt is asked sooner.
    `fastinter ${Math.max(200, (intervalSeconds * 1000) / 4)}ms`,
    `rise ${rise}`,
    `fall ${fall}`,
    ...(healthPort === undefined ? [] : [`port ${healthPort}`]),
    ...(connections === undefined ? [] : [`maxconn ${connections}`]),
    ...(proxyProtocol === 'None' ? [] : [proxyProtocol === 'V1' ? 'send-proxy' : 'send-proxy-v2']),
  ].join(' ');
}

/** Its name, its place and its options. `path` is its name for the Runtime API. */
export function renderServer(server: ServerModel, settings: ServerSettings, path = server.name): string {
  const { address, port, weight } = server;
  const place = `${quoteAddress(address)}:${port}`;
  return `${path} ${place} ${renderServerOptions(settings)}${weight === undefined ? '' : ` weight ${weight}`}`;
}

function quoteAddress(address: string): string {
  return address.includes(':') ? `ipv6@[${address}]` : `ipv4@${address}`;
}

/** One word for HAProxy, whatever is in it: nothing is expanded between single quotes, and no line ends there. */
function quoteWord(text: string): string {
  const plain = text.replaceAll(/[\r\n\0]/g, ' ');
  return /^[\w./:-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", "'\\''")}'`;
}
