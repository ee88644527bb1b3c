/** What the API answers about the declarations of a package, as JSON Schema. */

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const number = { type: 'integer', minimum: 0 } as const;

const DECLARATION = {
  type: 'object',
  properties: {
    kind: { enum: ['const', 'var', 'func', 'type'] },
    name: { ...text, description: '`Name`, `Type.Method`, or the first name of a group.' },
    names: { type: 'array', items: text, description: 'All that it declares.' },
    type: {
      ...text,
      description: 'The type that it is listed under: of a method, a constructor or a typed value.',
    },
    signature: { ...text, description: 'Go code, without bodies and unexported fields.' },
    doc: { ...text, description: 'Its comment, without markers.' },
    deprecated: flag,
    file: { ...text, description: 'Within the module.' },
    line: number,
  },
  required: ['kind', 'name', 'names', 'signature', 'doc', 'deprecated', 'file', 'line'],
  additionalProperties: false,
} as const;

export const DOCS = {
  type: 'object',
  properties: {
    path: text,
    version: text,
    importPath: text,
    name: {
      ...text,
      description: 'As the package clause says; of a command, `main`, nothing is declared to others.',
    },
    synopsis: text,
    doc: text,
    deprecated: flag,
    system: { ...text, description: 'Which its files were chosen for, such as `linux/amd64`.' },
    whole: { ...flag, description: 'False where files of it could not be read, or were too large.' },
    declarations: { type: 'array', items: DECLARATION },
    next: number,
  },
  required: [
    'path',
    'version',
    'importPath',
    'name',
    'synopsis',
    'doc',
    'deprecated',
    'system',
    'whole',
    'declarations',
  ],
  additionalProperties: false,
} as const;
