package cloud_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

var to = cni.Parse("v1.20.0-eksbuild.1")

func TestConfiguration(t *testing.T) {
	const takesEnv = `{"additionalProperties":false,"properties":{"env":{"type":"object"}}}`
	for name, c := range map[string]struct {
		schema, values string
		want           guard.Reading[*guard.Configuration]
	}{
		"what the schema takes":    {takesEnv, `{"env":{"A":"secret"}}`, guard.Read(&guard.Configuration{Of: to})},
		"what it refuses is named": {takesEnv, `{"env":{},"old\u202e\nkey":"secret"}`, guard.Read(&guard.Configuration{Of: to, Refused: []string{"/old key"}})},
		"YAML is not checked":      {takesEnv, "env:\n  A: secret\n", guard.Read(&guard.Configuration{Of: to, NotJSON: true})},
		"no schema at all": {"", `{}`, guard.Hidden[*guard.Configuration](
			&fault.Fault{Kind: fault.Retry, Op: "eks:DescribeAddonConfiguration", Text: "the answer is empty"})},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			f.schemas = map[string]string{to.String(): c.schema}
			if diff := cmp.Diff(c.want, f.cloud().Configuration(t.Context(), prod, to, c.values)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, in := range sent[*eks.DescribeAddonConfigurationInput](f, "DescribeAddonConfiguration") {
				if aws.ToString(in.AddonName) != "vpc-cni" || aws.ToString(in.AddonVersion) != to.String() {
					t.Errorf("asked for %v", in)
				}
			}
			for _, called := range f.calls["DescribeAddonConfiguration"] {
				if called.role != access.Observer {
					t.Errorf("as %s", called.role)
				}
			}
		})
	}
}

func TestASchemaThatCannotBeHadIsAFault(t *testing.T) {
	f := healthy(t)
	f.schemas = map[string]string{to.String(): `{"type":7}`}
	got := f.cloud().Configuration(t.Context(), prod, to, `{"a":"s3cr3t"}`)
	if got.Fault == nil || got.Fault.Kind != fault.Terminal || strings.Contains(got.Fault.Error(), "s3cr3t") {
		t.Errorf("one that is none: %v", got.Fault)
	}
	if got := f.cloud().Configuration(t.Context(), prod, cni.Parse("v1.9.0"), `{}`); got.Fault == nil {
		t.Error("one of a version that EKS does not know is taken for one that takes everything")
	}
	f.fails["DescribeAddonConfiguration"] = code("AccessDeniedException")
	if got := f.cloud().Configuration(t.Context(), prod, to, `{}`); got.Fault == nil || got.Fault.Need != "eks:DescribeAddonConfiguration" {
		t.Errorf("one that is denied: %v", got.Fault)
	}
}

func TestASchemaIsReadOnceAnHour(t *testing.T) {
	f := healthy(t)
	f.schemas = map[string]string{to.String(): `{}`, "v1.19.0": `{}`}
	c := f.cloud()
	times := func(want int) {
		t.Helper()
		if got := len(f.calls["DescribeAddonConfiguration"]); got != want {
			t.Errorf("%d calls; want %d", got, want)
		}
	}
	for range 3 {
		c.Configuration(t.Context(), prod, to, `{}`)
	}
	times(1)
	c.Configuration(t.Context(), prod, cni.Parse("v1.19.0"), `{}`)
	times(2)
	elsewhere := prod
	elsewhere.Region = "us-east-1"
	c.Configuration(t.Context(), elsewhere, to, `{}`)
	times(3)
	f.clock.(*ticks).now = f.clock.Now().Add(time.Hour)
	c.Configuration(t.Context(), prod, to, `{}`)
	times(4)
}

func TestAReleasesArchitecturesAreRead(t *testing.T) {
	f := healthy(t)
	f.versions[0].Architecture, f.versions[1].Architecture = []string{"arm64", "amd64"}, []string{"amd64", "riscv64"}
	want := []cni.Release{
		{Version: to, Default: true, Architectures: cni.Architectures{AMD64: true, ARM64: true}},
		{Version: cni.Parse("v1.19.0-eksbuild.1"), Architectures: cni.Architectures{AMD64: true}},
	}
	if diff := cmp.Diff(guard.Read(want), f.cloud().Observe(t.Context(), prod).Catalogue); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Fact 2.4/unordered.
func TestOpen(t *testing.T) {
	ended := func(id string) types.Update {
		u := update(id, "v1.20.0-eksbuild.1", 0)
		u.Status = types.UpdateStatusFailed
		return u
	}
	crowd := make([]types.Update, 103)
	for i := range crowd {
		crowd[i] = ended("u" + strconv.Itoa(i))
	}
	for name, c := range map[string]struct {
		updates []types.Update
		want    guard.Open
	}{
		"there never was one": {nil, guard.Open{}},
		"all have ended":      {[]types.Update{ended("u1"), ended("u2"), ended("u3")}, guard.Open{}},
		"one has not, in whatever place": {[]types.Update{ended("u1"), ended("u2"), update("u3", "v1.20.0-eksbuild.1", time.Hour)},
			guard.Open{Updates: []guard.Update{{ID: "u3", Status: "InProgress", Created: start.Add(time.Hour)}}}},
		"there are more than are looked at": {crowd, guard.Open{Unseen: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			f.updates = c.updates
			if diff := cmp.Diff(guard.Read(&c.want), f.cloud().Open(t.Context(), prod)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if n := len(f.calls["DescribeUpdate"]); n > 100 {
				t.Errorf("%d calls", n)
			}
		})
	}
	for _, op := range []string{"ListUpdates", "DescribeUpdate"} {
		f := healthy(t)
		f.updates, f.fails[op] = []types.Update{ended("u1")}, code("ServerException")
		if got := f.cloud().Open(t.Context(), prod); got.Fault == nil || got.Fault.Op != "eks:"+op {
			t.Errorf("%s fails, and it says %+v", op, got)
		}
	}
}
