package ledgertest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/guard"
)

func keptDigest(owner string, at time.Time) check.KeptDigest {
	return check.KeptDigest{
		Digest: guard.Digest{
			Key: "k", Owner: owner, At: at, Clusters: 2, Began: 1, Stand: map[guard.Severity]int{guard.Warning: 1}, Alarms: 2, USD: 0.8,
			News:   []guard.Item{{Key: "t-1", Thread: "t", News: guard.Opened, Cluster: id("a"), Finding: guard.VersionOutdated, Severity: guard.Warning, First: at, At: at}},
			Hidden: []guard.Fact{{Name: "b", Value: "denied"}},
		},
		Of: []string{"t-1"}, Got: []string{"oncall"}, Tries: 2, Due: at.Add(time.Hour), Busy: guard.Busy{By: "me", Until: at.Add(time.Minute)},
	}
}

func saveDigest(t *testing.T, l Ledger, k check.KeptDigest) check.KeptDigest {
	t.Helper()
	k, err := l.SaveDigest(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func loadDigest(t *testing.T, l Ledger, owner string, at time.Time) check.KeptDigest {
	t.Helper()
	k, err := l.Digest(t.Context(), owner, at)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func noDigest(t *testing.T, l Ledger) {
	if diff := cmp.Diff(check.KeptDigest{}, loadDigest(t, l, "shop", noon)); diff != "" {
		t.Error(diff)
	}
}

func digestComesBack(t *testing.T, l Ledger) {
	for i, owner := range []string{"shop", "111122223333", "Müller & Söhne #1", "shop" + strconv.Itoa(1)} {
		k := saveDigest(t, l, keptDigest(owner, noon.Add(time.Duration(i)*time.Hour)))
		if diff := cmp.Diff(k, loadDigest(t, l, owner, k.Digest.At)); diff != "" || k.Version != 1 {
			t.Errorf("version %d, -saved +loaded:\n%s", k.Version, diff)
		}
		if other := loadDigest(t, l, owner, k.Digest.At.Add(time.Second)); other.Version != 0 {
			t.Errorf("%s has one of another instant: %+v", owner, other)
		}
	}
}

func digestConflict(t *testing.T, l Ledger) {
	first := saveDigest(t, l, keptDigest("shop", noon))
	if _, err := l.SaveDigest(t.Context(), keptDigest("shop", noon)); !errors.Is(err, check.ErrConflict) {
		t.Errorf("a second first save gives %v, want a conflict", err)
	}
	other := first
	other.Tries = 9
	saveDigest(t, l, other)
	if _, err := l.SaveDigest(t.Context(), first); !errors.Is(err, check.ErrConflict) {
		t.Errorf("a save over a newer one gives %v, want a conflict", err)
	}
	if got := loadDigest(t, l, "shop", noon).Tries; got != 9 {
		t.Errorf("the loser's digest was kept: %d", got)
	}
}

func digestsDue(t *testing.T, l Ledger) {
	expect := func(now time.Time, want ...string) {
		t.Helper()
		due, err := l.DueDigests(t.Context(), now)
		var got []string
		for _, d := range due {
			got = append(got, d.Digest.Owner+" "+d.Digest.At.UTC().Format(time.TimeOnly)+" at "+d.Due.UTC().Format(time.TimeOnly))
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("due by %s: %v -want +got:\n%s", now.Format(time.TimeOnly), err, diff)
		}
	}
	save(t, l, check.Kept{Cluster: id("a"), Record: guard.Record{Due: noon}})
	late, soon, told := keptDigest("late", noon), keptDigest("soon", noon), keptDigest("told", noon)
	late.Due, soon.Due, told.Due = noon.Add(2*time.Hour), noon.Add(time.Hour), noon
	told = saveDigest(t, l, told)
	saveDigest(t, l, late)
	saveDigest(t, l, soon)
	told.Due = time.Time{}
	saveDigest(t, l, told)
	expect(noon)
	expect(noon.Add(time.Hour), "soon 12:00:00 at 13:00:00")
	expect(noon.Add(3*time.Hour), "soon 12:00:00 at 13:00:00", "late 12:00:00 at 14:00:00")
	expectDue(t, l, noon.Add(3*time.Hour), "a")
}

func digested(t *testing.T, l Ledger) {
	expect := func(hours string, want time.Time) {
		t.Helper()
		if got, err := l.Digested(t.Context(), hours); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", hours, got, err, want)
		}
	}
	expect("09:00 UTC", time.Time{})
	for _, at := range []time.Time{noon, noon.Add(24 * time.Hour)} {
		if err := l.SetDigested(t.Context(), "09:00 UTC", at); err != nil {
			t.Fatal(err)
		}
		expect("09:00 UTC", at)
		expect("09:00 Europe/Berlin", time.Time{})
	}
	all, err := l.All(t.Context())
	if len(all) > 0 || err != nil {
		t.Errorf("%d records, %v", len(all), err)
	}
}

// largestDigest is one with all that it may have.
func largestDigest(t *testing.T, l Ledger) {
	k := keptDigest("shop", noon)
	k.Digest.News, k.Of = []guard.Item{{Facts: []guard.Fact{{Name: "f", Value: strings.Repeat("v", guard.MostBytes)}}}}, nil
	for i := range guard.MostTaken {
		k.Of = append(k.Of, fmt.Sprintf("%032d-1000", i))
	}
	saveDigest(t, l, k)
}
