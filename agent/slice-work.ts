export { inSlices } from '../kube/slice-work.ts';
