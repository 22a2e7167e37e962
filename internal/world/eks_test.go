package world_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

const role = "arn:aws:iam::111122223333:role/irsa-vpc-cni"

var prod = cluster.ID{Account: hubAccount, Region: hubRegion, Name: "prod"}

// house puts one cluster into a world: prod, with vpc-cni v1.9.0 on Kubernetes 1.21, in a VPC of two subnets.
func house(s *world.Spec) {
	s.VPCs = []world.VPC{{ID: "vpc-1", Account: hubAccount, Region: hubRegion, Subnets: []world.Subnet{
		{ID: "subnet-a", CIDR: "10.0.1.0/24", Zone: "eu-central-1a", Used: []world.Point{{Addresses: 100}}},
		{ID: "subnet-b", CIDR: "10.0.2.0/24", Zone: "eu-central-1b"},
	}}}
	s.Clusters = []world.Cluster{{
		Name: "prod", Account: hubAccount, Region: hubRegion, Kubernetes: "1.21", Tags: map[string]string{"team": "shop"},
		VPC: "vpc-1", ControlPlane: []string{"subnet-a", "subnet-b"},
		Nodegroups:      []world.Nodegroup{{Name: "ng-1", Subnets: []string{"subnet-a"}}, {Name: "ng-2", Subnets: []string{"subnet-b"}}},
		FargateProfiles: []world.FargateProfile{{Name: "fp-1", Subnets: []string{"subnet-b"}}},
		Addon: &world.Addon{Version: "v1.9.0-eksbuild.1", Role: role, Configuration: `{"env":{"A":"1"}}`,
			PodIdentities: []string{"arn:aws:eks:eu-central-1:111122223333:podidentityassociation/prod/a-1"}, Tags: map[string]string{"a": "b"}},
	}}
	s.Catalogues = map[string][]world.Catalogue{"1.21": {
		{Version: "v1.11.4-eksbuild.1", Compatible: true},
		{Version: "v1.10.4-eksbuild.1", Compatible: true, Default: true},
		{Version: "v1.10.0-eksbuild.1", Compatible: true},
		{Version: "v1.9.0-eksbuild.1", Compatible: true},
		{Version: "v1.8.0-eksbuild.1", Compatible: false},
	}}
	s.Behaviour.OneMinor = true
}

// with is house, changed.
func with(changes ...func(*world.Spec)) func(*world.Spec) {
	return func(s *world.Spec) {
		house(s)
		for _, change := range changes {
			change(s)
		}
	}
}

// update asks for an update of prod's add-on.
func update(ctx context.Context, c *world.Client, version string, changes ...func(*eks.UpdateAddonInput)) (*types.Update, error) {
	in := &eks.UpdateAddonInput{ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni")}
	if version != "" {
		in.AddonVersion = &version
	}
	for _, change := range changes {
		change(in)
	}
	out, err := c.UpdateAddon(ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Update, nil
}

// code is the service's error code and HTTP status in an error, as "400 InvalidParameterException", or "ok".
func code(err error) string {
	if err == nil {
		return "ok"
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err.Error()
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) {
		return "without a response: " + api.ErrorCode()
	}
	return strings.Join([]string{itoa(response.HTTPStatusCode()), api.ErrorCode()}, " ")
}

func itoa(n int) string {
	return string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
}

// addonOf reads prod's add-on through the API.
func addonOf(t testing.TB, ctx context.Context, c *world.Client) *types.Addon {
	t.Helper()
	out, err := c.DescribeAddon(ctx, &eks.DescribeAddonInput{ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni")})
	if err != nil {
		t.Fatal(err)
	}
	return out.Addon
}

// Facts 2.1/role-empty, 2.2/in-use, 2.2/one-minor, 2.2/unsupported, 2.2/not-found, 3/enforced, 3/down.
func TestUpdateAddonIsRefused(t *testing.T) {
	tests := map[string]struct {
		spec    func(*world.Spec)
		version string
		change  func(*eks.UpdateAddonInput)
		want    string
		text    string
	}{
		"facts 3: by more than one minor version, where that is enforced": {
			version: "v1.11.4-eksbuild.1", want: "400 InvalidParameterException", text: "Updating VPC-CNI can only go up or down 1 minor version at a time"},
		"facts 3: not so where it is not": {
			spec: func(s *world.Spec) { s.Behaviour.OneMinor = false }, version: "v1.11.4-eksbuild.1", want: "ok"},
		"facts 3: one minor version down is allowed": {
			spec: func(s *world.Spec) { s.Clusters[0].Addon.Version = "v1.10.4-eksbuild.1" }, version: "v1.9.0-eksbuild.1", want: "ok"},
		"facts 2.2: to a version that the cluster's Kubernetes does not support": {
			version: "v1.8.0-eksbuild.1", want: "400 InvalidParameterException", text: "not supported in 1.21 kubernetes version"},
		"facts 2.2: to a version that does not exist": {
			version: "v1.9.7", want: "400 InvalidParameterException"},
		"facts 2.2: while it is being updated": {
			spec: func(s *world.Spec) { s.Clusters[0].Addon.Status = "UPDATING" }, version: "v1.10.4-eksbuild.1", want: "409 ResourceInUseException", text: "currently in UPDATING state"},
		"facts 2.2: while it is being created": {
			spec: func(s *world.Spec) { s.Clusters[0].Addon.Status = "CREATING" }, version: "v1.10.4-eksbuild.1", want: "409 ResourceInUseException", text: "currently in CREATING state"},
		"not when it is degraded": {
			spec: func(s *world.Spec) { s.Clusters[0].Addon.Status = "DEGRADED" }, version: "v1.10.4-eksbuild.1", want: "ok"},
		"facts 2.1: with an empty role": {
			version: "v1.10.4-eksbuild.1", change: func(in *eks.UpdateAddonInput) { in.ServiceAccountRoleArn = aws.String("") }, want: "400 InvalidParameterException"},
		"facts 2.2: of a cluster that there is not": {
			version: "v1.10.4-eksbuild.1", change: func(in *eks.UpdateAddonInput) { in.ClusterName = aws.String("prop") }, want: "404 ResourceNotFoundException", text: "No cluster found for name: prop."},
		"facts 2.2: of an add-on that there is not": {
			version: "v1.10.4-eksbuild.1", change: func(in *eks.UpdateAddonInput) { in.AddonName = aws.String("coredns") }, want: "404 ResourceNotFoundException", text: "No addon: coredns found in cluster: prod"},
		"of a cluster that failed": {
			spec: func(s *world.Spec) { s.Clusters[0].Status = "FAILED" }, version: "v1.10.4-eksbuild.1", want: "400 InvalidRequestException"},
		"never where version and all are fine": {version: "v1.10.4-eksbuild.1", want: "ok"},
		"never where the version is left out":  {want: "ok"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			change := func(*world.Spec) {}
			if test.spec != nil {
				change = test.spec
			}
			s := set(t, 1, with(change))
			s.at(0, func(ctx context.Context, c *world.Client) {
				var changes []func(*eks.UpdateAddonInput)
				if test.change != nil {
					changes = append(changes, test.change)
				}
				_, err := update(ctx, c, test.version, changes...)
				if got := code(err); got != test.want {
					t.Errorf("UpdateAddon gave %s; want %s", got, test.want)
				}
				if err != nil && !strings.Contains(err.Error(), test.text) {
					t.Errorf("UpdateAddon says %q; want %q in it", err, test.text)
				}
			})
			if _, started := s.Addon(prod); started && test.want != "ok" && len(s.Updates(prod)) > 0 {
				t.Error("an update was refused and started")
			}
		})
	}
}

// Facts 2.1/role-dropped, 2.1/pod-identities, 2.1/configuration.
func TestWhatAnUpdateKeeps(t *testing.T) {
	keep := func(in *eks.UpdateAddonInput) {}
	tests := map[string]struct {
		behaviour  func(*world.Behaviour)
		change     func(*eks.UpdateAddonInput)
		role, conf string
		pods       int
	}{
		"facts 2.1: a role that is left out is lost": {nil, keep, "", `{"env":{"A":"1"}}`, 1},
		"a switch: a role that is left out is kept":  {func(b *world.Behaviour) { b.RoleKept = true }, keep, role, `{"env":{"A":"1"}}`, 1},
		"a role that is sent is taken":               {nil, func(in *eks.UpdateAddonInput) { in.ServiceAccountRoleArn = aws.String("arn:aws:iam::1:role/x") }, "arn:aws:iam::1:role/x", `{"env":{"A":"1"}}`, 1},
		"a switch: configuration that is left out is lost": {
			func(b *world.Behaviour) { b.ConfigDropped = true }, keep, "", "", 1},
		"configuration that is sent is taken": {
			func(b *world.Behaviour) { b.ConfigDropped = true }, func(in *eks.UpdateAddonInput) { in.ConfigurationValues = aws.String("{}") }, "", "{}", 1},
		"facts 2.1: an empty list of pod identities deletes them": {
			nil, func(in *eks.UpdateAddonInput) { in.PodIdentityAssociations = []types.AddonPodIdentityAssociations{} }, "", `{"env":{"A":"1"}}`, 0},
		"facts 2.1: pod identities that are sent replace the others": {
			nil, func(in *eks.UpdateAddonInput) {
				one := types.AddonPodIdentityAssociations{RoleArn: aws.String("r"), ServiceAccount: aws.String("s")}
				in.PodIdentityAssociations = []types.AddonPodIdentityAssociations{one, one}
			}, "", `{"env":{"A":"1"}}`, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, with(func(s *world.Spec) {
				if test.behaviour != nil {
					test.behaviour(&s.Behaviour)
				}
			}))
			s.at(0, func(ctx context.Context, c *world.Client) {
				if _, err := update(ctx, c, "v1.10.4-eksbuild.1", test.change); err != nil {
					t.Fatal(err)
				}
			})
			s.at(time.Hour, func(ctx context.Context, c *world.Client) {
				a := addonOf(t, ctx, c)
				if aws.ToString(a.ServiceAccountRoleArn) != test.role || aws.ToString(a.ConfigurationValues) != test.conf || len(a.PodIdentityAssociations) != test.pods {
					t.Errorf("role %q, configuration %q, %d pod identities; want %q, %q, %d", aws.ToString(a.ServiceAccountRoleArn),
						aws.ToString(a.ConfigurationValues), len(a.PodIdentityAssociations), test.role, test.conf, test.pods)
				}
			})
		})
	}
}

// course tells how an update goes, minute by minute: the update's status, the add-on's, and its version.
func course(t *testing.T, s *stage, minutes int) string {
	var parts []string
	var id string
	for m := range minutes + 1 {
		s.at(time.Duration(m)*time.Minute, func(ctx context.Context, c *world.Client) {
			if m == 0 {
				u, err := update(ctx, c, "v1.10.4-eksbuild.1")
				if err != nil {
					t.Error(err)
					return
				}
				id = *u.Id
			}
			u, err := c.DescribeUpdate(ctx, &eks.DescribeUpdateInput{Name: aws.String("prod"), AddonName: aws.String("vpc-cni"), UpdateId: &id})
			if err != nil {
				t.Error(err)
				return
			}
			a := addonOf(t, ctx, c)
			now := string(u.Update.Status) + " " + string(a.Status) + " " + strings.TrimSuffix(*a.AddonVersion, "-eksbuild.1")
			if len(u.Update.Errors) > 0 {
				now += " " + string(u.Update.Errors[0].ErrorCode)
			}
			if len(a.Health.Issues) > 0 {
				now += "/" + string(a.Health.Issues[0].Code)
			}
			if len(parts) == 0 || parts[len(parts)-1] != now {
				parts = append(parts, now)
			}
		})
	}
	return strings.Join(parts, ", ")
}

// Facts 2.3/addon-status, 2.4/waiter, 2.4/hangs.
func TestTheCourseOfAnUpdate(t *testing.T) {
	minutes := func(n float64) world.Range {
		d := time.Duration(n * float64(time.Minute))
		return world.Range{Min: d, Max: d}
	}
	script := func(o world.Outcome) func(*world.Spec) {
		return func(s *world.Spec) {
			s.Updates = []world.UpdateScript{{Cluster: "other", Outcome: world.Hang}, {To: "v1.11", Outcome: world.Hang}, {Cluster: "prod", To: "v1.10", Outcome: o, Issue: world.Issue{Message: "no"}}}
		}
	}
	tests := map[string]struct {
		change func(*world.Spec)
		want   string
	}{
		"it takes minutes, and succeeds": {func(*world.Spec) {},
			"InProgress UPDATING v1.9.0, Successful ACTIVE v1.10.4"},
		"facts 2.4: at first the add-on may still show as before": {func(s *world.Spec) { s.Behaviour.UpdateStarts = minutes(1.5) },
			"InProgress ACTIVE v1.9.0, InProgress UPDATING v1.9.0, Successful ACTIVE v1.10.4"},
		"a switch: the new version shows from the start": {func(s *world.Spec) { s.Behaviour.VersionMovesEarly = true },
			"InProgress UPDATING v1.10.4, Successful ACTIVE v1.10.4"},
		"facts 2.3: one that fails names its error": {script(world.Fail),
			"InProgress UPDATING v1.9.0, Failed UPDATE_FAILED v1.9.0 InsufficientNumberOfReplicas/InsufficientNumberOfReplicas"},
		"facts 2.3: one that degrades leaves the new version and an issue": {script(world.Degrade),
			"InProgress UPDATING v1.9.0, Successful DEGRADED v1.10.4/InsufficientNumberOfReplicas"},
		"facts 2.4: one that hangs is in progress for ever": {script(world.Hang),
			"InProgress UPDATING v1.9.0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, with(func(s *world.Spec) { s.Behaviour.UpdateTakes = minutes(5.5) }, test.change))
			if got := course(t, s, 60); got != test.want {
				t.Errorf("the course was %s; want %s", got, test.want)
			}
		})
	}
}

func TestASecondUpdateWaitsForTheFirst(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Behaviour.UpdateStarts = world.Range{Min: time.Minute, Max: time.Minute} }))
	for _, at := range []struct {
		offset time.Duration
		to     string
		want   string
	}{
		{0, "v1.10.4-eksbuild.1", "ok"},
		{time.Second, "v1.10.0-eksbuild.1", "409 ResourceInUseException"}, // the add-on still shows ACTIVE
		{2 * time.Minute, "v1.10.0-eksbuild.1", "409 ResourceInUseException"},
		{time.Hour, "v1.11.4-eksbuild.1", "ok"},
	} {
		s.at(at.offset, func(ctx context.Context, c *world.Client) {
			if _, err := update(ctx, c, at.to); code(err) != at.want {
				t.Errorf("at %s UpdateAddon gave %s; want %s", at.offset, code(err), at.want)
			}
		})
	}
	s.until(2 * time.Hour)
	if a, _ := s.Addon(prod); a.Version != "v1.11.4-eksbuild.1" || a.Status != "ACTIVE" {
		t.Errorf("in the end the add-on is %s %s", a.Version, a.Status)
	}
}

func TestAScriptMayHoldForSomeUpdatesOnly(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Updates = []world.UpdateScript{{Outcome: world.Fail, Times: 2}, {Outcome: world.Degrade, Times: 1}}
	}))
	for i := range 4 {
		s.at(time.Duration(i)*time.Hour, func(ctx context.Context, c *world.Client) {
			if _, err := update(ctx, c, ""); err != nil {
				t.Error(err)
			}
		})
	}
	s.until(5 * time.Hour)
	var ends []string
	for _, e := range s.entries(world.Truth, "add-on") {
		if _, status, _ := strings.Cut(e.Text, " "); status != "UPDATING" {
			ends = append(ends, status)
		}
	}
	if got := strings.Join(ends, " "); got != "UPDATE_FAILED UPDATE_FAILED DEGRADED ACTIVE" {
		t.Errorf("four updates ended %s", got)
	}
}

// Fact 7.2/crash-loop.
func TestARestartOnAFullSubnet(t *testing.T) {
	full := func(s *world.Spec) { s.VPCs[0].Subnets[1].Used = []world.Point{{Addresses: 251}} }
	tests := map[string]struct {
		change func(*world.Spec)
		to     string
		outage bool
	}{
		"facts 7.2: below v1.10.2 aws-node crash-loops": {full, "v1.10.0-eksbuild.1", true},
		"facts 7.2: from v1.10.2 on it does not": {
			func(s *world.Spec) {
				full(s)
				s.Catalogues["1.21"] = append(s.Catalogues["1.21"], world.Catalogue{Version: "v1.10.2-eksbuild.1", Compatible: true})
			}, "v1.10.2-eksbuild.1", false},
		"nor does it with one address free": {
			func(s *world.Spec) { s.VPCs[0].Subnets[1].Used = []world.Point{{Addresses: 250}} }, "v1.10.0-eksbuild.1", false},
		"nor on IPv6": {func(s *world.Spec) { full(s); s.Clusters[0].IPv6 = true }, "v1.10.0-eksbuild.1", false},
		"nor when no node is in that subnet": {
			func(s *world.Spec) { full(s); s.Clusters[0].Nodegroups = s.Clusters[0].Nodegroups[:1] }, "v1.10.0-eksbuild.1", false},
		"an instance of its own is a node too": {
			func(s *world.Spec) {
				full(s)
				s.Clusters[0].Nodegroups = nil
				s.Clusters[0].Instances = []world.Instance{{ID: "i-1", Subnets: []string{"subnet-b"}}}
			}, "v1.10.0-eksbuild.1", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, with(test.change))
			s.at(0, func(ctx context.Context, c *world.Client) {
				if _, err := update(ctx, c, test.to); err != nil {
					t.Fatal(err)
				}
			})
			s.until(time.Hour)
			outages := s.entries(world.Truth, "outage")
			if test.outage != (len(outages) == 1) {
				t.Errorf("outages: %v; want one: %t", outages, test.outage)
			}
			want := "Successful"
			if test.outage {
				want = "Failed"
				if data, ok := outages[0].Data.(world.Outage); !ok || data != (world.Outage{Version: test.to, Subnet: "subnet-b"}) {
					t.Errorf("the outage is %+v", outages[0].Data)
				}
			}
			if u := s.Updates(prod); len(u) != 1 || u[0].Status != want {
				t.Errorf("updates: %+v; want one that is %s", u, want)
			}
		})
	}
}

// Facts 2.4/addon-name, 2.4/unordered.
func TestListUpdates(t *testing.T) {
	s := set(t, 3, with(func(s *world.Spec) { s.Behaviour.PageSize = 2 }))
	var byTime []string
	for i := range 6 {
		s.at(time.Duration(i)*time.Hour, func(ctx context.Context, c *world.Client) {
			u, err := update(ctx, c, "")
			if err != nil {
				t.Fatal(err)
			}
			byTime = append(byTime, *u.Id)
		})
	}
	s.at(10*time.Hour, func(ctx context.Context, c *world.Client) {
		var ids []string
		pages := eks.NewListUpdatesPaginator(c, &eks.ListUpdatesInput{Name: aws.String("prod"), AddonName: aws.String("vpc-cni")})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.UpdateIds) != 2 {
				t.Errorf("a page of %d ids; want 2", len(page.UpdateIds))
			}
			ids = append(ids, page.UpdateIds...)
		}
		if slices.Equal(ids, byTime) {
			t.Error("facts 2.4: updates are listed by time; want no such order")
		}
		slices.Sort(ids)
		slices.Sort(byTime)
		if !slices.Equal(ids, byTime) {
			t.Errorf("listed %v; want %v", ids, byTime)
		}
		if _, err := c.DescribeUpdate(ctx, &eks.DescribeUpdateInput{Name: aws.String("prod"), UpdateId: &ids[0]}); code(err) != "404 ResourceNotFoundException" {
			t.Errorf("facts 2.4: DescribeUpdate without the add-on's name gave %s", code(err))
		}
		none, err := c.ListUpdates(ctx, &eks.ListUpdatesInput{Name: aws.String("prod")})
		if err != nil || len(none.UpdateIds) > 0 {
			t.Errorf("updates of the cluster itself: %v, %v; want none", none, err)
		}
	})
}
