import type { Replacement } from '../../modfile/mod-file.ts';
import type { LocalModule, LocalModules } from './input.ts';
import type { ModuleVersion } from './requirements.ts';

/** Where a module version is taken from: another version, or a directory, which is called as in the `replace` line. */
export type Source =
  | { readonly path: string; readonly version: string }
  | { readonly directory: string; readonly local: LocalModule };

interface Rule {
  readonly replacement: Replacement;
  readonly local: LocalModules;
}

/**
 * The `replace` lines that are in force for one main module or one workspace. Those of the file given first win; in a
 * file, the one for a version wins over the one for all versions (modload.replacement).
 */
export class Replacements {
  readonly #files: Map<string, Map<string | undefined, Rule>>[];

  constructor(files: readonly { readonly replace: readonly Replacement[]; readonly local: LocalModules }[]) {
    this.#files = files.map(({ replace, local }) => {
      const rules = new Map<string, Map<string | undefined, Rule>>();
      for (const replacement of replace) {
        const { path, version } = replacement;
        const ofPath = rules.get(path) ?? new Map<string | undefined, Rule>();
        ofPath.set(version, { replacement, local });
        rules.set(path, ofPath);
      }
      return rules;
    });
  }

  /** Where `module` is taken from: itself where nothing replaces it. */
  source(module: ModuleVersion): Source {
    for (const rules of this.#files) {
      const ofPath = rules.get(module.path);
      const rule = ofPath?.get(module.version) ?? ofPath?.get(undefined);
      if (rule === undefined) continue;
      const { newPath, newVersion } = rule.replacement;
      if (newVersion !== undefined) return { path: newPath, version: newVersion };
      return { directory: newPath, local: rule.local.get(newPath) ?? { missing: 'it was not read' } };
    }
    return module;
  }
}
