import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

@Controller('books')
class BooksController {
  @Get(':id')
  one(@Param('id') id: string) {
    return { id, pid: process.pid };
  }
}

@Module({ controllers: [BooksController] })
class AppModule {}

export default function createApp() {
  return NestFactory.create(AppModule, { logger: false });
}
