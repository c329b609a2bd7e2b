import {
  isObject,
  membersOfClass,
  object,
  objects,
  type PlainObject,
  text,
} from '../../peers/bigip/plain.ts';
import type { DeviceDeclaration, DeviceMember } from '../device.ts';

/** Of a declaration as it was sent: what the device is to have, without whose it is, health checks and defaults. */
export function describeDeclaration({ body, bytes, method, path }: DeviceDeclaration): string {
  const lines = [`${method} ${path}   ${bytes} bytes`];
  for (const [name, application] of membersOfClass(object(body), 'Application')) {
    lines.push(name);
    for (const [each, value] of Object.entries(application)) {
      if (isObject(value)) lines.push(...describeObject(each, value));
    }
  }
  return lines.join('\n');
}

function describeObject(name: string, value: PlainObject): string[] {
  const className = text(value.class);
  if (className.startsWith('Service_')) {
    const addresses = Array.isArray(value.virtualAddresses) ? value.virtualAddresses.join(', ') : '';
    return [`  ${name}: ${className} ${addresses} port ${value.virtualPort} -> ${text(value.pool)}`];
  }
  if (className !== 'Pool') return [];
  const groups = objects(value.members).map(
    ({ adminState, serverAddresses, servicePort }) =>
      `    port ${servicePort} of ${Array.isArray(serverAddresses) ? serverAddresses.join(', ') : ''}${adminState === 'disable' ? '   disabled' : ''}`,
  );
  return [`  ${name}: Pool`, ...groups];
}

/** A line for each member, as `tmsh list ltm pool` tells of them. */
export function describeMembers(members: readonly DeviceMember[]): string {
  return members
    .map(({ description, member, session }) => {
      const name = member.slice(member.lastIndexOf('/') + 1);
      return `  ${name.padEnd(24)} session ${session.padEnd(14)} ${description}`.trimEnd();
    })
    .join('\n');
}
