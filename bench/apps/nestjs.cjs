// NestJS on Express, as `nest new` has it; decorators are called by hand.
require('reflect-metadata');
const { Controller, Get, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const catalogue = require('./work.cjs');

class ItemsController {
  list() {
    return catalogue();
  }
}
const { prototype } = ItemsController;
Get(':category')(prototype, 'list', Object.getOwnPropertyDescriptor(prototype, 'list'));
Controller('items')(ItemsController);

class AppModule {}
Module({ controllers: [ItemsController] })(AppModule);

module.exports = async () => {
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.init();
  return app.getHttpServer();
};
