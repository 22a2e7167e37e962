package cloud_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// update is an update of the add-on to a version, made some time after the step was saved.
func update(id string, to string, after time.Duration) types.Update {
	return types.Update{Id: &id, Type: types.UpdateTypeAddonUpdate, Status: types.UpdateStatusInProgress, CreatedAt: aws.Time(start.Add(after)),
		Params: []types.UpdateParam{{Type: types.UpdateParamTypeResolveConflicts, Value: aws.String("PRESERVE")}, {Type: types.UpdateParamTypeAddonVersion, Value: &to}}}
}

// Fact 2.4/unordered.
func TestSettle(t *testing.T) {
	const to = "v1.20.0-eksbuild.1"
	named := step
	named.ID = "u2"
	other := update("u1", to, time.Minute)
	other.Type = types.UpdateTypeConfigUpdate
	ageless := update("u1", to, 0)
	ageless.CreatedAt = nil
	for name, c := range map[string]struct {
		step    guard.Step
		updates []types.Update
		want    string // its ID
	}{
		"by its ID, whatever else there is":             {named, []types.Update{update("u1", to, time.Hour), update("u2", "v1.9.0", -time.Hour)}, "u2"},
		"an ID that EKS does not know":                  {named, []types.Update{update("u1", to, 0)}, ""},
		"the newest to that version, in whatever order": {step, []types.Update{update("u1", to, 1), update("u2", to, 3), update("u3", to, 2)}, "u2"},
		"none at all":                                     {step, nil, ""},
		"none to another version":                         {step, []types.Update{update("u1", "v1.20.0-eksbuild.2", 1)}, ""},
		"none from before the step":                       {step, []types.Update{update("u1", to, -time.Minute-1)}, ""},
		"one that EKS's clock puts a minute before":       {step, []types.Update{update("u1", to, -time.Minute)}, "u1"},
		"none that is no add-on update":                   {step, []types.Update{other}, ""},
		"none that does not say when it was made":         {step, []types.Update{ageless}, ""},
		"one on the last of many pages among many others": {step, append(many(19), update("last", to, 1)), "last"},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			f.updates = c.updates
			got := f.cloud().Settle(t.Context(), prod, c.step)
			if got.Fault != nil {
				t.Fatal(got.Fault)
			}
			id := ""
			if got.Value != nil {
				id = got.Value.ID
			}
			if id != c.want {
				t.Errorf("got %q; want %q", id, c.want)
			}
		})
	}
}

func many(n int) []types.Update {
	var all []types.Update
	for i := range n {
		all = append(all, update(fmt.Sprint("old-", i), "v1.20.0-eksbuild.1", -time.Hour))
	}
	return all
}

func TestSettleReadsTheUpdate(t *testing.T) {
	f := healthy(t)
	u := update("u1", "v1.20.0-eksbuild.1", time.Minute)
	u.Status = types.UpdateStatusFailed
	u.Errors = []types.ErrorDetail{{ErrorCode: types.ErrorCodeConfigurationConflict, ErrorMessage: aws.String("DaemonSet aws-node")}, {ErrorCode: types.ErrorCodeUnknown}}
	f.updates = []types.Update{u}
	want := &guard.Update{ID: "u1", Status: "Failed", Code: "ConfigurationConflict", Errors: []string{"ConfigurationConflict: DaemonSet aws-node", "Unknown: "}, Created: start.Add(time.Minute)}
	if diff := cmp.Diff(guard.Read(want), f.cloud().Settle(t.Context(), prod, step)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAnUpdateThatCannotBeReadIsNotNone(t *testing.T) {
	named := step
	named.ID = "u1"
	for name, c := range map[string]struct {
		step guard.Step
		op   string
		with error
		want *fault.Fault
	}{
		"the one with the ID": {named, "DescribeUpdate", code("ThrottlingException"),
			&fault.Fault{Kind: fault.Retry, Op: "eks:DescribeUpdate", Code: "ThrottlingException", Text: "because"}},
		"one of those listed": {step, "DescribeUpdate", code("AccessDeniedException"),
			&fault.Fault{Kind: fault.Terminal, Op: "eks:DescribeUpdate", Code: "AccessDeniedException", Need: "eks:DescribeUpdate", Text: "because"}},
		"the list": {step, "ListUpdates", code("ServerException"),
			&fault.Fault{Kind: fault.Retry, Op: "eks:ListUpdates", Code: "ServerException", Text: "because"}},
		"but without the add-on there are none": {step, "ListUpdates", missing("addon"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			f.updates = []types.Update{update("u1", "v1.20.0-eksbuild.1", 0)}
			f.fails[c.op] = c.with
			got := f.cloud().Settle(t.Context(), prod, c.step)
			if diff := cmp.Diff(guard.Reading[*guard.Update]{Fault: c.want}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Fact 1.2/conflict.
func TestAConflictsFieldsAreReadOutOfItsMessage(t *testing.T) {
	const head = "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. Conflicts:\n"
	for name, c := range map[string]struct {
		code    types.ErrorCode
		message string
		want    []string
	}{
		"each line is a field": {types.ErrorCodeConfigurationConflict, head + "DaemonSet.apps aws-node - .spec.template.spec.tolerations\nConfigMap amazon-vpc-cni - .data.x",
			[]string{"DaemonSet.apps aws-node - .spec.template.spec.tolerations", "ConfigMap amazon-vpc-cni - .data.x"}},
		"a value of the configuration is hidden": {types.ErrorCodeConfigurationConflict, head + `DaemonSet.apps aws-node - .spec.env[name="TOKEN",value="sw0rdfish"]`,
			[]string{`DaemonSet.apps aws-node - .spec.env[name="TOKEN",value="(hidden)"]`}},
		"lines that are no fields are left out":      {types.ErrorCodeConfigurationConflict, "a - b\nDaemonSet - .spec\n x y - z\n", nil},
		"of another error there are no fields":       {types.ErrorCodeAccessDenied, head + "DaemonSet.apps aws-node - .spec", nil},
		"without a list there are none, and no harm": {types.ErrorCodeConfigurationConflict, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			u := update("u1", "v1.20.0-eksbuild.1", time.Minute)
			u.Status, u.Errors = types.UpdateStatusFailed, []types.ErrorDetail{{ErrorCode: c.code, ErrorMessage: &c.message}}
			u.Params = append(u.Params, types.UpdateParam{Type: types.UpdateParamTypeConfigurationValues, Value: aws.String(`{"env":{"TOKEN":"sw0rdfish"}}`)})
			f.updates = []types.Update{u}
			if diff := cmp.Diff(c.want, f.cloud().Settle(t.Context(), prod, step).Value.Fields); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
