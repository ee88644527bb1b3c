import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { GoClient } from './go-client.ts';

export const LIVE_GO_MOD = path.join(import.meta.dirname, '../testdata/live/go.mod.txt');

/** A main module with 335 requirements; its program uses few of them, so that the compiler is not what is tested. */
export const LIVE_PROGRAM = `package main

import (
	"fmt"

	"github.com/aws/smithy-go/ptr"
	"k8s.io/kubectl/pkg/util/slice"
)

func main() { fmt.Println(*ptr.String("built"), slice.ContainsString([]string{"a"}, "a", nil)) }
`;

/** The sums that `go mod download` found for the program, which builds; counted. */
export async function downloadAndBuild(client: GoClient): Promise<number> {
  await client.write('go.mod', await readFile(LIVE_GO_MOD, 'utf8'));
  await client.write('main.go', LIVE_PROGRAM);
  const download = await client.run('mod', 'download', '-json');
  expect(download.stderr).toBe('');
  expect(download.code).toBe(0);
  const built = await client.run('build', '-mod=mod', '-o', 'program', '.');
  expect(built.stderr).not.toContain('SECURITY');
  expect(built.code).toBe(0);
  return download.stdout.match(/"Sum": "h1:/g)?.length ?? 0;
}

/** Modules of the program's graph. Each record is looked up and proven, as for a download, but no zip is unpacked. */
export async function loadGraph(client: GoClient): Promise<number> {
  await client.write('go.mod', await readFile(LIVE_GO_MOD, 'utf8'));
  const listed = await client.run('list', '-mod=mod', '-m', 'all');
  expect(listed.stderr).not.toContain('SECURITY');
  expect(listed.code, listed.stderr).toBe(0);
  return listed.stdout.trim().split('\n').length - 1;
}
