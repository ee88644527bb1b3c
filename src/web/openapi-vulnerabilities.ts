/** What the API answers about vulnerabilities of a version, as JSON Schema. */

const text = { type: 'string' } as const;
const texts = { type: 'array', items: text } as const;
const time = { type: 'string', format: 'date-time' } as const;

export const VULNERABILITIES = {
  type: 'array',
  description: 'Those that affect this version, by the imported database; absent where none was imported.',
  items: {
    type: 'object',
    properties: {
      id: text,
      aliases: texts,
      summary: text,
      fixed: { ...text, description: 'The first version after this one in which it is fixed.' },
      packages: {
        type: 'array',
        description: 'Affected ones; none for all of the module.',
        items: {
          type: 'object',
          properties: { importPath: text, symbols: texts },
          required: ['importPath', 'symbols'],
          additionalProperties: false,
        },
      },
      published: time,
      modified: time,
    },
    required: ['id', 'aliases', 'summary', 'packages'],
    additionalProperties: false,
  },
} as const;
