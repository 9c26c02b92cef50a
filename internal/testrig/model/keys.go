package model

func (g *ring) find(state keyState) int8 {
	for i := range g.Made {
		if g.Keys[i].State == state {
			return i
		}
	}
	return -1
}

// published is the keys of the JWK Set, as bits.
func (g *ring) published() (bits int8) {
	for i, k := range g.Keys {
		if k.State == nextKey || k.State == currentKey || k.State == retiringKey {
			bits |= 1 << i
		}
	}
	return bits
}

// promote is keys Rules.Promote.
func (r *run) promote() bool {
	g := &r.Ring
	next, current := g.find(nextKey), g.find(currentKey)
	if next < 0 {
		return false
	}
	lead := r.Lead
	if current < 0 {
		lead = r.ShortLead
	}
	if r.Now < g.Keys[next].Published+lead && !r.Faults.has(SignsEarly) {
		return false
	}
	if current >= 0 {
		g.Keys[current].State, g.Keys[current].Keep = retiringKey, r.Now+r.Keep
	}
	g.Keys[next].State = currentKey
	return true
}

// add publishes a next key, unless there is one.
func (r *run) add() {
	g := &r.Ring
	switch {
	case g.find(nextKey) >= 0:
	case int(g.Made) == len(g.Keys):
		r.full = true
	default:
		g.Keys[g.Made] = ringKey{State: nextKey, Published: r.Now}
		g.Made++
	}
}

// rotate is keyring Rotate.
func (r *run) rotate() bool {
	g := &r.Ring
	r.fill()
	for i := range g.Keys {
		if k := &g.Keys[i]; k.State == retiringKey && r.Now >= k.Keep {
			k.State = retiredKey
		}
	}
	r.out.Answer = Refused
	if r.promote() {
		r.out.Answer = Done
	}
	r.add()
	return true
}

// compromise is keyring Compromise.
func (r *run) compromise(i int8) bool {
	g := &r.Ring
	k := &g.Keys[i]
	if i >= g.Made || k.State == compromisedKey || k.State == retiredKey {
		return false
	}
	was := k.State
	k.State, k.Lost, g.Stolen = compromisedKey, max(r.Now, 1), true
	if was == currentKey {
		r.promote()
	}
	r.add()
	r.out.Answer = Done
	return true
}

// fill promotes the next key if none signs.
func (r *run) fill() {
	if r.Ring.find(currentKey) < 0 {
		r.promote()
	}
}

// ringCopy is keyring atMost: the ring in the login service's memory.
func (r *run) ringCopy(staleness seconds) *keyCopy {
	g := &r.Ring
	if c := &g.Service; !c.Made || r.Now-c.At >= staleness {
		r.fill()
		*c = keyCopy{Made: true, At: r.Now, Known: g.published(), Signs: g.find(currentKey)}
	}
	return &g.Service
}

func (r *run) signingKey() int8 { return r.ringCopy(r.Staleness).Signs }

// knows is the authorizer's KeySource.Key. It reports false if there is no key at
// all.
func (r *run) knows(key int8) (known, ok bool) {
	c := &r.Ring.Source
	if !r.Keys {
		return true, true
	}
	asked := false
	fetch := func() {
		if c.Known != 0 && c.Made && r.Now-c.Tried < r.SourcePause {
			return
		}
		asked, c.Tried = true, r.Now
		if bits := r.ringCopy(min(1, r.Staleness)).Known; bits != 0 {
			c.Made, c.At, c.Known = true, r.Now, bits
		}
	}
	if !c.Made || r.Now-c.At >= r.SourceAge {
		fetch()
	}
	if c.Known>>key&1 == 0 && !asked {
		fetch()
	}
	return c.Known>>key&1 == 1, c.Known != 0
}

// gateway is the decision of a gateway that keeps keys for long and asks for no
// unknown one.
func (r *run) gateway(i int8) bool {
	t, g := r.Tokens[i], &r.Ring
	if !t.Made {
		return false
	}
	if c := &g.Gateway; !c.Made || r.Now-c.At >= r.GatewayAge {
		*c = keyCopy{Made: true, At: r.Now, Known: r.ringCopy(min(1, r.Staleness)).Known}
	}
	r.out.Answer = Denied
	if g.Gateway.Known>>t.Key&1 == 1 && r.Now < t.IssuedAt+r.Life {
		r.out.Answer = Allowed
	}
	r.breaks(KeyKnown, g.Gateway.Known>>t.Key&1 == 0 && !g.Stolen)
	return true
}
