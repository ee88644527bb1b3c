/** File systems whose files are on another machine: locks are slow there or missing, and go's caches rely on them. */
const SHARES: ReadonlySet<string> = new Set([
  'nfs',
  'nfs4',
  'cifs',
  'smb3',
  'smbfs',
  'afs',
  'ceph',
  'fuse.sshfs',
  'fuse.glusterfs',
  'fuse.rclone',
  '9p',
  'davfs',
  'fuse.davfs2',
  'lustre',
  'beegfs',
]);

/** The kind of file system that /proc/self/mounts names for an absolute path: that of the longest mount point above it. */
export function fileSystemOf(mounts: string, file: string): string | undefined {
  let found: { readonly at: string; readonly kind: string } | undefined;
  for (const line of mounts.split('\n')) {
    const [, point = '', kind = ''] = line.split(' ');
    const at = point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const holds = at !== '' && (file === at || file.startsWith(at === '/' ? '/' : `${at}/`));
    // Of two mounts at one point the later hides the earlier.
    if (holds && at.length >= (found?.at.length ?? 0)) found = { at, kind };
  }
  return found?.kind;
}

/** Whether a directory is on another machine: by its file system, or on Windows by a path such as \\server\share. */
export function isShare(fileSystem: string | undefined, directory: string): boolean {
  if (/^(?:\\\\|\/\/)[^\\/?.]/.test(directory)) return true;
  return fileSystem !== undefined && SHARES.has(fileSystem);
}
