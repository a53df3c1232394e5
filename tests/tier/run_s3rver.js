// Runs s3rver: node --openssl-legacy-provider run_s3rver.js .../s3rver/bin/s3rver.js ARGUMENTS...
//
// As it comes, it answers a put before the bytes are in their file, so that a get right after may find nothing;
// and a removal takes away a directory that a put beside it is about to use. Here it answers when the file is
// closed, and directories stay. (Its tokens for listings are DES, hence the legacy provider.)
'use strict';

const { createRequire } = require('module');
const path = require('path');

const program = path.resolve(process.argv[2]);
const load = createRequire(program);
const fs = load('fs-extra');
const Store = load('../lib/stores/filesystem');

fs.rmdir = async () => {};

const closed = new Map(); // path of a file being written: when it is closed
const createWriteStream = fs.createWriteStream;
fs.createWriteStream = (file, ...options) => {
  const stream = createWriteStream(file, ...options);
  closed.set(file, new Promise(resolve => stream.on('close', resolve)));
  return stream;
};

function answerWhenClosed(method, fileOf) {
  const put = Store.prototype[method];
  Store.prototype[method] = async function(...args) {
    const result = await put.apply(this, args);
    await closed.get(fileOf(this, ...args));
    return result;
  };
}
answerWhenClosed('putObject', (store, object) =>
  store.getResourcePath(object.bucket, object.key, 'object'),
);
answerWhenClosed('putPart', (store, bucket, uploadId, number) =>
  path.join(store.getResourcePath(bucket, undefined, 'uploads'), uploadId, number.toString()),
);

process.argv.splice(1, 2, program);
require(program);
