// Compiled with experimentalDecorators: the legacy dialect.
import { span } from 'forktrace';

export class LegacyShop {
  total = 5;

  @span
  get left(): number {
    return 5;
  }

  @span
  price(sku: string, _count = 1): string {
    return `${sku}:${this.total}`;
  }

  @span({ name: 'stock', attributes: (sku: string) => ({ sku }) })
  async stock(_sku: string): Promise<number> {
    return this.total;
  }

  @span
  static async open(): Promise<string> {
    return LegacyShop.name;
  }

  @span
  *items(): Generator<number, string> {
    yield 1;
    yield 2;
    return 'done';
  }
}
