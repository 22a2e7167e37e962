package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cniguard/cniguard/internal/check"
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

// Report notes what became of a sample. What is noted later holds.
func (m *Memory) Report(_ context.Context, nonce string, t check.Trial) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trials[nonce] = t
	return nil
}

// Reported is what became of a sample; nil: nothing is noted.
func (m *Memory) Reported(_ context.Context, nonce string) (*check.Trial, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t, known := m.trials[nonce]; known {
		return &t, nil
	}
	return nil, nil
}

// Report notes what became of a sample. What is noted later holds. It is one PutItem.
func (d *Dynamo) Report(ctx context.Context, nonce string, t check.Trial) error {
	outcome, err := json.Marshal(t)
	if err == nil {
		it := probeKey(nonce)
		it["at"], it["expires"], it["trial"] = text(stamp(t.At)), number(t.At.Add(keepProbe).Unix()), text(string(outcome))
		err = d.put(ctx, it, always())
	}
	if err != nil {
		return fmt.Errorf("note the outcome of the sample %s: %w", nonce, err)
	}
	return nil
}

// Reported is, consistently, what became of a sample; nil: nothing is noted.
func (d *Dynamo) Reported(ctx context.Context, nonce string) (*check.Trial, error) {
	it, err := d.get(ctx, probeKey(nonce))
	if err != nil {
		return nil, fmt.Errorf("look for the outcome of the sample %s: %w", nonce, err)
	}
	if it == nil {
		return nil, nil
	}
	var t check.Trial
	if err := json.Unmarshal([]byte(it.text("trial")), &t); err != nil {
		return nil, fmt.Errorf("read the outcome of the sample %s: %w", nonce, err)
	}
	return &t, nil
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
