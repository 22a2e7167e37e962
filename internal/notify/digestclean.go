package notify

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/guard"
)

// How much of others' words a digest carries, in bytes as JSON writes them. Its JSON has at most 600 bytes of our own for each of
// guard.MostItems, and its text stops at textRoom: both stay below the 256 KiB that SNS takes, the text twice, as it is sent.
const (
	digestAllowance = 100_000
	hiddenAllowance = 20_000
	textRoom        = 40_000
	mostFacts       = 4   // of an item
	mostKinds       = 30  // findings that are counted
	personLimit     = 120 // who gave an order
	becauseLimit    = 200 // and why
	factLimit       = 120 // a fact's value
)

// digest is one whose texts are safe to print. What did not fit in is counted in Omitted.
type digest struct {
	guard.Digest
	hidden int       // how much was not checked, whether Hidden has it or not
	kinds  []counted // what stands, by finding, the most frequent first
}

// cleanDigest cleans every text in a digest once, within the allowance. Its items are taken whole or left out, the last ones first.
func cleanDigest(from guard.Digest) digest {
	d := digest{Digest: from, hidden: max(len(from.Hidden), from.Unchecked)}
	d.Key, d.Owner = tidy(from.Key, nameLimit), tidy(from.Owner, nameLimit)
	d.Clusters, d.Began, d.Ended = max(0, from.Clusters), max(0, from.Began), max(0, from.Ended)
	d.Alarms, d.Omitted = max(0, from.Alarms), max(0, from.Omitted)
	if math.IsNaN(d.USD) || math.IsInf(d.USD, 0) || d.USD < 0 {
		d.USD = 0 // else there is no JSON of it
	}
	left := hiddenAllowance
	d.Hidden = fitting(from.Hidden, &left, guard.MostItems, func(f guard.Fact) (guard.Fact, int) {
		f = guard.Fact{Name: tidy(f.Name, nameLimit), Value: tidy(f.Value, textLimit)}
		return f, weigh(f.Name, f.Value)
	})
	left = digestAllowance
	d.News = fitting(from.News, &left, guard.MostItems, tidyItem)
	if len(d.News) < len(from.News) {
		left = 0 // what comes after is less
	}
	d.Open = fitting(from.Open, &left, guard.MostItems-len(d.News), tidyItem)
	d.Omitted += len(from.News) + len(from.Open) - len(d.News) - len(d.Open)
	d.kinds = tidyKinds(from.Kinds)
	return d
}

// tidyKinds are the counts that there are, the highest first.
func tidyKinds(from map[guard.Code]int) []counted {
	kinds := make([]counted, 0, len(from))
	for code, n := range from {
		if n > 0 {
			kinds = append(kinds, counted{tidy(string(code), wordLimit), n})
		}
	}
	slices.SortFunc(kinds, func(a, b counted) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Finding, b.Finding))
	})
	return kinds[:min(mostKinds, len(kinds))]
}

// fitting are the first entries of a list, cleaned: so many, and as far as they fit into what is left.
func fitting[T any](in []T, left *int, most int, clean func(T) (T, int)) []T {
	out := make([]T, 0, min(len(in), most))
	for _, v := range in {
		v, weight := clean(v)
		if *left -= weight; *left < 0 || len(out) == most {
			break
		}
		out = append(out, v)
	}
	return out
}

// tidyItem cleans an item, and weighs it: what its cluster and version are called is in it three times.
func tidyItem(i guard.Item) (item guard.Item, weight int) {
	i.Key, i.Thread = tidy(i.Key, nameLimit), tidy(i.Thread, nameLimit)
	i.News, i.Finding = guard.News(tidy(string(i.News), wordLimit)), guard.Code(tidy(string(i.Finding), wordLimit))
	i.Cluster.Account, i.Cluster.Region = tidy(i.Cluster.Account, wordLimit), tidy(i.Cluster.Region, wordLimit)
	i.Cluster.Name = tidy(i.Cluster.Name, nameLimit)
	i.Version, i.Next = tidy(i.Version, wordLimit), tidy(i.Next, wordLimit)
	facts := make([]guard.Fact, 0, mostFacts)
	weight = entryPrice
	for _, f := range i.Facts[:min(mostFacts, len(i.Facts))] {
		f = guard.Fact{Name: tidy(f.Name, wordLimit), Value: tidy(f.Value, factLimit)}
		facts = append(facts, f)
		weight += 2 * weigh(f.Name, f.Value)
	}
	i.Facts = facts
	i.Muted, i.Acked = tidyOrder(i.Muted), tidyOrder(i.Acked)
	for _, o := range []*guard.Order{i.Muted, i.Acked} {
		if o != nil {
			weight += weigh(o.By, o.Because)
		}
	}
	repeated := weigh(i.Cluster.Account, i.Cluster.Region, i.Cluster.Name, i.Version, string(i.Finding))
	return i, weight + 3*repeated + weigh(i.Key, i.Thread, string(i.News), i.Next)
}

func tidyOrder(o *guard.Order) *guard.Order {
	if o == nil {
		return nil
	}
	return &guard.Order{Kind: o.Kind, By: tidy(o.By, personLimit), Because: tidy(o.Because, becauseLimit), At: o.At, Until: o.Until}
}

// weigh is how many bytes texts take in JSON.
func weigh(texts ...string) int {
	n := 0
	for _, s := range texts {
		n += len(s) + strings.Count(s, `"`) + strings.Count(s, `\`)
	}
	return n
}
