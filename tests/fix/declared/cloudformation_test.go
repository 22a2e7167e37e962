package declared_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/cniguard/cniguard/internal/remedy"
	"github.com/cniguard/cniguard/internal/world"
)

// template is a template of one add-on. It takes nothing else.
type template struct {
	AWSTemplateFormatVersion string `yaml:"AWSTemplateFormatVersion"`
	Description              string `yaml:"Description"`
	Parameters               map[string]struct {
		Type        string `yaml:"Type"`
		NoEcho      bool   `yaml:"NoEcho"`
		Description string `yaml:"Description"`
	} `yaml:"Parameters"`
	Resources struct {
		VpcCni struct {
			Type                string     `yaml:"Type"`
			DeletionPolicy      string     `yaml:"DeletionPolicy"`
			UpdateReplacePolicy string     `yaml:"UpdateReplacePolicy"`
			Properties          properties `yaml:"Properties"`
		} `yaml:"VpcCni"`
	} `yaml:"Resources"`
}

// properties are those of AWS::EKS::Addon (CloudFormation template reference).
type properties struct {
	AddonName, AddonVersion, ClusterName    string `yaml:"-"`
	ServiceAccountRoleArn, ResolveConflicts string `yaml:"-"`
	PreserveOnDelete                        bool   `yaml:"-"`
	ConfigurationValues                     yaml.Node
}

func (p *properties) UnmarshalYAML(n *yaml.Node) error {
	var all map[string]yaml.Node
	if err := n.Decode(&all); err != nil {
		return err
	}
	into := map[string]any{
		"AddonName": &p.AddonName, "AddonVersion": &p.AddonVersion, "ClusterName": &p.ClusterName, "ServiceAccountRoleArn": &p.ServiceAccountRoleArn,
		"ResolveConflicts": &p.ResolveConflicts, "PreserveOnDelete": &p.PreserveOnDelete, "ConfigurationValues": &p.ConfigurationValues,
	}
	for name, v := range all {
		to, known := into[name]
		if !known {
			return errors.New("there is no property " + name)
		}
		if err := v.Decode(to); err != nil {
			return err
		}
	}
	return nil
}

// stack is what CloudFormation keeps of one: its parameters, and whether it has the add-on.
type stack struct {
	name, parameter string
	sets            map[string]set // change sets, by name
	exists          bool
}

// set is a change set: what it does, to a template with its parameter.
type set struct {
	kind, parameter string
	want            wish
}

// create makes a change set as CreateChangeSet does, of files at the desk.
func (st *stack) create(t *testing.T, d desk, s scene, c []string) {
	t.Helper()
	kind, body := flag(c, "--change-set-type"), strings.TrimPrefix(flag(c, "--template-body"), "file://")
	parameter := st.parameter
	switch given := flag(c, "--parameters"); {
	case strings.HasPrefix(given, "file://"):
		var all []struct{ ParameterKey, ParameterValue string }
		if err := json.Unmarshal([]byte(d.read(t, strings.TrimPrefix(given, "file://"))), &all); err != nil ||
			len(all) != 1 || all[0].ParameterKey != "ConfigurationValues" {
			t.Fatalf("parameters %+v, %v", all, err)
		}
		parameter = all[0].ParameterValue
	case given != "" && (given != "ParameterKey=ConfigurationValues,UsePreviousValue=true" || !st.exists):
		t.Errorf("parameters %q", given)
	}
	var text template
	y := yaml.NewDecoder(strings.NewReader(d.read(t, body)))
	y.KnownFields(true)
	if err := y.Decode(&text); err != nil {
		t.Fatal(err)
	}
	if kind == "IMPORT" {
		imported(t, d, s, strings.TrimPrefix(flag(c, "--resources-to-import"), "file://"))
	}
	if st.exists != (kind == "UPDATE") || !regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`).MatchString(st.name) {
		t.Errorf("%s of the stack %q, which is there: %t", kind, st.name, st.exists)
	}
	st.sets[flag(c, "--change-set-name")] = set{kind, parameter, wanted(t, text, parameter)}
}

// imported holds that a file says which resource is imported.
func imported(t *testing.T, d desk, s scene, file string) {
	t.Helper()
	var all []struct {
		ResourceType, LogicalResourceId string
		ResourceIdentifier              map[string]string
	}
	if err := json.Unmarshal([]byte(d.read(t, file)), &all); err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if r := all[0]; r.ResourceType != "AWS::EKS::Addon" || r.LogicalResourceId != "VpcCni" || len(r.ResourceIdentifier) != 2 ||
		r.ResourceIdentifier["ClusterName"] != s.id().Name || r.ResourceIdentifier["AddonName"] != "vpc-cni" {
		t.Errorf("it imports %+v", r)
	}
}

// wanted is what a template wants with a parameter's value.
func wanted(t *testing.T, text template, parameter string) wish {
	t.Helper()
	r := text.Resources.VpcCni
	p := r.Properties
	if r.Type != "AWS::EKS::Addon" || r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" || !p.PreserveOnDelete || p.AddonName != "vpc-cni" {
		t.Errorf("%+v", r)
	}
	values := p.ConfigurationValues.Value
	if p.ConfigurationValues.Tag == "!Ref" {
		if values != "ConfigurationValues" || !text.Parameters[values].NoEcho || text.Parameters[values].Type != "String" {
			t.Errorf("parameters %+v", text.Parameters)
		}
		values = parameter
	}
	return wish{p.ClusterName, p.AddonVersion, p.ServiceAccountRoleArn, values, p.ResolveConflicts}
}

// execute is what CloudFormation then does to EKS; false: nothing.
func (st *stack) execute(t *testing.T, s scene, calls [][]string, n int) (world.Change, bool) {
	t.Helper()
	c := call(t, calls, "aws", "cloudformation", "execute-change-set")
	did, there := st.sets[flag(c, "--change-set-name")]
	if !there || flag(c, "--stack-name") != st.name || flag(c, "--region") != s.region {
		t.Fatalf("it executes %q", c)
	}
	st.parameter, st.exists = did.parameter, true
	deed := map[string]world.Deed{"CREATE": world.CreateAddon, "UPDATE": world.UpdateAddon}[did.kind]
	if did.kind == "IMPORT" {
		if did.want != (wish{s.id().Name, "v1.17.1-eksbuild.1", s.role(), s.config, "PRESERVE"}) {
			t.Errorf("it imports %+v", did.want)
		}
		return world.Change{}, false
	}
	return s.change(t, did.want, deed, n), true
}

func TestCloudFormationLeadsAllTheWay(t *testing.T) {
	waits := map[string]string{"IMPORT": "stack-import-complete", "CREATE": "stack-create-complete", "UPDATE": "stack-update-complete"}
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, st := open(t, s), &stack{sets: map[string]set{}}
			var changes []world.Change
			for i, step := range fixed(t, s.facts(), remedy.CloudFormation).Steps {
				c := call(t, d.do(t, step.Before), "aws", "cloudformation", "create-change-set")
				if st.name == "" {
					st.name = flag(c, "--stack-name")
				}
				st.create(t, d, s, c)
				kind := flag(c, "--change-set-type")
				if change, does := st.execute(t, s, d.do(t, step.Change), i+1); does {
					changes = append(changes, change)
				}
				d.write(t, "status", "ACTIVE "+step.To+"\n")
				if c := call(t, d.do(t, step.Wait), "aws", "cloudformation", "wait", waits[kind]); flag(c, "--stack-name") != st.name {
					t.Errorf("it does not wait for the %s", kind)
				}
				d.do(t, step.After)
				d.write(t, "status", "ACTIVE "+step.From+"\n")
				undo(t, d, s, *st, step)
			}
			s.close(t, changes)
		})
	}
}

// A stack that has the add-on is changed by whoever has its source: no command makes a change set, and no template can be sent to it.
func TestAStackThatHasTheAddOnIsItsOwners(t *testing.T) {
	for _, tool := range []string{"CloudFormation", "aws cdk"} {
		s := scenes()["managed with values in eu-central-1"]
		f := s.facts()
		f.Tool = tool
		d := open(t, s)
		fix := fixed(t, f, remedy.CloudFormation)
		if len(fix.Steps) != len(f.Path) {
			t.Fatalf("%s: %d steps, want %d", tool, len(fix.Steps), len(f.Path))
		}
		for _, step := range fix.Steps {
			if c := call(t, d.do(t, step.Before), "aws", "cloudformation", "describe-stack-resources"); flag(c, "--physical-resource-id") != s.id().Name+"|vpc-cni" {
				t.Errorf("%s: it asks for the stack with %q", tool, c)
			}
			for part, to := range map[*remedy.Part]string{&step.Change: step.To, &step.Back: step.From} {
				if !strings.Contains(part.Say[0], to) || len(part.Files) > 0 {
					t.Errorf("%s: %+v, want the version %s said", tool, *part, to)
				}
			}
			for part, to := range map[*remedy.Part]string{&step.Change: step.To, &step.Wait: step.To, &step.After: step.To, &step.Back: step.From} {
				d.write(t, "status", "ACTIVE "+to+"\n")
				if c := call(t, d.do(t, *part), "aws", "cloudformation"); c != nil {
					t.Errorf("%s: it runs %q", tool, c)
				}
			}
		}
	}
}

// undo holds that the way back leads to the version before, or does away with the stack that the step made.
func undo(t *testing.T, d desk, s scene, st stack, step remedy.Step) {
	t.Helper()
	calls := d.do(t, step.Back)
	if c := call(t, calls, "aws", "cloudformation", "create-change-set"); c != nil {
		st.create(t, d, s, c)
		if change, _ := st.execute(t, s, calls, 1); change.Addon.Version != step.From || change.Do != world.UpdateAddon {
			t.Errorf("the way back is %+v", change)
		}
		return
	}
	if c := call(t, calls, "aws", "cloudformation", "delete-stack"); flag(c, "--stack-name") != st.name {
		t.Error("the stack stays")
	}
}

// lint is the program that reads templates; in CI, where nothing is skipped, it must be there.
func lint(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../../.venv/bin/cfn-lint")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v: make .venv", err)
		}
		t.Skipf("%v: make .venv", err)
	}
	return path
}

func TestTheTemplatesAreCleanToCfnLint(t *testing.T) {
	program, dir, args := lint(t), t.TempDir(), []string{"--regions", "eu-central-1", "us-gov-west-1", "cn-north-1", "--"}
	for name, s := range scenes() {
		for _, step := range fixed(t, s.facts(), remedy.CloudFormation).Steps {
			for _, p := range []remedy.Part{step.Before, step.Back} {
				n := slices.IndexFunc(p.Files, func(f remedy.File) bool { return f.Name == "vpc-cni-stack.yaml" })
				if n < 0 {
					continue
				}
				file := filepath.Join(dir, fmt.Sprintf("%s-%d.yaml", strings.ReplaceAll(name, " ", "-"), len(args)))
				if err := os.WriteFile(file, []byte(p.Files[n].Text), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, file)
			}
		}
	}
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
