/** The part of package-lock.json (version 3) that says which package needs which. */
export interface Lockfile {
  packages: Record<
    string,
    {
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    }
  >;
}

/**
 * Packages that some package needs and the lockfile leaves out: `npm ci` refuses it, on every platform. npm writes such
 * a file when it can't reach packages for other platforms.
 */
export function findLockGaps(lockfile: Lockfile): string[] {
  return Object.entries(lockfile.packages).flatMap(([path, entry]) =>
    Object.keys({ ...entry.dependencies, ...entry.devDependencies, ...entry.optionalDependencies })
      .filter((name) => !candidatePaths(path, name).some((candidate) => candidate in lockfile.packages))
      .map((name) => `${name}, which ${path === '' ? 'package.json' : path} needs`),
  );
}

/** Where Node looks for a package, from the folder of the one that needs it up to the root. */
function candidatePaths(path: string, name: string): string[] {
  const above = path.lastIndexOf('/node_modules/');
  const parent = above >= 0 ? path.slice(0, above) : '';
  const here = path === '' ? `node_modules/${name}` : `${path}/node_modules/${name}`;
  return path === '' ? [here] : [here, ...candidatePaths(parent, name)];
}
