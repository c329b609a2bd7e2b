import type { ProxyName } from '../../support/proxy-process.ts';
import type { Case } from './case.ts';

type Themes = Readonly<Record<string, readonly Case[]>>;

const TITLES: Readonly<Record<ProxyName, string>> = {
  fairlead: 'The agent, against kube-proxy and the behaviours',
  'kube-proxy': 'kube-proxy 1.36.3, against the behaviours',
};

/** Differences of the agent that are too large, or too rare, for a case: what, and where it is shown or decided. */
const BEYOND_CASES: readonly string[] = [
  'a Service of more than 200,000 pairs of a port and an endpoint, over all its addresses and node ports, is left out and named; with session affinity, of more than 40,000. That many would fill the memory of every node; kube-proxy tries. Shown in `test/unit/agent/nftables/compile-service.test.ts` and `test/net/forwarding/whole-agent.test.ts`.',
  'a client with session affinity whose endpoint goes, and comes back before its time is over, may come back to that endpoint; kube-proxy forgets who came to an endpoint that goes ([ADR 9](adr/0009-content-named-chains.md)).',
];

/** The lists of docs/conformance.md: where a proxy differs, with the reasons, and all cases. Markdown. */
export function renderLists(themes: Themes, beyondCases: readonly string[] = BEYOND_CASES): string {
  const cases = Object.values(themes).flat();
  const proxies: readonly ProxyName[] = ['fairlead', 'kube-proxy'];
  return [
    '## Differences',
    '',
    ...proxies.flatMap((proxy) => [
      `### ${TITLES[proxy]}`,
      '',
      ...renderDifferences(cases, proxy, proxy === 'fairlead' ? beyondCases : []),
      '',
    ]),
    '## Cases',
    '',
    ...Object.entries(themes).flatMap(([theme, cases]) => [
      `### ${theme.charAt(0).toUpperCase()}${theme.slice(1)}`,
      '',
      ...cases.map((subject) => `- ${subject.name}${familiesOf(subject)}`),
      '',
    ]),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

/** Each reason once, with the cases that meet it; then those that are in none. */
function renderDifferences(
  cases: readonly Case[],
  proxy: ProxyName,
  beyondCases: readonly string[],
): string[] {
  const casesByReason = new Map<string, Set<string>>();
  for (const { name, stages } of cases) {
    for (const { differs } of stages.flatMap(({ expect }) => expect)) {
      const reason = differs?.[proxy]?.reason;
      if (reason === undefined) continue;
      casesByReason.set(reason, (casesByReason.get(reason) ?? new Set()).add(name));
    }
  }
  if (casesByReason.size + beyondCases.length === 0) return ['None.'];
  const met = Array.from(casesByReason, ([reason, names]) => [
    `- ${reason}. Met by:`,
    ...Array.from(names, (name) => `  - ${name}`),
  ]).flat();
  return [...met, ...beyondCases.map((difference) => `- ${difference}`)];
}

function familiesOf({ families }: Case): string {
  return families === undefined ? '' : ` (${families.join(', ')} alone)`;
}
