package capacity_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/capacity"
)

// rows are the lines of a table in a file, each with its first word apart.
func rows(t *testing.T, file string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if all[words[0]] != nil {
			t.Fatalf("%s: %s is there twice", file, words[0])
		}
		all[words[0]] = words[1:]
	}
	return all
}

func number(t *testing.T, word string) int {
	t.Helper()
	n, err := strconv.Atoi(word)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// instanceTypes are those of testdata/instance-types.txt.
func instanceTypes(t *testing.T) map[string]capacity.InstanceType {
	t.Helper()
	types := map[string]capacity.InstanceType{}
	for name, f := range rows(t, "testdata/instance-types.txt") {
		types[name] = capacity.InstanceType{
			Name: name, Interfaces: number(t, f[0]), Addresses: number(t, f[1]), Nitro: f[2] == "nitro" || f[2] == "metal", VCPUs: number(t, f[3]),
		}
	}
	if len(types) < 1300 {
		t.Fatalf("only %d instance types", len(types))
	}
	return types
}

// corrected are the types whose numbers in the file of August 2026 are of two network cards together: the CNI's table of that time
// knows one card of 15 or 24 interfaces. EC2 says two, of 8 and 7, and of 12 and 12, and so does the file of v1.23.2.
func corrected() map[string]int {
	return map[string]int{"i7ie.48xlarge": 394, "i7ie.metal-48xl": 394, "i8ge.48xlarge": 590, "i8ge.metal-48xl": 590}
}

func TestMaxPodsAreThoseThatTheCNIPublishes(t *testing.T) {
	types := instanceTypes(t)
	for name, file := range map[string]string{
		"reduced": "testdata/eni-max-pods.txt",
		"whole":   "../../../shared/data/eni-max-pods.txt",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(file); err != nil && name == "whole" {
				t.Skipf("the list of amazon-vpc-cni-k8s is not beside this checkout: %v", err)
			}
			compared := 0
			for typ, f := range rows(t, file) {
				known, found := types[typ]
				if !found {
					continue // the CNI adds a few by hand, and keeps those that EC2 has retired
				}
				want := number(t, f[0])
				if right, found := corrected()[typ]; found {
					want = right
				}
				if got := known.MaxPods(capacity.Mode{}); got != want {
					t.Errorf("%s: %d pods, want %d: %+v", typ, got, want, known)
				}
				compared++
			}
			if least := map[string]int{"reduced": 100, "whole": 1300}[name]; compared < least {
				t.Errorf("%d types compared, want %d", compared, least)
			}
		})
	}
}

func TestTheReducedListIsPartOfTheWholeOne(t *testing.T) {
	const file = "../../../shared/data/eni-max-pods.txt"
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the list of amazon-vpc-cni-k8s is not beside this checkout: %v", err)
	}
	whole := rows(t, file)
	for typ, f := range rows(t, "testdata/eni-max-pods.txt") {
		if fmt.Sprint(whole[typ]) != fmt.Sprint(f) {
			t.Errorf("%s: %v, there %v", typ, f, whole[typ])
		}
	}
}

func TestPodsOfANode(t *testing.T) {
	plain, custom := capacity.Mode{}, capacity.Mode{CustomNetworking: true}
	prefix, both := capacity.Mode{PrefixDelegation: true}, capacity.Mode{CustomNetworking: true, PrefixDelegation: true}
	types := instanceTypes(t)
	for name, c := range map[string]struct {
		typ                    capacity.InstanceType
		mode                   capacity.Mode
		addresses, most, sound int
	}{
		"m5.large has 3 interfaces with 9 addresses each":        {types["m5.large"], plain, 27, 29, 29},
		"custom networking loses the primary interface":          {types["m5.large"], custom, 18, 20, 20},
		"a prefix is sixteen addresses, and 110 pods are enough": {types["m5.large"], prefix, 432, 434, 110},
		"both together": {types["m5.large"], both, 288, 290, 110},
		"the smallest type gains, but stays below the bound":               {types["t3.nano"], prefix, 32, 34, 34},
		"a large type may have 250":                                        {types["m5.24xlarge"], prefix, 11760, 11762, 250},
		"also with secondary addresses":                                    {types["m5.metal"], plain, 735, 737, 250},
		"32 vCPUs are enough for 250":                                      {types["m5.8xlarge"], plain, 232, 234, 234},
		"16 are not":                                                       {types["m5.4xlarge"], plain, 232, 234, 110},
		"without Nitro there are no prefixes":                              {types["t2.medium"], prefix, 15, 17, 17},
		"nor with custom networking":                                       {types["t2.medium"], both, 10, 12, 12},
		"bare metal has prefixes":                                          {types["c5.metal"], prefix, 11760, 11762, 250},
		"of several network cards the default one counts: 2 of 64":         {types["p5.48xlarge"], plain, 98, 100, 100},
		"a single interface leaves custom networking the host's network":   {capacity.InstanceType{Interfaces: 1, Addresses: 5}, custom, 0, 2, 2},
		"what is not known about a type is not guessed":                    {capacity.InstanceType{Name: "x1.new", Nitro: true}, both, 0, 0, 0},
		"not even by halves":                                               {capacity.InstanceType{Interfaces: 3}, plain, 0, 0, 0},
		"figures that cannot be are as good as none":                       {capacity.InstanceType{Interfaces: -3, Addresses: -9}, plain, 0, 0, 0},
		"vCPUs that are not known are taken for few":                       {capacity.InstanceType{Interfaces: 15, Addresses: 50}, plain, 735, 737, 110},
		"29 vCPUs are few":                                                 {capacity.InstanceType{Interfaces: 15, Addresses: 50, VCPUs: 29}, plain, 735, 737, 110},
		"30 are many, as managed node groups are documented to count them": {capacity.InstanceType{Interfaces: 15, Addresses: 50, VCPUs: 30}, plain, 735, 737, 250},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.typ.PodAddresses(c.mode); got != c.addresses {
				t.Errorf("%d addresses for pods, want %d: %+v", got, c.addresses, c.typ)
			}
			if got := c.typ.MaxPods(c.mode); got != c.most {
				t.Errorf("%d pods, want %d", got, c.most)
			}
			if got := c.typ.RecommendedPods(c.mode); got != c.sound {
				t.Errorf("%d pods recommended, want %d", got, c.sound)
			}
		})
	}
}

func TestEveryTypeInEveryModeHoldsWhatCountingItsSlotsGives(t *testing.T) {
	for name, typ := range instanceTypes(t) {
		for _, mode := range modes() {
			count := 0
			for i := range typ.Interfaces {
				for slot := range typ.Addresses {
					own, spared := slot == 0, i == 0 && mode.CustomNetworking
					switch {
					case own || spared:
					case mode.PrefixDelegation && typ.Nitro:
						count += 16
					default:
						count++
					}
				}
			}
			if got := typ.PodAddresses(mode); got != count {
				t.Errorf("%s, %+v: %d addresses, want %d", name, mode, got, count)
			}
			most, sound := typ.MaxPods(mode), typ.RecommendedPods(mode)
			if most != count+2 || sound > most || sound > 250 || sound > 110 && typ.VCPUs < 30 {
				t.Errorf("%s, %+v: at most %d, recommended %d", name, mode, most, sound)
			}
		}
		if typ.VCPUs == 30 {
			t.Errorf("%s has 30 vCPUs: the sources differ there", name)
		}
	}
}

func modes() []capacity.Mode {
	return []capacity.Mode{{}, {CustomNetworking: true}, {PrefixDelegation: true}, {CustomNetworking: true, PrefixDelegation: true}}
}
