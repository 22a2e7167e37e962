package world_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/sim"
	"github.com/cniguard/cniguard/internal/strictyaml"
	"github.com/cniguard/cniguard/internal/world"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func examples(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal("no examples", err)
	}
	return names
}

func TestExamplesAreWorldsThatRun(t *testing.T) {
	for _, name := range examples(t) {
		spec, err := world.ReadSpec(name, read(t, name))
		if err != nil {
			t.Error(err)
			continue
		}
		clock := sim.New(spec.Start, 1)
		defer clock.Close()
		if _, err := world.New(spec, clock); err != nil {
			t.Error(err)
		}
		clock.Run(spec.Start.Add(14 * 24 * time.Hour))
	}
}

func TestAFileIsTheSameSpecAsGo(t *testing.T) {
	spec, err := world.ReadSpec("w.yaml", []byte(`
start: 2026-11-23T12:00:00Z
hub: {account: "111122223333", region: eu-central-1}
vpcs:
  - {id: vpc-1, account: "111122223333", region: eu-central-1, subnets: [{id: subnet-1, cidr: 10.0.0.0/24, used: [{at: 1d12h, addresses: 9}]}]}
clusters:
  - {name: prod, account: "111122223333", region: eu-central-1, kubernetes: 1.30, vpc: vpc-1, controlPlane: [subnet-1], addon: {version: v1.18.5-eksbuild.1}}
behaviour: {oneMinor: false, latency: {max: 1s}}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := world.Spec{
		Start: noon, Hub: world.Hub{Account: hubAccount, Region: hubRegion},
		VPCs: []world.VPC{{ID: "vpc-1", Account: hubAccount, Region: hubRegion, Subnets: []world.Subnet{
			{ID: "subnet-1", CIDR: "10.0.0.0/24", Used: []world.Point{{At: 36 * time.Hour, Addresses: 9}}},
		}}},
		Clusters: []world.Cluster{{
			Name: "prod", Account: hubAccount, Region: hubRegion, Kubernetes: "1.30", VPC: "vpc-1", ControlPlane: []string{"subnet-1"},
			Addon: &world.Addon{Version: "v1.18.5-eksbuild.1"},
		}},
		Behaviour: world.Likely(),
	}
	want.Behaviour.OneMinor, want.Behaviour.Latency.Max = false, time.Second
	if diff := cmp.Diff(want, spec); diff != "" {
		t.Error(diff)
	}
}

func TestMistakesAreAllReportedWithTheirLines(t *testing.T) {
	const head = "start: 2026-11-23T12:00:00Z\nhub: {account: \"111122223333\", region: eu-central-1}\n"
	const prod = "clusters:\n- name: prod\n  account: \"111122223333\"\n  region: eu-central-1\n  kubernetes: \"1.33\"\n"
	for name, c := range map[string]struct {
		file string
		want []string // beginnings of the mistakes
	}{
		"an unknown key, with the one that is meant":         {head + "cluster: []\n", []string{"w.yaml:3: cluster: unknown key; did you mean clusters?"}},
		"a key given twice":                                  {head + "vpcs: []\nvpcs: []\n", []string{"w.yaml:4: vpcs: is given twice"}},
		"a duration that is none":                            {head + prod + "  createdAt: tomorrow\n", []string{`w.yaml:8: clusters[0].createdAt: "tomorrow" is not a duration`}},
		"an empty file":                                      {"", []string{"w.yaml: is empty"}},
		"what is missing, in the line of what it belongs to": {"hub:\n  account: \"111122223333\"\n", []string{"w.yaml:1: start: is missing", `w.yaml:1: hub.region: "" is not a region`}},
		"a subnet that does not exist, in its own line":      {head + prod + "  vpc: vpc-1\n  controlPlane:\n  - subnet-1\n", []string{`w.yaml:8: clusters[0].vpc: "vpc-1" is not a VPC`, `w.yaml:10: clusters[0].controlPlane[0]: "subnet-1" is not a subnet`}},
		"a cluster that is there twice":                      {head + prod + strings.TrimPrefix(prod, "clusters:\n"), []string{"w.yaml:8: clusters[1].name: 111122223333/eu-central-1/prod is there twice"}},
		"a chance above one":                                 {head + "behaviour:\n  eventsLost: 10\n", []string{"w.yaml:4: behaviour.eventsLost: 10 is not a chance"}},
		"a range from max to min":                            {head + "behaviour:\n  latency: {min: 2s, max: 1s}\n", []string{"w.yaml:4: behaviour.latency: 2s to 1s is no range"}},
		"a fault without a code":                             {head + "faults:\n- service: eks\n", []string{"w.yaml:4: faults[0].code: is missing"}},
		"a topic that is none":                               {head + "topics:\n- ops\n", []string{`w.yaml:4: topics[0]: "ops" is not an SNS topic's ARN`}},
		"an event whose detail is a list":                    {head + "events:\n- source: aws.health\n  type: x\n  detail: '[]'\n", []string{"w.yaml:6: events[0].detail: is not a JSON object"}},
		"an order for a cluster that does not exist":         {head + "orders:\n- kind: approve\n  name: prod\n", []string{"w.yaml:5: orders[0].name: there is no cluster"}},
		"a mute of what is no finding, with the one that is meant": {head + prod + "orders:\n- kind: mute\n  account: \"111122223333\"\n  region: eu-central-1\n  name: prod\n  finding: capacity-lo\n  for: 8h\n",
			[]string{`w.yaml:13: orders[0].finding: "capacity-lo" is not a finding of a cluster; did you mean capacity-low? allowed: addon-unhealthy, `}},
		"a mute that does not say of what and for how long": {head + prod + "orders:\n- kind: mute\n  account: \"111122223333\"\n  region: eu-central-1\n  name: prod\n",
			[]string{`w.yaml:9: orders[0].finding: "" is not a finding of a cluster`, "w.yaml:9: orders[0].for: is missing; want 5m to 30d, as 8h"}},
		"an acknowledgement for too long": {head + prod + "orders:\n- kind: ack\n  account: \"111122223333\"\n  region: eu-central-1\n  name: prod\n  finding: blocks-low\n  for: 31d\n",
			[]string{"w.yaml:14: orders[0].for: 744h0m0s is too short or too long; want 5m to 30d, as 8h"}},
		"an unmute for a time": {head + prod + "orders:\n- kind: unmute\n  account: \"111122223333\"\n  region: eu-central-1\n  name: prod\n  finding: blocks-low\n  for: 1d\n",
			[]string{"w.yaml:14: orders[0].for: is not for an order of kind unmute; want it with mute or ack only"}},
		"a mute of a cluster that does not exist":              {head + "orders:\n- {kind: mute, name: prod, finding: blocks-low, for: 1d}\n", []string{"w.yaml:4: orders[0].name: there is no cluster"}},
		"a halt of a finding":                                  {head + "orders:\n- {kind: halt, finding: blocks-low, for: 1d}\n", []string{"w.yaml:4: orders[0].finding: is not for an order of kind halt; want it with mute, unmute or ack only", "w.yaml:4: orders[0].for: is not for an order of kind halt"}},
		"a version of a catalogue, under a key with a dot":     {head + "catalogues:\n  1.33:\n  - version: v1\n  - version: v1\n", []string{`w.yaml:6: catalogues.1.33[1].version: "v1" is empty or there twice`}},
		"several mistakes of all kinds, in the order of lines": {head + "topics: [ops]\nnobody: 1\nbehaviour: {pageSize: -1}\n", []string{"w.yaml:3: topics", "w.yaml:4: nobody", "w.yaml:5: behaviour.pageSize"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := world.ReadSpec("w.yaml", []byte(c.file))
			var found strictyaml.Errors
			if !errors.As(err, &found) || len(found) != len(c.want) {
				t.Fatalf("%v\nwant %d: %q", err, len(c.want), c.want)
			}
			for i, m := range found {
				if !strings.HasPrefix(m.Error(), c.want[i]) {
					t.Errorf("%s\nwant %s", m.Error(), c.want[i])
				}
			}
		})
	}
}

// row is a field in a table of docs/simulate.md.
type row struct{ field, kind, usual, meaning, example string }

// reference reads the tables of docs/simulate.md by their headings.
func reference(t *testing.T) map[string][]row {
	_, doc, ok := strings.Cut(string(read(t, "../../docs/simulate.md")), "\n## Reference\n")
	if !ok {
		t.Fatal("no reference")
	}
	tables := map[string][]row{}
	for _, section := range strings.Split(doc, "\n### ")[1:] {
		name, rest, _ := strings.Cut(section, "\n")
		for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.+) \\| (.+) \\| (.+) \\| `(.+)` \\|$").FindAllStringSubmatch(rest, -1) {
			tables[name] = append(tables[name], row{m[1], m[2], m[3], m[4], m[5]})
		}
	}
	return tables
}

// structs are the struct types that a file is read into.
func structs(t reflect.Type, found map[string]reflect.Type) map[string]reflect.Type {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		structs(t.Elem(), found)
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() || found[t.Name()] != nil {
			break
		}
		found[t.Name()] = t
		for i := range t.NumField() {
			structs(t.Field(i).Type, found)
		}
	}
	return found
}

// kindOf names a type as the reference does.
func kindOf(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "time"
	case reflect.TypeFor[time.Duration]():
		return "duration"
	}
	switch t.Kind() {
	case reflect.Struct:
		return t.Name()
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Slice:
		return "list of " + kindOf(t.Elem())
	case reflect.Map:
		return kindOf(t.Elem()) + " by key"
	}
	return map[reflect.Kind]string{reflect.String: "text", reflect.Bool: "yes/no", reflect.Int: "number", reflect.Float64: "chance"}[t.Kind()]
}

func TestTheReferenceHasEveryFieldWithItsTypeAndAnExampleThatCanBeRead(t *testing.T) {
	tables := reference(t)
	types := structs(reflect.TypeFor[world.Spec](), map[string]reflect.Type{})
	for name := range tables {
		if types[name] == nil {
			t.Errorf("the reference has %s, which is in no world", name)
		}
	}
	for name, typ := range types {
		var fields, documented []string
		for i := range typ.NumField() {
			key := typ.Field(i).Tag.Get("yaml")
			if key == "" {
				t.Errorf("%s.%s has no key", name, typ.Field(i).Name)
			}
			fields = append(fields, key+": "+kindOf(typ.Field(i).Type))
		}
		for _, r := range tables[name] {
			documented = append(documented, r.field+": "+r.kind)
			if _, err := strictyaml.Decode(name, []byte(r.field+": "+r.example), reflect.New(typ).Interface()); err != nil {
				t.Errorf("example of %s.%s: %v", name, r.field, err)
			}
		}
		if diff := cmp.Diff(fields, documented); diff != "" {
			t.Errorf("%s (- in the code, + in the reference):\n%s", name, diff)
		}
	}
}

func TestTheReferenceHasTheDefaultsOfBehaviour(t *testing.T) {
	var lines []string
	for _, r := range reference(t)["Behaviour"] {
		lines = append(lines, r.field+": "+strings.Trim(r.usual, "`"))
	}
	var usual world.Behaviour
	if _, err := strictyaml.Decode("simulate.md", []byte(strings.Join(lines, "\n")), &usual); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(world.Likely(), usual); diff != "" {
		t.Errorf("(- in the code, + in the reference):\n%s", diff)
	}
}

func TestFieldsThatTheReferenceCallsNeededAreNeeded(t *testing.T) {
	var whole world.Spec
	if _, err := strictyaml.Decode("rough-upgrade.yaml", read(t, "testdata/rough-upgrade.yaml"), &whole); err != nil {
		t.Fatal(err)
	}
	for name, rows := range reference(t) {
		for _, r := range rows {
			field := first(reflect.ValueOf(&whole), name, r.field)
			if !field.IsValid() {
				t.Errorf("the example has no %s", name)
				break
			}
			kept := reflect.ValueOf(field.Interface())
			field.SetZero()
			var found world.Mistakes
			errors.As(whole.Validate(), &found)
			field.Set(kept)
			needed := slices.ContainsFunc(found, func(m world.Mistake) bool { return about(m.Field, r.field, rows) })
			if needed != strings.HasPrefix(r.usual, "needed") {
				t.Errorf("%s.%s: the reference says %q; without it there are the mistakes %v", name, r.field, r.usual, found)
			}
		}
	}
}

// about reports whether a mistake's place is one of the rows' fields, or within the given one. An item of a list is neither:
// it is wrong, not missing.
func about(place, field string, rows []row) bool {
	place, _, _ = strings.Cut(place, field+".")
	last := place[strings.LastIndexByte(place, '.')+1:]
	return last == "" || slices.ContainsFunc(rows, func(r row) bool { return r.field == last })
}

// first is a field of the first value of a type below v.
func first(v reflect.Value, typ, key string) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return first(v.Elem(), typ, key)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if f := first(v.Index(i), typ, key); f.IsValid() {
				return f
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if f := first(v.MapIndex(k), typ, key); f.IsValid() && f.CanSet() {
				return f
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Name() == typ && v.Type().Field(i).Tag.Get("yaml") == key {
				return v.Field(i)
			}
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				if f := first(v.Field(i), typ, key); f.IsValid() {
					return f
				}
			}
		}
	}
	return reflect.Value{}
}

func FuzzFile(f *testing.F) {
	for _, name := range examples(f) {
		f.Add(read(f, name))
	}
	f.Add([]byte("start: 2026-11-23T12:00:00Z\nhub: {account: \"111122223333\", region: eu-central-1}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		spec, err := world.ReadSpec("w.yaml", data)
		if err != nil {
			var found strictyaml.Errors
			if !errors.As(err, &found) || len(found) == 0 {
				t.Fatalf("%T: %v", err, err)
			}
			for _, m := range found {
				if m.File != "w.yaml" || m.Text == "" || m.Line < 0 {
					t.Errorf("%+v", m)
				}
			}
			return
		}
		clock := sim.New(spec.Start, 1)
		defer clock.Close()
		if _, err := world.New(spec, clock); err != nil {
			t.Fatal(fmt.Errorf("a file without mistakes is no world: %w", err))
		}
	})
}
