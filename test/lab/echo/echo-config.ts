/** What the kubelet tells the echo server, as JSON in `$ECHO_CONFIG`. */
export interface EchoConfig {
  pod: string;
  namespace: string;
  node: string;
  listeners: Listener[];
}

export interface Listener {
  protocol: 'TCP' | 'UDP';
  port: number;
}

/** The part of a Pod's container that says where it listens. */
export interface ListeningContainer {
  args?: string[];
  ports?: { containerPort: number; protocol?: string }[];
}

const DEFAULT_PORT = 8080;

/**
 * Where a container listens: on its declared ports, and as agnhost's `netexec` on `--http-port` and `--udp-port`, so that
 * one manifest does for the lab and for a cluster that has the image. Without any, TCP and UDP 8080. SCTP is left out.
 */
export function listenersOf(container: ListeningContainer): Listener[] {
  const found: Listener[] = [];
  for (const { containerPort: port, protocol = 'TCP' } of container.ports ?? []) {
    if (protocol === 'TCP' || protocol === 'UDP') found.push({ protocol, port });
  }
  for (const argument of container.args ?? []) {
    const match = /^--(http|udp)-port=(\d+)$/.exec(argument);
    if (match) found.push({ protocol: match[1] === 'udp' ? 'UDP' : 'TCP', port: Number(match[2]) });
  }
  if (found.length === 0) {
    return [
      { protocol: 'TCP', port: DEFAULT_PORT },
      { protocol: 'UDP', port: DEFAULT_PORT },
    ];
  }
  return [...new Map(found.map((listener) => [`${listener.protocol}/${listener.port}`, listener])).values()];
}
