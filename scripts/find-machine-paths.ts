export interface MachinePath {
  /** Counted from 1. */
  line: number;
  path: string;
}

/** Homes of people, on Linux and macOS; `/home/node` and the like are users of container images. */
const HOME = /(?<![\w.$}])\/(?:home|Users)\/(?!node\b|nonroot\b)[a-z][\w.-]*/g;

/**
 * Where a text names one of `folders` or somebody's home. Folders of one level (`/root`, `/app`) are too common to
 * tell anything.
 */
export function findMachinePaths(text: string, folders: readonly string[]): MachinePath[] {
  const own = folders
    .map((folder) => folder.replace(/\/+$/, ''))
    .filter((folder) => /^\/[^/]+\/./.test(folder));
  return text.split('\n').flatMap((content, index) => {
    const paths = [...own.filter((folder) => content.includes(folder)), ...(content.match(HOME) ?? [])];
    return [...new Set(paths)].map((path) => ({ line: index + 1, path }));
  });
}
