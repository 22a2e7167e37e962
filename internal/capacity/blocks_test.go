package capacity_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
)

func addresses(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, s := range texts {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range texts {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func reserve(kind capacity.ReservationKind, texts ...string) []capacity.Reservation {
	var all []capacity.Reservation
	for _, p := range prefixes(texts...) {
		all = append(all, capacity.Reservation{Range: p, Kind: kind})
	}
	return all
}

func TestBlocks(t *testing.T) {
	for name, c := range map[string]struct {
		in   capacity.Occupancy
		want capacity.Blocks
	}{
		"an empty /16 has all its blocks but the first and the last": {
			capacity.Occupancy{CIDR: "10.0.0.0/16"},
			capacity.Blocks{Open: 4094, Total: 4094, Packed: 4094, Addresses: 65531},
		},
		"an empty /26 has two of its four": {
			capacity.Occupancy{CIDR: "10.0.0.64/26"},
			capacity.Blocks{Open: 2, Total: 2, Packed: 2, Addresses: 59},
		},
		"a /27 has none: AWS keeps an address in both": {
			capacity.Occupancy{CIDR: "10.0.0.0/27"},
			capacity.Blocks{Addresses: 27},
		},
		"a /28 has none": {
			capacity.Occupancy{CIDR: "10.0.0.0/28"},
			capacity.Blocks{Addresses: 11},
		},
		"bits of the host in the range do not count": {
			capacity.Occupancy{CIDR: "10.0.0.99/26", Addresses: addresses("10.0.0.100")},
			capacity.Blocks{Open: 1, Total: 2, Packed: 2, Addresses: 58},
		},
		"one address takes its block": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Addresses: addresses("10.0.0.31")},
			capacity.Blocks{Open: 13, Total: 14, Packed: 14, Addresses: 250},
		},
		"an address in AWS's blocks takes none": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Addresses: addresses("10.0.0.4", "10.0.0.254")},
			capacity.Blocks{Open: 14, Total: 14, Packed: 14, Addresses: 249},
		},
		"an address that AWS keeps is not free once less": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Addresses: addresses("10.0.0.1", "10.0.0.255")},
			capacity.Blocks{Open: 14, Total: 14, Packed: 14, Addresses: 251},
		},
		"two addresses in two blocks would fit beside AWS's own": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Addresses: addresses("10.0.0.16", "10.0.0.32")},
			capacity.Blocks{Open: 12, Total: 14, Packed: 14, Addresses: 249},
		},
		"a prefix takes its block, and no packing gives it back": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Prefixes: prefixes("10.0.0.16/28")},
			capacity.Blocks{Open: 13, Total: 14, Packed: 13, Addresses: 235},
		},
		"what is there twice counts once": {
			capacity.Occupancy{
				CIDR:      "10.0.0.0/24",
				Addresses: addresses("10.0.0.17", "10.0.0.16", "10.0.0.17"), Prefixes: prefixes("10.0.0.16/28", "10.0.0.16/28"),
			},
			capacity.Blocks{Open: 13, Total: 14, Packed: 13, Addresses: 235},
		},
		"addresses outside the range are strays": {
			capacity.Occupancy{
				CIDR:         "10.0.0.0/24",
				Addresses:    addresses("10.0.1.0", "9.255.255.255", "2001:db8::1", "::ffff:10.0.0.20"),
				Prefixes:     prefixes("10.0.1.16/28", "2001:db8::/80"),
				Reservations: reserve(capacity.Explicit, "2001:db8::/80"),
			},
			capacity.Blocks{Open: 14, Total: 14, Packed: 14, Addresses: 251, Strays: 7},
		},
		"a prefix that is larger than the subnet takes all of it": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Prefixes: prefixes("10.0.0.0/8")},
			capacity.Blocks{Total: 14},
		},
		"a reservation for prefixes keeps its blocks for them": {
			capacity.Occupancy{
				CIDR: "10.0.0.0/24", Addresses: addresses("10.0.0.64", "10.0.0.128"),
				Reservations: reserve(capacity.ForPrefixes, "10.0.0.64/26"),
			},
			capacity.Blocks{Open: 9, Reserved: 3, Total: 14, ForPrefixes: 4, Packed: 14, Addresses: 249},
		},
		"AWS's own addresses stay so in a reservation": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Reservations: reserve(capacity.ForPrefixes, "10.0.0.0/24")},
			capacity.Blocks{Reserved: 14, Total: 14, ForPrefixes: 14, Packed: 14, Addresses: 251},
		},
		"an explicit reservation gives nothing": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Reservations: reserve(capacity.Explicit, "10.0.0.64/26")},
			capacity.Blocks{Open: 10, Total: 10, Packed: 10, Addresses: 187},
		},
		"a reservation smaller than a block spoils it, whatever its kind": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Reservations: append(
				reserve(capacity.Explicit, "10.0.0.64/32"), reserve(capacity.ForPrefixes, "10.0.0.80/29")...)},
			capacity.Blocks{Open: 12, Total: 12, Packed: 12, Addresses: 250},
		},
		"two halves of a block for prefixes are a whole one": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Reservations: reserve(capacity.ForPrefixes, "10.0.0.80/29", "10.0.0.88/29")},
			capacity.Blocks{Open: 13, Reserved: 1, Total: 14, ForPrefixes: 1, Packed: 14, Addresses: 251},
		},
		"of overlapping reservations the explicit one counts": {
			capacity.Occupancy{CIDR: "10.0.0.0/24", Reservations: append(
				reserve(capacity.ForPrefixes, "10.0.0.64/26"), reserve(capacity.Explicit, "10.0.0.64/27")...)},
			capacity.Blocks{Open: 10, Reserved: 2, Total: 12, ForPrefixes: 2, Packed: 12, Addresses: 219},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.in.Blocks()
			c.want.Prefixes, c.want.Largest = len(c.in.Prefixes), got.Largest // the next test is about the latter
			if diff := cmp.Diff(c.want, got, ranges()); diff != "" || err != nil {
				t.Errorf("%v; -want +got:\n%s", err, diff)
			}
		})
	}
}

func TestLargestRangeOfFreeBlocks(t *testing.T) {
	for name, c := range map[string]struct {
		in   capacity.Occupancy
		want string
	}{
		"an empty subnet has AWS's own addresses at both ends": {capacity.Occupancy{CIDR: "10.0.0.0/24"}, "10.0.0.64/26"},
		"it may be a single block":                             {capacity.Occupancy{CIDR: "10.0.0.0/24", Addresses: butIn(3)}, "10.0.0.48/28"},
		"of equals it is the lowest":                           {capacity.Occupancy{CIDR: "10.0.0.0/24", Addresses: butIn(9, 1)}, "10.0.0.16/28"},
		"neighbours that are not aligned make no range":        {capacity.Occupancy{CIDR: "10.0.0.0/26"}, "10.0.0.16/28"},
		"a prefix in use is not free":                          {capacity.Occupancy{CIDR: "10.0.0.0/24", Prefixes: prefixes("10.0.0.64/28")}, "10.0.0.128/26"},
		"what is reserved for prefixes is kept together as is": {capacity.Occupancy{CIDR: "10.0.0.0/24", Reservations: reserve(capacity.ForPrefixes, "10.0.0.64/26")}, "10.0.0.128/26"},
		"nor can a range be in an explicit reservation":        {capacity.Occupancy{CIDR: "10.0.0.0/24", Reservations: reserve(capacity.Explicit, "10.0.0.0/25")}, "10.0.0.128/26"},
		"a subnet of AWS's own blocks has none":                {capacity.Occupancy{CIDR: "10.0.0.0/27"}, "invalid Prefix"},
		"one address in every block leaves none":               {capacity.Occupancy{CIDR: "10.0.0.0/24", Addresses: butIn()}, "invalid Prefix"},
		"a large subnet has a large one":                       {capacity.Occupancy{CIDR: "10.0.0.0/16"}, "10.0.64.0/18"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := c.in.Blocks(); err != nil || got.Largest.String() != c.want {
				t.Errorf("%v, %v; want %s", got.Largest, err, c.want)
			}
		})
	}
}

// butIn is one address in every block of 10.0.0.0/24 but these.
func butIn(blocks ...int) (all []netip.Addr) {
	for i := range 16 {
		if !slices.Contains(blocks, i) {
			all = append(all, ipv4(10<<24+16*i))
		}
	}
	return all
}

func TestBlocksThatCanBeAssigned(t *testing.T) {
	for name, c := range map[string]struct {
		reserved      []capacity.Reservation
		free, assured int
	}{
		"without a reservation all free blocks are sure":                  {nil, 12, 12},
		"with one for prefixes its own are sure":                          {reserve(capacity.ForPrefixes, "10.0.0.64/26"), 12, 2},
		"with a full one none is sure":                                    {reserve(capacity.ForPrefixes, "10.0.0.64/27"), 12, 0},
		"a reservation for prefixes that holds no whole block is no pool": {reserve(capacity.ForPrefixes, "10.0.0.112/29"), 11, 11},
		"an explicit one takes away what it covers":                       {reserve(capacity.Explicit, "10.0.0.64/26"), 10, 10},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := capacity.Occupancy{
				CIDR: "10.0.0.0/24", Addresses: addresses("10.0.0.64", "10.0.0.80"), Reservations: c.reserved,
			}.Blocks()
			if err != nil || b.Free() != c.free || b.Assured() != c.assured {
				t.Errorf("%v: %d free, %d assured of %+v, want %d and %d", err, b.Free(), b.Assured(), b, c.free, c.assured)
			}
		})
	}
}

// Addresses that fill one block after the other cannot lie any tighter, whatever the first and the last block have room for.
func TestWhatLiesAsTightlyAsItCanCostsNoBlock(t *testing.T) {
	for _, from := range []int{4, 16, 128} {
		subnet := capacity.Occupancy{CIDR: "10.0.1.0/24"}
		for i := from; i < 255; i++ {
			subnet.Addresses = append(subnet.Addresses, ipv4(10<<24+1<<8+i))
			if b, err := subnet.Blocks(); err != nil || b.Lost() != 0 {
				t.Errorf("%d addresses from %d on: %d lost of %+v, %v", len(subnet.Addresses), from, b.Lost(), b, err)
			}
		}
	}
}

func TestWhatIsNotUnderstoodIsNoCount(t *testing.T) {
	const good = "10.0.0.0/24"
	for name, c := range map[string]struct {
		in   capacity.Occupancy
		says string
	}{
		"an IPv6 range":               {capacity.Occupancy{CIDR: "2001:db8::/64"}, `"2001:db8::/64": it must be an IPv4 range of /16 to /28`},
		"no range":                    {capacity.Occupancy{}, `"": it must be`},
		"a range wider than a subnet": {capacity.Occupancy{CIDR: "10.0.0.0/15"}, "/16 to /28"},
		"a range narrower than one":   {capacity.Occupancy{CIDR: "10.0.0.0/29"}, "/16 to /28"},
		"an IPv4 range in IPv6":       {capacity.Occupancy{CIDR: "::ffff:10.0.0.0/120"}, "/16 to /28"},
		"what is no range":            {capacity.Occupancy{CIDR: "a\nb"}, `"a\nb"`},
		"an address without a value":  {capacity.Occupancy{CIDR: good, Addresses: []netip.Addr{{}}}, "address 0 in use has no value"},
		"a prefix without a value":    {capacity.Occupancy{CIDR: good, Prefixes: []netip.Prefix{{}}}, "prefix 0 in use has no value"},
		"a reservation without range": {capacity.Occupancy{CIDR: good, Reservations: []capacity.Reservation{{Kind: capacity.Explicit}}}, "reservation 0 has no range"},
		"a kind that is not known":    {capacity.Occupancy{CIDR: good, Reservations: reserve("shared", good)}, `unknown kind "shared"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.in.Blocks()
			if err == nil || !strings.HasPrefix(err.Error(), "count the /28 blocks of subnet ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %s", err, c.says)
			}
			if got != (capacity.Blocks{}) {
				t.Errorf("%+v beside the error", got)
			}
		})
	}
}

func TestBlocksAreThoseThatLookingAtEveryAddressFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 28))
	for range 200 {
		o := occupancy(r)
		got, err := o.Blocks()
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		if diff := cmp.Diff(counted(o), got, ranges()); diff != "" {
			t.Fatalf("%s, %d addresses, prefixes %v, reservations %v: -want +got:\n%s", o.CIDR, len(o.Addresses), o.Prefixes, o.Reservations, diff)
		}
		shuffle(r, o.Addresses)
		shuffle(r, o.Prefixes)
		shuffle(r, o.Reservations)
		if again, err := o.Blocks(); err != nil || again != got {
			t.Fatalf("in another order: %+v, %v; want %+v", again, err, got)
		}
		if got.Packed < got.Free() || got.Lost() != 0 && got.Lost() != got.Packed-got.Free() || got.Assured() > got.Free() || got.Packed > got.Total || 16*got.Free() > got.Addresses {
			t.Fatalf("%+v", got)
		}
	}
}

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// occupancy is a subnet of any size, from empty to full, with what may lie outside it too.
func occupancy(r *rand.Rand) capacity.Occupancy {
	bits := 16 + r.IntN(13)
	size := 1 << (32 - bits)
	base := 10<<24 + r.IntN(1<<8)<<16
	base += size * r.IntN(1<<16/size)
	somewhere := func() netip.Addr { return ipv4(base + r.IntN(size+64) - 32) }
	o := capacity.Occupancy{CIDR: netip.PrefixFrom(ipv4(base+r.IntN(size)), bits).String()}
	for range r.IntN(1 + size>>r.IntN(8)) {
		o.Addresses = append(o.Addresses, somewhere())
	}
	for range r.IntN(1 + size/16) {
		length := 28
		if r.IntN(20) == 0 {
			length = 24 + r.IntN(9)
		}
		o.Prefixes = append(o.Prefixes, netip.PrefixFrom(somewhere(), length).Masked())
	}
	for range r.IntN(5) {
		kind := []capacity.ReservationKind{capacity.ForPrefixes, capacity.Explicit}[r.IntN(2)]
		o.Reservations = append(o.Reservations, capacity.Reservation{Range: netip.PrefixFrom(somewhere(), 20+r.IntN(13)).Masked(), Kind: kind})
	}
	return o
}

func ipv4(n int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(n))
	return netip.AddrFrom4(b)
}

// counted looks at every address of every block.
func counted(o capacity.Occupancy) capacity.Blocks {
	b := capacity.Blocks{Prefixes: len(o.Prefixes)}
	open := map[int]bool{} // by the block's number
	subnet := netip.MustParsePrefix(o.CIDR).Masked()
	inUse := map[netip.Addr]bool{}
	for _, a := range o.Addresses {
		inUse[a] = true
		if !subnet.Contains(a) {
			b.Strays++
		}
	}
	for _, p := range o.Prefixes {
		if !subnet.Overlaps(p) {
			b.Strays++
		}
	}
	for _, res := range o.Reservations {
		if !subnet.Overlaps(res.Range) {
			b.Strays++
		}
	}
	reserved := func(a netip.Addr, kind capacity.ReservationKind) bool {
		return slices.ContainsFunc(o.Reservations, func(res capacity.Reservation) bool { return res.Kind == kind && res.Range.Contains(a) })
	}
	prefixed := map[netip.Addr]bool{}
	for _, p := range o.Prefixes {
		for a := p.Addr(); p.Contains(a); a = a.Next() {
			prefixed[a] = true
		}
	}
	size := 1 << (32 - subnet.Bits())
	var candidates, holes, singles int // blocks without prefixes; free addresses outside them; singles in them
	first := subnet.Addr()
	for i, a := 0, first; i < size; i += 16 {
		var free, single, inPrefix, own, explicit, forPrefixes, hole int
		for j := range 16 {
			awsOwn := i+j < 4 || i+j == size-1
			switch {
			case awsOwn:
				own++
			case reserved(a, capacity.Explicit):
				explicit++
			case prefixed[a]:
				inPrefix++
			case inUse[a]:
				single++
			default:
				free++
				if !reserved(a, capacity.ForPrefixes) {
					hole++
				}
			}
			if reserved(a, capacity.ForPrefixes) {
				forPrefixes++
			}
			a = a.Next()
		}
		b.Addresses += free
		if own+explicit > 0 || forPrefixes%16 != 0 {
			holes += hole
			continue
		}
		b.Total++
		if forPrefixes == 16 {
			b.ForPrefixes++
		}
		switch {
		case free == 16 && forPrefixes == 16:
			b.Reserved++
		case free == 16:
			b.Open++
			open[i/16] = true
		}
		if inPrefix > 0 {
			holes += free
			continue
		}
		candidates++
		singles += single
	}
	for singles > 0 && holes > 0 {
		singles, holes = singles-1, holes-1
	}
	b.Packed = candidates
	for ; singles > 0; singles -= 16 {
		b.Packed--
	}
	b.Largest = widest(subnet, open)
	return b
}

// widest tries every aligned range of the subnet, the largest first.
func widest(subnet netip.Prefix, open map[int]bool) netip.Prefix {
	for bits := subnet.Bits(); bits <= 28; bits++ {
		blocks := 1 << (28 - bits)
	next:
		for from := 0; from < 1<<(28-subnet.Bits()); from += blocks {
			for i := range blocks {
				if !open[from+i] {
					continue next
				}
			}
			base := binary.BigEndian.Uint32(subnet.Addr().AsSlice())
			return netip.PrefixFrom(ipv4(int(base)+16*from), bits)
		}
	}
	return netip.Prefix{}
}

func ranges() cmp.Option { return cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }) }

func BenchmarkBlocksOfAFullSubnet(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	o := capacity.Occupancy{CIDR: "10.0.0.0/16", Reservations: reserve(capacity.ForPrefixes, "10.0.64.0/18")}
	for _, i := range r.Perm(1 << 16)[:60_000] {
		o.Addresses = append(o.Addresses, ipv4(10<<24+i))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Blocks(); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleOccupancy_Blocks() {
	subnet := capacity.Occupancy{CIDR: "10.0.1.0/24"}
	for i := range 14 { // one address in each of the blocks that prefixes could have
		subnet.Addresses = append(subnet.Addresses, ipv4(10<<24+1<<8+16*(i+1)))
	}
	blocks, err := subnet.Blocks()
	fmt.Println(blocks.Addresses, "addresses are free,", blocks.Free(), "of", blocks.Total, "blocks;", blocks.Lost(), "lost", err)
	// Output: 237 addresses are free, 0 of 14 blocks; 14 lost <nil>
}
