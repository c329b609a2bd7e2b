import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { cachedFile } from './cached-file.ts';
import { isRecord } from './classify-error.ts';
import type { ConnectionConfig, TlsMaterial } from './config.ts';
import { loadPluginUser } from './plugin-user.ts';

type Fields = Record<string, unknown>;

/**
 * Reads one kubeconfig file: server, authorities, and a user with token, token file or client certificate, each as data or
 * file. Users with an exec or auth-provider plugin go through client-node (see plugin-user.ts). Throws an Error that names
 * the file and the field.
 */
export async function loadKubeconfig(path: string, context?: string): Promise<ConnectionConfig> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`cannot read the kubeconfig ${path}`, { cause: error });
  });
  return await parseKubeconfig(text, path, context);
}

/** As `loadKubeconfig`, of a text already read; `path` is where relative file names start from. */
export async function parseKubeconfig(
  text: string,
  path: string,
  context?: string,
): Promise<ConnectionConfig> {
  const root = fieldsOf(parseYaml(text, path), path);
  const contextName = context ?? stringOf(root, 'current-context');
  if (contextName === undefined) throw new Error(`${path}: no current-context; name one`);
  const chosen = named(root, 'contexts', 'context', contextName, path);
  const cluster = named(
    root,
    'clusters',
    'cluster',
    required(chosen, 'cluster', `${path}: context ${contextName}`),
    path,
  );
  const userName = stringOf(chosen, 'user');
  const user = userName === undefined ? {} : named(root, 'users', 'user', userName, path);
  const server = required(cluster, 'server', `${path}: its cluster`).replace(/\/+$/, '');
  const namespace = stringOf(chosen, 'namespace');
  const serverName = stringOf(cluster, 'tls-server-name');
  const base = {
    server,
    ...(serverName === undefined ? {} : { serverName }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecureSkipVerify: true } : {}),
    ...(namespace === undefined ? {} : { namespace }),
  };
  const ca = source(cluster, 'certificate-authority', path);
  if (isRecord(user.exec) || isRecord(user['auth-provider'])) {
    return { ...base, ...(await loadPluginUser(path, contextName, ca)) };
  }
  return { ...base, ...(await certificates(ca, user, path)), ...credentials(user, path) };
}

async function certificates(
  ca: Source,
  user: Fields,
  path: string,
): Promise<Partial<Pick<ConnectionConfig, 'ca' | 'cert' | 'key' | 'reloadTls'>>> {
  const cert = source(user, 'client-certificate', path);
  const key = source(user, 'client-key', path);
  const reloadTls = async (fresh?: boolean): Promise<TlsMaterial> => ({
    ca: await ca?.(fresh),
    cert: await cert?.(fresh),
    key: await key?.(fresh),
  });
  const material = await reloadTls();
  return {
    ...(material.ca === undefined ? {} : { ca: material.ca }),
    ...(material.cert === undefined ? {} : { cert: material.cert }),
    ...(material.key === undefined ? {} : { key: material.key }),
    reloadTls,
  };
}

/** A token file wins over a token, as in client-go; a password is sent by no supported API server. */
function credentials(user: Fields, path: string): Pick<ConnectionConfig, 'token'> {
  const file = stringOf(user, 'tokenFile');
  if (file !== undefined) return { token: cachedFile(beside(path, file)) };
  const token = stringOf(user, 'token');
  return token === undefined ? {} : { token: async () => token };
}

export type Source = ((fresh?: boolean) => Promise<string>) | undefined;

/** `<field>-data` (base64) wins over `<field>` (a file, relative to the kubeconfig), as in client-go. */
function source(fields: Fields, field: string, path: string): Source {
  const data = stringOf(fields, `${field}-data`);
  if (data !== undefined) {
    const text = Buffer.from(data, 'base64').toString('utf8');
    return async () => text;
  }
  const file = stringOf(fields, field);
  return file === undefined ? undefined : cachedFile(beside(path, file));
}

function beside(path: string, file: string): string {
  return resolve(dirname(path), file);
}

function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`${path} isn't YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function named(root: Fields, list: string, field: string, name: string, path: string): Fields {
  const entries = root[list];
  const entry = Array.isArray(entries)
    ? entries.find((each: unknown) => isRecord(each) && each.name === name)
    : undefined;
  if (!isRecord(entry)) throw new Error(`${path}: ${list} has no ${JSON.stringify(name)}`);
  return fieldsOf(entry[field], `${path}: ${field} ${name}`);
}

function fieldsOf(value: unknown, where: string): Fields {
  if (!isRecord(value))
    throw new Error(`${where}: expected fields, found ${JSON.stringify(value) ?? 'nothing'}`);
  return value;
}

function stringOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function required(fields: Fields, name: string, where: string): string {
  const value = stringOf(fields, name);
  if (value === undefined) throw new Error(`${where} has no ${name}`);
  return value;
}
