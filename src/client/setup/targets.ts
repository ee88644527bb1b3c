import { GokeepError } from '../../errors.ts';
import { withChecksum } from './checksum.ts';
import type { SetupSettings } from './settings.ts';
import type { SetupFile, Target } from './target.ts';
import { bash } from './targets/bash.ts';
import { bazel } from './targets/bazel.ts';
import { circleci } from './targets/circleci.ts';
import { cmd } from './targets/cmd.ts';
import { composeTarget } from './targets/compose.ts';
import { dependabot } from './targets/dependabot.ts';
import { devcontainerTarget } from './targets/devcontainer.ts';
import { docker } from './targets/dockerfile.ts';
import { dsc } from './targets/dsc.ts';
import { etcEnvironment } from './targets/etc-environment.ts';
import { fish } from './targets/fish.ts';
import { githubActions } from './targets/github-actions.ts';
import { gitlabCi } from './targets/gitlab-ci.ts';
import { goEnv } from './targets/go-env.ts';
import { gpo } from './targets/gpo.ts';
import { intune } from './targets/intune.ts';
import { jenkins } from './targets/jenkins.ts';
import { nix } from './targets/nix.ts';
import { powershell } from './targets/powershell.ts';
import { renovate } from './targets/renovate.ts';
import { zsh } from './targets/zsh.ts';

/** All of them, in the order in which they are listed. */
export const TARGETS: readonly Target[] = [
  bash,
  zsh,
  fish,
  powershell,
  cmd,
  goEnv,
  etcEnvironment,
  docker,
  composeTarget,
  devcontainerTarget,
  githubActions,
  gitlabCi,
  jenkins,
  circleci,
  bazel,
  nix,
  renovate,
  dependabot,
  gpo,
  dsc,
  intune,
];

/** @throws not_found */
export function targetNamed(name: string): Target {
  const target = TARGETS.find((each) => each.name === name);
  if (target !== undefined) return target;
  throw new GokeepError(
    'not_found',
    `There is no setup for ${JSON.stringify(name)}: choose one of ${TARGETS.map((each) => each.name).join(', ')}.`,
  );
}

/** The files of a target for settings that {@link checkedSettings} has passed. */
export function setupFiles(target: Target, settings: SetupSettings): readonly SetupFile[] {
  return target.drafts(settings).map(withChecksum);
}

/** What undoes it, as files; undefined where it is undone by hand. */
export function undoFiles(target: Target, settings: SetupSettings): readonly SetupFile[] | undefined {
  return target.undoDrafts?.(settings).map(withChecksum);
}
