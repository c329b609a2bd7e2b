const WRITERS = 24;

/** An object as it is stored: JSON of its storage version, which an API server reads as well as its own encoding. */
export interface StoredObject {
  /** `/registry/services/specs/<namespace>/<name>`, ... */
  key: string;
  value: object;
}

/**
 * Writes objects into etcd past the API server, which tells them to its watchers as if it had written them itself. Only for
 * what it would take most of an hour for: it counts all ClusterIPs for each one that it gives out
 * (pkg/registry/core/service/ipallocator, `Used`).
 *
 * Each group is one transaction, with no two objects of a kind: those have one revision, and a watcher that the API server
 * cuts off between them goes on behind both. Its own repair of ClusterIPs then takes the address of a Service that it never
 * saw for leaked, and gives it to another one.
 */
export async function writeToEtcd(url: string, groups: Iterator<readonly StoredObject[]>): Promise<void> {
  const write = async () => {
    for (let next = groups.next(); next.done !== true; next = groups.next()) await putAll(url, next.value);
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

async function putAll(url: string, batch: readonly StoredObject[]): Promise<void> {
  const success = batch.map(({ key, value }) => ({
    requestPut: { key: encode(key), value: encode(JSON.stringify(value)) },
  }));
  const answer = await fetch(`${url}/v3/kv/txn`, { method: 'POST', body: JSON.stringify({ success }) });
  if (!answer.ok) throw new Error(`etcd: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
