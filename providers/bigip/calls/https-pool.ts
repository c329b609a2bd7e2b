import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { buildConnector as BuildConnector, Dispatcher, Pool as PoolType } from 'undici';
// The parts alone, as in kube/connections.ts: the whole of undici costs 14 MB.
import sendRequest from 'undici/lib/api/api-request.js';
import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** The device's Apache ends idle connections after some seconds; ours leave first. */
const KEEP_ALIVE_MS = 4_000;
const CONNECTIONS = 4;

/** How a device is known. */
export interface DeviceTls {
  /** PEM; undefined: the authorities of this machine. */
  ca?: string | undefined;
  /** SHA-256 of the device's own certificate, one of these; no authority is asked then. */
  fingerprints?: readonly string[] | undefined;
  serverName?: string | undefined;
}

/** Connections to one management address. Nothing is sent before the certificate was found good. */
export class HttpsPool {
  readonly #pool: PoolType;

  /** `host` or `host:port`. */
  constructor(device: string, tls: DeviceTls) {
    this.#pool = new Pool(`https://${device}`, {
      connect: connectorOf(tls),
      connections: CONNECTIONS,
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
    });
  }

  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
    return sendRequest.call(this.#pool, options);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

function connectorOf({ ca, fingerprints, serverName }: DeviceTls): BuildConnector.connector {
  const pinned = fingerprints?.map(normalize);
  const connect = buildConnector({
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined || isIP(serverName) !== 0 ? {} : { servername: serverName }),
    rejectUnauthorized: pinned === undefined,
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    // A session that is taken up again shows no certificate.
    ...(pinned === undefined ? {} : { maxCachedSessions: 0 }),
  });
  if (pinned === undefined) return connect;
  return (options, callback) =>
    connect(options, (...args) => {
      const [error, socket] = args;
      if (error !== null) return callback(error, null);
      const shown = socket instanceof TLSSocket ? fingerprintOf(socket) : undefined;
      if (shown !== undefined && pinned.includes(shown)) return callback(null, socket);
      socket?.destroy();
      callback(pinError(shown), null);
    });
}

function fingerprintOf(socket: TLSSocket): string | undefined {
  const { raw } = socket.getPeerCertificate();
  return raw === undefined ? undefined : createHash('sha256').update(raw).digest('hex').toUpperCase();
}

function normalize(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toUpperCase();
}

/** Said as TLS says it, so that it's told apart from a connection that was lost. */
function pinError(shown: string | undefined): Error {
  const told = shown === undefined ? 'none' : (shown.match(/../g) ?? []).join(':');
  const message = `the certificate's SHA-256 is ${told}, which is none of tls.fingerprints`;
  return Object.assign(new Error(message), { code: 'ERR_TLS_CERT_FINGERPRINT' });
}
