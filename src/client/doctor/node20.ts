type Resolvers<T> = ReturnType<typeof Promise.withResolvers<T>>;

/**
 * Fills in what the doctor, and what it imports, use of newer releases, for a Node 20 that runs the bundled script. Called
 * first of all there, and nowhere else.
 */
export function fillInForNode20(): void {
  const promise = Promise as { withResolvers?: <T>() => Resolvers<T> };
  promise.withResolvers ??= <T>(): Resolvers<T> => {
    let resolve: Resolvers<T>['resolve'] = () => {};
    let reject: Resolvers<T>['reject'] = () => {};
    const made = new Promise<T>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    return { promise: made, resolve, reject };
  };
  const url = URL as { parse?: (text: string, base?: string | URL) => URL | null };
  url.parse ??= (text, base) => (URL.canParse(text, base) ? new URL(text, base) : null);
}
