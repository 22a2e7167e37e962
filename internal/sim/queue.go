package sim

import (
	"container/heap"
	"time"
)

// event is something that happens at an instant: exactly one of a waiter that goes on, a goroutine of a process that starts
// (run, with proc), and a step of the world (run alone).
type event struct {
	at     time.Duration
	order  uint64 // within an instant
	index  int    // in the queue; gone: not in it
	proc   *Process
	waiter *waiter
	run    func()
}

const gone = -1

// Within an instant deadlines come first: what runs at the instant of its deadline finds its context ended.
const later = 1 << 63

func (c *Clock) push(e *event) {
	e.order = c.ties.Uint64() | later
	c.enqueue(e)
}

func (c *Clock) pushDeadline(e *event) {
	e.order = c.ties.Uint64() &^ later
	c.enqueue(e)
}

func (c *Clock) enqueue(e *event) {
	e.at = max(e.at, c.now)
	heap.Push(&c.queue, e)
}

func (c *Clock) remove(e *event) {
	if e.index != gone {
		heap.Remove(&c.queue, e.index)
	}
}

// queue is a heap.Interface.
type queue []*event

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].at != q[j].at {
		return q[i].at < q[j].at
	}
	return q[i].order < q[j].order
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	e := x.(*event)
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	e.index = gone
	return e
}
