package ledger

import (
	"context"
	"fmt"
	"time"
)

// Arrive notes that the event of a probe has come; when it was noted before, the newer time holds.
func (m *Memory) Arrive(_ context.Context, nonce string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.probes[nonce] = at
	return nil
}

// Arrived reports whether the event of a probe was noted.
func (m *Memory) Arrived(_ context.Context, nonce string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, arrived := m.probes[nonce]
	return arrived, nil
}

// Arrive notes that the event of a probe has come; when it was noted before, the newer time holds. It is one PutItem.
func (d *Dynamo) Arrive(ctx context.Context, nonce string, at time.Time) error {
	it := probeKey(nonce)
	it["at"], it["expires"] = text(stamp(at)), number(at.Add(keepProbe).Unix())
	if err := d.put(ctx, it, always()); err != nil {
		return fmt.Errorf("note the probe %s: %w", nonce, err)
	}
	return nil
}

// Arrived reports, consistently, whether the event of a probe was noted.
func (d *Dynamo) Arrived(ctx context.Context, nonce string) (bool, error) {
	it, err := d.get(ctx, probeKey(nonce))
	if err != nil {
		return false, fmt.Errorf("look for the probe %s: %w", nonce, err)
	}
	return it != nil, nil
}

func probeKey(nonce string) item { return item{"pk": text(doctorKey), "sk": text(nonce)} }
