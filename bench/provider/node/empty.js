// A server that does nothing but answer. To file 3 it writes its address, and
// for every connection a token that nobody asks for.
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';

const connections = Number(process.argv[2]);
const body = Buffer.alloc(1700, 'x');

const server = createServer((req, res) => {
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  res.end(body);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
writeSync(3, JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, tokens: Array(connections).fill('') }) + '\n');
