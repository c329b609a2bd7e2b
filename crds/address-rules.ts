import { noDuplicates, type Rule } from './rules.ts';

const first = (entry: string) => `${entry}.substring(0, ${entry}.indexOf('-'))`;
const last = (entry: string) => `${entry}.substring(${entry}.indexOf('-') + 1)`;
/** True of a range whose two addresses are addresses; the rules for ranges look at nothing else. */
const isRange = (entry: string) =>
  `(${entry}.contains('-') && isIP(${first(entry)}) && isIP(${last(entry)}))`;

const FIRST = first('self');
const LAST = last('self');
const IS_RANGE = isRange('self');
const SAME_FAMILY = `ip(${FIRST}).family() == ip(${LAST}).family()`;

/** RFC 6890 and RFC 4291: what is never the address of a Service. `within` has usable addresses on both sides. */
const UNUSABLE = {
  atAnEnd: ['0.0.0.0/8', '255.255.255.255/32', '::/64', 'ff00::/8'],
  within: ['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', 'fe80::/10'],
};

/** The text of a CEL integer from 0 to 129: what `string()` returns counts as unbounded, a part of a literal doesn't. */
function textOf(number: string): string {
  const tens = `'   1 2 3 4 5 6 7 8 9101112'.substring(${number} / 10 * 2, ${number} / 10 * 2 + 2).trim()`;
  return `(${tens} + '0123456789'.substring(${number} % 10, ${number} % 10 + 1))`;
}

/**
 * `a <= b` for two CEL expressions that are texts of addresses of one family. CEL can't compare addresses, but it can mask
 * them: at the first bit where they differ, the smaller one has a 0, so that masking this bit away doesn't change it.
 * `bits` is how far from the left a difference is looked for, at most 128 (for IPv4 at most 32 count).
 */
function notAfter(a: string, b: string, bits: number): string {
  const block = (length: string) => `cidr(${a} + '/' + ${textOf(length)})`;
  const differAt = (bit: string) => {
    const next = `(${bit} + 1)`;
    return (
      `${block(bit)}.containsIP(ip(${b})) && !${block(next)}.containsIP(ip(${b})) && ` +
      `${block(bit)}.masked().ip() == ${block(next)}.masked().ip()`
    );
  };
  if (bits <= 16) return `[${count(bits)}].exists(i, ${differAt('i')})`;
  // First the 16 bits among which they differ, then the bit: 24 steps where it would be up to 128.
  const differWithin = `${block('(i * 16)')}.containsIP(ip(${b})) && !${block('(i * 16 + 16)')}.containsIP(ip(${b}))`;
  return (
    `(ip(${a}) == ip(${b}) || [${count(bits / 16)}].exists(i, i < (ip(${a}).family() == 4 ? 2 : 8) && ` +
    `${differWithin} && [${count(16)}].exists(j, ${differAt('(i * 16 + j)')})))`
  );
}

function count(length: number): string {
  return Array.from({ length }, (_, index) => index).join(', ');
}

function cidrIsClear(block: string): string {
  const [base] = block.split('/');
  return `!cidr('${block}').containsCIDR(cidr(self)) && !cidr(self).containsIP(ip('${base}'))`;
}

function rangeIsClear(block: string): string {
  return `!cidr('${block}').containsIP(ip(${FIRST})) && !cidr('${block}').containsIP(ip(${LAST}))`;
}

/** For ranges that are clear of the block at both ends, so that they differ from it within the bits of its prefix. */
function rangeIsNotAround(block: string): string {
  const [base = '', bits] = block.split('/');
  const family = base.includes(':') ? 6 : 4;
  const before = notAfter(FIRST, `'${base}'`, Number(bits));
  const after = notAfter(`'${base}'`, LAST, Number(bits));
  return `(ip(${FIRST}).family() != ${family} || !(${before} && ${after}))`;
}

/** For each entry of an AddressPool. */
export const ADDRESS_ENTRY_RULES: Rule[] = [
  {
    rule: `isCIDR(self) || ${IS_RANGE}`,
    message:
      'write a CIDR (192.0.2.0/28) or a range of two addresses without blanks (192.0.2.10-192.0.2.20); one address is a CIDR too (192.0.2.10/32, 2001:db8::10/128)',
    reason: 'FieldValueInvalid',
  },
  {
    rule: `!isCIDR(self) || cidr(self) == cidr(self).masked()`,
    message:
      'a CIDR starts with the first address of its block: clear the bits behind the prefix (192.0.2.0/24, not 192.0.2.7/24), or write a range to begin elsewhere',
    reason: 'FieldValueInvalid',
  },
  {
    rule: `!${IS_RANGE} || ${SAME_FAMILY}`,
    message: 'a range has two addresses of one family: make it one range of IPv4 and one of IPv6',
    reason: 'FieldValueInvalid',
  },
  {
    rule: `!${IS_RANGE} || !(${SAME_FAMILY}) || ${notAfter(FIRST, LAST, 128)}`,
    message: 'a range goes from its lowest to its highest address: swap the two',
    reason: 'FieldValueInvalid',
  },
  {
    rule:
      `isCIDR(self) ? ${[...UNUSABLE.atAnEnd, ...UNUSABLE.within].map(cidrIsClear).join(' && ')} : ` +
      `!${IS_RANGE} || !(${SAME_FAMILY}) || (` +
      `${[...UNUSABLE.atAnEnd, ...UNUSABLE.within].map(rangeIsClear).join(' && ')} && ` +
      `${UNUSABLE.within.map(rangeIsNotAround).join(' && ')})`,
    message:
      'no Service can be reached at loopback, link-local, multicast, broadcast or unspecified addresses: leave out 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4, 255.255.255.255, ::/64, fe80::/10 and ff00::/8',
    reason: 'FieldValueInvalid',
  },
];

/**
 * For the list of an AddressPool: no entry twice, no CIDR that overlaps another, no range that begins or ends in a CIDR
 * or where another range does. Two ranges that overlap without that, and a range around a whole CIDR, are let through:
 * comparing each with each would cost the API server too much. The operator counts and gives out each address once.
 */
export const ADDRESS_LIST_RULES: Rule[] = [
  noDuplicates('CIDR or range'),
  {
    rule:
      `self.all(a, !isCIDR(a) || self.all(b, a == b || (isCIDR(b) ? ` +
      `!cidr(a).containsCIDR(cidr(b)) : ` +
      `!${isRange('b')} || (!cidr(a).containsIP(ip(${first('b')})) && !cidr(a).containsIP(ip(${last('b')}))))))`,
    message: 'CIDRs and ranges of a pool must not overlap: a CIDR holds another entry, or an end of a range',
    reason: 'FieldValueInvalid',
  },
  {
    rule:
      `self.all(a, !${isRange('a')} || self.all(b, a == b || !${isRange('b')} || (` +
      `!(ip(${first('a')}) == ip(${first('b')})) && !(ip(${first('a')}) == ip(${last('b')})) && ` +
      `!(ip(${last('a')}) == ip(${last('b')})))))`,
    message: 'ranges of a pool must not overlap: two begin or end with the same address',
    reason: 'FieldValueInvalid',
  },
];

/** For an address that was claimed: `self.address` with `self.family`. */
export const CLAIMED_ADDRESS_RULES: Rule[] = [
  {
    rule: 'isIP(self.address) && ip.isCanonical(self.address)',
    message: 'write an address in its canonical form: 192.0.2.10, 2001:db8::10',
    reason: 'FieldValueInvalid',
    fieldPath: '.address',
  },
  {
    rule: "!isIP(self.address) || ip(self.address).family() == (self.family == 'IPv4' ? 4 : 6)",
    message: 'family must be that of the address: IPv4 or IPv6',
    reason: 'FieldValueInvalid',
    fieldPath: '.family',
  },
  {
    rule: `!isIP(self.address) || (${[...UNUSABLE.atAnEnd, ...UNUSABLE.within]
      .map((block) => `!cidr('${block}').containsIP(ip(self.address))`)
      .join(' && ')})`,
    message:
      'no Service can be reached at a loopback, link-local, multicast, broadcast or unspecified address: claim another',
    reason: 'FieldValueInvalid',
    fieldPath: '.address',
  },
];
