// Stores of both providers in a Map. Their own do not bear a load: oidc-provider's
// forgets after a thousand rows and takes longer with each renewal of a grant,
// openauth's looks in a sorted list.

// For oidc-provider: what a renewal needs.
export class MapAdapter {
  rows = new Map();

  async upsert(id, payload) { this.rows.set(id, payload); }
  async find(id) { return this.rows.get(id); }
  async consume(id) { this.rows.get(id).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { this.rows.delete(id); }
  async findByUid() {}
  async findByUserCode() {}
  async revokeByGrantId() {}
}

// For openauth.
export function mapStorage() {
  const rows = new Map();
  return {
    async get(key) {
      const row = rows.get(key.join('\x1f'));
      return row && (row.expiry === undefined || Date.now() < row.expiry) ? row.value : undefined;
    },
    async set(key, value, expiry) { rows.set(key.join('\x1f'), { value, expiry: expiry?.getTime() }); },
    async remove(key) { rows.delete(key.join('\x1f')); },
    async* scan(prefix) {
      const start = prefix.join('\x1f');
      for (const [key, row] of rows) if (key.startsWith(start)) yield [key.split('\x1f'), row.value];
    },
  };
}
