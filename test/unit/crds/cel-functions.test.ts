import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';

const CRDS = 'config/crd';

/**
 * Functions by the first Kubernetes whose API server takes them in a new CRD, as minor versions of 1. It compiles new
 * rules as the version before it would: what came with 1.30 is refused there.
 * https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
 */
const SINCE: Record<number, string> = {
  // CRD rules are stable since 1.29, with macros, strings, regular expressions, lists and URLs of 1.25 and before.
  29: `has all exists exists_one filter map size contains startsWith endsWith matches int string
    substring indexOf lastIndexOf trim split replace lowerAscii upperAscii find findAll isURL url getScheme getHostname
    isSorted sum min max`,
  31: 'isIP ip isCIDR cidr family containsIP containsCIDR masked prefixLength isCanonical',
};
/** What docs/install.md asks for. */
const OLDEST = 31;

function rulesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(rulesOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'x-kubernetes-validations' && Array.isArray(inner)
      ? inner.map(({ rule }: { rule: unknown }) => String(rule))
      : rulesOf(inner),
  );
}

/** Names before a parenthesis, outside of strings. */
function functionsOf(rule: string): string[] {
  const code = rule.replaceAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, "''");
  return [...code.matchAll(/([A-Za-z_]\w*)\(/g)].map(([, name = '']) => name);
}

describe('rules of the kinds', () => {
  const rules = readdirSync(CRDS)
    .filter((name) => name.startsWith('fairlead.dev_'))
    .flatMap((name) => rulesOf(parse(readFileSync(`${CRDS}/${name}`, 'utf8'))));

  it('use only what the oldest Kubernetes that is asked for takes in a new CRD', () => {
    const known = Object.entries(SINCE)
      .filter(([since]) => Number(since) <= OLDEST)
      .flatMap(([, names]) => names.split(/\s+/));
    const used = [...new Set(rules.flatMap(functionsOf))].toSorted();

    expect(used).to.include.members(['has', 'cidr']);
    expect(used.filter((name) => !known.includes(name))).to.deep.equal([]);
  });

  it('are said to need that version where a user looks for it', () => {
    for (const file of ['docs/install.md', 'docs/kinds.md']) {
      expect(readFileSync(file, 'utf8'), file).to.include(`Kubernetes 1.${OLDEST} or later`);
    }
  });
});
