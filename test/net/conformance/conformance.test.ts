import { readProxyName } from '../support/proxy-process.ts';
import { CASES, SINGLE_FAMILY_THEMES } from './cases/all.ts';
import type { Case } from './support/case.ts';
import { describeConformance } from './support/describe-conformance.ts';
import { FAMILIES } from './support/places.ts';

const proxyName = readProxyName(process.env.PROXY || undefined);
/** Only those whose names contain it: for work on one case. */
const wanted = process.env.CASES ?? '';
const themes = Object.entries(CASES).map(
  ([theme, cases]) => [theme, cases.filter(({ name }) => `${theme} ${name}`.includes(wanted))] as const,
);

describeConformance(`conformance of ${proxyName}`, proxyName, FAMILIES, themes);

for (const family of FAMILIES) {
  const isAsked = ({ exclusive = false, families }: Case) =>
    !exclusive && (families?.includes(family) ?? true);
  const chosen = themes
    .filter(([theme]) => SINGLE_FAMILY_THEMES.includes(theme))
    .map(([theme, cases]) => [theme, cases.filter(isAsked)] as const);
  if (chosen.every(([, cases]) => cases.length === 0)) continue;
  describeConformance(`conformance of ${proxyName}, all being ${family}`, proxyName, [family], chosen);
}
