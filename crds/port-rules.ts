import type { Rule } from './rules.ts';

const WELL_FORMED = "matches('^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?$')";

/** The ends of a port range, of a CEL expression that is well-formed. */
const first = (range: string) => `int(${range}.find('^[0-9]+'))`;
const last = (range: string) => `int(${range}.find('[0-9]+$'))`;

const apart = `(${last('a')} < ${first('b')} || ${last('b')} < ${first('a')})`;
const isRead = (list: string) => `${list}.all(range, range.${WELL_FORMED})`;

/** For each entry of a PortPool. */
export const PORT_ENTRY_RULES: Rule[] = [
  {
    rule: `self.${WELL_FORMED}`,
    message: 'write a range of ports without blanks (31000-31999), or one port (31000)',
    reason: 'FieldValueInvalid',
  },
  {
    rule: `!self.${WELL_FORMED} || (${first('self')} <= 65535 && ${last('self')} <= 65535)`,
    message: 'ports go from 1 to 65535',
    reason: 'FieldValueInvalid',
  },
  {
    rule: `!self.${WELL_FORMED} || ${first('self')} <= ${last('self')}`,
    message: 'a range goes from its lowest to its highest port: swap the two',
    reason: 'FieldValueInvalid',
  },
];

/** For each list of a PortPool. An entry that is there twice overlaps itself. */
export const PORT_LIST_RULES: Rule[] = [
  {
    rule: `!${isRead('self')} || self.all(a, self.exists_one(b, !${apart}))`,
    message: 'ranges of a pool must not overlap: join them, or cut one short',
    reason: 'FieldValueInvalid',
  },
];

/** For the spec of a PortPool. */
export const PORT_POOL_RULES: Rule[] = [
  {
    rule: '(has(self.nodePorts) && size(self.nodePorts) > 0) || (has(self.forwardingPorts) && size(self.forwardingPorts) > 0)',
    message: 'a pool without ports is of no use: give nodePorts, forwardingPorts, or both',
    reason: 'FieldValueRequired',
  },
  {
    rule:
      '!has(self.nodePorts) || !has(self.forwardingPorts) || ' +
      `!${isRead('self.nodePorts')} || !${isRead('self.forwardingPorts')} || ` +
      `self.nodePorts.all(a, self.forwardingPorts.all(b, ${apart}))`,
    message:
      'a port is either a node port or a forwarding port: forwardingPorts must lie outside nodePorts, and outside the node port range of the cluster',
    reason: 'FieldValueInvalid',
    fieldPath: '.forwardingPorts',
  },
];
