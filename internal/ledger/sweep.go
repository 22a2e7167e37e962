package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/guard"
)

// PutSweep stores an open sweep where there is none of its run, and a closed one over the open one; else check.ErrConflict. It is one
// PutItem.
func (d *Dynamo) PutSweep(ctx context.Context, s check.Sweep) error {
	it, err := sweepItem(s)
	if err == nil {
		err = d.put(ctx, it, ifVersion(sweepVersion(s)-1))
	}
	if err != nil {
		return fmt.Errorf("save sweep %s: %w", s.Run, err)
	}
	return nil
}

// Sweep reads one sweep, consistently; the zero Sweep when there is none of that run.
func (d *Dynamo) Sweep(ctx context.Context, run string) (s check.Sweep, err error) {
	it, err := d.get(ctx, sweepItemKey(run))
	if err == nil && it != nil {
		s, err = it.sweep()
	}
	if err != nil {
		return check.Sweep{}, fmt.Errorf("load sweep %s: %w", run, err)
	}
	return s, nil
}

// Sweeps lists the sweeps that are known, consistently, the one that began last at the end.
func (d *Dynamo) Sweeps(ctx context.Context) ([]check.Sweep, error) {
	found, err := d.query(ctx, under(sweepKey))
	if err != nil {
		return nil, fmt.Errorf("list sweeps: %w", err)
	}
	all := make([]check.Sweep, len(found))
	for i, it := range found {
		if all[i], err = it.sweep(); err != nil {
			return nil, fmt.Errorf("list sweeps: sweep %s: %w", it.text("sk"), err)
		}
	}
	slices.SortFunc(all, oldestSweepFirst)
	return all, nil
}

// PutPart stores a part of a sweep over one of the same unit that begins where it does. It is one PutItem.
func (d *Dynamo) PutPart(ctx context.Context, run string, p check.Part) error {
	data, err := json.Marshal(p)
	if err == nil {
		err = d.put(ctx, item{
			"pk": text(partPrefix + run), "sk": text(partKey(p)), "schema": number(guard.Schema), "part": text(string(data)),
			"expires": number(d.clock.Now().Add(keepPart).Unix()),
		}, always())
	}
	if err != nil {
		return fmt.Errorf("save part %s of sweep %s: %w", partKey(p), run, err)
	}
	return nil
}

// Parts lists the parts of a sweep, consistently, ordered by account, region and where they begin.
func (d *Dynamo) Parts(ctx context.Context, run string) ([]check.Part, error) {
	found, err := d.query(ctx, under(partPrefix+run))
	if err != nil {
		return nil, fmt.Errorf("list parts of sweep %s: %w", run, err)
	}
	parts := make([]check.Part, len(found))
	for i, it := range found {
		if err = it.readable(); err == nil {
			err = json.Unmarshal([]byte(it.text("part")), &parts[i])
		}
		if err != nil {
			return nil, fmt.Errorf("list parts of sweep %s: part %s: %w", run, it.text("sk"), err)
		}
	}
	return parts, nil
}

func sweepItemKey(run string) item { return item{"pk": text(sweepKey), "sk": text(run)} }

// sweepVersion is the version of a sweep's item: an open one is the first, and a closed one the second and last.
func sweepVersion(s check.Sweep) int64 {
	if s.Coverage == nil {
		return 1
	}
	return 2
}

func sweepItem(s check.Sweep) (item, error) {
	data, err := json.Marshal(s)
	it := sweepItemKey(s.Run)
	it["version"], it["schema"], it["sweep"] = number(sweepVersion(s)), number(guard.Schema), text(string(data))
	it["expires"] = number(s.Begun.Add(keepSweep).Unix())
	return it, err
}

func (it item) sweep() (s check.Sweep, err error) {
	if err = it.readable(); err == nil {
		err = json.Unmarshal([]byte(it.text("sweep")), &s)
	}
	return s, err
}

// partKey tells the parts of a sweep apart, and orders them. No account, region or cluster has a # in its name.
func partKey(p check.Part) string { return p.Unit.Account + "/" + p.Unit.Region + "#" + p.After }

func oldestSweepFirst(a, b check.Sweep) int {
	return cmp.Or(a.Begun.Compare(b.Begun), cmp.Compare(a.Run, b.Run))
}
