package declared_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/cniguard/cniguard/internal/remedy"
)

// harness runs a stack's class with a CDK that only keeps what CfnAddon is given, and prints that.
const harness = `
const made = [];
class Stack { constructor() {} }
const cdk = {
  Stack, RemovalPolicy: { RETAIN: 'retain' },
  aws_eks: { CfnAddon: class {
    constructor(scope, id, props) { made.push(this); Object.assign(this, { id, props }); }
    applyRemovalPolicy(p) { this.policy = p; }
  } },
};
const real = require;
const module_ = { exports: {} };
new Function('require', 'module', 'exports', require('fs').readFileSync(0, 'utf8'))(
  (name) => name === 'aws-cdk-lib' ? cdk : name === 'constructs' ? { Construct: class {} } : real(name), module_, module_.exports);
new module_.exports.VpcCniStack(undefined, 'x');
process.stdout.write(JSON.stringify(made));
`

// construct is what the printed TypeScript gives CfnAddon, in the folder of a desk; ok is false where there is no Node to run it.
func construct(t *testing.T, dir, text string) (w wish, ok bool) {
	t.Helper()
	js := api.Transform(text, api.TransformOptions{Loader: api.LoaderTS, Format: api.FormatCommonJS, Target: api.ES2020})
	if len(js.Errors)+len(js.Warnings) > 0 {
		t.Fatalf("%v %v\n%s", js.Errors, js.Warnings, text)
	}
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		return wish{}, false
	}
	node := exec.Command("node", "-e", harness)
	node.Dir, node.Stdin, node.Stderr = dir, strings.NewReader(string(js.Code)), os.Stderr
	out, err := node.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var made []struct {
		ID, Policy string
		Props      map[string]any
	}
	if err := json.Unmarshal(out, &made); err != nil || len(made) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	p := made[0].Props
	if made[0].ID != "VpcCni" || made[0].Policy != "retain" || p["addonName"] != "vpc-cni" || p["preserveOnDelete"] != true {
		t.Errorf("%+v", made[0])
	}
	texts := map[string]string{}
	for _, name := range []string{"clusterName", "addonVersion", "serviceAccountRoleArn", "configurationValues", "resolveConflicts"} {
		texts[name], _ = p[name].(string)
		delete(p, name)
	}
	if len(p) != 2 {
		t.Errorf("there are no such properties: %+v", p)
	}
	return wish{texts["clusterName"], texts["addonVersion"], texts["serviceAccountRoleArn"], texts["configurationValues"], texts["resolveConflicts"]}, true
}

func TestTheCDKSaysWhatTheTemplateSays(t *testing.T) {
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, s)
			step := fixed(t, s.facts(), remedy.CloudFormation).Steps[0]
			d.do(t, step.Before)
			want := wish{s.id().Name, step.To, s.role(), s.config, map[bool]string{true: "PRESERVE", false: "OVERWRITE"}[s.managed]}
			if got, ran := construct(t, filepath.Join(d.dir, "work"), d.read(t, "vpc-cni-stack.ts")); !ran {
				t.Skip("there is no node")
			} else if got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}
