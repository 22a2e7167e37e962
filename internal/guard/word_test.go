package guard_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
)

func TestAPersonsWordOnAFindingGetsItsEnd(t *testing.T) {
	said := func(change func(*guard.Order)) guard.Order {
		o := guard.Order{Kind: guard.Muting, Finding: guard.CapacityLow, By: "ann", Because: "a load test", At: noon}
		change(&o)
		return o
	}
	ack := func(o *guard.Order) { o.Kind = guard.Acknowledging }
	unmute := func(o *guard.Order) { o.Kind = guard.Unmuting }
	asItIs := func(*guard.Order) {}
	for name, c := range map[string]struct {
		change func(*guard.Order)
		last   time.Duration
		holds  time.Duration
		err    string
	}{
		"a mute holds as long as it says":                  {asItIs, 8 * time.Hour, 8 * time.Hour, ""},
		"a mute holds for 30 days at most":                 {asItIs, 30 * 24 * time.Hour, 30 * 24 * time.Hour, ""},
		"a mute for longer is refused":                     {asItIs, 30*24*time.Hour + 1, 0, "mute: it may hold for 5 minutes at least and 30 days at most"},
		"a mute that nobody would notice is refused":       {asItIs, 5*time.Minute - 1, 0, "mute: it may hold for 5 minutes at least and 30 days at most"},
		"a mute must say how long":                         {asItIs, 0, 0, "mute: it may hold for 5 minutes at least and 30 days at most"},
		"a mute that is over before it begins is refused":  {asItIs, -time.Hour, 0, "mute: it may hold for 5 minutes at least and 30 days at most"},
		"an acknowledgement holds for a day":               {ack, 0, 24 * time.Hour, ""},
		"an acknowledgement holds as long as it says":      {ack, 3 * time.Hour, 3 * time.Hour, ""},
		"an acknowledgement for longer than 30 days":       {ack, 31 * 24 * time.Hour, 0, "ack: it may hold for 5 minutes at least and 30 days at most"},
		"an unmute holds longer than any mute before it":   {unmute, 0, guard.MuteAtMost, ""},
		"an unmute is for no time":                         {unmute, time.Hour, 0, "unmute: it ends what holds now, and is for no time; leave the time away"},
		"nobody's word is refused":                         {func(o *guard.Order) { o.By = " " }, time.Hour, 0, "mute: who orders it and why are needed: others will read it"},
		"a word without a reason is refused":               {func(o *guard.Order) { o.Because = "" }, time.Hour, 0, "mute: who orders it and why are needed: others will read it"},
		"a denial is no word on a finding":                 {func(o *guard.Order) { o.Kind = guard.Denial }, time.Hour, 0, `"deny" is not a word on a finding; allowed: mute, unmute, ack`},
		"what is no finding of a cluster cannot be muted":  {func(o *guard.Order) { o.Finding = guard.UnitUnreadable }, time.Hour, 0, `mute: "unit-unreadable" is not a finding of a cluster; allowed: version-outdated, `},
		"the news of an update cannot be muted":            {func(o *guard.Order) { o.Finding = guard.UpdateProgress }, time.Hour, 0, `mute: "update-progress" is not a finding of a cluster`},
		"what is no finding at all cannot be acknowledged": {func(o *guard.Order) { o.Kind, o.Finding = guard.Acknowledging, "noise" }, time.Hour, 0, `ack: "noise" is not a finding of a cluster`},
	} {
		t.Run(name, func(t *testing.T) {
			in := said(c.change)
			got, err := guard.Answered(in, c.last)
			if c.err != "" {
				if text := fmt.Sprint(err); len(text) < len(c.err) || text[:len(c.err)] != c.err {
					t.Errorf("error %v, want %s", err, c.err)
				}
				return
			}
			want := in
			want.Schema, want.Until = guard.Schema, noon.Add(c.holds)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestTheNewestWordOnAFindingCounts(t *testing.T) {
	said := func(kind guard.OrderKind, by string, ago, holds time.Duration) guard.Order {
		at := noon.Add(-ago)
		return guard.Order{Kind: kind, Finding: guard.CapacityLow, By: by, Because: "b", At: at, Until: at.Add(holds)}
	}
	const hour = time.Hour
	mute, ack := said(guard.Muting, "ann", 3*hour, 8*hour), said(guard.Acknowledging, "bob", 2*hour, 8*hour)
	unmute := said(guard.Unmuting, "cem", hour, guard.MuteAtMost)
	about := func(o guard.Order, code guard.Code) guard.Order { o.Finding = code; return o }
	approval := guard.Order{Kind: guard.Approval, By: "dan", At: noon.Add(-time.Minute), Until: noon.Add(hour)}
	for name, c := range map[string]struct {
		code   guard.Code
		orders []guard.Order
		want   string // who said it and how; empty: nothing holds
	}{
		"nobody said anything": {guard.CapacityLow, nil, ""},
		"a mute":               {guard.CapacityLow, []guard.Order{mute}, "mute by ann"},
		"an acknowledgement":   {guard.CapacityLow, []guard.Order{ack}, "ack by bob"},
		"an unmute alone":      {guard.CapacityLow, []guard.Order{unmute}, ""},
		"an acknowledgement after another's mute":                {guard.CapacityLow, []guard.Order{mute, ack}, "ack by bob"},
		"in whatever order they are listed":                      {guard.CapacityLow, []guard.Order{ack, mute}, "ack by bob"},
		"an unmute after mutes of others":                        {guard.CapacityLow, []guard.Order{mute, ack, unmute}, ""},
		"a mute after another's unmute":                          {guard.CapacityLow, []guard.Order{unmute, said(guard.Muting, "ann", time.Minute, hour)}, "mute by ann"},
		"a mute of another finding":                              {guard.CapacityLow, []guard.Order{about(mute, guard.BlocksLow)}, ""},
		"an unmute of another finding":                           {guard.CapacityLow, []guard.Order{mute, about(unmute, guard.BlocksLow)}, "mute by ann"},
		"an approval is about none":                              {guard.CapacityLow, []guard.Order{mute, approval}, "mute by ann"},
		"an approval that names a finding by mistake":            {guard.CapacityLow, []guard.Order{mute, about(approval, guard.CapacityLow)}, "mute by ann"},
		"a mute that has ended":                                  {guard.CapacityLow, []guard.Order{said(guard.Muting, "ann", 2*hour, 2*hour)}, ""},
		"a mute in its last moment":                              {guard.CapacityLow, []guard.Order{said(guard.Muting, "ann", 2*hour, 2*hour+1)}, "mute by ann"},
		"a mute that begins later":                               {guard.CapacityLow, []guard.Order{said(guard.Muting, "ann", -time.Minute, hour)}, ""},
		"a mute below a newer acknowledgement that has ended":    {guard.CapacityLow, []guard.Order{mute, said(guard.Acknowledging, "bob", 2*hour, hour)}, "mute by ann"},
		"of two at once the one whose giver comes last":          {guard.CapacityLow, []guard.Order{said(guard.Unmuting, "ann", hour, hour*2), said(guard.Muting, "bob", hour, hour*2)}, "mute by bob"},
		"of two at once the same one, listed the other way":      {guard.CapacityLow, []guard.Order{said(guard.Muting, "bob", hour, hour*2), said(guard.Unmuting, "ann", hour, hour*2)}, "mute by bob"},
		"of two at once an unmute whose giver comes last":        {guard.CapacityLow, []guard.Order{said(guard.Unmuting, "bob", hour, hour*2), said(guard.Muting, "ann", hour, hour*2)}, ""},
		"news of an update, muted by hand":                       {guard.UpdateProgress, []guard.Order{about(mute, guard.UpdateProgress)}, ""},
		"an account that cannot be listed, muted by hand":        {guard.UnitUnreadable, []guard.Order{about(mute, guard.UnitUnreadable)}, ""},
		"a finding that this program does not know, and another": {guard.CapacityLow, []guard.Order{about(mute, "of-a-later-day")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if o := guard.Word(c.orders, c.code, noon); o != nil {
				got = string(o.Kind) + " by " + o.By
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestEveryFindingOfAClusterCanBeMuted(t *testing.T) {
	for _, code := range guard.Codes() {
		o := guard.Order{Kind: guard.Muting, Finding: code, By: "ann", Because: "b", At: noon}
		got, err := guard.Answered(o, time.Hour)
		if (err == nil) != (code != guard.UnitUnreadable) || (err == nil) != slices.Contains(guard.Answerable(), code) {
			t.Errorf("%s: %v", code, err)
		}
		if err == nil && guard.Word([]guard.Order{got}, code, noon) == nil {
			t.Errorf("the mute of %s does not hold", code)
		}
	}
}
