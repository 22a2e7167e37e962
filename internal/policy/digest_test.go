package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/policy"
)

func withDigest(t *testing.T, d policy.Digest) *policy.Policy {
	t.Helper()
	doc := document(policy.Set{})
	doc.Digest = d
	return compile(t, doc)
}

func TestDigestsAreDueAtTheLocalTimeOfTheirZone(t *testing.T) {
	for name, c := range map[string]struct {
		digest    policy.Digest
		now, want string
	}{
		"nine o'clock has been":                       {policy.Digest{}, "2026-03-02T12:00:00Z", "2026-03-02T09:00:00Z"},
		"nine o'clock is to come":                     {policy.Digest{}, "2026-03-02T08:59:59Z", "2026-03-01T09:00:00Z"},
		"it is nine o'clock":                          {policy.Digest{}, "2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z"},
		"in Berlin it is an hour later":               {policy.Digest{Zone: "Europe/Berlin"}, "2026-03-02T08:30:00Z", "2026-03-02T08:00:00Z"},
		"and two hours in summer":                     {policy.Digest{Zone: "Europe/Berlin"}, "2026-07-02T08:30:00Z", "2026-07-02T07:00:00Z"},
		"east of the date line it is tomorrow":        {policy.Digest{Zone: "Pacific/Auckland"}, "2026-03-01T20:30:00Z", "2026-03-01T20:00:00Z"},
		"a time that the clocks leave out comes once": {policy.Digest{At: "02:30", Zone: "Europe/Berlin"}, "2026-03-29T12:00:00Z", "2026-03-29T01:30:00Z"},
		"a time that comes twice counts once":         {policy.Digest{At: "02:30", Zone: "Europe/Berlin"}, "2026-10-25T12:00:00Z", "2026-10-25T01:30:00Z"},
		"midnight":                                    {policy.Digest{At: "00:00"}, "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			if have := withDigest(t, c.digest).DigestHoursOf("anybody").Last(now).Format(time.RFC3339); have != c.want {
				t.Errorf("%s, want %s", have, c.want)
			}
		})
	}
}

// Every hour of two years there is one digest a day, and none that comes earlier than the one before.
func TestThereIsOneDigestADayWhateverTheClocksDo(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"} {
		h := withDigest(t, policy.Digest{At: "02:15", Zone: zone}).DigestHoursOf("")
		var all []time.Time
		for now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); now.Year() < 2028; now = now.Add(time.Hour) {
			last := h.Last(now)
			if last.After(now) || now.Sub(last) > 25*time.Hour {
				t.Fatalf("%s: at %s the last was %s", zone, now, last)
			}
			if len(all) == 0 || !last.Equal(all[len(all)-1]) {
				all = append(all, last)
			}
		}
		if !slices.IsSortedFunc(all, time.Time.Compare) || len(all) < 730 || len(all) > 732 {
			t.Errorf("%s: %d digests in two years", zone, len(all))
		}
	}
}

func TestOwnersMayHaveTheirOwnHours(t *testing.T) {
	p := withDigest(t, policy.Digest{At: "08:00", Zone: "Europe/Berlin", Owners: []policy.OwnerDigest{
		{Owner: "shop", Zone: "America/New_York"}, {Owner: "night", At: "22:30"}, {Owner: "same", At: "08:00"},
	}})
	for owner, want := range map[string]string{
		"payments": "08:00 Europe/Berlin", "shop": "08:00 America/New_York", "night": "22:30 Europe/Berlin", "same": "08:00 Europe/Berlin",
	} {
		if have := p.DigestHoursOf(owner).String(); have != want {
			t.Errorf("%s: %s, want %s", owner, have, want)
		}
	}
	var all []string
	for _, h := range p.DigestHours() {
		all = append(all, h.String())
	}
	if diff := cmp.Diff([]string{"08:00 Europe/Berlin", "08:00 America/New_York", "22:30 Europe/Berlin"}, all); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMistakesInTheHoursOfDigestsAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		digest policy.Digest
		want   string
	}{
		"no time":                  {policy.Digest{At: "9"}, `digest.at: "9" is not a time of day; allowed: "00:00" to "23:59"`},
		"a time without its zero":  {policy.Digest{At: "9:00"}, `digest.at: "9:00" is not a time of day`},
		"an hour that there isn't": {policy.Digest{At: "24:00"}, `digest.at: "24:00" is not a time of day`},
		"no zone":                  {policy.Digest{Zone: "Berlin"}, `digest.zone: "Berlin" is not a time zone; allowed: a name of the IANA's time zones, as Europe/Berlin or UTC`},
		"the zone of wherever":     {policy.Digest{Zone: "Local"}, `digest.zone: "Local" is not a time zone`},
		"a file for a zone":        {policy.Digest{Zone: "../etc/passwd"}, `digest.zone: "../etc/passwd" is not a time zone`},
		"nobody":                   {policy.Digest{Owners: []policy.OwnerDigest{{At: "08:00"}}}, "digest.owners[0].owner: is missing"},
		"an owner twice": {policy.Digest{Owners: []policy.OwnerDigest{{Owner: "a", At: "08:00"}, {Owner: "a", At: "09:00"}}},
			`digest.owners[1].owner: "a" has an entry already; allowed: once`},
		"an owner as all others": {policy.Digest{Owners: []policy.OwnerDigest{{Owner: "a"}}}, "digest.owners[0]: says nothing; allowed: at, zone or both"},
		"an owner's zone":        {policy.Digest{Owners: []policy.OwnerDigest{{Owner: "a", Zone: "x"}}}, `digest.owners[0].zone: "x" is not a time zone`},
	} {
		t.Run(name, func(t *testing.T) {
			doc := document(policy.Set{})
			doc.Digest = c.digest
			if _, err := policy.Compile(doc); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
