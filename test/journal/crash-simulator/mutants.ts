/** Faults that were never made: one change to the compiled writer each, which the simulator has to find. */
export interface Mutant {
  operation:
    | 'begin'
    | 'amend'
    | 'finish'
    | 'append'
    | 'drop'
    | 'rotate'
    | 'recycle'
    | 'lease'
    | 'close'
    | 'settle'
    | 'taken for dead'
    | 'deleted'
    | 'checksums'
    | 'shrink';
  name: string;
  /** Of dist/journal. */
  file: string;
  /** Text that the file has once, and what takes its place. */
  from: string;
  to: string;
}

const BEGIN = `copyBytes(asMemory(bytes), start, memory, at + ENTRY_DATA + scopeLength, end - start);
        begun(`;
const RESERVE = `copyBytes(scope, 0, memory, at + ENTRY_DATA, scopeLength);
        room.memory = memory;`;
const WRITTEN = `entry = this.#table.begin(scope, bytes, start, end, reading);
        }
        if (this.#writeBack !== undefined)
            this.#writeBack.`;
const WRITTEN_RESERVED = `const entry = this.#table.beginReserved(this.#room.start, end, reading);
        if (this.#writeBack !== undefined)
            this.#writeBack.`;

export const mutants: Mutant[] = [
  {
    operation: 'begin',
    name: 'the mark of the span before stays',
    file: 'in-flight-table.js',
    from: '    words[word + MARK_SEGMENT] = 0;\n',
    to: '',
  },
  {
    operation: 'begin',
    name: 'the state is stored before the data',
    file: 'in-flight-table.js',
    from: BEGIN,
    to: `words[(at >> 2) + STATE] = IN_FLIGHT;\n${BEGIN}`,
  },
  {
    operation: 'begin',
    name: 'the state is stored before data that are encoded in place',
    file: 'in-flight-table.js',
    from: RESERVE,
    to: `this.files[entry >> this.#shift].words[(at >> 2) + STATE] = IN_FLIGHT;\n${RESERVE}`,
  },
  {
    operation: 'begin',
    name: 'write mode: the entry waits for the end of the turn',
    file: 'journal-writer.js',
    from: `${WRITTEN}begin(entry)`,
    to: `${WRITTEN}changed(entry)`,
  },
  {
    operation: 'begin',
    name: 'write mode: the entry whose data were encoded in place waits for the end of the turn',
    file: 'journal-writer.js',
    from: `${WRITTEN_RESERVED}begin(entry)`,
    to: `${WRITTEN_RESERVED}changed(entry)`,
  },
  {
    operation: 'amend',
    name: 'the length is stored before the fields',
    file: 'in-flight-table.js',
    from: `if (bytes !== memory.bytes)
            copyBytes(asMemory(bytes), start, memory, at + ENTRY_DATA + length, end - start);
        words[(at >> 2) + LENGTH] = length + end - start;`,
    to: `words[(at >> 2) + LENGTH] = length + end - start;
        copyBytes(asMemory(bytes), start, memory, at + ENTRY_DATA + length, end - start);`,
  },
  {
    operation: 'amend',
    name: 'write mode: the entry is not written again',
    file: 'journal-writer.js',
    from: 'this.#writeBack.changed(entry);',
    to: '',
  },
  {
    operation: 'settle',
    name: 'write mode: spans without an entry wait for the end of the turn',
    file: 'write-back.js',
    from: `if (this.#hasAppended)
            this.flush();
        else if`,
    to: 'if',
  },
  {
    operation: 'settle',
    name: 'write mode: the entry waits for the end of the turn',
    file: 'write-back.js',
    from: 'else if (this.#changed.has(entry))\n            this.begin(entry);',
    to: '',
  },
  {
    operation: 'finish',
    name: 'the fields that are in the entry are taken to be those that it had',
    file: 'journal-writer.js',
    from: 'copyBytes(data, fieldsStart, memory, at, fieldsLength + end - start);',
    to: 'copyBytes(data, fieldsStart, memory, at, fieldsLength);',
  },
  {
    operation: 'finish',
    name: 'taken for dead: the fields that are in the entry are not found in its new file',
    file: 'journal-writer.js',
    from: 'const from = isInPlace ? table.fieldsEnd : start;',
    to: 'const from = start;',
  },
  {
    operation: 'finish',
    name: 'no mark',
    file: 'journal-writer.js',
    from: 'table.mark(entry, segment.sequence, at - segment.bodyAt);',
    to: '',
  },
  {
    operation: 'finish',
    name: 'the mark after the commit',
    file: 'journal-writer.js',
    from: `table.mark(entry, segment.sequence, at - segment.bodyAt);
        segment.commitTo(at);`,
    to: `segment.commitTo(at);
        table.mark(entry, segment.sequence, at - segment.bodyAt);`,
  },
  {
    operation: 'finish',
    name: "the mark's segment before its end",
    file: 'in-flight-table.js',
    from: `words[word + MARK_END] = end;
        words[word + MARK_SEGMENT] = segment;`,
    to: `words[word + MARK_SEGMENT] = segment;
        words[word + MARK_END] = end;`,
  },
  {
    operation: 'finish',
    name: 'write mode: the committed length before the marks',
    file: 'write-back.js',
    from: `        this.writeEntries();
        if (end > this.#written)
            segment.file.writeState();`,
    to: `        if (end > this.#written)
            segment.file.writeState();
        this.writeEntries();`,
  },
  {
    operation: 'append',
    name: 'the commit before the bytes',
    file: 'append-chunk.js',
    from: `copyBytes(asMemory(bytes), start, memory, at, itemLength);
    segment.commitTo(at + itemLength);`,
    to: `segment.commitTo(at + itemLength);
    copyBytes(asMemory(bytes), start, memory, at, itemLength);`,
  },
  {
    operation: 'append',
    name: 'the committed length in a plain store',
    file: 'journal-file.js',
    from: 'this.#contents.publish(AT_COMMITTED / 4, length);',
    to: 'this.words[AT_COMMITTED / 4] = length;',
  },
  {
    operation: 'append',
    name: 'write mode: the committed length before the bytes',
    file: 'write-back.js',
    from: `        if (end > this.#written)
            segment.file.writeRange(this.#written, end);`,
    to: `        if (end > this.#written)
            segment.file.writeState();
        if (end > this.#written)
            segment.file.writeRange(this.#written, end);`,
  },
  {
    operation: 'drop',
    name: 'the entry stays in flight',
    file: 'journal-writer.js',
    from: 'this.#release(entry, false);\n    }\n    finish(',
    to: '}\n    finish(',
  },
  {
    operation: 'rotate',
    name: 'sealed before it is written back',
    file: 'segment-writer.js',
    from: `#sealSegment(keepEmpty = false) {
        this.#writeBack?.flush();`,
    to: '#sealSegment(keepEmpty = false) {',
  },
  {
    operation: 'rotate',
    name: 'a segment with few spans is taken for an empty one',
    file: 'segment-writer.js',
    from: 'if (segment.committed === 0 && !keepEmpty)',
    to: 'if (segment.spans < 3)',
  },
  {
    operation: 'recycle',
    name: 'a file is filled again that has not been given back',
    file: 'journal-file.js',
    from: 'renameSync(this.path + SPARE, path + UNFINISHED);',
    to: 'renameSync(this.isSpare() ? this.path + SPARE : this.path, path + UNFINISHED);',
  },
  {
    operation: 'recycle',
    name: 'the old committed length stays',
    file: 'journal-file.js',
    from: `this.bytes.set(encodeHeader({ ...header, createdMs: Date.now() }));
        this.renewLease`,
    to: `this.bytes.set(encodeHeader({ ...header, createdMs: Date.now() }).subarray(0, AT_COMMITTED));
        this.renewLease`,
  },
  {
    operation: 'recycle',
    name: 'the sequence is used twice',
    file: 'segment-supply.js',
    from: 'this.#lastSequence++;\n                return file;',
    to: 'return file;',
  },
  {
    operation: 'lease',
    name: 'write mode: the committed length goes along',
    file: 'upkeep.js',
    from: 'file.writeLease();',
    to: 'file.writeState();',
  },
  {
    operation: 'close',
    name: 'the tables go while spans are in flight',
    file: 'in-flight-files.js',
    from: 'if (hasSpans)',
    to: 'if (false)',
  },
  {
    operation: 'close',
    name: 'sealed segments go before they are shipped',
    file: 'segment-supply.js',
    from: `            file.want(false);
            file.removeSpare();`,
    to: `            file.want(false);
            file.remove();`,
  },
  {
    operation: 'taken for dead',
    name: 'what readers do not look at any more is not taken along',
    file: 'segment-writer.js',
    from: 'old.memory.bytes.slice(old.bodyAt + end, old.position)',
    to: 'old.memory.bytes.slice(old.position, old.position)',
  },
  {
    operation: 'taken for dead',
    name: 'the new tables are empty',
    file: 'in-flight-files.js',
    from: 'this.#table.copy(index, next);',
    to: '',
  },
  {
    operation: 'taken for dead',
    name: 'the state of an entry is stored before its data in the new table',
    file: 'in-flight-table.js',
    from: `to.bytes.set(from.bytes.subarray(at + ENTRY_LENGTH, at + ENTRY_BYTES), toAt + ENTRY_LENGTH);
            to.words[toAt >> 2] = IN_FLIGHT;`,
    to: `to.words[toAt >> 2] = IN_FLIGHT;
            to.bytes.set(from.bytes.subarray(at + ENTRY_LENGTH, at + ENTRY_BYTES), toAt + ENTRY_LENGTH);`,
  },
  {
    operation: 'taken for dead',
    name: 'write mode: a span ends with what its entry had in the old table',
    file: 'journal-writer.js',
    from: 'if (this.#plans.identity !== identity) {',
    to: 'if (false) {',
  },
  {
    operation: 'deleted',
    name: 'a file that is deleted is not given up',
    file: 'segment-writer.js',
    from: 'old.file.giveUp();',
    to: '',
  },
  {
    operation: 'deleted',
    name: 'given up before it is saved',
    file: 'segment-writer.js',
    from: 'this.#carryOver(unshipped, items);',
    to: 'old.file.giveUp(); this.#carryOver(unshipped, items);',
  },
  {
    operation: 'deleted',
    name: 'a table that is deleted is not made again',
    file: 'writer-files.js',
    from: 'this.tableFiles.replace(file);',
    to: '',
  },
  {
    operation: 'checksums',
    name: 'that of another segment',
    file: 'active-segment.js',
    from: 'putChecksum(this.memory, this.position, end, this.sequence)',
    to: 'putChecksum(this.memory, this.position, end, this.sequence + 1)',
  },
  {
    operation: 'checksums',
    name: 'chunks that are taken along keep theirs',
    file: 'segment-writer.js',
    from: 'for (let at = position; trailer > 0 && at < segment.position;)',
    to: 'for (let at = position; false;)',
  },
  {
    operation: 'checksums',
    name: 'the commit before the checksum',
    file: 'active-segment.js',
    from: `const position = this.trailer === 0 ? end : putChecksum(`,
    to: `this.file.commit(end - this.bodyAt + this.trailer);
        const position = this.trailer === 0 ? end : putChecksum(`,
  },
  {
    operation: 'shrink',
    name: 'a file goes that has a span in flight',
    file: 'in-flight-table.js',
    from: 'if (this.#free[this.perFile - 1] < size || this.used > size / 2)',
    to: 'if (this.used > size / 2)',
  },
  {
    operation: 'shrink',
    name: 'the first file goes instead of the last',
    file: 'in-flight-table.js',
    from: 'return this.files.pop();',
    to: 'return this.files.shift();',
  },
];
