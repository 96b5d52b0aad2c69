// Cuts a stream of JSON objects, printed one after the other over any number of lines, into one text per object. Pure
// but for what it holds of an object that is not complete yet.

/** A tail event is far smaller; a stream that never closes an object must not fill the memory. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** Takes the next piece of the stream; returns the objects that it completes. Text between objects is dropped. */
export type ObjectCutter = (piece: string) => string[];

export function createObjectCutter(): ObjectCutter {
  let held = "";
  let depth = 0;
  let inString = false;
  let escaped = false;
  return (piece) => {
    const complete: string[] = [];
    for (const character of piece) {
      if (depth === 0 && character !== "{") continue;
      held += character;
      if (inString) {
        if (escaped) escaped = false;
        else if (character === "\\") escaped = true;
        else if (character === '"') inString = false;
      } else if (character === '"') inString = true;
      else if (character === "{") depth++;
      else if (character === "}") depth--;
      if (depth > 0 && held.length <= MAX_CHARACTERS) continue;
      if (depth === 0) complete.push(held);
      held = "";
      depth = 0;
      inString = false;
    }
    return complete;
  };
}
