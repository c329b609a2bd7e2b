import type { ProxyName } from '../../support/proxy-process.ts';
import type { Case } from './case.ts';

type Themes = Readonly<Record<string, readonly Case[]>>;

const TITLES: Readonly<Record<ProxyName, string>> = {
  fairlead: 'The agent, against kube-proxy and the behaviours',
  'kube-proxy': 'kube-proxy 1.36.3, against the behaviours',
};

/** The lists of docs/conformance.md: where a proxy differs, with the reasons, and all cases. Markdown. */
export function renderLists(themes: Themes): string {
  const cases = Object.values(themes).flat();
  const proxies: readonly ProxyName[] = ['fairlead', 'kube-proxy'];
  return [
    '## Differences',
    '',
    ...proxies.flatMap((proxy) => [`### ${TITLES[proxy]}`, '', ...renderDifferences(cases, proxy), '']),
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

/** Each reason once, with the cases that meet it. */
function renderDifferences(cases: readonly Case[], proxy: ProxyName): string[] {
  const casesByReason = new Map<string, Set<string>>();
  for (const { name, stages } of cases) {
    for (const { differs } of stages.flatMap(({ expect }) => expect)) {
      const reason = differs?.[proxy]?.reason;
      if (reason === undefined) continue;
      casesByReason.set(reason, (casesByReason.get(reason) ?? new Set()).add(name));
    }
  }
  if (casesByReason.size === 0) return ['None.'];
  return Array.from(casesByReason, ([reason, names]) => [
    `- ${reason}. Met by:`,
    ...Array.from(names, (name) => `  - ${name}`),
  ]).flat();
}

function familiesOf({ families }: Case): string {
  return families === undefined ? '' : ` (${families.join(', ')} alone)`;
}
