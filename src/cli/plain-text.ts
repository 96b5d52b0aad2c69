// Text from elsewhere, made safe for a terminal. Pure.

/** Controls, formatting (such as text direction) and line separators: they could forge or hide what a line says. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** One line of text in which nothing can move the cursor, change colours or break the line. */
export function plainText(text: string, maxLength = 500): string {
  const plain = text.replace(UNSAFE, "\u{FFFD}");
  return plain.length > maxLength ? `${plain.slice(0, maxLength)}…` : plain;
}
