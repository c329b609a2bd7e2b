import { createHash } from 'node:crypto';

export interface CacheKeyInput {
  kubernetes: string;
  etcd: string;
  /** `linux-x64`: a home folder may be shared between machines. */
  platform: string;
  /** Everything that changes what gets built: go.mod and go.sum files, flags. */
  pinned: readonly string[];
}

/** Names the folder of one set of binaries: readable versions, and a hash over what pins them. */
export function cacheKey(input: CacheKeyInput): string {
  const hash = createHash('sha256');
  for (const text of input.pinned) hash.update(`${Buffer.byteLength(text)}\n${text}`);
  return `kubernetes-${input.kubernetes}-etcd-${input.etcd}-${input.platform}-${hash.digest('hex').slice(0, 12)}`;
}
