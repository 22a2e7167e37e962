package cluster_test

import (
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
)

var prod = cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod"}

// regions has regions of every partition. Partitions and DNS suffixes are those of the SDK's own table of partitions.
func regions() map[string]cluster.Partition {
	aws := cluster.Partition{Name: "aws", DNS: "amazonaws.com", Console: "console.aws.amazon.com"}
	return map[string]cluster.Partition{
		"eu-central-1": aws, "us-east-1": aws, "mx-central-1": aws, "il-central-1": aws, "ap-southeast-7": aws,
		"cn-north-1":     {Name: "aws-cn", DNS: "amazonaws.com.cn", Console: "console.amazonaws.cn"},
		"cn-northwest-1": {Name: "aws-cn", DNS: "amazonaws.com.cn", Console: "console.amazonaws.cn"},
		"us-gov-west-1":  {Name: "aws-us-gov", DNS: "amazonaws.com", Console: "console.amazonaws-us-gov.com"},
		"us-iso-east-1":  {Name: "aws-iso", DNS: "c2s.ic.gov", Console: "console.c2shome.ic.gov"},
		"us-isob-east-1": {Name: "aws-iso-b", DNS: "sc2s.sgov.gov", Console: "console.sc2shome.sgov.gov"},
		"eu-isoe-west-1": {Name: "aws-iso-e", DNS: "cloud.adc-e.uk", Console: "console.csphome.adc-e.uk"},
		"us-isof-east-1": {Name: "aws-iso-f", DNS: "csp.hci.ic.gov", Console: "console.csphome.hci.ic.gov"},
		"eusc-de-east-1": {Name: "aws-eusc", DNS: "amazonaws.eu", Console: "console.amazonaws-eusc.eu"},
	}
}

// Fact 1.7/partition.
func TestEveryRegionHasItsPartition(t *testing.T) {
	for region, want := range regions() {
		t.Run(region, func(t *testing.T) {
			if diff := cmp.Diff(want, cluster.PartitionOf(region)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !cluster.IsRegion(region) {
				t.Error("is not taken for a region")
			}
		})
	}
	if got := cluster.PartitionOf("xx-nowhere-1").Name; got != "aws" {
		t.Errorf("an unknown region is taken to be in %q, want aws", got)
	}
}

func TestARNAndConsoleURLAreThoseOfThePartition(t *testing.T) {
	for region, p := range regions() {
		t.Run(region, func(t *testing.T) {
			id := cluster.ID{Account: "111122223333", Region: region, Name: "prod_1-a"}
			if got, want := id.ARN(), "arn:"+p.Name+":eks:"+region+":111122223333:cluster/prod_1-a"; got != want {
				t.Errorf("ARN %s, want %s", got, want)
			}
			u, err := url.Parse(id.ConsoleURL())
			if err != nil {
				t.Fatal(err)
			}
			got := []string{u.Scheme, u.Host, u.Path, u.Query().Get("region")}
			if diff := cmp.Diff([]string{"https", region + "." + p.Console, "/eks/clusters/prod_1-a", region}, got); diff != "" {
				t.Errorf("console URL (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseARNFindsTheCluster(t *testing.T) {
	for name, arn := range map[string]string{
		"a cluster's own":                "arn:aws:eks:eu-central-1:111122223333:cluster/prod",
		"that of an add-on":              "arn:aws:eks:eu-central-1:111122223333:addon/prod/vpc-cni/b2c7",
		"that of a node group":           "arn:aws:eks:eu-central-1:111122223333:nodegroup/prod/ng-1/b2c7",
		"that of a Fargate profile":      "arn:aws:eks:eu-central-1:111122223333:fargateprofile/prod/fp/b2c7",
		"colons further back do no harm": "arn:aws:eks:eu-central-1:111122223333:addon/prod/vpc:cni",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := cluster.ParseARN(arn)
			if err != nil || got != prod {
				t.Errorf("read %v, %v; want %v", got, err, prod)
			}
		})
	}
}

func TestParseARNRefusesWhatNamesNoCluster(t *testing.T) {
	for name, c := range map[string]struct{ arn, want string }{
		"nothing":                                 {"", "want arn:PARTITION:eks:REGION:ACCOUNT:cluster/NAME"},
		"a name alone":                            {"prod", "want arn:PARTITION:eks:REGION:ACCOUNT:cluster/NAME"},
		"five parts":                              {"arn:aws:eks:eu-central-1:111122223333", "want arn:"},
		"another service":                         {"arn:aws:ecs:eu-central-1:111122223333:cluster/prod", "want arn:"},
		"another scheme":                          {"urn:aws:eks:eu-central-1:111122223333:cluster/prod", "want arn:"},
		"something that is not in a cluster":      {"arn:aws:eks:eu-central-1:111122223333:access-policy/prod", `a "access-policy" is not in a cluster`},
		"EKS's own cluster access policies":       {"arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", `"cluster-access-policy" is not in a cluster`},
		"a cluster without a name":                {"arn:aws:eks:eu-central-1:111122223333:cluster/", "name"},
		"a cluster without even a slash":          {"arn:aws:eks:eu-central-1:111122223333:cluster", "name"},
		"an account of eleven digits":             {"arn:aws:eks:eu-central-1:11112222333:cluster/prod", "account (twelve digits)"},
		"no region":                               {"arn:aws:eks::111122223333:cluster/prod", "region"},
		"a region that is none":                   {"arn:aws:eks:Frankfurt:111122223333:cluster/prod", "region"},
		"a name that EKS gives no cluster":        {"arn:aws:eks:eu-central-1:111122223333:cluster/pr od\n", "name"},
		"a region of another partition":           {"arn:aws-cn:eks:eu-central-1:111122223333:cluster/prod", "region eu-central-1 is not in partition aws-cn"},
		"a Chinese region in the commercial one":  {"arn:aws:eks:cn-north-1:111122223333:cluster/prod", "region cn-north-1 is not in partition aws"},
		"an isolated region in the one next door": {"arn:aws-iso:eks:us-isob-east-1:111122223333:cluster/prod", "not in partition aws-iso"},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := cluster.ParseARN(c.arn)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if id != (cluster.ID{}) {
				t.Errorf("an error came with the cluster %v", id)
			}
		})
	}
}

// known is a random cluster that could be.
func known(r *rand.Rand) cluster.ID {
	all := slices.Sorted(func(yield func(string) bool) {
		for region := range regions() {
			if !yield(region) {
				return
			}
		}
	})
	text := func(n int, from string) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = from[r.IntN(len(from))]
		}
		return string(b)
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return cluster.ID{Account: text(12, "0123456789"), Region: all[r.IntN(len(all))], Name: text(1, letters) + text(r.IntN(100), letters+"-_")}
}

func TestAnARNIsReadBackAsTheClusterItIsOf(t *testing.T) {
	round := func(seed uint64) bool {
		id := known(rand.New(rand.NewPCG(seed, 1)))
		got, err := cluster.ParseARN(id.ARN())
		if err != nil || got != id {
			t.Logf("%s is read as %v, %v", id.ARN(), got, err)
		}
		return err == nil && got == id
	}
	if err := quick.Check(round, nil); err != nil {
		t.Error(err)
	}
}

func TestCompareOrdersAsTheNamesOfClustersDo(t *testing.T) {
	order := func(x, y uint64) bool {
		a, b := known(rand.New(rand.NewPCG(x, 1))), known(rand.New(rand.NewPCG(y, 1)))
		if x%3 == 0 {
			b.Account = a.Account
		}
		if x%6 == 0 {
			b.Region = a.Region
		}
		byText := slices.Compare([]string{a.Account, a.Region, a.Name}, []string{b.Account, b.Region, b.Name})
		return cluster.Compare(a, b) == byText && cluster.Compare(b, a) == -byText && cluster.Compare(a, a) == 0
	}
	if err := quick.Check(order, nil); err != nil {
		t.Error(err)
	}
}

func TestStringNamesAccountRegionAndName(t *testing.T) {
	if got := prod.String(); got != "111122223333/eu-central-1/prod" {
		t.Errorf("reads %q", got)
	}
}

func TestWords(t *testing.T) {
	for name, c := range map[string]struct {
		is   func(string) bool
		text string
		want bool
	}{
		"twelve digits are an account":                    {cluster.IsAccount, "012345678901", true},
		"eleven digits are none":                          {cluster.IsAccount, "01234567890", false},
		"thirteen digits are none":                        {cluster.IsAccount, "0123456789012", false},
		"a letter among the digits makes none":            {cluster.IsAccount, "01234567890a", false},
		"a letter inside the digits makes none":           {cluster.IsAccount, "012345x78901", false},
		"digits of another script are none":               {cluster.IsAccount, "٠١٢٣٤٥", false},
		"nothing is no account":                           {cluster.IsAccount, "", false},
		"three parts with a number are a region":          {cluster.IsRegion, "eu-central-1", true},
		"four parts with a number are a region":           {cluster.IsRegion, "us-gov-west-1", true},
		"two digits at the end are a region":              {cluster.IsRegion, "eu-north-10", true},
		"two parts are none":                              {cluster.IsRegion, "eu-1", false},
		"five parts are none":                             {cluster.IsRegion, "a-b-c-d-1", false},
		"a zone is none":                                  {cluster.IsRegion, "eu-central-1a", false},
		"capital letters make none":                       {cluster.IsRegion, "EU-central-1", false},
		"a number inside makes none":                      {cluster.IsRegion, "eu-1-1", false},
		"no number at the end makes none":                 {cluster.IsRegion, "eu-central-one", false},
		"an empty part makes none":                        {cluster.IsRegion, "eu--1", false},
		"an empty number makes none":                      {cluster.IsRegion, "eu-central-", false},
		"a dot makes none":                                {cluster.IsRegion, "eu-central-1.evil.example", false},
		"a line break makes none":                         {cluster.IsRegion, "eu-central-1\n", false},
		"one letter is a name":                            {cluster.IsName, "a", true},
		"a digit may begin a name":                        {cluster.IsName, "1-a_B", true},
		"a hundred characters are a name":                 {cluster.IsName, strings.Repeat("a", 100), true},
		"a hundred and one are none":                      {cluster.IsName, strings.Repeat("a", 101), false},
		"a name does not begin with a hyphen":             {cluster.IsName, "-a", false},
		"a name does not begin with an underscore":        {cluster.IsName, "_a", false},
		"a dot is not in a name":                          {cluster.IsName, "a.b", false},
		"a slash is not in a name":                        {cluster.IsName, "a/b", false},
		"a letter beyond ASCII is not in a name":          {cluster.IsName, "prod-ü", false},
		"a line break is not in a name":                   {cluster.IsName, "a\n", false},
		"nothing is no name":                              {cluster.IsName, "", false},
		"nothing is no region":                            {cluster.IsRegion, "", false},
		"the sovereign cloud's region is a region":        {cluster.IsRegion, "eusc-de-east-1", true},
		"a region with a hyphen in front of it is none":   {cluster.IsRegion, "-eu-central-1", false},
		"an account with a space behind it is no account": {cluster.IsAccount, "01234567890 ", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.is(c.text); got != c.want {
				t.Errorf("%q: %v, want %v", c.text, got, c.want)
			}
		})
	}
}

func FuzzParseARN(f *testing.F) {
	f.Add("arn:aws:eks:eu-central-1:111122223333:cluster/prod")
	f.Add("arn:aws-cn:eks:cn-north-1:111122223333:addon/prod/vpc-cni/1")
	f.Add("arn:aws:eks:eu-central-1:111122223333:cluster/a:b")
	f.Add("arn:aws:eks::1:")
	f.Fuzz(func(t *testing.T, arn string) {
		id, err := cluster.ParseARN(arn)
		if err != nil {
			if id != (cluster.ID{}) {
				t.Fatalf("an error came with the cluster %v", id)
			}
			return
		}
		if !cluster.IsAccount(id.Account) || !cluster.IsRegion(id.Region) || !cluster.IsName(id.Name) {
			t.Fatalf("%q gave %+v, which cannot be", arn, id)
		}
		again, err := cluster.ParseARN(id.ARN())
		if err != nil || again != id {
			t.Fatalf("%q gave %v, whose own ARN gives %v, %v", arn, id, again, err)
		}
	})
}
