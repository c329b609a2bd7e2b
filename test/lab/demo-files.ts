/**
 * The demo's files, below the repository's root, which is every demo process's working directory. Relative, because a unix
 * socket's path has room for 107 bytes only.
 */
export const DEMO_DIR = '.demo';
export const DEMO_FILES = {
  /** Who runs: see running-lab.ts. */
  state: `${DEMO_DIR}/lab.json`,
  control: `${DEMO_DIR}/control.sock`,
  api: `${DEMO_DIR}/api.sock`,
  kubeconfig: `${DEMO_DIR}/kubeconfig`,
  kubectl: `${DEMO_DIR}/kubectl`,
  logs: `${DEMO_DIR}/logs`,
  /** What supervisor and lab server themselves say. */
  log: `${DEMO_DIR}/logs/lab.log`,
} as const;
