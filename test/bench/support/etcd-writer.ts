const TXN_OPERATIONS = 100;
const WRITERS = 4;

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
 */
export async function writeToEtcd(url: string, objects: Iterator<StoredObject>): Promise<void> {
  const write = async () => {
    for (;;) {
      const batch = take(objects, TXN_OPERATIONS);
      if (batch.length === 0) return;
      await putAll(url, batch);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

function take<T>(from: Iterator<T>, count: number): T[] {
  const taken: T[] = [];
  while (taken.length < count) {
    const next = from.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
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
