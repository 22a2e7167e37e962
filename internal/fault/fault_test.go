package fault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/fault"
)

func TestKindIsNamedInLowerCase(t *testing.T) {
	for kind, want := range map[fault.Kind]string{
		fault.Retry: "retry", fault.Terminal: "terminal", fault.Skip: "skip", 0: "unclassified", 99: "unclassified",
	} {
		if got := kind.String(); got != want {
			t.Errorf("kind %d is %q, want %q", int(kind), got, want)
		}
	}
}

func TestErrorSaysWhatIsKnownAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		fault fault.Fault
		want  string
	}{
		"all parts stand in the order operation, code, text": {
			fault.Fault{Kind: fault.Terminal, Op: "eks:DescribeAddon", Code: "AccessDeniedException", Text: "no"},
			"eks:DescribeAddon: AccessDeniedException: no",
		},
		"a part that is missing leaves no separator": {
			fault.Fault{Kind: fault.Retry, Op: "ec2:DescribeSubnets", Text: "timed out"}, "ec2:DescribeSubnets: timed out",
		},
		"only a text is only the text":                  {fault.Fault{Kind: fault.Skip, Text: "not here"}, "not here"},
		"a fault of which nothing is known is its kind": {fault.Fault{Kind: fault.Retry}, "retry"},
		"the missing permission is not part of the text": {
			fault.Fault{Kind: fault.Terminal, Op: "eks:ListClusters", Code: "AccessDenied", Cause: "x", Need: "eks:ListClusters"},
			"eks:ListClusters: AccessDenied",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.fault.Error(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestOfFindsTheFaultInAChain(t *testing.T) {
	f := &fault.Fault{Kind: fault.Retry, Op: "eks:DescribeCluster"}
	other := &fault.Fault{Kind: fault.Skip}
	var none *fault.Fault
	for name, c := range map[string]struct {
		err  error
		want *fault.Fault
	}{
		"no error has no fault":                         {nil, nil},
		"a foreign error has no fault":                  {io.EOF, nil},
		"a fault is its own":                            {f, f},
		"a wrapped fault is found":                      {fmt.Errorf("check prod: %w", fmt.Errorf("read: %w", f)), f},
		"a fault among joined errors is found":          {errors.Join(io.EOF, f), f},
		"of several the first is found":                 {errors.Join(fmt.Errorf("a: %w", f), other), f},
		"a nil fault that became an error has no fault": {fmt.Errorf("read: %w", none), nil},
		"a text that reads like a fault is none":        {errors.New(f.Error()), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fault.Of(c.err); got != c.want {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

func TestDeniedIsKnownByTheMissingPermission(t *testing.T) {
	var none *fault.Fault
	for name, c := range map[string]struct {
		fault *fault.Fault
		want  bool
	}{
		"no fault denies nothing":                               {none, false},
		"a throttled call was not denied":                       {&fault.Fault{Kind: fault.Retry, Code: "ThrottlingException"}, false},
		"a text that speaks of a denial is no denial":           {&fault.Fault{Kind: fault.Terminal, Text: "access denied"}, false},
		"a fault that names the missing permission is a denial": {&fault.Fault{Kind: fault.Terminal, Need: "eks:DescribeCluster"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.fault.Denied(); got != c.want {
				t.Errorf("denied is %v, want %v", got, c.want)
			}
		})
	}
}

func TestRecordKeepsEveryFieldOfAFault(t *testing.T) {
	f := fault.Fault{Kind: fault.Terminal, Op: "eks:UpdateAddon", Code: "AccessDenied", Need: "eks:UpdateAddon", InDoubt: true, Text: "no \u202e"}
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var got fault.Fault
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("a fault changed on its way through the ledger (-want +got):\n%s", diff)
	}
}
