// A header value with parameters, such as `form-data; name="file"; filename="a.mp3"`. Pure.

const PARAMETER = /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))[ \t]*)?/y;

export interface HeaderParameters {
  /** In lower case, as are the names of the parameters. */
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The value and its parameters; null when it is malformed, or a parameter is repeated and so could be read in two ways. */
export function headerParameters(header: string): HeaderParameters | null {
  const semicolon = header.indexOf(";");
  const value = (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  if (!/^[\w!#$%&'*+.^`|~/-]+$/.test(value)) return null;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = semicolon < 0 ? header.length : semicolon;
  while (PARAMETER.lastIndex < header.length) {
    const match = PARAMETER.exec(header);
    if (!match) return null;
    const [, written, quoted, token = ""] = match;
    const name = written?.toLowerCase();
    if (name === undefined) continue;
    if (parameters.has(name)) return null;
    // A backslash escapes a quote or itself; anywhere else it is one, as in the paths that some clients send.
    parameters.set(name, quoted?.replace(/\\(["\\])/g, "$1") ?? token);
  }
  return { value, parameters };
}
