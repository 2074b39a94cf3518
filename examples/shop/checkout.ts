import { setTimeout as sleep } from 'node:timers/promises';
import { span } from 'forktrace';
import type { Catalogue, Product } from './catalogue.js';

export class UnknownProduct extends Error {
  override name = 'UnknownProduct';
}

export class PaymentDeclined extends Error {
  override name = 'PaymentDeclined';
}

export interface Order {
  id: string;
  total: number;
}

export class Checkout {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly paymentsUrl: string,
  ) {}

  @span({ name: 'checkout.order', attributes: (skus: string[]) => ({ 'shop.items': skus.length }) })
  async order(skus: string[], card: string): Promise<Order> {
    const items = await Promise.all(skus.map((sku) => this.item(sku)));
    const total = this.price(items);
    await this.pay(total, card);
    return this.store(total);
  }

  private async item(sku: string): Promise<Product> {
    const product = await this.catalogue.find(sku);
    if (!product) throw new UnknownProduct(`no such product: ${sku}`);
    return product;
  }

  @span({ name: 'checkout.price' })
  private price(items: Product[]): number {
    return items.reduce((total, { price }) => total + price, 0);
  }

  /** Another process answers: its spans are in the same trace. */
  @span({ name: 'checkout.pay', attributes: (total: number) => ({ 'shop.total': total }) })
  private async pay(total: number, card: string): Promise<void> {
    const response = await fetch(`${this.paymentsUrl}/charge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ total, card }),
    });
    const { reason } = (await response.json()) as { reason?: string };
    if (!response.ok) throw new PaymentDeclined(reason);
  }

  @span({ name: 'checkout.store' })
  private async store(total: number): Promise<Order> {
    await sleep(3);
    return { id: Math.random().toString(36).slice(2, 10), total };
  }
}
