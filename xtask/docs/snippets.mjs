// The code blocks of a page, as files that a compiler can read.

const FENCE = /^([ \t]*)```(js|mjs|ts|jsx|tsx)\b([^\n]*)\n([\s\S]*?)^[ \t]*```/gm

/** `{ code, line, extension }` of each. */
export const snippetsOf = markdown =>
  [...markdown.matchAll(FENCE)].map(({ index, 1: indent, 2: extension, 4: body }) => ({
    extension: extension === 'mjs' ? 'js' : extension,
    line: markdown.slice(0, index).split('\n').length + 1,
    // A file without an import would share its names with all others.
    code: body.replace(new RegExp('^' + indent, 'gm'), '') + '\nexport {}\n',
  }))
