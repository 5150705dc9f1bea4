// SPDX-License-Identifier: Apache-2.0
"use strict";

/** Runs a program in C, of the bytes of its module, and resolves to what it prints. */
async function printedBy(bytes) {
  let memory = null;
  const printed = [];
  const writeParts = (_file, parts, count, written) => {
    const view = new DataView(memory.buffer);
    let total = 0;
    for (let part = parts; part < parts + 8 * count; part += 8) {
      const [begin, length] = [view.getUint32(part, true), view.getUint32(part + 4, true)];
      printed.push(new TextDecoder().decode(new Uint8Array(memory.buffer, begin, length)));
      total += length;
    }
    view.setUint32(written, total, true);
    return 0;
  };
  const system = {
    fd_write: writeParts,
    fd_fdstat_get: () => 0,
    fd_seek: () => 0,
    proc_exit: (status) => {
      throw new Error(`the program ended with ${status}`);
    },
  };
  const page = { seconds: () => performance.now() / 1000 };
  const { instance } = await WebAssembly.instantiate(bytes, { page, wasi_snapshot_preview1: system });
  memory = instance.exports.memory;
  instance.exports._start();
  return printed.join("");
}
