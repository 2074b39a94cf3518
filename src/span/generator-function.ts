const generatorFunction = Object.getPrototypeOf(function* () {});
const asyncGeneratorFunction = Object.getPrototypeOf(async function* () {});

export function isGeneratorFunction(fn: object): boolean {
  return inherits(fn, generatorFunction);
}

export function isAsyncGeneratorFunction(fn: object): boolean {
  return inherits(fn, asyncGeneratorFunction);
}

function inherits(fn: object, prototype: object): boolean {
  return Object.prototype.isPrototypeOf.call(prototype, fn);
}
