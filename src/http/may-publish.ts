import { demand, demandSome } from '../access/demand.ts';
import type { Asked } from './handler.ts';

/**
 * Whether whoever sent this request may publish and yank versions of a module, by its unescaped path; or throws why not. Without a
 * path: of any module at all.
 */
export type MayPublish = (asked: Asked, modulePath: string | undefined) => boolean;

/** What a front server adds, which makes everybody's requests come from this machine. */
export const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/** What a browser adds. A page from anywhere can have a browser on this machine send requests here. */
export const BROWSER = ['origin', 'sec-fetch-site'] as const;

/**
 * Without access control: programs on this machine, and nobody else.
 *
 * @param loopbackOnly that nothing but this machine can reach the server, by its configuration
 */
export function onlyFromHere(loopbackOnly: boolean): MayPublish {
  return ({ request }) =>
    loopbackOnly && [...FORWARDED, ...BROWSER].every((name) => request.headers[name] === undefined);
}

/** With access control: who has the right. Throws what says that somebody has not, the same for every module. */
export const byRight: MayPublish = ({ request, principal }, modulePath) => {
  if (modulePath === undefined) demandSome(principal, 'publish');
  else demand(principal, 'publish', modulePath);
  // A browser sends credentials that it has by itself, for a page from anywhere.
  return BROWSER.every((name) => request.headers[name] === undefined);
};

/** Whether whoever sent this request may read a module. Throws why not, the same for every module. */
export const readByRight = ({ principal }: Asked, modulePath: string): boolean => {
  demand(principal, 'read', modulePath);
  return true;
};
