import type { DemoLab } from './demo-lab.ts';
import { formatMs, type Terminal } from './terminal.ts';

const TIMEOUT_MS = 30_000;
/** The watch has to be there before the Service is. */
const WATCH_START_MS = 1_000;

export interface Addresses {
  v4: string;
  v6: string;
}

interface ServiceJson {
  status?: { loadBalancer?: { ingress?: { ip?: string }[] } };
}

/** `kubectl apply -f config/samples/`: `<pending>` turns into an address while we look on. */
export async function showAddress(lab: DemoLab, terminal: Terminal): Promise<Addresses> {
  terminal.heading('A Service of type LoadBalancer gets its address');
  const watch = startWatch(lab);
  await new Promise((resolve) => setTimeout(resolve, WATCH_START_MS));
  terminal.command('kubectl apply -f config/samples/');
  terminal.output(await lab.ask('apply', '-f', 'config/samples/'));
  await watch.untilAddress();
  terminal.command('kubectl get services --watch');
  const [first] = watch.lines;
  terminal.aside('      ms');
  for (const { at, text } of watch.lines) {
    terminal.output(
      `${text.startsWith('NAME') ? '' : Math.round(at - (first?.at ?? at))}`.padStart(8).concat(`  ${text}`),
    );
  }
  const addresses = await readAddresses(lab);
  const pending = watch.lines.find(({ text }) => text.includes('<pending>'));
  const served = watch.lines.find(({ text }) => text.startsWith('web') && !text.includes('<pending>'));
  terminal.say('');
  terminal.claim(
    pending !== undefined && served !== undefined,
    `<pending> became ${addresses.v4} after ${formatMs((served?.at ?? 0) - (pending?.at ?? 0))}`,
  );
  terminal.command('kubectl get services');
  terminal.output(await lab.ask('get', 'services'));
  terminal.command('kubectl get loadbalancerproviders,addresspools,loadbalancers');
  terminal.output(await lab.ask('get', 'loadbalancerproviders,addresspools,loadbalancers'));
  return addresses;
}

function startWatch(lab: DemoLab): { lines: { at: number; text: string }[]; untilAddress(): Promise<void> } {
  const lines: { at: number; text: string }[] = [];
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  let rest = '';
  const found = new Promise<void>((resolve, reject) => {
    const onOutput = (text: string) => {
      rest += text;
      const whole = rest.split('\n');
      rest = whole.pop() ?? '';
      for (const line of whole) lines.push({ at: performance.now(), text: line });
      if (lines.some((line) => /^web .*\d+\.\d+\.\d+\.\d+,/.test(line.text))) abort.abort();
    };
    const args = ['get', 'services', '--field-selector', 'metadata.name=web', '--watch'];
    lab.kubectl(args, onOutput, abort.signal).then(
      ({ stderr }) => reject(new Error(`kubectl get services --watch: ${stderr}`)),
      () => resolve(),
    );
  });
  found.catch(() => {});
  return {
    lines,
    untilAddress: async () => {
      await found;
      clearTimeout(timer);
    },
  };
}

async function readAddresses(lab: DemoLab): Promise<Addresses> {
  const service: ServiceJson = JSON.parse(await lab.ask('get', 'service', 'web', '-o', 'json'));
  const ips = (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  const v4 = ips.find((ip) => !ip.includes(':'));
  const v6 = ips.find((ip) => ip.includes(':'));
  if (v4 === undefined || v6 === undefined) {
    throw new Error(
      `the Service has no address of each family after ${TIMEOUT_MS / 1_000} s: ${ips.join(', ') || 'none'}`,
    );
  }
  return { v4, v6 };
}
