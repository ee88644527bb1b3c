/** The environment of a process, as it was given. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable's value; an empty one counts as unset. */
export function variable(env: Environment, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}
