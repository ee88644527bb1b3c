import { execFileSync } from 'node:child_process';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { REASONS } from '../../src/modzip/selection.ts';
import { golden } from '../module/golden.ts';

interface GoldenFile {
  path: string;
  content?: string;
  kind?: 'zeros' | 'symlink' | 'fifo' | 'dir';
  size?: number;
}

interface GoldenFinding {
  path: string;
  reason: string;
}

/** What Go says of a directory: see test/testdata/golden/module/dirs.go. */
export interface GoldenDirectory {
  name: string;
  /** We refuse to publish what Go packs. */
  strict: boolean;
  files: GoldenFile[];
  /** Empty when Go refuses. */
  h1: string;
  valid: string[];
  omitted: GoldenFinding[];
  invalid: GoldenFinding[];
  tooLarge: boolean;
}

export const goldenDirectories = golden('dirs.json') as GoldenDirectory[];

/** Go's words for what stays out, and ours. */
export const OUR_WORDS: Readonly<Record<string, string>> = {
  'file is in vendor directory': REASONS.vendored,
  'file is in another module': REASONS.otherModule,
  'directory is in another module': REASONS.otherModuleDirectory,
  'directory is a version control repository': REASONS.versionControl,
  "file is inserted by 'hg archive' and is always omitted": REASONS.hgArchive,
  'file is a symbolic link': REASONS.symlink,
  'not a regular file': REASONS.irregular,
};

/** Makes the files of a golden directory below `root`. */
export async function layDown(root: string, files: readonly GoldenFile[] | null): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const { path: name, kind, content = '', size = 0 } of files ?? []) {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    if (kind === 'dir') await mkdir(file, { recursive: true });
    else if (kind === 'symlink') await symlink(content, file);
    else if (kind === 'fifo') execFileSync('mkfifo', [file]);
    else await writeFile(file, content);
    if (kind === 'zeros') await truncate(file, size);
  }
}
