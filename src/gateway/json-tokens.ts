// Where JSON's tokens end (RFC 8259), by their bytes. Each function takes the offset at which a token begins and returns
// the one past it, or, where the bytes are no such token, the complement (~) of the offset of the first that is wrong:
// a negative number. Pure.

export const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
export const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
export const FIRST_PRINTABLE = 0x20;

const codesOf = (characters: string) => [...characters].map((character) => character.charCodeAt(0));
/** 1 for each of `characters`, by its code. */
function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const code of codesOf(characters)) table[code] = 1;
  return table;
}
const SPACES = tableOf(" \t\n\r");
const SIMPLE_ESCAPES = tableOf('"\\/bfnrt');
const DIGITS = tableOf("0123456789");
const HEX_DIGITS = tableOf("0123456789abcdefABCDEF");
const EXPONENTS = tableOf("eE");
const TRUE = codesOf("true");
const FALSE = codesOf("false");
const NULL = codesOf("null");

export function endOfSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isIn(SPACES, bytes[at])) at++;
  return at;
}

/** `words` views the same bytes: a run of plain text is passed over four bytes at a time. */
export function endOfString(bytes: Uint8Array, words: DataView, open: number): number {
  if (bytes[open] !== QUOTE) return ~open;
  const lastWord = bytes.length - 4;
  let at = open + 1;
  for (;;) {
    while (at <= lastWord) {
      const stops = stopsIn(words.getInt32(at, true));
      if (stops !== 0) {
        at += firstOf(stops);
        break;
      }
      at += 4;
    }
    const code = bytes[at];
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) {
      at = endOfEscape(bytes, at);
      if (at < 0) return at;
    } else if (code === undefined || code < FIRST_PRINTABLE) return ~at;
    else at++;
  }
}

/**
 * Marks, by its highest bit, the first of four bytes that ends a run of plain text: a quote, a backslash or a control
 * character. It may mark bytes after that one wrongly. Flipping one bit makes a quote 0x20 and leaves control
 * characters below, so that one comparison finds both: https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord
 */
function stopsIn(word: number): number {
  const quotes = word ^ 0x02020202;
  const backslashes = word ^ 0x5c5c5c5c;
  return (((quotes - 0x21212121) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes)) & 0x80808080;
}

/** Which of four bytes is the first that is marked. */
function firstOf(marks: number): number {
  if (marks & 0x80) return 0;
  if (marks & 0x8000) return 1;
  return marks & 0x800000 ? 2 : 3;
}

function endOfEscape(bytes: Uint8Array, backslash: number): number {
  const code = bytes[backslash + 1];
  if (isIn(SIMPLE_ESCAPES, code)) return backslash + 2;
  if (code !== LETTER_U) return ~(backslash + 1);
  const end = backslash + 6;
  for (let at = backslash + 2; at < end; at++) if (!isIn(HEX_DIGITS, bytes[at])) return ~at;
  return end;
}

/** A number, `true`, `false` or `null`. */
export function endOfScalar(bytes: Uint8Array, start: number): number {
  switch (bytes[start]) {
    case TRUE[0]:
      return endOfWord(bytes, start, TRUE);
    case FALSE[0]:
      return endOfWord(bytes, start, FALSE);
    case NULL[0]:
      return endOfWord(bytes, start, NULL);
    default:
      return endOfNumber(bytes, start);
  }
}

function endOfWord(bytes: Uint8Array, start: number, word: readonly number[]): number {
  for (let index = 0; index < word.length; index++) if (bytes[start + index] !== word[index]) return ~(start + index);
  return start + word.length;
}

/** `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?` */
function endOfNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  at = bytes[at] === ZERO ? at + 1 : endOfDigits(bytes, at);
  if (at >= 0 && bytes[at] === DOT) at = endOfDigits(bytes, at + 1);
  if (at >= 0 && isIn(EXPONENTS, bytes[at])) {
    const isSigned = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS;
    at = endOfDigits(bytes, at + (isSigned ? 2 : 1));
  }
  return at;
}

/** One digit or more. */
function endOfDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isIn(DIGITS, bytes[at])) at++;
  return at > start ? at : ~at;
}

function isIn(table: Uint8Array, code: number | undefined): boolean {
  return code !== undefined && table[code] === 1;
}
