/**
 * What chkpt 0.3 (Rust) took for the Linux source on two cores, in other runs: the range of its medians. It cannot be
 * installed as a package, so these figures stand beside the rows that are about it. They decide nothing.
 */
export const PUBLISHED = {
  coldSave: "chkpt 0.3, published, other run: 2.4 to 4.1 s",
  coldSaveCpu: "chkpt 0.3, published, other run: 4.1 s",
  fullRestore: "chkpt 0.3, published, other run: 2.0 to 3.8 s",
  store: "chkpt 0.3, published, other run: 448 MB",
};

const LINUX_FILES = 78_579;

export const isLinuxTree = ({ files }) => files === LINUX_FILES;
