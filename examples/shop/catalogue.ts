import { setTimeout as sleep } from 'node:timers/promises';
import { span } from 'forktrace';

export interface Product {
  sku: string;
  name: string;
  /** In cents. */
  price: number;
}

const products: Product[] = [
  { sku: 'mug', name: 'Enamel mug', price: 1290 },
  { sku: 'lamp', name: 'Desk lamp', price: 5900 },
  { sku: 'chair', name: 'Folding chair', price: 8450 },
  { sku: 'clock', name: 'Wall clock', price: 3600 },
];

export class Catalogue {
  @span({ name: 'catalogue.query' })
  async list(): Promise<Product[]> {
    await sleep(2);
    return products;
  }

  @span({ name: 'catalogue.find', attributes: (sku: string) => ({ 'shop.sku': sku }) })
  async find(sku: string): Promise<Product | undefined> {
    await sleep(1);
    return products.find((product) => product.sku === sku);
  }

  /** The slow one: a report that nobody has an index for. */
  @span({ name: 'catalogue.report' })
  async report(): Promise<{ products: number; value: number }> {
    let value = 0;
    for (const { sku } of products) value += await this.countStock(sku);
    return { products: products.length, value };
  }

  @span({ name: 'catalogue.count stock', attributes: (sku: string) => ({ 'shop.sku': sku }) })
  private async countStock(sku: string): Promise<number> {
    await sleep(120);
    return sku.length * 100;
  }
}
