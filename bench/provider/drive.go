package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// request is what a subject is asked for again and again.
type request struct {
	name string
	text func(*connection) string
	took func(*connection, []byte) error // is given the body; may be nil

	series
}

// series is the figures of one request to one subject: one of each for every
// round, but the latencies of all rounds.
type series struct {
	perSecond []float64
	cpu       []time.Duration // of the subject, for each request
	latencies []time.Duration // with all connections at once
	alone     []time.Duration // with one connection
}

// drive has all connections ask for one thing again and again for as long as a
// turn, and returns how long each answer took and what the child's CPU did
// meanwhile. What happens in a fifth of a turn before does not count. One
// thread does it all.
func (r *request) drive(server *child, connections []*connection, turn time.Duration) (d driven, err error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return d, err
	}
	defer unix.Close(epoll)
	byFD := map[int]*connection{}
	for _, c := range connections {
		if err := c.dial(); err != nil {
			return d, err
		}
		defer c.close()
		byFD[c.fd] = c
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)}); err != nil {
			return d, err
		}
		if err := c.ask(r.text(c)); err != nil {
			return d, err
		}
	}
	events := make([]unix.EpollEvent, len(connections))
	starts := time.Now().Add(turn / 5)
	ends := starts.Add(turn)
	for waiting := len(connections); waiting > 0; {
		n, err := unix.EpollWait(epoll, events, 10_000)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return d, fmt.Errorf("no answer within 10 s: %v", err)
		}
		now := time.Now()
		for _, event := range events[:n] {
			c := byFD[int(event.Fd)]
			body, whole, err := c.receive()
			if err != nil {
				return d, err
			}
			if !whole {
				continue
			}
			if r.took != nil {
				if err := r.took(c, body); err != nil {
					return d, err
				}
			}
			if now.After(starts) && now.Before(ends) {
				d.latencies = append(d.latencies, now.Sub(c.asked))
			}
			if !now.Before(ends) {
				waiting--
			} else if err := c.ask(r.text(c)); err != nil {
				return d, err
			}
		}
		if err := d.clock(server, now, starts, ends); err != nil {
			return d, err
		}
	}
	return d, nil
}

// driven is what happened in a turn.
type driven struct {
	latencies    []time.Duration
	began, ended time.Time
	before, cpu  time.Duration // of the child
}

// clock reads the child's clock when the turn starts and when it ends.
func (d *driven) clock(server *child, now, starts, ends time.Time) (err error) {
	if d.began.IsZero() && now.After(starts) {
		d.began = now
		d.before, err = server.cpu()
	}
	if d.ended.IsZero() && !now.Before(ends) {
		d.ended = now
		d.cpu, err = server.cpu()
		d.cpu -= d.before
	}
	return err
}
