import { isObject, object, type PlainObject } from '../plain.ts';

/** Whether a declaration is well-formed; each answers with AS3's `errors`. */
export interface SchemaCheck {
  checkAdc(declaration: PlainObject): string[];
  checkPerApp(declaration: unknown): string[];
  /** A property that there is nowhere in AS3, with which it answers before anything else. */
  findUnknown(declaration: unknown): string | undefined;
  /** With the schema's defaults, for `show=full`; as it is where there is no schema. */
  fillIn(declaration: PlainObject): PlainObject;
}

const NAME = /^[A-Za-z][0-9A-Za-z_.-]{0,189}$/;

/** Where there is no schema: names and classes only. */
export const SHAPE_ONLY: SchemaCheck = {
  checkAdc(declaration) {
    if (declaration.class !== 'ADC') return ["/: should have required property 'class'"];
    return checkMembers('', declaration, 'Tenant', (path, tenant) =>
      checkMembers(path, tenant, 'Application', () => []),
    );
  },
  checkPerApp(declaration) {
    return checkMembers('', object(declaration), 'Application', () => []);
  },
  findUnknown: () => undefined,
  fillIn: (declaration) => declaration,
};

function checkMembers(
  path: string,
  owner: PlainObject,
  wanted: string,
  inside: (path: string, member: PlainObject) => string[],
): string[] {
  return Object.entries(owner).flatMap(([name, member]) => {
    if (!isObject(member) || ['controls', 'constants', 'target'].includes(name)) return [];
    if (!NAME.test(name)) return [`${path}/: property name '${name}' is invalid`];
    if (member.class === undefined) return [`${path}/${name}: should have required property 'class'`];
    return member.class === wanted ? inside(`${path}/${name}`, member) : [];
  });
}
