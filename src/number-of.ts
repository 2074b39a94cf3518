/** `1 span`, `2 spans`. @param noun its plural has an s */
export function numberOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
