import { type Html, html, type Part } from '../html.ts';
import { HEIGHT, percent, type Scale, TOP } from './axes.ts';

export interface Legend {
  /** Class of its colour: see assets/styles. */
  readonly colour: string;
  readonly name: string;
}

export interface Figure {
  /** Of the page: names its parts. */
  readonly id: string;
  readonly title: string;
  /** What it shows, in a sentence, for who does not see it. */
  readonly description: string;
  /** Stands above it. */
  readonly lead?: Part;
  readonly up: Scale;
  readonly across: Scale;
  readonly legend?: readonly Legend[];
  /** Shapes: across in percent; paths in a box of 100 by its height, which {@link stretched} makes. */
  readonly shapes: Part;
  /** The numbers themselves. */
  readonly numbers: Part;
}

const BELOW = 26;
const WHOLE = TOP + HEIGHT + BELOW;

/**
 * A picture with its axes. Numbers and lines are placed in percent of the width, so that text keeps its size on every screen; what
 * it shows stands below as a table, for who wants it exactly or does not see it.
 */
export function figure(f: Figure): Html {
  const { id, up, across } = f;
  return html`<figure class="chart card" aria-labelledby="${id}-title">
<figcaption><h3 id="${id}-title">${f.title}</h3>${f.lead !== undefined && html`<p class="quiet">${f.lead}</p>`}</figcaption>
${f.legend !== undefined && legend(f.legend)}
<div class="plot">
<svg class="axis" width="58" height="${WHOLE}" aria-hidden="true">${up.ticks.map(({ at, label }) => html`<text x="50" y="${at + 4}" text-anchor="end">${label}</text>`)}</svg>
<svg class="area" width="100%" height="${WHOLE}" role="img" aria-labelledby="${id}-name ${id}-desc"><title id="${id}-name">${f.title}</title><desc id="${id}-desc">${f.description}</desc>
${up.ticks.map(({ at }) => html`<line class="grid" x1="0" x2="100%" y1="${at}" y2="${at}"/>`)}
${f.shapes}
${across.ticks.map(({ at, label }) => html`<line class="tick" x1="${percent(at)}" x2="${percent(at)}" y1="${TOP + HEIGHT}" y2="${TOP + HEIGHT + 5}"/><text x="${percent(at)}" y="${WHOLE - 5}" text-anchor="${anchor(at)}">${label}</text>`)}
</svg>
</div>
<details><summary>The numbers</summary>${f.numbers}</details>
</figure>`;
}

/** A label at the edge stays inside. */
function anchor(at: number): string {
  if (at < 9) return 'start';
  return at > 91 ? 'end' : 'middle';
}

/** Paths that are drawn in percent across: their box is as wide as the picture. */
export function stretched(paths: Part): Html {
  const box = `0 0 100 ${TOP + HEIGHT}`;
  return html`<svg x="0" y="0" width="100%" height="${TOP + HEIGHT}" viewBox="${box}" preserveAspectRatio="none" aria-hidden="true">${paths}</svg>`;
}

function legend(entries: readonly Legend[]): Html {
  return html`<ul class="legend">${entries.map(({ colour, name }) => html`<li><svg width="12" height="12" aria-hidden="true"><rect class="${colour}" width="12" height="12" rx="3"/></svg>${name}</li>`)}</ul>`;
}
