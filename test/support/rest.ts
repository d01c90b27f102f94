/**
 * Long enough for what was just written to be no longer racy. It assumes fine time stamps, as ext4, XFS, APFS and NTFS
 * have them; where they tick in seconds, what a test that rests expects not to be read would be read again.
 */
export const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));
